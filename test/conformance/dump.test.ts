/**
 * DUMP and RESTORE of every type and encoding, between us and real Redis, both ways; and payloads that
 * somebody has forged, checksum and all.
 *
 * Thread: any.
 * Owns: the values.
 * Never: sends a forged payload to real Redis: it need not survive one.
 */
import { describe, expect, test } from 'bun:test'
import { Crc64 } from '../../src/lib/crc64.ts'
import { seededRandom } from '../memory/seeded-random.ts'
import type { Client } from '../support/client.ts'
import { type RunningServer, redisServerPath, startRedbun, startRedis } from '../support/server.ts'
import { oldPayloads } from './payloads.ts'

const LONG = 'The quick brown fox jumps over the lazy dog. '.repeat(200)
const FORGED_COUNT = 40

const words = (count: number) => Array.from({ length: count }, (_, i) => `word ${i}`)
const pairs = (count: number) => words(count).flatMap((word, i) => [word, `${i * 1.5}`])
const numbers = (count: number, step: number) =>
  Array.from({ length: count }, (_, i) => String(i * step - 7))

type Commands = readonly (readonly string[])[]

const entries = (count: number) =>
  Array.from({ length: count }, (_, i) => ['XADD', 'k', `${i + 1}-1`, 'field', `${i}`, 'f', 'v'])

/** How each value is made; its type and encoding are what Redis says of it. */
const VALUES: readonly (readonly [string, ...Commands])[] = [
  ['a text', ['SET', 'k', 'text']],
  ['an integer', ['SET', 'k', '12345']],
  ['a long text', ['SET', 'k', LONG]],
  ['a small hash', ['HSET', 'k', 'a', '1', 'b', '', 'c', '-70000', '12', 'x'.repeat(64)]],
  ['a large hash', ['HSET', 'k', ...pairs(600)]],
  ['a hash of a long value', ['HSET', 'k', 'f', LONG, LONG, 'v']],
  ['a small list', ['RPUSH', 'k', 'a', '1', '', '-70000', 'a', LONG]],
  ['a large list', ['RPUSH', 'k', ...words(5000)]],
  [
    'a small sorted set',
    ['ZADD', 'k', '1', 'a', '-1.5', 'b', 'inf', 'c', '1e300', 'd', '70000', '12'],
  ],
  ['a large sorted set', ['ZADD', 'k', ...pairs(600).toReversed()]],
  ['integers of 16 bits', ['SADD', 'k', ...numbers(20, 3)]],
  ['integers of 32 bits', ['SADD', 'k', ...numbers(20, 70_000)]],
  ['integers of 64 bits', ['SADD', 'k', ...numbers(20, 7_000_000_000)]],
  ['many integers', ['SADD', 'k', ...numbers(600, 3)]],
  ['a set of words', ['SADD', 'k', ...words(30), '1', '-5', LONG]],
  ['an integer beyond 32 bits', ['SET', 'k', '-5000000000']],
  ['a small sorted set of long members', ['ZADD', 'k', '1', 'x'.repeat(64), '2', 'y'.repeat(64)]],
  ['a stream', ['XADD', 'k', '5-1', 'f', 'v', 'g', '12']],
  ['a stream of a long value', ['XADD', 'k', '5-1', 'f', LONG]],
  ['a HyperLogLog of runs', ['PFADD', 'k', ...words(100)]],
  ['a HyperLogLog of registers', ['PFADD', 'k', ...words(4000)], ['PFCOUNT', 'k']],
  ['a small stream', ['XADD', 'k', '5-1', 'f', 'v'], ['XADD', 'k', '5-2', 'f', '12', 'g', '-1']],
  ['an empty stream', ['XADD', 'k', '5-1', 'f', 'v'], ['XDEL', 'k', '5-1']],
  [
    'a stream that is read',
    ...entries(300),
    ['XDEL', 'k', '7-1', '250-1'],
    ['XGROUP', 'CREATE', 'k', 'g', '0'],
    ['XGROUP', 'CREATE', 'k', 'other', '3-1', 'ENTRIESREAD', '3'],
    ['XREADGROUP', 'GROUP', 'g', 'alice', 'COUNT', '5', 'STREAMS', 'k', '>'],
    ['XREADGROUP', 'GROUP', 'g', 'bob', 'COUNT', '9', 'STREAMS', 'k', '>'],
    ['XACK', 'k', 'g', '2-1', '8-1'],
  ],
]

async function make(client: Client, commands: Commands): Promise<void> {
  for (const command of commands) {
    expect((await client.ask(command)).startsWith('-')).toBe(false)
  }
}

interface Pair {
  readonly ours: Client
  readonly theirs: Client
}

async function withBoth(use: (pair: Pair) => Promise<void>): Promise<void> {
  const servers: RunningServer[] = []
  try {
    servers.push(await startRedbun({ args: ['--enable-debug-command', 'yes'] }))
    servers.push(await startRedis({ args: ['--enable-debug-command', 'yes'] }))
    const [ours, theirs] = await Promise.all(servers.map((server) => server.connect()))
    await use({ ours, theirs })
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}

async function dump(client: Client): Promise<Buffer> {
  return (await client.call(['DUMP', 'k'])).bytes ?? Buffer.alloc(0)
}

const asked = async (client: Client, command: string) => client.ask(command)

/** The same payload with a right checksum. */
function sealed(payload: Buffer): Buffer {
  const bytes = Buffer.from(payload)
  const sum = new Crc64()
  sum.update(bytes, 0, bytes.length - 8)
  bytes.writeInt32LE(sum.low | 0, bytes.length - 8)
  bytes.writeInt32LE(sum.high | 0, bytes.length - 4)
  return bytes
}

function forged(payload: Buffer, random: () => number): Buffer {
  const body = Array.from(payload.subarray(0, payload.length - 10))
  const at = Math.floor(random() * body.length)
  const kind = random()
  if (kind < 0.6) body[at] = Math.floor(random() * 256)
  else if (kind < 0.8) body.splice(at, 1 + Math.floor(random() * 4))
  else body.splice(at, 0, Math.floor(random() * 256), Math.floor(random() * 256))
  return sealed(Buffer.concat([Buffer.from(body), payload.subarray(payload.length - 10)]))
}

describe.if(redisServerPath !== '')('DUMP and RESTORE', () => {
  test(
    'carry every value between us and real Redis',
    () =>
      withBoth(async ({ ours, theirs }) => {
        for (const [name, ...commands] of VALUES) {
          for (const [from, to] of [
            [ours, theirs],
            [theirs, ours],
          ]) {
            await Promise.all([from.call('FLUSHALL'), to.call('FLUSHALL')])
            await make(from, commands)
            const restored = await to.ask(['RESTORE', 'k', '0', await dump(from)])
            expect(`${name}: ${restored}`).toBe(`${name}: +OK`)
            for (const question of ['DEBUG DIGEST', 'OBJECT ENCODING k', 'TYPE k']) {
              expect(`${name}: ${await asked(to, question)}`).toBe(
                `${name}: ${await asked(from, question)}`,
              )
            }
          }
        }
      }),
    60_000,
  )

  test(
    'take the encodings of all versions alike',
    () =>
      withBoth(async ({ ours, theirs }) => {
        // Redis's compressor takes other matches than ours.
        for (const client of [ours, theirs]) await client.call('CONFIG SET rdbcompression no')
        for (const [index, payload] of oldPayloads().entries()) {
          for (const client of [ours, theirs]) {
            expect(await client.ask(['RESTORE', 'k', '0', payload, 'REPLACE'])).toBe('+OK')
          }
          const name = `payload ${index} of type ${payload[0]}`
          const questions = ['DEBUG DIGEST-VALUE k', 'OBJECT ENCODING k', 'TYPE k']
          if ((await ours.ask('OBJECT ENCODING k')) !== '$hashtable') questions.push('DUMP k')
          for (const question of questions) {
            const [mine, real] = await Promise.all([ours.ask(question), theirs.ask(question)])
            expect(`${name}: ${mine}`).toBe(`${name}: ${real}`)
          }
        }
      }),
    60_000,
  )

  test(
    'give the same bytes for values that have an order',
    () =>
      withBoth(async ({ ours, theirs }) => {
        for (const [name, ...commands] of VALUES) {
          await Promise.all([ours.call('FLUSHALL'), theirs.call('FLUSHALL')])
          await Promise.all([make(ours, commands), make(theirs, commands)])
          if ((await ours.ask('OBJECT ENCODING k')) === '$hashtable') continue
          const [mine, real] = [await dump(ours), await dump(theirs)]
          // Redis's compressor takes other matches than ours: those are compared by their digest.
          if (mine.length > 100) continue
          expect(`${name}: ${mine.toString('hex')}`).toBe(`${name}: ${real.toString('hex')}`)
        }
      }),
    60_000,
  )

  test(
    'survive whatever is in a payload',
    () =>
      withBoth(async ({ ours }) => {
        const random = seededRandom(11, 'forged payloads')
        for (const [, ...commands] of VALUES) {
          await ours.call('FLUSHALL')
          await make(ours, commands)
          const payload = await dump(ours)
          for (let i = 0; i < FORGED_COUNT; i++) {
            const reply = await ours.ask(['RESTORE', 'f', '0', forged(payload, random), 'REPLACE'])
            expect(['+OK', '-ERR Bad data format']).toContain(reply)
            // What was taken can be walked through, dumped and thrown away.
            if (reply !== '+OK') continue
            expect((await ours.ask('DEBUG DIGEST-VALUE f')).startsWith('-')).toBe(false)
            expect((await ours.ask('DUMP f')).startsWith('$')).toBe(true)
          }
          expect(await ours.ask('DEBUG ARENA-CHECK')).toMatch(/^(\+OK|\*0|\$ok)/i)
        }
        await ours.call('FLUSHALL')
      }),
    60_000,
  )
})
