/**
 * The byte map against a `Map`, through growth, splits, shrinking, merges and full arenas.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: leaves a block of an arena unaccounted for.
 */

import { expect, test } from 'bun:test'
import { hashWords } from '../../src/lib/hash.ts'
import { ARENA_FULL, Arena, type Ref } from '../../src/memory/arena.ts'
import {
  byteMapCount,
  byteMapCreate,
  byteMapFind,
  byteMapForEach,
  byteMapFree,
  byteMapInsert,
  byteMapMemoryBytes,
  byteMapRandom,
  byteMapRemove,
  byteMapReplace,
  byteMapReserve,
  byteMapScan,
  byteMapVisit,
} from '../../src/memory/byte-map.ts'
import { checkArena } from '../../src/memory/check.ts'
import { entryCreate, entryKeyLength, entryKeyOffset } from '../../src/memory/entry.ts'
import { seededRandom } from './seeded-random.ts'

const MIB = 1024 * 1024
const keyBytes = Buffer.from(new SharedArrayBuffer(1024))
const keyWords = new Int32Array(keyBytes.buffer)
const KEY_OFFSET = 8

type HashOf = (length: number) => number
const goodHash: HashOf = (length) => hashWords(keyWords, KEY_OFFSET >> 2, length, 42)
/** Only 16 different hashes, as after an attack on the seed. */
const badHash: HashOf = (length) => Math.imul(goodHash(length) & 15, 0x11111111)
/** All in one sixteenth of hash space. */
const skewedHash: HashOf = (length) => (goodHash(length) >>> 4) | 0x70000000

class Model {
  readonly arena: Arena
  readonly map: Ref
  readonly expected = new Map<string, Ref>()
  private readonly hashOf: HashOf

  constructor(arena: Arena, hashOf: HashOf = goodHash, count = 0) {
    this.arena = arena
    this.map = byteMapCreate(arena, count)
    this.hashOf = hashOf
  }

  hash(key: string): number {
    keyBytes.fill(0xee)
    return this.hashOf(keyBytes.write(key, KEY_OFFSET, 'latin1'))
  }

  find(key: string): Ref {
    const hash = this.hash(key)
    return byteMapFind(this.arena, this.map, hash, keyWords, KEY_OFFSET, key.length)
  }

  insert(key: string): void {
    const hash = this.hash(key)
    const entry = entryCreate(this.arena, keyBytes, KEY_OFFSET, key.length, 4)
    try {
      byteMapInsert(this.arena, this.map, hash, entry)
    } catch (error) {
      this.arena.free(entry)
      throw error
    }
    this.expected.set(key, entry)
  }

  remove(key: string): void {
    const entry = this.find(key)
    expect(byteMapRemove(this.arena, this.map, this.hash(key), entry)).toBe(true)
    this.arena.free(entry)
    this.expected.delete(key)
  }

  keyOf(entry: Ref): string {
    const offset = entryKeyOffset(entry)
    return this.arena.bytes.toString('latin1', offset, offset + entryKeyLength(this.arena, entry))
  }

  check(): void {
    expect(byteMapCount(this.arena, this.map)).toBe(this.expected.size)
    let seen = 0
    let entryBytes = 0
    byteMapForEach(this.arena, this.map, (entry) => {
      if (this.expected.get(this.keyOf(entry)) === entry) seen++
      entryBytes += this.arena.blockSizeBytes(entry)
    })
    expect(seen).toBe(this.expected.size)
    expect(byteMapMemoryBytes(this.arena, this.map) + entryBytes).toBe(this.arena.usedBytes)
    const faults = checkArena(this.arena, (visitBlock) => {
      byteMapVisit(this.arena, this.map, visitBlock)
      for (const entry of this.expected.values()) visitBlock(entry)
    })
    expect(faults).toEqual([])
  }

  scanAll(wantedCount: number, between: () => void): Map<string, number> {
    const found = new Map<string, number>()
    let cursor = 0
    do {
      const out: Ref[] = []
      cursor = byteMapScan(this.arena, this.map, cursor, wantedCount, out)
      for (const entry of out) {
        const key = this.keyOf(entry)
        found.set(key, (found.get(key) ?? 0) + 1)
      }
      between()
    } while (cursor !== 0)
    return found
  }
}

function randomKey(random: () => number, keyCount: number): string {
  const number = Math.floor(random() * keyCount)
  return `${number}:${'kkkkkkkk'.slice(0, number % 9)}`
}

for (const [name, hashOf, keyCount] of [
  ['even hashes', goodHash, 40000],
  ['sixteen hashes', badHash, 600],
  ['skewed hashes', skewedHash, 20000],
] as const) {
  test(`behaves as a Map with ${name}`, () => {
    const seed = 1000 + keyCount
    const random = seededRandom(seed, name)
    const model = new Model(new Arena(16 * MIB), hashOf)
    for (let phase = 0; phase < 6; phase++) {
      const growing = phase % 2 === 0
      const steps = keyCount * (growing ? 1.2 : 1.6)
      for (let step = 0; step < steps; step++) {
        const key = randomKey(random, keyCount)
        const entry = model.find(key)
        expect(entry).toBe(model.expected.get(key) ?? 0)
        if (random() < (growing ? 0.8 : 0.15)) {
          if (entry === 0) model.insert(key)
        } else if (entry !== 0) {
          model.remove(key)
        }
      }
      model.check()
    }
    for (const key of [...model.expected.keys()]) model.remove(key)
    model.check()
    expect(byteMapMemoryBytes(model.arena, model.map)).toBeLessThan(200)
    byteMapFree(model.arena, model.map)
    expect(model.arena.usedBytes).toBe(0)
  })
}

test('keys of every length differ from their prefixes and neighbours', () => {
  const model = new Model(new Arena(MIB))
  for (let length = 0; length <= 70; length++) {
    for (const last of 'xy') model.insert('x'.repeat(length).slice(0, -1) + (length ? last : ''))
    if (length === 0) model.remove('')
  }
  for (const [key, entry] of model.expected) expect(model.find(key)).toBe(entry)
  expect(model.find('z')).toBe(0)
  expect(model.find('x'.repeat(71))).toBe(0)
})

test('an entry that moved is found at its new place', () => {
  const model = new Model(new Arena(MIB))
  for (let index = 0; index < 500; index++) model.insert(`key${index}`)
  const old = model.find('key77')
  const hash = model.hash('key77')
  const moved = entryCreate(model.arena, keyBytes, KEY_OFFSET, 5, 400)
  expect(byteMapReplace(model.arena, model.map, hash, old, moved)).toBe(true)
  expect(byteMapReplace(model.arena, model.map, hash, old, moved)).toBe(false)
  model.arena.free(old)
  model.expected.set('key77', moved)
  expect(model.find('key77')).toBe(moved)
  model.check()
})

test('removing what is not there changes nothing', () => {
  const model = new Model(new Arena(MIB))
  model.insert('a')
  expect(byteMapRemove(model.arena, model.map, model.hash('a'), 12345)).toBe(false)
  expect(byteMapRemove(model.arena, model.map, model.hash('b'), model.find('a'))).toBe(false)
  model.check()
})

test('a full arena leaves the map as it was, and room makes it work again', () => {
  for (const hashOf of [goodHash, skewedHash, badHash]) {
    const model = new Model(new Arena(MIB), hashOf)
    let key = 0
    const fill = () => {
      for (;;) {
        try {
          model.insert(`some-key-${key}`)
          key++
        } catch (error) {
          expect(error).toBe(ARENA_FULL)
          return
        }
      }
    }
    const limit = hashOf === badHash ? 3000 : Number.POSITIVE_INFINITY
    if (limit === 3000) for (; key < limit; key++) model.insert(`some-key-${key}`)
    else fill()
    model.check()
    expect(model.expected.size).toBeGreaterThan(2000)
    for (let index = 0; index < key; index += 2) model.remove(`some-key-${index}`)
    model.check()
    if (limit !== 3000) fill()
    model.check()
    for (const [name, entry] of model.expected) expect(model.find(name)).toBe(entry)
  }
})

test('after reserving, an insert takes no memory', () => {
  const model = new Model(new Arena(4 * MIB))
  for (let index = 0; index < 5000; index++) {
    const hash = model.hash(`n${index}`)
    const entry = entryCreate(model.arena, keyBytes, KEY_OFFSET, `n${index}`.length, 4)
    byteMapReserve(model.arena, model.map, hash)
    const before = model.arena.usedBytes
    byteMapInsert(model.arena, model.map, hash, entry)
    expect(model.arena.usedBytes).toBe(before)
  }
})

test('a map made for some entries has room for them, up to a segment', () => {
  for (const count of [1, 7, 60, 1000, 5_000_000]) {
    const model = new Model(new Arena(4 * MIB), goodHash, count)
    const before = byteMapMemoryBytes(model.arena, model.map)
    expect(before).toBeLessThan(17_000)
    for (let index = 0; index < Math.min(count, 1200); index++) model.insert(`n${index}`)
    expect(byteMapMemoryBytes(model.arena, model.map)).toBe(before)
    model.check()
    for (const key of [...model.expected.keys()]) model.remove(key)
    model.check()
    for (let index = 0; index < 4000; index++) model.insert(`m${index}`)
    model.check()
  }
})

test('a scan shows once what stays, whatever comes and goes', () => {
  for (const wantedCount of [1, 7, 100]) {
    for (const hashOf of [goodHash, skewedHash, badHash]) {
      const random = seededRandom(77 + wantedCount, `scan ${wantedCount}`)
      const model = new Model(new Arena(16 * MIB), hashOf)
      const small = hashOf === badHash ? 10 : 1
      for (let index = 0; index < 3000 / small; index++) model.insert(`stays${index}`)
      for (let index = 0; index < 3000 / small; index++) model.insert(`goes${index}`)
      let turn = 0
      const churn = Math.ceil((wantedCount * 8) / small)
      const found = model.scanAll(wantedCount, () => {
        turn++
        for (let count = 0; count < churn; count++) {
          const grow = (turn >> 6) % 2 === 0
          const key = `goes${Math.floor(random() * 12000)}`
          if (model.expected.has(key) !== grow) {
            if (grow) model.insert(key)
            else model.remove(key)
          }
        }
      })
      for (let index = 0; index < 3000 / small; index++) expect(found.get(`stays${index}`)).toBe(1)
      model.check()
    }
  }
})

test('a scan of an empty map ends at once', () => {
  const model = new Model(new Arena(MIB))
  expect(model.scanAll(10, () => {}).size).toBe(0)
})

test('random entries are evenly distributed, in small, large and shrunken maps', () => {
  for (const [count, removedCount, hashOf] of [
    [5, 0, goodHash],
    [300, 0, goodHash],
    [6000, 0, goodHash],
    [9000, 8700, goodHash],
    [8000, 0, skewedHash],
  ] as const) {
    const random = seededRandom(5 + count, `random ${count}`)
    const model = new Model(new Arena(16 * MIB), hashOf)
    for (let index = 0; index < count; index++) model.insert(`k${index}`)
    for (let index = 0; index < removedCount; index++) model.remove(`k${index}`)
    const size = model.expected.size
    const drawCount = size * 20
    const hits = new Map<Ref, number>()
    for (let draw = 0; draw < drawCount; draw++) {
      const entry = byteMapRandom(model.arena, model.map, random)
      hits.set(entry, (hits.get(entry) ?? 0) + 1)
    }
    let chiSquare = 0
    for (const entry of model.expected.values())
      chiSquare += ((hits.get(entry) ?? 0) - 20) ** 2 / 20
    // Five standard deviations around the mean of the chi-square distribution.
    const freedom = size - 1
    expect(Math.abs(chiSquare - freedom)).toBeLessThan(5 * Math.sqrt(2 * freedom))
  }
})

test('random from an empty map is nothing', () => {
  const arena = new Arena(MIB)
  expect(byteMapRandom(arena, byteMapCreate(arena), () => 0.5)).toBe(0)
})
