/**
 * Streams as bytes: between us and real Redis both ways, in the older and the newer form, and forged,
 * checksum and all.
 *
 * Thread: any.
 * Owns: the streams.
 * Never: sends a forged payload to real Redis: it need not survive one.
 */
import { describe, expect, test } from 'bun:test'
import { Crc64 } from '../../../../src/lib/crc64.ts'
import { RDB_STREAM, RDB_STREAM_2, RDB_STREAM_3 } from '../../../../src/lib/rdb/format.ts'
import { sealPayload } from '../../../../src/lib/rdb/payload.ts'
import { RdbReader } from '../../../../src/lib/rdb/reader.ts'
import { RdbWriter } from '../../../../src/lib/rdb/writer.ts'
import { seededRandom } from '../../../memory/seeded-random.ts'
import { argumentsOf, encodeRequest } from '../../../support/argv.ts'
import type { Client } from '../../../support/client.ts'
import { type InProcessClient, InProcessServer } from '../../../support/in-process.ts'
import { notation, type Reply } from '../../../support/reply.ts'
import {
  type RunningServer,
  redisServerPath,
  startRedbun,
  startRedis,
} from '../../../support/server.ts'
import { keyspaceFaults } from '../../keyspace/faults.ts'

const LONG = 'z'.repeat(5000)
const FORGED_COUNT = 1500

const adds = (count: number) => Array.from({ length: count }, (_, i) => `XADD k ${i + 1}-* f ${i}`)

/** How each stream is made. */
const STREAMS: readonly (readonly [string, readonly string[]])[] = [
  ['one entry', ['XADD k 1-1 f v']],
  ['fields of its own', ['XADD k 1-1 f v g 12', 'XADD k 1-2 f -70000', 'XADD k 1-3 x y z ""']],
  ['many nodes', adds(450)],
  ['deleted entries', [...adds(20), 'XDEL k 1-0 7-0 20-0', 'XTRIM k MAXLEN 12']],
  ['no entries', ['XADD k 5-5 f v', 'XDEL k 5-5']],
  ['nothing but a group', ['XGROUP CREATE k g $ MKSTREAM']],
  ['huge ids', ['XADD k 5-18446744073709551614 f v', 'XADD k 18446744073709551615-0 f v']],
  ['a long value', [`XADD k 1-1 f ${LONG}`, `XADD k 1-2 ${LONG} v`]],
  ['set ids', [...adds(3), 'XSETID k 9-9 ENTRIESADDED 9223372036854775807 MAXDELETEDID 4-4']],
  [
    'groups',
    [
      ...adds(12),
      'XGROUP CREATE k g 0',
      'XGROUP CREATE k empty 3-3 ENTRIESREAD 4611686018427387904',
      'XGROUP CREATE k 12345 $',
      'XREADGROUP GROUP g alice COUNT 5 STREAMS k >',
      'XREADGROUP GROUP g 99 COUNT 2 STREAMS k >',
      'XGROUP CREATECONSUMER k g idle',
      'XCLAIM k g 99 0 2 RETRYCOUNT 9223372036854775807 TIME 1 JUSTID',
      'XDEL k 3-0',
    ],
  ],
]

interface Pair {
  readonly ours: Client
  readonly theirs: Client
}

async function withBoth(use: (pair: Pair) => Promise<void>): Promise<void> {
  const servers: RunningServer[] = []
  const args = ['--enable-debug-command', 'yes', '--rdbcompression', 'no']
  try {
    servers.push(await startRedbun({ args }))
    servers.push(await startRedis({ args }))
    const [ours, theirs] = await Promise.all(servers.map((server) => server.connect()))
    await use({ ours, theirs })
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}

async function make(client: Client, commands: readonly string[]): Promise<void> {
  await client.ask('FLUSHALL')
  for (const command of commands) {
    expect(`${command}: ${await client.ask(command)}`).not.toMatch(/: -/)
  }
}

async function dump(client: Client): Promise<Buffer> {
  return (await client.call(['DUMP', 'k'])).bytes ?? Buffer.alloc(0)
}

/** The same payload with a right checksum. */
function sealed(payload: Buffer): Buffer {
  const bytes = Buffer.from(payload)
  const sum = new Crc64()
  sum.update(bytes, 0, bytes.length - 8)
  bytes.writeInt32LE(sum.low | 0, bytes.length - 8)
  bytes.writeInt32LE(sum.high | 0, bytes.length - 4)
  return bytes
}

describe.if(redisServerPath !== '')('DUMP and RESTORE', () => {
  test(
    'carry every stream between us and real Redis, with the same bytes',
    () =>
      withBoth(async ({ ours, theirs }) => {
        for (const [name, commands] of STREAMS) {
          for (const [from, to] of [
            [ours, theirs],
            [theirs, ours],
          ]) {
            await make(from, commands)
            await to.ask('FLUSHALL')
            const payload = await dump(from)
            const restored = await to.ask(['RESTORE', 'k', '0', payload])
            expect(`${name}: ${restored}`).toBe(`${name}: +OK`)
            expect((await dump(to)).toString('hex')).toBe(payload.toString('hex'))
            for (const question of ['XINFO STREAM k FULL COUNT 0', 'DEBUG DIGEST-VALUE k']) {
              expect(await to.ask(question)).toBe(await from.ask(question))
            }
          }
        }
      }),
    60_000,
  )

  test(
    'know the form of Redis 5',
    () =>
      withBoth(async ({ ours, theirs }) => {
        // Of a stream without entries Redis makes the last id there can be the first.
        for (const [name, commands] of STREAMS.slice(0, 4)) {
          await make(ours, commands)
          await make(theirs, commands)
          const payload = olderForm(await dump(theirs))
          for (const client of [ours, theirs]) {
            const restored = await client.ask(['RESTORE', 'k', '0', payload, 'REPLACE'])
            expect(`${name}: ${restored}`).toBe(`${name}: +OK`)
          }
          for (const question of ['XINFO STREAM k FULL COUNT 0', 'DEBUG DIGEST-VALUE k']) {
            expect(await ours.ask(question)).toBe(await theirs.ask(question))
          }
        }
      }),
    60_000,
  )
})

/** A payload without groups as Redis 5 would write it, with two groups added. */
function olderForm(payload: Buffer): Buffer {
  const { nodes, length, last } = partsOf(payload)
  const writer = new RdbWriter()
  writer.compress = false
  writer.byte(RDB_STREAM)
  writeNodes(writer, nodes)
  writer.size(length)
  for (const [high, low] of last) writer.size64(high, low)
  writer.size(2)
  for (const [name, high] of [
    ['g', 0],
    ['h', -1],
  ] as const) {
    writeText(writer, name)
    for (let i = 0; i < 2; i++) writer.size64(high, high)
    writer.size(0)
    writer.size(1)
    writeText(writer, 'consumer')
    writer.milliseconds(1_600_000_000_000)
    writer.size(0)
  }
  sealPayload(writer, 9)
  return Buffer.from(writer.bytes.subarray(0, writer.length))
}

interface Parts {
  readonly nodes: readonly Buffer[]
  readonly length: number
  /** Time and number, each in two words. */
  readonly last: readonly (readonly [number, number])[]
}

/** What a payload of RDB_STREAM_2 begins with. */
function partsOf(payload: Buffer): Parts {
  const reader = new RdbReader()
  reader.open(payload, new Int32Array(0), 0, payload.length - 10)
  expect(reader.byte()).toBe(RDB_STREAM_2)
  const nodes: Buffer[] = []
  for (let left = reader.size() * 2; left > 0; left--) {
    reader.string()
    const { stringBytes, stringOffset, stringLength } = reader
    nodes.push(Buffer.from(stringBytes.subarray(stringOffset, stringOffset + stringLength)))
  }
  const length = reader.size()
  const last = [0, 1].map((): [number, number] => {
    reader.size64()
    return [reader.high, reader.low]
  })
  return { nodes, length, last }
}

/** Keys and listpacks in turn. */
function writeNodes(writer: RdbWriter, nodes: readonly Buffer[]): void {
  writer.size(nodes.length / 2)
  for (const bytes of nodes) writer.string(bytes, 0, bytes.length)
}

function writeText(writer: RdbWriter, text: string): void {
  writer.string(Buffer.from(text), 0, text.length)
}

function call(client: InProcessClient, ...argv: (string | Uint8Array)[]): Reply {
  client.write(encodeRequest(argv.map((part) => Buffer.from(part))))
  return client.next(0)
}

function made(commands: readonly string[]): {
  readonly server: InProcessServer
  readonly client: InProcessClient
  readonly payload: Buffer
} {
  const server = new InProcessServer({ settings: { rdbcompression: 'no' } })
  const client = server.connect()
  for (const command of commands) {
    client.write(encodeRequest(argumentsOf(command)))
    client.next(0)
  }
  return { server, client, payload: call(client, 'DUMP', 'k').bytes ?? Buffer.alloc(0) }
}

describe('RESTORE', () => {
  test('knows the form of Redis 7.2, which tells when a consumer was last given something', () => {
    const { client, payload } = made(STREAMS[0][1])
    const { nodes, length, last } = partsOf(payload)
    const writer = new RdbWriter()
    writer.byte(RDB_STREAM_3)
    writeNodes(writer, nodes)
    writer.size(length)
    for (const id of [last, last, [[0, 0] as const, [0, 0] as const]].flat()) {
      writer.size64(id[0], id[1])
    }
    writer.size(1)
    writer.size(1)
    writeText(writer, 'g')
    for (const [high, low] of last) writer.size64(high, low)
    writer.size(1)
    writer.size(0)
    writer.size(1)
    writeText(writer, 'consumer')
    writer.milliseconds(1_700_000_000_123)
    writer.milliseconds(1_700_000_000_456)
    writer.size(0)
    sealPayload(writer, 11)
    const bytes = Buffer.from(writer.bytes.subarray(0, writer.length))
    expect(notation(call(client, 'RESTORE', 'new', '0', bytes))).toBe('+OK')
    expect(notation(call(client, 'XINFO', 'STREAM', 'new', 'FULL'))).toBe(
      '*18 $length :1 $radix-tree-keys :1 $radix-tree-nodes :2 $last-generated-id $1-1 ' +
        '$max-deleted-entry-id $0-0 $entries-added :1 $recorded-first-entry-id $1-1 ' +
        '$entries *1 *2 $1-1 *2 $f $v $groups *1 *14 $name $g $last-delivered-id $1-1 ' +
        '$entries-read :1 $lag :0 $pel-count :0 $pending *0 $consumers *1 *8 $name $consumer ' +
        '$seen-time :1700000000123 $pel-count :0 $pending *0',
    )
  })

  test('survives whatever is in a payload', () => {
    const random = seededRandom(5, 'forged streams')
    const below = (n: number) => Math.floor(random() * n)
    let taken = 0
    for (const [, commands] of STREAMS.filter(([name]) => name !== 'a long value')) {
      const { server, client, payload } = made(commands)
      const body = [...payload.subarray(0, payload.length - 10)]
      for (let i = 0; i < FORGED_COUNT; i++) {
        const forged = [...body]
        // The first bytes say what the rest is.
        for (let changes = 1 + below(2); changes > 0; changes--) {
          const at = random() < 0.5 ? below(Math.min(body.length, 80)) : below(body.length)
          const kind = random()
          if (kind < 0.4) forged[at] = below(256)
          else if (kind < 0.7) forged[at] = (forged[at] + (random() < 0.5 ? 1 : 255)) & 255
          else if (kind < 0.85) forged.splice(at, 1 + below(4))
          else forged.splice(at, 0, below(256), below(256))
        }
        const bytes = sealed(
          Buffer.concat([Buffer.from(forged), payload.subarray(payload.length - 10)]),
        )
        const reply = notation(call(client, 'RESTORE', 'f', '0', bytes, 'REPLACE'))
        expect(['+OK', '-ERR Bad data format']).toContain(reply)
        if (reply === '+OK' && call(client, 'TYPE', 'f').bytes?.toString() === 'stream') {
          taken++
          useAll(client)
        }
        if (i % 300 === 0) expect(keyspaceFaults(server.server.keyspace)).toEqual([])
      }
      expect(keyspaceFaults(server.server.keyspace)).toEqual([])
    }
    expect(taken).toBeGreaterThan(500)
  }, 60_000)
})

/** What was taken can be walked both ways, changed, dumped and taken again. */
function useAll(client: InProcessClient): void {
  const length = Number(call(client, 'XLEN', 'f').bytes)
  expect(call(client, 'XRANGE', 'f', '-', '+').items?.length).toBe(length)
  expect(call(client, 'XREVRANGE', 'f', '+', '-').items?.length).toBe(length)
  expect(call(client, 'XINFO', 'STREAM', 'f', 'FULL', 'COUNT', '0').kind).toBe('*')
  const payload = call(client, 'DUMP', 'f').bytes ?? Buffer.alloc(0)
  expect(notation(call(client, 'RESTORE', 'again', '0', payload, 'REPLACE'))).toBe('+OK')
  expect(call(client, 'DUMP', 'again').bytes?.equals(payload)).toBe(true)
  call(client, 'XREADGROUP', 'GROUP', 'g', 'alice', 'STREAMS', 'f', '>')
  call(client, 'XAUTOCLAIM', 'f', 'g', 'bob', '0', '-', 'JUSTID')
  call(client, 'XADD', 'f', '*', 'f', 'v')
  call(client, 'XTRIM', 'f', 'MAXLEN', '1')
}
