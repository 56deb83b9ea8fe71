/**
 * Large values freed little by little: at every step the arenas are whole, and at the end all is back.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: waits for time to pass.
 */
import { describe, expect, test } from 'bun:test'
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
  return { client: server.connect(), keyspace, lazyFree: keyspace.lazyFree }
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
  expect(lazyFree.pendingCount).toBe(0)
  says(client, 'CONFIG', 'SET', 'lazyfree-lazy-user-del', 'yes')
  says(client, ...LARGE['set'])
  says(client, 'DEL', 'k')
  says(client, ...LARGE['set'])
  says(client, 'DEL', 'k')
  expect(lazyFree.pendingCount).toBe(1)
  says(client, 'CONFIG', 'SET', 'maxmemory', '100mb')
  says(client, ...LARGE['zset'])
  says(client, 'UNLINK', 'k')
  expect(lazyFree.pendingCount).toBe(1)
})
