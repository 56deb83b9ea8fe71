/**
 * Large values freed little by little: at every step the arenas are whole, and at the end all is back.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: waits for time to pass.
 */
import { describe, expect, test } from 'bun:test'
import { Dice } from '../../conformance/dice.ts'
import { encodeRequest } from '../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../support/in-process.ts'
import { notation } from '../../support/reply.ts'
import { keyspaceFaults } from './faults.ts'

function says(client: InProcessClient, ...argv: readonly string[]): string {
  client.write(encodeRequest(argv.map((part) => Buffer.from(part))))
  return notation(client.next(0))
}

const COUNT = 3500
const words = Array.from({ length: COUNT }, (_, i) => `a word ${i}`)

/** Each of more than 64 blocks. */
const LARGE: Readonly<Record<string, readonly string[]>> = {
  set: ['SADD', 'k', ...words],
  hash: ['HSET', 'k', ...words.flatMap((word) => [word, 'value'])],
  zset: ['ZADD', 'k', ...words.flatMap((word, i) => [`${i}`, word])],
  list: ['RPUSH', 'k', ...words.map((word) => word.repeat(30))],
}

function begin() {
  const server = new InProcessServer({ arenaCount: 2, arenaSize: 8 * 1024 * 1024 })
  const { keyspace } = server.server
  return { client: server.connect(), server, keyspace, lazyFree: keyspace.lazyFree }
}

/** Ends of fields, for some of the hash. */
const ENDS = ['HEXPIRE', 'k', '1000', 'FIELDS', '2000', ...words.slice(0, 2000)]

describe('a large value that is unlinked', () => {
  for (const [type, command, ...more] of [
    ...Object.entries(LARGE),
    ['hash with ends', LARGE['hash'], ENDS] as const,
  ]) {
    test(`is freed in steps, each of which leaves the arenas whole: ${type}`, () => {
      const { client, keyspace, lazyFree } = begin()
      for (const call of [command, ...more]) says(client, ...call)
      // Each turn is this test's.
      lazyFree.begin = () => {}
      expect(says(client, 'UNLINK', 'k')).toBe(':1')
      expect(says(client, 'EXISTS', 'k')).toBe(':0')
      expect(lazyFree.pendingCount).toBe(1)
      expect(keyspace.usedBytes()).toBeGreaterThan(COUNT)
      says(client, 'SADD', 'k', 'anew')
      let turns = 0
      do {
        expect(keyspaceFaults(keyspace)).toEqual([])
        expect(says(client, 'SMEMBERS', 'k')).toBe('*1 $anew')
        turns++
      } while (lazyFree.turn())
      expect(turns).toBeGreaterThan(type === 'list' ? 0 : 3)
      expect(lazyFree.freedCount).toBe(1)
      says(client, 'DEL', 'k')
      says(client, 'FLUSHALL')
      expect(keyspace.usedBytes()).toBe(0)
    })
  }

  test('is freed by the loop, and counted', () => {
    const { client, keyspace } = begin()
    says(client, ...LARGE['set'])
    says(client, 'UNLINK', 'k')
    for (let i = 0; i < 20; i++) says(client, 'PING')
    expect(keyspace.lazyFree.pendingCount).toBe(0)
    expect(says(client, 'INFO', 'memory')).toContain('lazyfreed_objects:1')
    says(client, 'CONFIG', 'RESETSTAT')
    expect(says(client, 'INFO', 'memory')).toContain('lazyfreed_objects:0')
    expect(keyspaceFaults(keyspace)).toEqual([])
  })

  test('is forgotten when all arenas are emptied', () => {
    const { client, keyspace, lazyFree } = begin()
    lazyFree.begin = () => {}
    for (const command of Object.values(LARGE)) {
      says(client, ...command)
      says(client, 'UNLINK', 'k')
    }
    lazyFree.turn()
    expect(lazyFree.pendingCount).toBe(4)
    keyspace.flushAll()
    expect([lazyFree.pendingCount, lazyFree.turn(), keyspace.usedBytes()]).toEqual([0, false, 0])
    expect(keyspaceFaults(keyspace)).toEqual([])
  })
})

test('what is small, or deleted as usual, or in the way of others is freed at once', () => {
  const { client, lazyFree } = begin()
  lazyFree.begin = () => {}
  says(client, 'SADD', 'k', ...words.slice(0, 64))
  says(client, 'UNLINK', 'k')
  says(client, ...LARGE['hash'])
  says(client, 'DEL', 'k')
  says(client, ...LARGE['hash'])
  says(client, 'SET', 'k', 'v')
  says(client, ...LARGE['hash'])
  says(client, 'PEXPIREAT', 'k', '1')
  expect(lazyFree.pendingCount).toBe(0)
})

/** A directive, and what ends a key `k` by way of it. */
const LAZY: readonly (readonly [string, readonly string[]])[] = [
  ['user-del', ['DEL', 'k']],
  ['server-del', ['SET', 'k', 'v']],
  ['server-del', ['RENAME', 'other', 'k']],
  ['server-del', ['SUNIONSTORE', 'k', 'missing']],
  ['server-del', ['SPOP', 'k', '10000']],
  ['expire', ['PEXPIREAT', 'k', '1']],
]

describe('lazyfree-lazy-', () => {
  for (const [kind, command] of LAZY) {
    test(`${kind} lets ${command[0]} free later`, () => {
      const { client, keyspace, lazyFree } = begin()
      lazyFree.begin = () => {}
      const set = (value: string) => says(client, 'CONFIG', 'SET', `lazyfree-lazy-${kind}`, value)
      for (const [value, pendingCount] of [
        ['no', 0],
        ['yes', 1],
      ] as const) {
        set(value)
        says(client, 'SET', 'other', 'v')
        says(client, ...LARGE['set'])
        says(client, ...command)
        expect(lazyFree.pendingCount).toBe(pendingCount)
        expect(keyspaceFaults(keyspace)).toEqual([])
        says(client, 'DEL', 'k')
      }
      while (lazyFree.turn());
      says(client, 'FLUSHALL')
      expect(keyspace.usedBytes()).toBe(0)
    })
  }

  test('expire lets a key go whose time is over, and tells others of UNLINK', () => {
    const { client, server, keyspace, lazyFree } = begin()
    lazyFree.begin = () => {}
    const told: string[] = []
    server.server.propagation.attach((_db, argv) => told.push(argv.join(' ')))
    says(client, 'CONFIG', 'SET', 'lazyfree-lazy-expire', 'yes')
    for (const read of [true, false]) {
      says(client, ...LARGE['set'])
      says(client, 'PEXPIRE', 'k', '1000')
      told.length = 0
      if (read) says(client, 'DEBUG', 'SET-ACTIVE-EXPIRE', '0')
      server.advance(1001)
      if (read) expect(says(client, 'SCARD', 'k')).toBe(':0')
      says(client, 'DEBUG', 'SET-ACTIVE-EXPIRE', '1')
      says(client, 'PING')
      expect(told).toEqual(['UNLINK k'])
    }
    expect(lazyFree.pendingCount).toBe(2)
    expect(keyspaceFaults(keyspace)).toEqual([])
  })

  test('eviction lets an evicted key go, but only as much of it waits as there is room for', () => {
    const { client, server, keyspace, lazyFree } = begin()
    lazyFree.begin = () => {}
    const told: string[] = []
    server.server.propagation.attach((_db, argv) => told.push(argv.join(' ')))
    says(client, 'CONFIG', 'SET', 'lazyfree-lazy-eviction', 'yes')
    says(client, ...LARGE['set'])
    says(client, 'CONFIG', 'SET', 'maxmemory-eviction-tenacity', '100')
    says(client, 'CONFIG', 'SET', 'maxmemory-policy', 'volatile-ttl')
    says(client, 'PEXPIRE', 'k', '100000')
    for (let i = 0; i < 10; i++) says(client, 'SET', `timed:${i}`, 'v', 'PX', `${200_000 + i}`)
    const { eviction } = server.server
    told.length = 0
    says(client, 'CONFIG', 'SET', 'maxmemory', `${eviction.usedBytes() - 20_000}`)
    expect(says(client, 'SET', 'another', 'v')).toBe('+OK')
    expect(told[0]).toBe('UNLINK k')
    expect(says(client, 'DBSIZE')).toBe(':11')
    expect(lazyFree.pendingCount).toBe(1)
    expect(eviction.usedBytes()).toBeLessThanOrEqual(eviction.limitBytes + 200)
    expect(keyspaceFaults(keyspace)).toEqual([])
  })
})

test('memory that waits to be free is freed before a write is refused', () => {
  const { client, server, lazyFree } = begin()
  lazyFree.begin = () => {}
  says(client, ...LARGE['hash'])
  says(client, 'CONFIG', 'SET', 'maxmemory-eviction-tenacity', '100')
  says(client, 'CONFIG', 'SET', 'maxmemory', `${server.server.eviction.usedBytes() - 20_000}`)
  expect(says(client, 'SET', 'other', 'v')).toContain('OOM')
  says(client, 'UNLINK', 'k')
  expect(lazyFree.pendingCount).toBe(1)
  expect(says(client, 'SET', 'other', 'v')).toBe('+OK')
})

describe('a database that is emptied', () => {
  for (const [name, how, lazily] of [
    ['FLUSHDB ASYNC', ['FLUSHDB', 'ASYNC'], true],
    ['FLUSHALL ASYNC', ['FLUSHALL', 'ASYNC'], true],
    ['lazyfree-lazy-user-flush', ['FLUSHDB'], true],
    ['FLUSHDB SYNC', ['FLUSHDB', 'SYNC'], false],
  ] as const) {
    test(`is freed ${lazily ? 'key by key' : 'at once'}: ${name}`, () => {
      const { client, keyspace, lazyFree } = begin()
      lazyFree.begin = () => {}
      if (how.length === 1 || !lazily)
        says(client, 'CONFIG', 'SET', 'lazyfree-lazy-user-flush', 'yes')
      says(client, 'MSET', ...words.flatMap((word) => [word, 'v']))
      says(client, 'PEXPIRE', words[0], '100000')
      says(client, ...LARGE['set'])
      expect(says(client, ...how)).toBe('+OK')
      expect(says(client, 'DBSIZE')).toBe(':0')
      says(client, 'SET', words[5], 'anew')
      expect(lazyFree.pendingCount).toBe(lazily ? COUNT + 1 : 0)
      let turns = 0
      do {
        expect(keyspaceFaults(keyspace)).toEqual([])
        turns++
      } while (lazyFree.turn())
      if (lazily) expect(turns).toBeGreaterThan(5)
      expect(lazyFree.freedCount).toBe(lazily ? COUNT + 1 : 0)
      expect(says(client, 'GET', words[5])).toBe('$anew')
      says(client, 'FLUSHALL', 'SYNC')
      expect(keyspace.usedBytes()).toBe(0)
    })
  }
})

const SEEDS = [1, 2, 3].map((seed) => seed + Number(process.env['REDBUN_SEED'] ?? 0))

describe('whatever ends a value, and whenever it is freed', () => {
  test.each(SEEDS)('arenas are whole and snapshots complete (seed %i)', (seed) => {
    const dice = new Dice(seed)
    const { client, keyspace, lazyFree } = begin()
    lazyFree.begin = () => {}
    const key = () => `k${dice.below(6)}`
    const large = () => {
      const [command, , ...rest] = LARGE[dice.word('set hash zset list')]
      return [command, key(), ...rest.slice(0, 2 * (20 + dice.below(900)))]
    }
    let [given, expected, snapshots] = [0, 0, 0]
    const sink = { entry: () => void given++, hasRoom: () => true, ended: () => void snapshots++ }
    const act: readonly (() => void)[] = [
      () => says(client, ...large()),
      () => says(client, ...large()),
      () => says(client, 'SELECT', dice.word('0 1')),
      () => says(client, dice.word('UNLINK DEL GETDEL PERSIST'), key()),
      () => says(client, 'SET', key(), 'v', 'PX', '100000'),
      () => says(client, 'RENAME', key(), key()),
      () => says(client, 'PEXPIREAT', key(), '1'),
      () => says(client, 'CONFIG', 'SET', 'lazyfree-lazy-server-del', dice.word('yes no')),
      () => says(client, 'SWAPDB', '0', '1'),
      () => says(client, ...dice.word('FLUSHDB FLUSHDB,ASYNC FLUSHALL,ASYNC').split(',')),
      () => {
        if (keyspace.snapshot !== undefined) return
        keyspace.takeSnapshot(sink)
        given = 0
        expected = keyspace.keyCount()
      },
      () => {
        let left = dice.below(4)
        if (keyspace.snapshot?.walk(() => left-- > 0) === false) expect(given).toBe(expected)
      },
      () => lazyFree.turn(),
      () => lazyFree.turn(),
    ]
    for (let i = 0; i < 600; i++) {
      act[dice.below(act.length)]()
      if (i % 5 === 0) expect(keyspaceFaults(keyspace)).toEqual([])
    }
    keyspace.snapshot?.finish()
    expect(snapshots).toBeGreaterThan(3)
    says(client, 'FLUSHALL')
    while (lazyFree.turn());
    expect(lazyFree.pendingCount).toBe(0)
    expect(keyspace.usedBytes()).toBe(0)
  })
})
