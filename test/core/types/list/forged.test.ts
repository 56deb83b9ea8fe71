/**
 * Payloads of lists that somebody has changed, checksum and all: they are refused, or what they make
 * is a list like any other.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: lets a payload by that was not sealed again.
 */
import { describe, expect, test } from 'bun:test'
import { Crc64 } from '../../../../src/lib/crc64.ts'
import { seededRandom } from '../../../memory/seeded-random.ts'
import { encodeRequest } from '../../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../../support/in-process.ts'
import { notation } from '../../../support/reply.ts'
import { ziplist } from '../../../support/ziplist.ts'
import { keyspaceFaults } from '../../keyspace/faults.ts'

const FORGED_COUNT = 1500
const FOOTER = Buffer.of(10, 0, 0, 0, 0, 0, 0, 0, 0, 0)
const BAD = '-ERR Bad data format'

type Part = string | Buffer

function calls(client: InProcessClient, ...argv: Part[]) {
  client.write(encodeRequest(argv.map((part) => Buffer.from(part as string))))
  return client.next(0)
}

function sealed(body: Buffer): Buffer {
  const bytes = Buffer.concat([body, FOOTER])
  const sum = new Crc64()
  sum.update(bytes, 0, bytes.length - 8)
  bytes.writeInt32LE(sum.low | 0, bytes.length - 8)
  bytes.writeInt32LE(sum.high | 0, bytes.length - 4)
  return bytes
}

function forged(body: Buffer, random: () => number): Buffer {
  const bytes = Array.from(body)
  for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes--) {
    const at = Math.floor(random() * bytes.length)
    const kind = random()
    if (kind < 0.5) bytes[at] = Math.floor(random() * 256)
    else if (kind < 0.6) bytes[at] ^= 1 << Math.floor(random() * 8)
    else if (kind < 0.8) bytes.splice(at, 1 + Math.floor(random() * 4))
    else bytes.splice(at, 0, Math.floor(random() * 256))
  }
  return sealed(Buffer.from(bytes))
}

/** Bodies of every kind there is: of nodes packed, plain and compressed, and of older versions. */
function bodies(client: InProcessClient): Buffer[] {
  const found: Buffer[] = []
  const add = () => {
    const { bytes } = calls(client, 'DUMP', 'k')
    if (bytes === undefined) throw new Error('nothing was dumped')
    found.push(Buffer.from(bytes.subarray(0, bytes.length - 10)))
    calls(client, 'DEL', 'k')
  }
  const repeated = Array.from({ length: 12 }, (_, i) => `${i} ${'ab'.repeat(40)}`)
  calls(client, 'RPUSH', 'k', 'a', '1', '-70000', '5000000000', 'x'.repeat(70), '')
  add()
  calls(client, 'CONFIG', 'SET', 'list-max-listpack-size', '3', 'list-compress-depth', '1')
  calls(client, 'RPUSH', 'k', ...repeated)
  add()
  calls(client, 'DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '5b')
  calls(client, 'RPUSH', 'k', 'a', 'large', 'b', 'larger', ...repeated)
  add()
  calls(client, 'DEBUG', 'QUICKLIST-PACKED-THRESHOLD', '0')
  const old = ziplist('a', '12', '-70000', 'x'.repeat(70), '5000000000')
  const length = Buffer.of(0x40 | (old.length >> 8), old.length & 255)
  found.push(Buffer.concat([Buffer.of(10), length, old]))
  found.push(Buffer.concat([Buffer.of(14, 2), length, old, length, old]))
  found.push(Buffer.concat([Buffer.of(1, 3), ...['a', 'bb', ''].map(withLength)]))
  return found
}

function withLength(text: string): Buffer {
  return Buffer.concat([Buffer.of(text.length), Buffer.from(text)])
}

describe('a forged list', () => {
  for (const seed of [1, 2]) {
    test(`is refused or is a list (seed ${seed})`, () => {
      const server = new InProcessServer({ arenaCount: 3, arenaSize: 1024 * 1024 })
      const client = server.connect()
      const random = seededRandom(seed, 'forged lists')
      const kinds = bodies(client)
      for (const body of kinds) {
        expect(notation(calls(client, 'RESTORE', 'k', '0', sealed(body), 'REPLACE'))).toBe('+OK')
      }
      let taken = 0
      for (let i = 0; i < FORGED_COUNT; i++) {
        const key = `k${i % 5}`
        const body = kinds[i % kinds.length]
        const reply = notation(calls(client, 'RESTORE', key, '0', forged(body, random), 'REPLACE'))
        if (reply !== '+OK') {
          expect(reply).toBe(BAD)
          continue
        }
        if (notation(calls(client, 'TYPE', key)) !== '+list') continue
        taken++
        use(client, key)
        if (i % 20 === 0) expect(keyspaceFaults(server.server.keyspace)).toEqual([])
      }
      expect(taken).toBeGreaterThan(100)
      expect(keyspaceFaults(server.server.keyspace)).toEqual([])
      calls(client, 'FLUSHALL')
      expect(server.server.keyspace.arenas.map((arena) => arena.usedBytes)).toEqual([0, 0, 0])
    })
  }
})

/** Reads and changes all of a list; its count, walk and DUMP agree. */
function use(client: InProcessClient, key: string): void {
  const count = Number(notation(calls(client, 'LLEN', key)).slice(1))
  expect(calls(client, 'LRANGE', key, '0', '-1').items?.length).toBe(count)
  const { bytes } = calls(client, 'DUMP', key)
  expect(notation(calls(client, 'RESTORE', 'again', '0', bytes ?? '', 'REPLACE'))).toBe('+OK')
  const digests = ['again', key].map((name) =>
    notation(calls(client, 'DEBUG', 'DIGEST-VALUE', name)),
  )
  expect(digests[0]).toBe(digests[1])
  calls(client, 'LINSERT', key, 'AFTER', 'a', 'inserted')
  calls(client, 'LREM', key, '0', '12')
  calls(client, 'LSET', key, String(count >> 1), 'set')
  calls(client, 'LPUSH', key, 'first')
  calls(client, 'RPUSH', key, 'last')
  calls(client, 'LTRIM', key, '1', '-3')
  calls(client, 'LPOS', key, 'a', 'COUNT', '0')
}
