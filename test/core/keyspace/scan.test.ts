/**
 * SCAN's promise: what is there throughout comes at least once, however the table changes meanwhile.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: counts on an order.
 */
import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../../memory/seeded-random.ts'
import { encodeRequest } from '../../support/argv.ts'
import { InProcessServer } from '../../support/in-process.ts'
import type { Reply } from '../../support/reply.ts'
import { holdStill } from '../../support/still-clock.ts'
import { keyspaceFaults } from './faults.ts'

const STEADY_COUNT = 1000

class Client {
  readonly target: InProcessServer
  readonly #client

  constructor(arenaCount: number) {
    this.target = new InProcessServer({ arenaCount, arenaSize: 16 * 1024 * 1024 })
    const { clock } = this.target.server
    holdStill(clock)
    this.#client = this.target.connect()
  }

  call(...argv: (string | number)[]): Reply {
    this.#client.write(encodeRequest(argv.map((part) => Buffer.from(String(part)))))
    return this.#client.next(0)
  }

  /** Names that a whole SCAN gives; `between` runs between the calls. */
  scan(options: readonly string[], between: (calls: number) => void): string[] {
    const names: string[] = []
    let cursor = '0'
    for (let calls = 1; ; calls++) {
      const { items } = this.call('SCAN', cursor, ...options)
      cursor = String(items?.[0].bytes)
      for (const item of items?.[1].items ?? []) names.push(String(item.bytes))
      if (cursor === '0') return names
      if (calls > 100_000) throw new Error('SCAN does not end')
      between(calls)
    }
  }
}

for (const arenaCount of [1, 3]) {
  describe(`SCAN in ${arenaCount === 1 ? 'one arena' : 'three arenas'}`, () => {
    test('gives every key that is there throughout while the table grows and shrinks', () => {
      const random = seededRandom(arenaCount, 'scan')
      for (const count of ['1', '7', '50', '1000']) {
        const client = new Client(arenaCount)
        for (let i = 0; i < STEADY_COUNT; i++) client.call('SET', `steady:${i}`, i)
        let made = 0
        const names = client.scan(['COUNT', count], (calls) => {
          // Some calls add many keys, others take all of those away again.
          if (calls % 40 === 20) {
            const names = Array.from({ length: 1 + random() * 6000 }, () => `passing:${made++}`)
            client.call('MSET', ...names.flatMap((name) => [name, 'x']))
          } else if (calls % 40 === 0) {
            client.call('DEL', ...Array.from({ length: made }, (_, i) => `passing:${i}`))
            made = 0
          }
        })
        const steady = names.filter((name) => name.startsWith('steady:'))
        expect(new Set(steady).size).toBe(STEADY_COUNT)
        // More than the promise: no key twice.
        expect(steady.length).toBe(STEADY_COUNT)
      }
    }, 60_000)

    test('gives every key to MATCH and TYPE, and takes no account of what they leave out', () => {
      const client = new Client(arenaCount)
      for (let i = 0; i < 500; i++) client.call('SET', `k:${i}`, i)
      const even = client.scan(['MATCH', 'k:*[02468]', 'COUNT', '13'], () => {})
      expect(new Set(even).size).toBe(250)
      expect(new Set(client.scan(['TYPE', 'string'], () => {})).size).toBe(500)
      expect(client.scan(['TYPE', 'hash'], () => {})).toEqual([])
    })

    test('deletes keys whose time is over instead of giving them', () => {
      const client = new Client(arenaCount)
      const { clock, keyspace } = client.target.server
      keyspace.activeExpire = false
      for (let i = 0; i < 300; i++)
        client.call('SET', `k:${i}`, i, 'PX', i % 3 === 0 ? 10 : 100_000)
      clock.nowMs += 50
      expect(keyspace.keyCount()).toBe(300)
      expect((client.call('KEYS', '*').items ?? []).length).toBe(200)
      expect(keyspace.keyCount()).toBe(300)
      expect(new Set(client.scan([], () => {})).size).toBe(200)
      expect(keyspace.keyCount()).toBe(200)
    })

    test('of a full COUNT looks at no more of a large table than it was asked to', () => {
      const client = new Client(arenaCount)
      for (let i = 0; i < 5000; i++) client.call('SET', `k:${i}`, i)
      const { items } = client.call('SCAN', '0', 'COUNT', '10')
      expect(items?.[1].items?.length).toBeGreaterThanOrEqual(5)
      expect(items?.[1].items?.length).toBeLessThanOrEqual(20)
    })
  })
}

describe('RANDOMKEY', () => {
  test('draws from all arenas alike', () => {
    const client = new Client(3)
    for (let i = 0; i < 30; i++) client.call('SET', `k:${i}`, i)
    const drawn = new Map<string, number>()
    for (let i = 0; i < 3000; i++) {
      const name = String(client.call('RANDOMKEY').bytes)
      drawn.set(name, (drawn.get(name) ?? 0) + 1)
    }
    expect(drawn.size).toBe(30)
    for (const count of drawn.values()) expect(count).toBeGreaterThan(40)
  })
})

describe('deleting what SCAN finds', () => {
  for (const arenaCount of [1, 3]) {
    test(`gives all memory back, little by little (${arenaCount} arenas)`, () => {
      const client = new Client(arenaCount)
      const { keyspace } = client.target.server
      for (let i = 0; i < 20_000; i++) client.call('SET', `key:${i}`, i)
      const full = keyspace.usedBytes()
      let left = 20_000
      let cursor = '0'
      do {
        const { items } = client.call('SCAN', cursor, 'COUNT', '500')
        cursor = String(items?.[0].bytes)
        const names = (items?.[1].items ?? []).map(({ bytes }) => String(bytes))
        if (names.length === 0) continue
        expect(String(client.call('DEL', ...names).bytes)).toBe(String(names.length))
        left -= names.length
        expect(keyspace.usedBytes()).toBeLessThan((full * (left + 5000)) / 20_000)
        expect(keyspaceFaults(keyspace)).toEqual([])
      } while (cursor !== '0')
      expect(left).toBe(0)
      expect(keyspace.usedBytes()).toBeLessThan(2000 * arenaCount)
    })
  }
})
