/**
 * When garbage is collected: once for what starting has left, several times for memory that was dropped,
 * and never for nothing.
 *
 * Thread: any.
 * Owns: a server in this process.
 * Never: measures memory.
 */
import { afterAll, afterEach, expect, spyOn, test } from 'bun:test'
import { RECLAIM_PASS_COUNT, RECLAIM_PERIOD_MS } from '../../../../src/config/limits.ts'
import { InProcessServer } from '../../../support/in-process.ts'

const collect = spyOn(Bun, 'gc').mockImplementation(() => {})
afterEach(() => {
  collect.mockClear()
})
afterAll(() => {
  collect.mockRestore()
})

function collectionsAfter(act: (server: InProcessServer) => void): number {
  const server = new InProcessServer()
  collect.mockClear()
  act(server)
  // Step by step: a timer that is late comes once.
  for (let i = 0; i < 2 * RECLAIM_PASS_COUNT; i++) server.advance(RECLAIM_PERIOD_MS)
  return collect.mock.calls.length
}

test('one for what starting has left', () => {
  const count = collectionsAfter(({ server }) => {
    server.control.receive(server.links[0], { type: 'started' })
  })
  expect(count).toBe(1)
})

test('several for memory that was dropped', () => {
  expect(collectionsAfter(({ server }) => server.reclaim.begin())).toBe(RECLAIM_PASS_COUNT)
})

test('none without a reason', () => {
  expect(collectionsAfter(() => {})).toBe(0)
})
