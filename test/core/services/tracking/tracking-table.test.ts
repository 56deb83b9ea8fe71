/**
 * The tracking table against the obvious slow one, and its arena against the checker.
 *
 * Thread: any.
 * Owns: the model.
 * Never: looks at entries itself.
 */
import { describe, expect, test } from 'bun:test'
import { Args } from '../../../../src/core/engine/args.ts'
import { TrackingTable } from '../../../../src/core/services/tracking/tracking-table.ts'
import { ARENA_FULL } from '../../../../src/memory/arena.ts'
import { checkArena } from '../../../../src/memory/check.ts'
import { seededRandom } from '../../../memory/seeded-random.ts'

const HASH_SEED = 77
const ARENA_SIZE = 8 * 1024 * 1024

class Model {
  readonly table = new TrackingTable(HASH_SEED, ARENA_SIZE)
  readonly keys = new Map<string, Set<number>>()
  readonly #args = new Args(Buffer.alloc(0), new Int32Array(0), HASH_SEED)

  add(key: string, client: number): void {
    this.#args.set([Buffer.from('GET'), Buffer.from(key, 'latin1')])
    this.table.add(this.#args, 1, client)
    const clients = this.keys.get(key)
    if (clients === undefined) this.keys.set(key, new Set([client]))
    else clients.add(client)
  }

  take(key: string): void {
    // At an odd place, as a key lies in a request.
    const bytes = Buffer.from(`x${key}y`, 'latin1')
    const taken = this.table.take(bytes, 1, bytes.length - 2)
    const expected = this.keys.get(key)
    this.keys.delete(key)
    expect(taken === undefined ? undefined : [...taken]).toEqual(
      expected === undefined ? undefined : [...expected].sort((a, b) => a - b),
    )
  }

  check(): void {
    let items = 0
    for (const clients of this.keys.values()) items += clients.size
    expect(this.table.keyCount).toBe(this.keys.size)
    expect(this.table.itemCount).toBe(items)
    const { arena } = this.table
    if (arena === undefined) return
    expect(checkArena(arena, (visit) => this.table.visit(visit))).toEqual([])
  }
}

describe('TrackingTable', () => {
  test('holds what the model holds, and loses no block', () => {
    for (const seed of [1, 2, 3]) {
      const random = seededRandom(seed, 'tracking')
      const model = new Model()
      const below = (count: number) => Math.floor(random() * count)
      // Few keys with many clients, or many with few.
      const keyCount = [20, 300, 2000][seed - 1]
      const clientCount = [3000, 40, 4][seed - 1]
      const someKey = () => `k${'y'.repeat(below(40))}${below(keyCount)}`
      for (let step = 0; step < 6000; step++) {
        // Numbers beyond 2^31 are negative here.
        if (random() < 0.9) model.add(someKey(), (below(clientCount) - 5) | 0)
        else model.take(someKey())
        if (step % 1500 === 0) model.check()
      }
      model.check()
      for (const key of [...model.keys.keys()]) model.take(key)
      model.check()
    }
  })

  test('takes keys of every length and any bytes', () => {
    const model = new Model()
    const keys = Array.from({ length: 600 }, (_, size) => '\xff\x00'.repeat(300).slice(0, size))
    for (const key of keys) model.add(key, 1)
    model.check()
    for (const key of keys) model.take(key)
    model.check()
    model.take('nobody')
  })

  test('draws every key, and gives memory back when it is cleared', () => {
    const model = new Model()
    expect(model.table.randomKey(() => 0)).toBeUndefined()
    expect(model.table.clear()).toBe(false)
    for (let i = 0; i < 8; i++) model.add(`key${i}`, i)
    const random = seededRandom(1, 'draws')
    const drawn = new Set<string | undefined>()
    for (let i = 0; i < 200; i++) drawn.add(model.table.randomKey(random)?.toString())
    expect(drawn.size).toBe(8)
    expect(model.table.clear()).toBe(false)
    model.keys.clear()
    model.check()
    model.add('again', 1)
    model.check()
  })

  test('says when it is full, with nothing changed', () => {
    const model = new Model()
    let added = 0
    let thrown: unknown
    for (; thrown === undefined; added++) {
      try {
        model.add(`key${added}${'x'.repeat(500)}`, added)
      } catch (error) {
        thrown = error
      }
    }
    expect(thrown).toBe(ARENA_FULL)
    model.check()
    expect(added).toBeGreaterThan(10_000)
    model.take(`key0${'x'.repeat(500)}`)
    model.add(`key${added}${'x'.repeat(500)}`, 1)
    model.check()
  })
})
