/**
 * Sorted sets from inside: random changes in tiny arenas against plain pairs, in both encodings, with
 * memory that runs out; copies, built sets, and what a set costs.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: lets time pass.
 */
import { describe, expect, test } from 'bun:test'
import { Args } from '../../../../src/core/engine/args.ts'
import { Clock } from '../../../../src/core/engine/clock.ts'
import { Propagation } from '../../../../src/core/engine/propagation.ts'
import { type Db, NO_DEADLINE } from '../../../../src/core/keyspace/db.ts'
import { TYPE_SORTED_SET } from '../../../../src/core/keyspace/entry.ts'
import { Keyspace } from '../../../../src/core/keyspace/keyspace.ts'
import { Draft } from '../../../../src/core/keyspace/transfer.ts'
import { registerValueType } from '../../../../src/core/keyspace/value.ts'
import { ListpackLimits } from '../../../../src/core/types/listpack-limits.ts'
import { SortedSetBuilder } from '../../../../src/core/types/sorted-set/builder.ts'
import { SortedSetCursor } from '../../../../src/core/types/sorted-set/cursor.ts'
import {
  ADDED,
  isTree,
  sortedSetAdd,
  sortedSetCount,
  sortedSetCreate,
  sortedSetRank,
  sortedSetRemove,
  sortedSetRemoveRange,
  sortedSetScore,
  sortedSetScoreOf,
  sortedSetScoreRank,
  sortedSetToTree,
  sortedSetValue,
  UNCHANGED,
  UPDATED,
} from '../../../../src/core/types/sorted-set/sorted-set.ts'
import { ArenaFullError, PAGE_SIZE_BYTES } from '../../../../src/memory/arena.ts'
import { seededRandom } from '../../../memory/seeded-random.ts'
import { keyspaceFaults } from '../../keyspace/faults.ts'

const HASH_SEED = 77

registerValueType(TYPE_SORTED_SET, sortedSetValue)

type Pairs = readonly (readonly [member: string, score: number])[]

/** A keyspace, and a call's arguments: 1 is the key, 2 a member. */
class World {
  readonly keyspace: Keyspace
  readonly db: Db
  readonly args = new Args(Buffer.alloc(0), new Int32Array(0), HASH_SEED)
  readonly limits = new ListpackLimits('zset')

  constructor(arenaCount: number, arenaSize: number, entries: number) {
    this.keyspace = new Keyspace(
      { databaseCount: 1, arenaCount, arenaSize, hashSeed: HASH_SEED },
      new Clock(),
      new Propagation(),
    )
    this.db = this.keyspace.dbs[0]
    this.limits.entries = entries
  }

  find(key: string, member = ''): number {
    this.args.set([Buffer.from('X'), Buffer.from(key), Buffer.from(member, 'latin1')])
    return this.db.write(this.args, 1)
  }

  add(key: string, member: string, score: number): number {
    const { args, db, limits } = this
    let ref = this.find(key, member)
    const isNew = ref === 0
    if (isNew) ref = sortedSetCreate(db, args, 1, limits, member.length)
    const { arena } = db
    let outcome = -1
    try {
      outcome = sortedSetAdd(arena, ref, limits, args, args.offsets[2], member.length, score, 0)
    } finally {
      if (outcome < 0 && isNew) db.remove(ref)
    }
    return outcome
  }

  remove(key: string, member: string): boolean {
    const ref = this.find(key, member)
    const { arena } = this.db
    if (ref === 0) return false
    const removed = sortedSetRemove(arena, ref, this.args, this.args.offsets[2], member.length)
    if (sortedSetCount(arena, ref) === 0) this.db.remove(ref)
    return removed
  }

  removeRange(key: string, rank: number, count: number): void {
    const ref = this.find(key)
    if (count === sortedSetCount(this.db.arena, ref)) this.db.remove(ref)
    else sortedSetRemoveRange(this.db.arena, ref, rank, count)
  }

  pairs(key: string, backwards = false): Pairs {
    const ref = this.find(key)
    if (ref === 0) return []
    const cursor = new SortedSetCursor()
    const { arena } = this.db
    cursor.openAt(arena, ref, backwards ? sortedSetCount(arena, ref) - 1 : 0, backwards)
    const pairs: [string, number][] = []
    while (cursor.next()) {
      const { bytes, offset, length } = cursor
      pairs.push([bytes.latin1Slice(offset, offset + length), cursor.score])
    }
    return pairs
  }

  faults(): string[] {
    return keyspaceFaults(this.keyspace)
  }
}

function inOrder(model: ReadonlyMap<string, number>): Pairs {
  return [...model].sort(([a, x], [b, y]) => x - y || Buffer.compare(bytes(a), bytes(b)))
}

const bytes = (text: string) => Buffer.from(text, 'latin1')

/** Everything that a set can be asked agrees with the model. */
function compare(world: World, key: string, model: ReadonlyMap<string, number>): void {
  const ordered = inOrder(model)
  expect(world.pairs(key)).toEqual(ordered)
  expect(world.pairs(key, true)).toEqual(ordered.toReversed())
  ordered.forEach(([member, score], rank) => {
    const ref = world.find(key, member)
    const { arena } = world.db
    const at = world.args.offsets[2]
    expect(sortedSetRank(arena, ref, world.args, at, member.length)).toBe(rank)
    expect(sortedSetScore(arena, ref, world.args, at, member.length)).toBe(score)
    expect(sortedSetScoreOf(arena, ref, bytes(`x${member}`), 1, member.length)).toBe(score)
    const below = ordered.filter(([, other]) => other < score).length
    expect(sortedSetScoreRank(arena, ref, score, false)).toBe(below)
    const upTo = ordered.filter(([, other]) => other <= score).length
    expect(sortedSetScoreRank(arena, ref, score, true)).toBe(upTo)
  })
}

const SCORES = [0, 1, 1, 2, -1, 0.5, 1e17, 2 ** 62, -1e300, 5e-324, Infinity, -Infinity, 1 / 3]

function runModel(
  seed: number,
  entries: number,
  arenaSize: number,
): { full: number; large: number } {
  const random = seededRandom(seed, `sorted sets, up to ${entries} in a listpack`)
  const below = (n: number) => Math.floor(random() * n)
  const world = new World(3, arenaSize, entries)
  const keys = ['k', 'another', 'third', 'fourth']
  const models = new Map(keys.map((key) => [key, new Map<string, number>()]))
  const member = () =>
    below(4) === 0
      ? String(below(40) - 20)
      : 'abcdefgh'.repeat(below(9)).slice(below(8)) + below(60)
  let full = 0
  let large = 0
  for (let step = 0; step < 4000; step++) {
    const key = keys[below(keys.length)]
    const model = models.get(key) as Map<string, number>
    const choice = below(10)
    if (choice < 6) {
      const name = member()
      const score = below(2) === 0 ? SCORES[below(SCORES.length)] : below(1000) / 8
      const before = model.get(name)
      try {
        const expected = before === undefined ? ADDED : before === score ? UNCHANGED : UPDATED
        expect(world.add(key, name, score)).toBe(expected)
        model.set(name, score)
      } catch (error) {
        if (!(error instanceof ArenaFullError)) throw error
        full++
      }
    } else if (choice < 9) {
      const name = below(2) === 0 ? member() : ([...model.keys()][below(model.size)] ?? '')
      expect(world.remove(key, name)).toBe(model.delete(name))
    } else if (model.size > 0) {
      const rank = below(model.size)
      const count = 1 + below(Math.min(model.size - rank, 9))
      for (const [name] of inOrder(model).slice(rank, rank + count)) model.delete(name)
      world.removeRange(key, rank, count)
    }
    if (step % 200 > 0) continue
    expect(world.faults()).toEqual([])
    for (const one of keys) {
      compare(world, one, models.get(one) as Map<string, number>)
      const ref = world.find(one)
      if (ref !== 0 && isTree(world.db.arena, ref)) large++
    }
  }
  return { full, large }
}

describe('sorted sets', () => {
  for (const [seed, entries, size] of [
    [1, 1000, 96 * 1024],
    [2, 30, 96 * 1024],
    [3, 0, 96 * 1024],
    [4, 0, 64 * 1024],
    [5, 20, 80 * 1024],
  ]) {
    test(`agree with plain pairs, up to ${entries} in a listpack, ${size} bytes`, () => {
      const { full, large } = runModel(seed, entries, size)
      if (size === 64 * 1024) expect(full).toBeGreaterThan(0)
      if (entries < 1000) expect(large).toBeGreaterThan(0)
    })
  }

  test('keep 5000 members in order, also when all scores change', () => {
    const world = new World(1, 4 * 1024 * 1024, 128)
    const model = new Map<string, number>()
    const random = seededRandom(6, 'large sorted set')
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 5000; i++) {
        const score = Math.floor(random() * 1000)
        world.add('k', `member:${i}`, score)
        model.set(`member:${i}`, score)
      }
      expect(world.pairs('k')).toEqual(inOrder(model))
    }
    expect(world.faults()).toEqual([])
    world.removeRange('k', 0, 5000)
    expect(world.find('k')).toBe(0)
    expect(world.faults()).toEqual([])
  })

  test('become large without a change, or stay as they are when memory runs out', () => {
    const outcomes = new Set<boolean>()
    for (let room = 0; room < 8; room++) {
      const world = new World(1, 96 * 1024, 1000)
      const { arena } = world.db
      for (let i = 0; i < 50; i++) world.add('k', `member ${i}`, i % 7)
      const before = world.pairs('k')
      fill(world, room)
      let done = false
      try {
        sortedSetToTree(arena, world.find('k'))
        done = true
      } catch (error) {
        if (!(error instanceof ArenaFullError)) throw error
      }
      outcomes.add(done)
      expect(isTree(arena, world.find('k'))).toBe(done)
      expect(world.pairs('k')).toEqual(before)
      expect(world.faults().filter((fault) => !fault.includes("nobody's"))).toEqual([])
    }
    expect(outcomes.size).toBe(2)
  })

  test('are copied to other arenas, whole or not at all', () => {
    for (const entries of [0, 1000]) {
      for (const arenaSize of [64 * 1024, 512 * 1024]) {
        const world = new World(3, arenaSize, entries)
        let full = 0
        for (let i = 0; i < 60; i++) world.add('from', `a member of some length ${i}`, i / 3)
        const from = world.find('from')
        const { arena } = world.db
        for (let copy = 0; copy < 60; copy++) {
          world.find(`copy ${copy}`)
          const toArena = world.db.arenaOf(world.args, 1)
          const draft = new Draft(world.db, world.args, 1, NO_DEADLINE)
          try {
            sortedSetValue.copyTo(arena, from, toArena, draft)
            draft.adopt(0)
          } catch (error) {
            if (!(error instanceof ArenaFullError)) throw error
            if (world.find(`copy ${copy}`) === 0) full++
            continue
          }
          expect(world.pairs(`copy ${copy}`)).toEqual(world.pairs('from'))
        }
        expect(world.faults()).toEqual([])
        if (entries === 0 && arenaSize === 64 * 1024) expect(full).toBeGreaterThan(0)
      }
    }
  })

  test('account for every byte', () => {
    for (const entries of [0, 1000]) {
      const world = new World(1, 1024 * 1024, entries)
      for (let i = 0; i < 300; i++) world.add('k', `member ${i}`, i)
      const { arena } = world.db
      const ref = world.find('k')
      const told = sortedSetValue.memoryBytes(arena, ref)
      let seen = 0
      sortedSetValue.visit(arena, ref, (block) => {
        seen += arena.blockSizeBytes(block)
      })
      expect(told).toBe(seen)
      const before = arena.usedBytes
      sortedSetValue.free(arena, ref)
      expect(before - arena.usedBytes).toBe(told)
    }
  })
})

/** Takes all memory, but for `room` pages. */
function fill(world: World, room: number): void {
  const { arena } = world.db
  const pages: number[] = []
  for (let size = PAGE_SIZE_BYTES; size >= 8; size >>= 1) {
    for (let ref = arena.tryAllocate(size); ref !== 0; ref = arena.tryAllocate(size)) {
      if (size === PAGE_SIZE_BYTES) pages.push(ref)
    }
  }
  for (const page of pages.slice(0, room)) arena.free(page)
}

describe('built sets', () => {
  test('take members in any order, and are as large as they have to be', () => {
    for (const [count, entries] of [
      [10, 128],
      [200, 128],
      [10, 5],
    ]) {
      const world = new World(1, 1024 * 1024, entries)
      world.find('k')
      const arena = world.db.arenaOf(world.args, 1)
      const builder = new SortedSetBuilder(arena)
      const model = new Map<string, number>()
      for (let i = 0; i < count; i++) {
        const name = `member ${(i * 7919) % 1000}`
        expect(builder.add(bytes(name), 0, name.length, i % 5)).toBe(true)
        expect(builder.add(bytes(name), 0, name.length, 99)).toBe(false)
        builder.combine(bytes(name), 0, name.length, 0.5, (before, score) => before + score)
        model.set(name, (i % 5) + 0.5)
      }
      builder.finish(world.limits)
      const draft = new Draft(world.db, world.args, 1, NO_DEADLINE)
      builder.create(draft)
      draft.adopt(0)
      compare(world, 'k', model)
      expect(isTree(arena, world.find('k'))).toBe(count > entries)
      expect(world.faults()).toEqual([])
    }
  })

  test('leave nothing behind when memory runs out', () => {
    for (const entries of [0, 1000]) {
      const world = new World(1, 80 * 1024, entries)
      const arena = world.db.arena
      let threw = false
      const builder = new SortedSetBuilder(arena)
      try {
        for (let i = 0; i < 5000; i++) builder.add(bytes(`member ${i}`), 0, 11, i)
        builder.finish(world.limits)
      } catch (error) {
        if (!(error instanceof ArenaFullError)) throw error
        threw = true
      } finally {
        builder.free()
      }
      expect(threw).toBe(true)
      expect(arena.usedBytes).toBe(0)
    }
  })
})
