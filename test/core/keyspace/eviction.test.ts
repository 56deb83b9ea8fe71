/**
 * Eviction: what goes, what stays, how close the memory keeps to its limit.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: leaves an arena that its checker finds fault with.
 */
import { describe, expect, test } from 'bun:test'
import { Random } from '../../../src/lib/random.ts'
import { encodeRequest } from '../../support/argv.ts'
import { InProcessServer } from '../../support/in-process.ts'
import { notation } from '../../support/reply.ts'
import { holdStill } from '../../support/still-clock.ts'
import { keyspaceFaults } from './faults.ts'

const EVICTING = [
  'allkeys-lru',
  'allkeys-lfu',
  'allkeys-random',
  'volatile-lru',
  'volatile-lfu',
  'volatile-random',
  'volatile-ttl',
]
const MIB = 1024 * 1024

class Cache {
  readonly target: InProcessServer
  readonly #client

  constructor(settings: Readonly<Record<string, string>>, arenaCount = 3) {
    this.target = new InProcessServer({ settings, arenaCount })
    this.#client = this.target.connect()
  }

  run(...argv: readonly (string | number)[]): string {
    this.#client.write(encodeRequest(argv.map((word) => Buffer.from(String(word)))))
    return notation(this.#client.next(0))
  }

  get eviction() {
    return this.target.server.eviction
  }

  get usedBytes(): number {
    return this.target.server.keyspace.usedBytes()
  }

  info(field: string): string {
    const found = new RegExp(`${field}:(.*?)\\\\r`).exec(this.run('INFO', 'everything'))
    return found?.[1] ?? ''
  }

  sound(): void {
    expect(keyspaceFaults(this.target.server.keyspace)).toEqual([])
  }
}

describe.each(EVICTING)('%s', (policy) => {
  test('holds the limit within 2 % under writes of mixed sizes', () => {
    const limit = 3 * MIB
    const cache = new Cache({ maxmemory: String(limit), 'maxmemory-policy': policy })
    const random = new Random(7)
    let worst = 0
    for (let i = 0; i < 12_000; i++) {
      const size = random.below(10) === 0 ? random.below(8000) : random.below(200)
      const reply = cache.run(
        'SET',
        `key:${random.below(50_000)}`,
        'x'.repeat(size),
        'EX',
        1000 + i,
      )
      expect(reply).toBe('+OK')
      worst = Math.max(worst, cache.usedBytes)
    }
    expect(worst).toBeLessThan(limit * 1.02)
    expect(cache.usedBytes).toBeGreaterThan(limit * 0.98)
    expect(cache.eviction.evictedCount).toBeGreaterThan(1000)
    expect(Number(cache.info('evicted_keys'))).toBe(cache.eviction.evictedCount)
    cache.sound()
  })

  test('takes from all databases', () => {
    const cache = new Cache({ 'maxmemory-policy': policy })
    // Else the databases differ in age.
    holdStill(cache.target.server.clock)
    for (const db of [0, 1, 5]) {
      cache.run('SELECT', db)
      for (let i = 0; i < 1000; i++) cache.run('SET', `k${i}`, 'x'.repeat(100), 'EX', 1000 + i)
    }
    cache.run('CONFIG', 'SET', 'maxmemory-eviction-tenacity', 100)
    cache.run('CONFIG', 'SET', 'maxmemory', Math.floor(cache.usedBytes / 2))
    cache.run('PING')
    for (const db of [0, 1, 5]) {
      cache.run('SELECT', db)
      const size = Number(cache.run('DBSIZE').slice(1))
      expect(size).toBeGreaterThan(200)
      expect(size).toBeLessThan(900)
    }
    cache.sound()
  })
})

test('volatile policies leave keys without a deadline alone and refuse writes in the end', () => {
  for (const policy of EVICTING.filter((name) => name.startsWith('volatile'))) {
    const cache = new Cache({ maxmemory: String(MIB), 'maxmemory-policy': policy })
    for (let i = 0; i < 500; i++) cache.run('SET', `stays:${i}`, 'x'.repeat(500))
    for (let i = 0; i < 2000; i++) cache.run('SET', `goes:${i}`, 'x'.repeat(500), 'EX', 100)
    expect(cache.run('EXISTS', ...Array.from({ length: 500 }, (_, i) => `stays:${i}`))).toBe(':500')
    let refused = ''
    for (let i = 500; i < 2000 && refused === ''; i++) {
      const reply = cache.run('SET', `stays:${i}`, 'x'.repeat(500))
      if (reply !== '+OK') refused = reply
    }
    expect(refused).toBe("-OOM command not allowed when used memory > 'maxmemory'.")
    expect(cache.target.server.keyspace.dbs[0].deadlines.count()).toBe(0)
    cache.sound()
  }
})

test('volatile-ttl evicts exactly in the order of the deadlines', () => {
  const cache = new Cache({ 'maxmemory-policy': 'volatile-ttl' })
  const order = Array.from({ length: 2000 }, (_, i) => (i * 977) % 2000)
  for (const at of order) {
    cache.run('SELECT', at % 3)
    cache.run('SET', `k${at}`, 'x'.repeat(80), 'PXAT', 9_000_000_000_000 + at)
  }
  cache.run('CONFIG', 'SET', 'maxmemory-eviction-tenacity', 100)
  cache.run('CONFIG', 'SET', 'maxmemory', Math.floor(cache.usedBytes * 0.6))
  cache.run('PING')
  const left: number[] = []
  for (const db of [0, 1, 2]) {
    cache.run('SELECT', db)
    for (let at = 0; at < 2000; at++) {
      if (at % 3 === db && cache.run('EXISTS', `k${at}`) === ':1') left.push(at)
    }
  }
  left.sort((a, b) => a - b)
  expect(left.length).toBeGreaterThan(500)
  expect(left[0]).toBe(2000 - left.length)
})

describe('quality', () => {
  /** Fills, uses some keys, then lowers the limit. Gives the share of each group that is left. */
  function survivors(policy: string, use: (cache: Cache) => void): { used: number; rest: number } {
    const cache = new Cache({ 'maxmemory-policy': policy })
    const count = 10_000
    for (let i = 0; i < count; i++) cache.run('SET', `k${i}`, 'x'.repeat(40))
    cache.target.advance(100_000)
    use(cache)
    cache.run('CONFIG', 'SET', 'maxmemory-eviction-tenacity', 100)
    cache.run('CONFIG', 'SET', 'maxmemory', Math.floor(cache.usedBytes / 2))
    cache.run('PING')
    let used = 0
    let rest = 0
    for (let i = 0; i < count; i++) {
      if (cache.run('EXISTS', `k${i}`) !== ':1') continue
      if (i % 4 === 0) used++
      else rest++
    }
    cache.sound()
    return { used: used / (count / 4), rest: rest / ((count * 3) / 4) }
  }

  test('LRU keeps the quarter of the keys that was read last', () => {
    const { used, rest } = survivors('allkeys-lru', (cache) => {
      for (let i = 0; i < 10_000; i += 4) cache.run('GET', `k${i}`)
    })
    expect(used).toBeGreaterThan(0.98)
    expect(rest).toBeLessThan(0.4)
  })

  test('LFU keeps the quarter of the keys that is read often, though others were read later', () => {
    const { used, rest } = survivors('allkeys-lfu', (cache) => {
      for (let round = 0; round < 12; round++) {
        for (let i = 0; i < 10_000; i += 4) cache.run('GET', `k${i}`)
      }
      cache.target.advance(1000)
      for (let i = 1; i < 10_000; i += 4) cache.run('GET', `k${i}`)
    })
    expect(used).toBeGreaterThan(0.95)
    expect(rest).toBeLessThan(0.42)
  })

  test('chance spares nobody', () => {
    const { used, rest } = survivors('allkeys-random', (cache) => {
      for (let i = 0; i < 10_000; i += 4) cache.run('GET', `k${i}`)
    })
    expect(Math.abs(used - rest)).toBeLessThan(0.1)
  })
})

test('a full arena evicts its own keys while the limit is far', () => {
  const cache = new Cache({ maxmemory: String(1024 * MIB), 'maxmemory-policy': 'allkeys-lru' })
  for (let i = 0; i < 30_000; i++) {
    expect(cache.run('SET', `k${i}`, 'x'.repeat(600))).toBe('+OK')
  }
  expect(cache.eviction.evictedCount).toBeGreaterThan(5000)
  expect(cache.usedBytes).toBeGreaterThan(8 * MIB)
  cache.sound()
})

test('a lower limit is reached between calls, without one', () => {
  const cache = new Cache({ 'maxmemory-policy': 'allkeys-random' })
  for (let i = 0; i < 20_000; i++) cache.run('SET', `k${i}`, 'x'.repeat(100))
  cache.run('CONFIG', 'SET', 'maxmemory', MIB)
  for (let i = 0; i < 1000 && cache.usedBytes > MIB; i++) cache.target.advance(1)
  expect(cache.usedBytes).toBeLessThanOrEqual(MIB)
  expect(cache.usedBytes).toBeGreaterThan(MIB * 0.95)
})

test('evicted keys are propagated as DEL before the call, and told as evicted', () => {
  const cache = new Cache({ 'maxmemory-policy': 'allkeys-lru' })
  const effects: string[] = []
  cache.target.server.propagation.attach((db, argv) => {
    effects.push(`${db}: ${argv.map((part) => Buffer.from(part).toString()).join(' ')}`)
  })
  const events: string[] = []
  cache.target.server.keyspace.events.attachEvents({
    classes: -1,
    notify(event, dbIndex, bytes, offset, length) {
      events.push(`${event} ${dbIndex} ${bytes.toString('latin1', offset, offset + length)}`)
    },
  })
  cache.run('SET', 'a', 1)
  effects.length = 0
  events.length = 0
  cache.run('CONFIG', 'SET', 'maxmemory', 1)
  cache.run('GET', 'a')
  expect(effects).toEqual(['0: DEL a'])
  expect(events.slice(0, 1)).toEqual(['evicted 0 a'])
})

test('what can not be evicted counts as time over the limit', () => {
  const cache = new Cache({})
  cache.run('SET', 'a', 'x'.repeat(1000))
  cache.run('CONFIG', 'SET', 'maxmemory', 100)
  expect(cache.run('SET', 'b', 1)).toStartWith('-OOM')
  const until = performance.now() + 5
  while (performance.now() < until) cache.run('PING')
  expect(Number(cache.info('current_eviction_exceeded_time'))).toBeGreaterThanOrEqual(5)
  expect(Number(cache.info('total_eviction_exceeded_time'))).toBeGreaterThanOrEqual(5)
  cache.run('CONFIG', 'SET', 'maxmemory', 0)
  cache.run('PING')
  expect(cache.info('current_eviction_exceeded_time')).toBe('0')
  expect(Number(cache.info('total_eviction_exceeded_time'))).toBeGreaterThanOrEqual(5)
  cache.run('CONFIG', 'RESETSTAT')
  expect(cache.info('total_eviction_exceeded_time')).toBe('0')
})

test('reading, deleting and asking go on without memory', () => {
  const cache = new Cache({})
  cache.run('SET', 'a', 'x')
  cache.run('CONFIG', 'SET', 'maxmemory', 1)
  for (const line of ['GET a', 'TTL a', 'EXPIRE a 100', 'DEL a', 'PING', 'INFO memory']) {
    expect(cache.run(...line.split(' '))).not.toStartWith('-')
  }
  for (const line of ['SET a x', 'INCR n', 'APPEND a x', 'SETBIT b 1 1']) {
    expect(cache.run(...line.split(' '))).toStartWith('-OOM')
  }
})

test('nothing is evicted while clients are paused for writes', () => {
  const cache = new Cache({ 'maxmemory-policy': 'allkeys-lru' })
  for (let i = 0; i < 100; i++) cache.run('SET', `k${i}`, 'x')
  cache.run('CLIENT', 'PAUSE', 1000, 'WRITE')
  cache.run('CONFIG', 'SET', 'maxmemory', 1)
  cache.run('PING')
  expect(cache.run('DBSIZE')).toBe(':100')
  cache.target.advance(1100)
  cache.run('PING')
  expect(cache.run('DBSIZE')).toBe(':0')
})
