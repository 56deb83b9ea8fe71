/**
 * The byte tree against a sorted array, for each key size and each way of breaking ties.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: leaves a block of an arena unaccounted for.
 */

import { expect, test } from 'bun:test'
import { ARENA_FULL, Arena, type Ref } from '../../src/memory/arena.ts'
import {
  byteTreeAt,
  byteTreeCount,
  byteTreeCountBelow,
  byteTreeCountBelowEntryKey,
  byteTreeCountUpTo,
  byteTreeCreate,
  byteTreeFind,
  byteTreeFirst,
  byteTreeFree,
  byteTreeInsert,
  byteTreeItemDouble,
  byteTreeItemKey,
  byteTreeItemValue,
  byteTreeLast,
  byteTreeMemoryBytes,
  byteTreeNext,
  byteTreePrevious,
  byteTreeRank,
  byteTreeRemove,
  byteTreeRemoveRange,
  byteTreeReplaceValue,
  byteTreeSeek,
  byteTreeSeekAfter,
  byteTreeSeekEntryKey,
  byteTreeVisit,
  doubleToKeyHi,
  doubleToKeyLo,
  TIE_BY_ENTRY_KEY,
  TIE_BY_VALUE,
  TIE_UNIQUE,
  TreePosition,
} from '../../src/memory/byte-tree.ts'
import { checkArena } from '../../src/memory/check.ts'
import { entryCreate, entryKeyLength, entryKeyOffset } from '../../src/memory/entry.ts'
import { seededRandom } from './seeded-random.ts'

const MIB = 1024 * 1024

interface Item {
  readonly key: readonly [number, number, number, number]
  value: number
  /** The item in one string whose order is the tree's. */
  order: string
}

class Model {
  readonly arena: Arena
  readonly tree: Ref
  readonly items: Item[] = []
  readonly entries = new Set<Ref>()
  readonly keyWords: 2 | 4
  readonly tie: number
  private readonly position = new TreePosition()

  constructor(arena: Arena, keyWords: 2 | 4, tie: number) {
    this.arena = arena
    this.keyWords = keyWords
    this.tie = tie
    this.tree = byteTreeCreate(arena, keyWords, tie)
  }

  item(key: Item['key'], value: number): Item {
    let order = ''
    for (const word of key.slice(0, this.keyWords)) order += hex(word)
    if (this.tie === TIE_BY_VALUE) order += hex(value)
    if (this.tie === TIE_BY_ENTRY_KEY) order += this.entryText(value)
    return { key, value, order }
  }

  entryText(entry: Ref): string {
    const offset = entryKeyOffset(entry)
    return this.arena.bytes.toString('latin1', offset, offset + entryKeyLength(this.arena, entry))
  }

  /** The first index whose item is not below the order. */
  lowerBound(order: string): number {
    let low = 0
    let high = this.items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.items[middle]!.order < order) low = middle + 1
      else high = middle
    }
    return low
  }

  has(item: Item): boolean {
    return this.items[this.lowerBound(item.order)]?.order === item.order
  }

  insert(item: Item): void {
    const isNew = !this.has(item)
    expect(byteTreeInsert(this.arena, this.tree, item.value, ...item.key)).toBe(isNew)
    if (isNew) this.items.splice(this.lowerBound(item.order), 0, item)
  }

  remove(item: Item): void {
    const isThere = this.has(item)
    expect(byteTreeRemove(this.arena, this.tree, item.value, ...item.key)).toBe(isThere)
    if (isThere) this.items.splice(this.lowerBound(item.order), 1)
  }

  checkRank(item: Item): void {
    const index = this.lowerBound(item.order)
    const rank = this.has(item) ? index : -1
    const { arena, tree, position } = this
    expect(byteTreeRank(arena, tree, item.value, ...item.key)).toBe(rank)
    expect(byteTreeFind(arena, tree, position, item.value, ...item.key)).toBe(rank >= 0)
    const keyOrder = item.order.slice(0, this.keyWords * 8)
    const below = this.lowerBound(keyOrder)
    const upTo = this.lowerBound(`${keyOrder}\u{ffff}`)
    expect(byteTreeCountBelow(arena, tree, ...item.key)).toBe(below)
    expect(byteTreeCountUpTo(arena, tree, ...item.key)).toBe(upTo)
    byteTreeSeek(arena, tree, position, ...item.key)
    this.expectAt(below)
    byteTreeSeekAfter(arena, tree, position, ...item.key)
    this.expectAt(upTo)
    byteTreeAt(arena, tree, position, index)
    this.expectAt(index)
  }

  expectAt(index: number): void {
    const item = this.items[index]
    expect(this.position.leaf !== 0).toBe(item !== undefined)
    if (item === undefined) return
    expect(byteTreeItemValue(this.arena, this.tree, this.position)).toBe(item.value | 0)
    for (let word = 0; word < this.keyWords; word++) {
      expect(byteTreeItemKey(this.arena, this.tree, this.position, word)).toBe(item.key[word]! | 0)
    }
  }

  check(): void {
    const { arena, tree, position } = this
    expect(byteTreeCount(arena, tree)).toBe(this.items.length)
    let index = 0
    for (let on = byteTreeFirst(arena, tree, position); on; on = byteTreeNext(arena, position)) {
      this.expectAt(index++)
    }
    expect(index).toBe(this.items.length)
    for (let on = byteTreeLast(arena, tree, position); on; on = byteTreePrevious(arena, position)) {
      this.expectAt(--index)
    }
    expect(index).toBe(0)
    let treeBytes = 0
    byteTreeVisit(arena, tree, (block) => {
      treeBytes += arena.blockSizeBytes(block)
    })
    expect(byteTreeMemoryBytes(arena, tree)).toBe(treeBytes)
    const faults = checkArena(arena, (visitBlock) => {
      byteTreeVisit(arena, tree, visitBlock)
      for (const entry of this.entries) visitBlock(entry)
    })
    expect(faults).toEqual([])
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}

function makeEntries(model: Model, count: number, random: () => number): Ref[] {
  const refs: Ref[] = []
  for (let index = 0; index < count; index++) {
    const text = 'ab'.repeat(Math.floor(random() * 30)) + String(index).slice(0, index % 7)
    const source = Buffer.from(`${text}${index}`)
    refs.push(entryCreate(model.arena, source, 0, source.length, 0))
    model.entries.add(refs[index]!)
  }
  return refs
}

function randomItem(model: Model, random: () => number, spread: number, entries: Ref[]): Item {
  const word = () => Math.imul(Math.floor(random() * spread), 0x55555555)
  const key = [word(), word(), word(), word()] as const
  const value =
    model.tie === TIE_UNIQUE
      ? hashOf(key.slice(0, model.keyWords))
      : model.tie === TIE_BY_VALUE
        ? Math.floor(random() * spread) * 0x40000001
        : entries[Math.floor(random() * entries.length)]!
  return model.item(key, value)
}

/** The same key always has the same value, so that a unique tree's values can be compared. */
function hashOf(words: readonly number[]): number {
  return words.reduce((sum, word) => (Math.imul(sum, 31) + word) | 0, 7)
}

for (const keyWords of [2, 4] as const) {
  for (const [tieName, tie] of [
    ['unique', TIE_UNIQUE],
    ['by value', TIE_BY_VALUE],
    ['by entry key', TIE_BY_ENTRY_KEY],
  ] as const) {
    for (const spread of [5, 60]) {
      const name = `behaves as a sorted array: ${keyWords} words, ties ${tieName}, spread ${spread}`
      test(name, () => {
        const random = seededRandom(keyWords * 100 + tie * 10 + spread, name)
        const model = new Model(new Arena(8 * MIB), keyWords, tie)
        const entries = tie === TIE_BY_ENTRY_KEY ? makeEntries(model, 200, random) : []
        for (let phase = 0; phase < 4; phase++) {
          const growing = phase % 2 === 0
          for (let step = 0; step < 2500; step++) {
            const item = randomItem(model, random, spread, entries)
            const draw = random()
            if (draw < 0.15) model.checkRank(item)
            else if (growing ? draw < 0.9 : draw < 0.3) model.insert(item)
            else if (model.items.length > 0) {
              model.remove(item)
              model.remove(model.items[Math.floor(random() * model.items.length)] ?? item)
            }
          }
          model.check()
        }
        while (model.items.length > 0) model.remove(model.items[model.items.length >> 1]!)
        model.check()
        expect(byteTreeMemoryBytes(model.arena, model.tree)).toBe(96)
        byteTreeFree(model.arena, model.tree)
        for (const entry of model.entries) model.arena.free(entry)
        expect(model.arena.usedBytes).toBe(0)
      })
    }
  }
}

test('growing keys fill their nodes', () => {
  const model = new Model(new Arena(8 * MIB), 2, TIE_UNIQUE)
  for (let index = 0; index < 50000; index++) byteTreeInsert(model.arena, model.tree, 1, 7, index)
  expect(byteTreeMemoryBytes(model.arena, model.tree) / 50000).toBeLessThan(13)
  for (let index = 0; index < 50000; index++) {
    expect(byteTreeRemove(model.arena, model.tree, 1, 7, index)).toBe(true)
  }
  model.check()
})

test('ranges go in one step and are seen in order', () => {
  const random = seededRandom(4, 'ranges')
  const model = new Model(new Arena(8 * MIB), 2, TIE_BY_VALUE)
  for (let round = 0; round < 60; round++) {
    while (model.items.length < 3000) model.insert(randomItem(model, random, 1000, []))
    const rank = Math.floor(random() * 3000)
    const count = Math.floor(random() ** 3 * 3500)
    const seen: number[] = []
    byteTreeRemoveRange(model.arena, model.tree, rank, count, (value) => seen.push(value))
    const removed = model.items.splice(rank, count)
    expect(seen).toEqual(removed.map((item) => item.value | 0))
    model.check()
  }
  byteTreeRemoveRange(model.arena, model.tree, 0, 9999, undefined)
  model.items.length = 0
  model.check()
})

test('a value is replaced in place, or in order where values order', () => {
  for (const tie of [TIE_UNIQUE, TIE_BY_VALUE, TIE_BY_ENTRY_KEY]) {
    const random = seededRandom(9, 'replace')
    const model = new Model(new Arena(8 * MIB), 2, tie)
    const entries = tie === TIE_BY_ENTRY_KEY ? makeEntries(model, 50, random) : []
    for (let step = 0; step < 2000; step++) model.insert(randomItem(model, random, 40, entries))
    for (let step = 0; step < 500; step++) {
      const index = Math.floor(random() * model.items.length)
      const item = model.items[index]!
      let value = step * 3 + 1000003
      if (tie === TIE_BY_ENTRY_KEY) {
        const source = Buffer.from(model.entryText(item.value), 'latin1')
        value = entryCreate(model.arena, source, 0, source.length, 8)
        model.entries.add(value)
      }
      const { arena, tree } = model
      expect(byteTreeReplaceValue(arena, tree, item.value, value, ...item.key)).toBe(true)
      model.items.splice(index, 1)
      const replaced = model.item(item.key, value)
      model.items.splice(model.lowerBound(replaced.order), 0, replaced)
    }
    model.check()
    expect(byteTreeReplaceValue(model.arena, model.tree, 1, 2, 3, 4)).toBe(false)
  }
})

test('entry bytes lead to the first item not below them', () => {
  const model = new Model(new Arena(MIB), 2, TIE_BY_ENTRY_KEY)
  const position = new TreePosition()
  const texts: string[] = []
  for (let index = 0; index < 700; index++) texts.push(`m${index * 2}`)
  for (const text of texts) {
    const entry = entryCreate(model.arena, Buffer.from(text), 0, text.length, 0)
    model.entries.add(entry)
    model.insert(model.item([1, 2, 0, 0], entry))
  }
  texts.sort()
  for (let index = 0; index < 1500; index++) {
    const text = `m${index}`
    const rank = texts.filter((other) => other < text).length
    const { arena, tree } = model
    const bytes = Buffer.from(`xx${text}yy`)
    expect(byteTreeCountBelowEntryKey(arena, tree, 1, 2, bytes, 2, text.length)).toBe(rank)
    const found = byteTreeSeekEntryKey(arena, tree, position, 1, 2, bytes, 2, text.length)
    expect(found).toBe(rank < texts.length)
    if (found) expect(model.entryText(byteTreeItemValue(arena, tree, position))).toBe(texts[rank]!)
  }
})

test('a full arena leaves the tree as it was', () => {
  for (const keyWords of [2, 4] as const) {
    const random = seededRandom(keyWords, 'full')
    const model = new Model(new Arena(256 * 1024), keyWords, TIE_BY_VALUE)
    for (let round = 0; round < 10; round++) {
      for (;;) {
        const item = randomItem(model, random, 100000, [])
        try {
          byteTreeInsert(model.arena, model.tree, item.value, ...item.key)
        } catch (error) {
          expect(error).toBe(ARENA_FULL)
          break
        }
        if (!model.has(item)) model.items.splice(model.lowerBound(item.order), 0, item)
      }
      model.check()
      expect(model.items.length).toBeGreaterThan(3000)
      for (let count = 0; count < 1000; count++) {
        model.remove(model.items[Math.floor(random() * model.items.length)]!)
      }
      model.check()
    }
  }
})

test('doubles keep their order as key words', () => {
  const doubles = [-Infinity, -1.7e308, -1e10, -3.5, -1, -5e-324, 0, 5e-324, 1e-9, 1, 1.5, 2 ** 53]
  doubles.push(1.7e308, Infinity)
  const arena = new Arena(MIB)
  const tree = byteTreeCreate(arena, 2, TIE_UNIQUE)
  for (const value of [...doubles].reverse()) {
    byteTreeInsert(arena, tree, 1, doubleToKeyHi(value), doubleToKeyLo(value))
  }
  const position = new TreePosition()
  const found: number[] = []
  for (let on = byteTreeFirst(arena, tree, position); on; on = byteTreeNext(arena, position)) {
    found.push(byteTreeItemDouble(arena, tree, position))
  }
  expect(found).toEqual(doubles)
  expect(doubleToKeyHi(-0)).toBe(doubleToKeyHi(0))
  expect(doubleToKeyLo(-0)).toBe(doubleToKeyLo(0))
})
