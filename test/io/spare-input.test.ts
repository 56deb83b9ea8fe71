/**
 * Room that a connection keeps for its next large request, as CLIENT LIST tells of it.
 *
 * Thread: any.
 * Owns: one server process.
 * Never: counts on when exactly the room is made smaller.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { SPARE_INPUT_SIZE_MAX, SPARE_INPUT_SIZE_MIN } from '../../src/config/limits.ts'
import type { Connection } from '../../src/io/connection.ts'
import { SpareInputs } from '../../src/io/spare-input.ts'
import { encodeRequest } from '../support/argv.ts'
import type { Client } from '../support/client.ts'
import { type RunningServer, startRedbun } from '../support/server.ts'

const SIZE = 400_000
let server: RunningServer
let control: Client

beforeAll(async () => {
  server = await startRedbun()
  control = await server.connect()
})
afterAll(() => server.stop())

async function look(name: string) {
  const list = await control.ask('CLIENT LIST')
  const numbers = new RegExp(`name=${name} .* qbuf=(\\d+) qbuf-free=(\\d+) .* tot-mem=(\\d+)`)
  const [used, free, total] = (numbers.exec(list) ?? []).slice(1).map(Number)
  return { used, free, total }
}

async function until(name: string, holds: (now: Awaited<ReturnType<typeof look>>) => boolean) {
  for (let tries = 0; tries < 800; tries++) {
    const now = await look(name)
    if (holds(now)) return now
    await Bun.sleep(10)
  }
  throw new Error(`${name} does not come to what it should`)
}

/** Sends a large request in two pieces that arrive apart. */
async function sendInPieces(client: Client, name: string): Promise<number> {
  const request = encodeRequest([Buffer.from('SET'), Buffer.from('k'), Buffer.alloc(SIZE, 'v')])
  client.write(request.subarray(0, 100))
  await until(name, ({ used }) => used > 0)
  client.write(request.subarray(100, 1000))
  const { free } = await until(name, ({ used }) => used >= 900)
  client.write(request.subarray(1000))
  expect((await client.next()).bytes?.toString()).toBe('OK')
  return free
}

describe('room for the next large request', () => {
  test('is told of while the request arrives, kept after it, and given up in steps', async () => {
    const client = await server.connect()
    await client.ask('CLIENT SETNAME pieces')
    const before = await look('pieces')
    expect(before.free).toBe(0)
    expect(await sendInPieces(client, 'pieces')).toBeGreaterThan(SIZE - 1000)
    const kept = await until('pieces', ({ used }) => used === 0)
    expect(kept.free).toBeGreaterThan(SIZE)
    expect(kept.total).toBe(before.total + kept.free)
    const smaller = await until('pieces', ({ free }) => free < kept.free)
    expect(smaller.free).toBe(kept.free >> 1)
    expect(await until('pieces', ({ free }) => free === 0)).toEqual(before)
  })

  test('serves for the next one, and its bytes are right', async () => {
    const client = await server.connect()
    await client.ask('CLIENT SETNAME again')
    for (let round = 0; round < 5; round++) {
      await sendInPieces(client, 'again')
      expect(await control.ask('STRLEN k')).toBe(`:${SIZE}`)
      expect(await control.ask('GETRANGE k 399990 -1')).toBe('$vvvvvvvvvv')
      const small = Buffer.alloc(50_000 + round, `${round}`)
      const request = encodeRequest([Buffer.from('SET'), Buffer.from('s'), small])
      client.write(request.subarray(0, 50))
      await until('again', ({ used }) => used > 0)
      client.write(request.subarray(50))
      expect((await client.next()).bytes?.toString()).toBe('OK')
      client.write('GET s\r\n')
      expect((await client.next()).bytes?.equals(small)).toBe(true)
    }
  })
})

describe('what is kept', () => {
  const connection = () => ({ spareInput: undefined, spareInputPeak: 0 }) as unknown as Connection

  test('is neither small nor huge', () => {
    const spares = new SpareInputs()
    for (const size of [SPARE_INPUT_SIZE_MIN - 1, SPARE_INPUT_SIZE_MAX + 1]) {
      const holder = connection()
      spares.keep(holder, Buffer.allocUnsafeSlow(size), size)
      expect(holder.spareInput).toBeUndefined()
    }
    spares.stop()
  })

  test('stays as long as more than half of it is needed', () => {
    const spares = new SpareInputs()
    const told: (number | undefined)[] = []
    spares.changed = ({ spareInput }) => told.push(spareInput?.length)
    const holder = connection()
    const size = 4 * SPARE_INPUT_SIZE_MIN
    spares.keep(holder, Buffer.allocUnsafeSlow(size), size)
    spares.shrink()
    expect(holder.spareInput?.length).toBe(size)
    for (let i = 0; i < 4; i++) spares.shrink()
    expect(told).toEqual([size / 2, size / 4, undefined])
    expect(holder.spareInput).toBeUndefined()
  })
})
