/**
 * Values far larger than a ring, in and out. REDBUN_HUGE=1 makes them as large as Redis allows.
 *
 * Thread: any.
 * Owns: one server process.
 * Never: compares byte by byte in JavaScript.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type RunningServer, startRedbun } from '../support/server.ts'

const MEGABYTE = 1024 * 1024
const SIZE = (process.env['REDBUN_HUGE'] === '1' ? 512 : 96) * MEGABYTE
let server: RunningServer

beforeAll(async () => {
  server = await startRedbun()
})
afterAll(() => server.stop())

/** Bytes that show when a piece is missing, doubled or out of place. */
function pattern(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size)
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, size >> 2)
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i, 0x9e3779b1)
  return bytes
}

test(`a value of ${SIZE / MEGABYTE} MB goes in and comes out`, async () => {
  const client = await server.connect()
  const value = pattern(SIZE)
  client.write(`*3\r\n$3\r\nSET\r\n$4\r\nhuge\r\n$${SIZE}\r\n`)
  client.write(value)
  client.write('\r\n')
  expect((await client.next(120_000)).bytes?.toString()).toBe('OK')
  expect(await client.ask('STRLEN huge')).toBe(`:${SIZE}`)
  const back = (await client.call('GET huge', 120_000)).bytes
  expect(back?.length).toBe(SIZE)
  expect(back?.equals(value)).toBe(true)
  expect(await client.ask('DEL huge')).toBe(':1')
}, 300_000)

test('others are served while a huge value comes in', async () => {
  const other = await server.connect()
  const client = await server.connect()
  const value = pattern(32 * MEGABYTE)
  client.write(`*3\r\n$3\r\nSET\r\n$4\r\nhuge\r\n$${value.length}\r\n`)
  for (let at = 0; at < value.length; at += MEGABYTE) {
    client.write(value.subarray(at, at + MEGABYTE))
    expect(await other.ask('PING')).toBe('+PONG')
  }
  client.write('\r\n')
  expect((await client.next(60_000)).bytes?.toString()).toBe('OK')
  expect(await other.ask('STRLEN huge')).toBe(`:${value.length}`)
}, 60_000)

test('values larger than the ring come in one after the other, and none stays behind', async () => {
  const other = await server.connect()
  for (let round = 0; round < 40; round++) {
    const client = await server.connect()
    const value = pattern((1 + (round % 5)) * MEGABYTE + round * 1000)
    client.write(`*3\r\n$3\r\nSET\r\n$4\r\nhuge\r\n$${value.length}\r\n`)
    for (let at = 0; at < value.length; at += MEGABYTE) {
      client.write(value.subarray(at, at + MEGABYTE))
      expect(await other.ask('PING')).toBe('+PONG')
    }
    client.write('\r\n')
    expect((await client.next()).bytes?.toString()).toBe('OK')
    client.terminate()
  }
}, 60_000)

test('a value longer than proto-max-bulk-len is refused', async () => {
  const client = await server.connect()
  client.write(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${512 * MEGABYTE + 1}\r\n`)
  const refusal = (await client.next()).bytes?.toString()
  expect(refusal).toBe('ERR Protocol error: invalid bulk length')
  await client.ended
})

test('a request of 100 000 arguments is one request', async () => {
  const client = await server.connect()
  const argv = ['MSET', ...Array.from({ length: 100_000 }, (_, i) => `key:${i >> 1}`)]
  expect(await client.ask(argv, 30_000)).toBe('+OK')
  expect(await client.ask(['EXISTS', ...argv.slice(1)], 30_000)).toBe(':100000')
})

test('large values one after the other leave no garbage behind', async () => {
  const client = await server.connect()
  const residentSize = async () =>
    Number(/used_memory_rss:(\d+)/.exec(await client.ask('INFO memory'))?.[1])
  const value = pattern(200_000)
  const set = async (count: number) => {
    for (let i = 0; i < count; i++) {
      client.write(`*3\r\n$3\r\nSET\r\n$5\r\nlarge\r\n$${value.length}\r\n`)
      client.write(value)
      client.write('\r\n')
      expect((await client.next()).bytes?.toString()).toBe('OK')
    }
  }
  await set(100)
  const before = await residentSize()
  await set(2500)
  expect((await residentSize()) - before).toBeLessThan(250 * MEGABYTE)
  expect(await client.ask('DEL large')).toBe(':1')
}, 60_000)
