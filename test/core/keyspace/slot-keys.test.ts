/**
 * The keys of each hash slot, against a walk over all keys, under everything that makes, moves and
 * removes keys.
 *
 * Thread: any.
 * Owns: the seeds.
 * Never: opens a socket.
 */
import { describe, expect, test } from 'bun:test'
import { slotOf } from '../../../src/core/keyspace/slot-keys.ts'
import { keySlot } from '../../../src/lib/crc16.ts'
import { Dice } from '../../conformance/dice.ts'
import { encodeRequest } from '../../support/argv.ts'
import { InProcessServer } from '../../support/in-process.ts'
import { notation } from '../../support/reply.ts'
import { keyspaceFaults } from './faults.ts'

const ROUNDS = 400
const OPERATIONS_COUNT = 25
const TAGS = '{a} {b} {a}{c} c'
const CLUSTER = { 'cluster-enabled': 'yes' }

class Node {
  readonly target: InProcessServer
  readonly #client: ReturnType<InProcessServer['connect']>

  constructor(settings: Readonly<Record<string, string>>, arenaSize = 2 ** 21) {
    this.target = new InProcessServer({ arenaCount: 3, arenaSize, settings })
    this.#client = this.target.connect()
  }

  ask(...words: readonly string[]): string {
    this.#client.write(encodeRequest(words.map((word) => Buffer.from(word, 'latin1'))))
    return notation(this.#client.next(0))
  }

  /** What CLUSTER tells of every slot that has keys, or had one, is what a walk finds. */
  expectSlots(seen: Set<number>): void {
    const [db] = this.target.server.keyspace.dbs
    const walked = new Map<number, string[]>([...seen].map((slot) => [slot, []]))
    db.forEach((ref) => {
      const slot = slotOf(db.arena, ref)
      walked.set(slot, [...(walked.get(slot) ?? []), db.keyName(ref).toString('latin1')])
    })
    for (const [slot, names] of walked) {
      seen.add(slot)
      const found = db.slots?.names(slot, Number.POSITIVE_INFINITY) ?? []
      expect(found.map((name) => name.toString('latin1')).sort()).toEqual(names.sort())
      expect(db.slots?.count(slot)).toBe(names.length)
    }
  }
}

function operation(dice: Dice): string[] {
  const tag = dice.word(TAGS)
  const key = () => `${tag}${dice.below(20)}`
  const value = 'x'.repeat(dice.below(dice.chance(10) ? 9000 : 60))
  switch (dice.below(20)) {
    case 0:
      return ['DEL', key(), key()]
    case 1:
      return ['UNLINK', key()]
    case 2:
      return ['RENAME', key(), key()]
    case 3:
      return ['RENAMENX', key(), key()]
    case 4:
      return ['COPY', key(), key(), ...(dice.chance(50) ? ['REPLACE'] : [])]
    case 5:
      return ['PEXPIRE', key(), String(dice.below(50))]
    case 6:
      return ['PERSIST', key()]
    case 7:
      return ['SET', key(), value, 'PX', String(1 + dice.below(100))]
    case 8:
      return ['APPEND', key(), value]
    case 9:
      return ['RPUSH', key(), value, value]
    case 10:
      return ['HSET', key(), 'f', value, 'g', 'x']
    case 11:
      return ['HPEXPIRE', key(), String(1 + dice.below(50)), 'FIELDS', '1', 'f']
    case 12:
      return ['SADD', key(), value, '1', '2']
    case 13:
      return ['SUNIONSTORE', key(), key(), key()]
    case 14:
      return ['GETDEL', key()]
    case 15:
      return ['INCR', key()]
    default:
      return ['SET', key(), value]
  }
}

/** What concerns everything. */
function upheaval(dice: Dice): string[] {
  return dice
    .pick([
      'FLUSHALL',
      'FLUSHALL ASYNC',
      'FLUSHDB',
      'FLUSHDB ASYNC',
      'DEBUG RELOAD',
      'BGSAVE',
      'SAVE',
    ])
    .split(' ')
}

describe('the keys of slots', () => {
  test.each([
    ['', 1, 'noeviction'],
    ['under eviction', 2, 'allkeys-random'],
    ['under eviction by deadlines', 3, 'volatile-ttl'],
  ] as const)('are those that a walk finds %s', (_, seed, policy) => {
    const dice = new Dice(seed)
    const node = new Node(CLUSTER)
    node.ask('CONFIG', 'SET', 'maxmemory-policy', policy)
    if (policy !== 'noeviction') node.ask('CONFIG', 'SET', 'maxmemory', '24kb')
    const seen = new Set<number>()
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 0; i < OPERATIONS_COUNT; i++) node.ask(...operation(dice))
      if (dice.chance(10)) expect(node.ask(...upheaval(dice))).not.toStartWith('-ERR')
      if (dice.chance(50)) node.target.advance(dice.below(60))
      node.expectSlots(seen)
      if (round % 20 !== 0) continue
      expect(keyspaceFaults(node.target.server.keyspace)).toEqual([])
      expect(node.ask('DEBUG', 'ARENA-CHECK')).toBe('+OK')
    }
    const evicted = Number(/evicted_keys:(\d+)/.exec(node.ask('INFO', 'stats'))?.[1])
    expect(evicted > 100).toBe(policy !== 'noeviction')
    expect(node.ask('FLUSHALL')).toBe('+OK')
    node.expectSlots(seen)
    expect(keyspaceFaults(node.target.server.keyspace)).toEqual([])
  })

  test('stay what they are when there is no room for another key', () => {
    const dice = new Dice(4)
    const node = new Node(CLUSTER, 2 ** 17)
    const seen = new Set<number>()
    let refusals = 0
    for (let i = 0; i < 3000; i++) {
      const size = dice.below(400)
      const words = ['SET', `k${dice.below(2000)}`, 'x'.repeat(size), 'PX', '100000']
      if (node.ask(...words.slice(0, dice.chance(50) ? 3 : 5)).startsWith('-OOM')) refusals++
      if (i % 100 === 0) node.expectSlots(seen)
    }
    expect(refusals).toBeGreaterThan(100)
    node.expectSlots(seen)
    expect(keyspaceFaults(node.target.server.keyspace)).toEqual([])
  })

  test('are told by CLUSTER, as many as asked for', () => {
    const node = new Node(CLUSTER)
    for (let i = 0; i < 30; i++) node.ask('SET', `{a}${i}`, 'v')
    node.ask('SET', 'b', 'v')
    const slot = String(keySlot(Buffer.from('a'), 0, 1))
    expect(node.ask('CLUSTER', 'COUNTKEYSINSLOT', slot)).toBe(':30')
    expect(node.ask('CLUSTER', 'GETKEYSINSLOT', slot, '7')).toMatch(/^\*7( \$\{a\}\d+){7}$/)
    expect(node.ask('CLUSTER', 'GETKEYSINSLOT', slot, '99')).toStartWith('*30 ')
    expect(node.ask('CLUSTER', 'GETKEYSINSLOT', slot, '0')).toBe('*0')
    expect(node.ask('CLUSTER', 'COUNTKEYSINSLOT', '1')).toBe(':0')
    node.ask('FLUSHALL')
    expect(node.ask('CLUSTER', 'COUNTKEYSINSLOT', slot)).toBe(':0')
  })

  test('are kept by nodes of a cluster only', () => {
    expect(new Node({}).target.server.keyspace.dbs[0].slots).toBeUndefined()
  })
})
