/**
 * Keys whose time is over go on time from a core that sleeps, also when it has slept so often that the
 * runtime has made machine code of that.
 *
 * Thread: any.
 * Owns: the server it starts.
 * Never: looks at a key: that would delete it.
 */
import { expect, test } from 'bun:test'
import { startRedbun } from '../support/server.ts'

const CLIENTS = 4
const REQUESTS = 10_000
const KEYS = 40
/** Milliseconds; `test/core/keyspace/expiry.test.ts` has the same for a core that is awake. */
const LATE_MS_MAX = 10

test('keys expire on time while nobody asks', async () => {
  const server = await startRedbun({ args: ['--notify-keyspace-events', 'Ex'] })
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => server.connect()))
  await Promise.all(
    clients.map(async (client) => {
      for (let i = 0; i < REQUESTS; i++) expect(await client.text('PING')).toBe('PONG')
    }),
  )
  const listener = await server.connect()
  await listener.call('SUBSCRIBE __keyevent@0__:expired')
  const lateMs: number[] = []
  for (let i = 0; i < KEYS; i++) {
    const lifeMs = 5 + ((i * 37) % 90)
    expect(await clients[0].text(`SET k v PX ${lifeMs}`)).toBe('OK')
    const setMs = performance.now()
    await listener.next()
    lateMs.push(performance.now() - setMs - lifeMs)
  }
  // The median: a busy machine may hold up one or the other.
  expect(lateMs.sort((a, b) => a - b)[KEYS / 2]).toBeLessThan(LATE_MS_MAX)
  expect(await server.stop()).toBe(0)
}, 60_000)
