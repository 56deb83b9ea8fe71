/**
 * Strings that begin like a HyperLogLog and go on as they please: no command does harm with one, and
 * the arena stays whole.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: gives such a string to real Redis: it need not survive one.
 */
import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../../../memory/seeded-random.ts'
import { encodeRequest } from '../../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../../support/in-process.ts'
import { notation } from '../../../support/reply.ts'
import { keyspaceFaults } from '../../keyspace/faults.ts'

const ROUNDS = 800
const DENSE_SIZE = 12304
const ERRORS = [
  '-INVALIDOBJ Corrupted HLL object detected',
  '-WRONGTYPE Key is not a valid HyperLogLog string value.',
  '-ERR HLL encoding is not sparse',
]

type Part = string | Uint8Array

function says(client: InProcessClient, ...argv: readonly Part[]): string {
  client.write(encodeRequest(argv.map((part) => Buffer.from(part as string))))
  return notation(client.next(0))
}

function value(client: InProcessClient, key: string): Buffer {
  client.write(encodeRequest([Buffer.from('GET'), Buffer.from(key)]))
  return Buffer.from(client.next(0).bytes ?? '')
}

/** Changes some bytes of one that is right, behind the magic. */
function forged(right: Buffer, random: () => number): Buffer {
  const below = (n: number) => Math.floor(random() * n)
  const bytes = Array.from(right)
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = 4 + below(bytes.length - 4)
    const kind = random()
    if (kind < 0.5) bytes[at] = below(256)
    else if (kind < 0.6) bytes.splice(4 + below(1), 1, below(3))
    else if (kind < 0.8) bytes.splice(at, 1 + below(4))
    else bytes.splice(at, 0, below(256), below(256))
  }
  return Buffer.from(bytes)
}

describe('a forged HyperLogLog', () => {
  for (const seed of [1, 2]) {
    test(`does no harm (seed ${seed})`, () => {
      const server = new InProcessServer({ arenaCount: 2, arenaSize: 1024 * 1024 })
      const client = server.connect()
      const random = seededRandom(seed, 'forged hyperloglogs')
      const below = (n: number) => Math.floor(random() * n)
      for (let i = 0; i < 4; i++) {
        const elements = Array.from({ length: [1, 60, 700, 3000][i] }, (_, at) => `${i} ${at}`)
        expect(says(client, 'PFADD', `right ${i}`, ...elements)).toBe(':1')
      }
      const right = [0, 1, 2, 3].map((i) => value(client, `right ${i}`))
      expect(right.map(({ length }) => length === DENSE_SIZE)).toEqual([false, false, false, true])
      const replies = new Set<string>()
      for (let round = 0; round < ROUNDS; round++) {
        const key = `forged ${below(4)}`
        says(client, 'SET', key, forged(right[below(4)], random))
        for (const command of [
          ['PFADD', key, `${round}`, `${round} more`, `${round} still`],
          ['PFCOUNT', key],
          ['PFCOUNT', key, 'right 2'],
          ['PFMERGE', `into ${below(3)}`, key],
          ['PFMERGE', key, 'right 1'],
          ['PFDEBUG', ['DECODE', 'TODENSE', 'ENCODING'][below(3)], key],
          ['PFADD', key, `${round} at last`],
        ]) {
          const reply = says(client, ...command)
          if (reply.startsWith('-')) expect(ERRORS).toContain(reply)
          replies.add(reply)
        }
        if (round % 50 === 0) expect(keyspaceFaults(server.server.keyspace)).toEqual([])
      }
      for (const error of ERRORS) expect(replies).toContain(error)
      expect(replies.size).toBeGreaterThan(100)
      expect([0, 1, 2, 3].map((i) => value(client, `right ${i}`))).toEqual(right)
      says(client, 'FLUSHALL')
      expect(server.server.keyspace.arenas.map((arena) => arena.usedBytes)).toEqual([0, 0])
    })
  }
})
