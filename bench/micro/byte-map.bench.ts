/**
 * The structures of the dataset, alone on one thread.
 *
 *   keys (typed array) ──hash──▶ byte map ──▶ entries          numbers ──▶ byte tree
 *                                   └──── one arena ────────────────────────┘
 *
 * Goals: time of one find, insert and removal at 1 M keys, hot and random; time of the hash, of a
 * block, of the tree; bytes a key; the longest pause while a map grows to 10 M keys and shrinks.
 * Non-goals: parsing, replying, anything between threads.
 *
 * `bun bench/micro/byte-map.bench.ts`; BENCH_SMOKE=1 runs each once on little, silently.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: prints a number whose result was not verified.
 */

import { bench, do_not_optimize, run } from 'mitata'
import { hashBytes, hashWords } from '../../src/lib/hash.ts'
import { Arena, type Ref } from '../../src/memory/arena.ts'
import {
  byteMapCount,
  byteMapCreate,
  byteMapFind,
  byteMapInsert,
  byteMapMemoryBytes,
  byteMapRandom,
  byteMapRemove,
  byteMapScan,
} from '../../src/memory/byte-map.ts'
import {
  byteTreeAt,
  byteTreeCount,
  byteTreeCreate,
  byteTreeInsert,
  byteTreeItemValue,
  byteTreeMemoryBytes,
  byteTreeRank,
  byteTreeRemove,
  doubleToKeyHi,
  doubleToKeyLo,
  TIE_BY_VALUE,
  TreePosition,
} from '../../src/memory/byte-tree.ts'
import { entryCreateAligned } from '../../src/memory/entry.ts'

const IS_SMOKE = process.env['BENCH_SMOKE'] === '1'
const KEY_COUNT = IS_SMOKE ? 5_000 : 1_000_000
const GROWTH_COUNT = IS_SMOKE ? 20_000 : 10_000_000
const HOT_COUNT = 1000
const KEY_SIZE = 16
/** With key and header a block of 64 bytes. */
const PAYLOAD_SIZE = 36
const SEED = 20_231_106

function verify(condition: boolean, text: string): void {
  if (!condition) throw new Error(`wrong result: ${text}`)
}

function say(text: string): void {
  if (!IS_SMOKE) console.log(text)
}

/** Registers a bench; in smoke mode runs it a few times at once. */
function measure(name: string, once: () => unknown): void {
  if (!IS_SMOKE) bench(name, once)
  else for (let round = 0; round < 200; round++) once()
}

/** `count` keys of 16 bytes, one after the other. */
class Keys {
  readonly bytes: Buffer
  readonly words: Int32Array

  constructor(count: number) {
    const memory = new SharedArrayBuffer(count * KEY_SIZE)
    this.bytes = Buffer.from(memory)
    this.words = new Int32Array(memory)
    for (let index = 0; index < count; index++) this.write(index, index)
  }

  write(index: number, number: number): void {
    this.words[index * 4] = 0x3a79656b
    this.words[index * 4 + 1] = 0x30303030
    this.words[index * 4 + 2] = Math.imul(number, 0x01000193)
    this.words[index * 4 + 3] = number
  }

  hash(index: number): number {
    return hashWords(this.words, index * 4, KEY_SIZE, SEED)
  }
}

function fill(arena: Arena, map: Ref, keys: Keys, count: number): void {
  for (let index = 0; index < count; index++) {
    const entry = entryCreateAligned(arena, keys.words, index * KEY_SIZE, KEY_SIZE, PAYLOAD_SIZE)
    byteMapInsert(arena, map, keys.hash(index), entry)
  }
}

/** Grows a map to many keys and empties it again, timing every single operation. */
function measurePauses(): void {
  const arena = new Arena()
  const map = byteMapCreate(arena)
  const keys = new Keys(1)
  const startMs = performance.now()
  let worstMs = 0
  let overMs = 0
  for (let number = 0; number < GROWTH_COUNT; number++) {
    keys.write(0, number)
    const entry = entryCreateAligned(arena, keys.words, 0, KEY_SIZE, PAYLOAD_SIZE)
    const hash = keys.hash(0)
    const before = performance.now()
    byteMapInsert(arena, map, hash, entry)
    const tookMs = performance.now() - before
    if (tookMs > worstMs) worstMs = tookMs
    if (tookMs > 0.2) overMs++
  }
  const growthMs = performance.now() - startMs
  verify(byteMapCount(arena, map) === GROWTH_COUNT, 'count after growth')
  const tableBytes = byteMapMemoryBytes(arena, map) / GROWTH_COUNT
  let worstRemoveMs = 0
  for (let number = 0; number < GROWTH_COUNT; number++) {
    keys.write(0, number)
    const hash = keys.hash(0)
    const entry = byteMapFind(arena, map, hash, keys.words, 0, KEY_SIZE)
    const before = performance.now()
    byteMapRemove(arena, map, hash, entry)
    const tookMs = performance.now() - before
    if (tookMs > worstRemoveMs) worstRemoveMs = tookMs
    arena.free(entry)
  }
  verify(byteMapCount(arena, map) === 0, 'count after removal')
  verify(byteMapMemoryBytes(arena, map) < 200, 'memory after removal')
  say(
    `growth to ${GROWTH_COUNT}: ${growthMs.toFixed(0)} ms, longest insert ` +
      `${worstMs.toFixed(3)} ms (${overMs} over 0.2 ms), longest removal ` +
      `${worstRemoveMs.toFixed(3)} ms, table ${tableBytes.toFixed(2)} bytes a key`,
  )
}

function measureMemory(arena: Arena, map: Ref): void {
  say(
    `${KEY_COUNT} keys: ${(arena.usedBytes / KEY_COUNT).toFixed(2)} bytes a key, of which table ` +
      `${(byteMapMemoryBytes(arena, map) / KEY_COUNT).toFixed(2)}; pages ` +
      `${(arena.touchedBytes / KEY_COUNT).toFixed(2)}, page map ` +
      `${(arena.metadataBytes / KEY_COUNT).toFixed(2)}`,
  )
}

function defineArena(): void {
  const arena = new Arena(64 * 1024 * 1024)
  measure('arena: allocate and free 64 bytes', () => {
    const ref = arena.allocate(64)
    arena.free(ref)
    return ref
  })
  const refs = new Int32Array(4096)
  let turn = 0
  measure('arena: free one of 4096 mixed blocks, allocate another', () => {
    turn = (Math.imul(turn, 1664525) + 1013904223) | 0
    const index = turn >>> 20
    const old = refs[index]!
    if (old !== 0) arena.free(old)
    refs[index] = arena.allocate(16 + ((turn >>> 8) & 255))
    return old
  })
}

function defineHash(keys: Keys): void {
  let at = 0
  measure('hash: 16 bytes as words', () => {
    at = (at + 4) & 0x3fff
    return do_not_optimize(hashWords(keys.words, at, KEY_SIZE, SEED))
  })
  measure('hash: 16 bytes as bytes', () => {
    at = (at + 4) & 0x3fff
    return do_not_optimize(hashBytes(keys.bytes, at << 2, KEY_SIZE, SEED))
  })
}

function defineMap(arena: Arena, map: Ref, keys: Keys): void {
  let state = 1
  const randomIndex = (count: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return Math.floor(((state >>> 0) / 2 ** 32) * count)
  }
  const find = (index: number, hash: number) =>
    byteMapFind(arena, map, hash, keys.words, index * KEY_SIZE, KEY_SIZE)
  for (let round = 0; round < 1000; round++) {
    const index = randomIndex(KEY_COUNT)
    verify(find(index, keys.hash(index)) !== 0, 'a key is there')
    verify(find(index, ~keys.hash(index)) === 0, 'another hash is not')
  }
  let hot = 0
  measure(`map: hash and find, ${HOT_COUNT} hot keys of ${KEY_COUNT}`, () => {
    hot = hot + 1 < HOT_COUNT ? hot + 1 : 0
    return do_not_optimize(find(hot, keys.hash(hot)))
  })
  measure(`map: hash and find, random of ${KEY_COUNT}`, () => {
    const index = randomIndex(KEY_COUNT)
    return do_not_optimize(find(index, keys.hash(index)))
  })
  measure(`map: hash and miss, random of ${KEY_COUNT}`, () => {
    const index = randomIndex(KEY_COUNT)
    return do_not_optimize(find(index, ~keys.hash(index)))
  })
  measure(`map: find, remove, insert, random of ${KEY_COUNT}`, () => {
    const index = randomIndex(KEY_COUNT)
    const hash = keys.hash(index)
    const entry = find(index, hash)
    byteMapRemove(arena, map, hash, entry)
    byteMapInsert(arena, map, hash, entry)
  })
  measure('map: random entry', () => {
    return do_not_optimize(byteMapRandom(arena, map, () => randomIndex(2 ** 30) / 2 ** 30))
  })
  let cursor = 0
  const out: Ref[] = []
  measure('map: scan 10 entries', () => {
    out.length = 0
    cursor = byteMapScan(arena, map, cursor, 10, out)
  })
}

function defineTree(): void {
  const arena = new Arena(256 * 1024 * 1024)
  const tree = byteTreeCreate(arena, 2, TIE_BY_VALUE)
  const scoreOf = (value: number) => Math.imul(value, 0x9e3779b1) / 1000
  for (let value = 0; value < KEY_COUNT; value++) {
    const score = scoreOf(value)
    byteTreeInsert(arena, tree, value, doubleToKeyHi(score), doubleToKeyLo(score))
  }
  verify(byteTreeCount(arena, tree) === KEY_COUNT, 'items in the tree')
  const itemBytes = byteTreeMemoryBytes(arena, tree) / KEY_COUNT
  say(`${KEY_COUNT} items in random order: ${itemBytes.toFixed(2)} bytes an item`)
  const position = new TreePosition()
  let state = 1
  const randomValue = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return Math.floor(((state >>> 0) / 2 ** 32) * KEY_COUNT)
  }
  measure(`tree: rank, random of ${KEY_COUNT}`, () => {
    const value = randomValue()
    const score = scoreOf(value)
    const rank = byteTreeRank(arena, tree, value, doubleToKeyHi(score), doubleToKeyLo(score))
    verify(rank >= 0, 'an item has a rank')
  })
  measure(`tree: item by rank, random of ${KEY_COUNT}`, () => {
    verify(byteTreeAt(arena, tree, position, randomValue()), 'a rank has an item')
    return do_not_optimize(byteTreeItemValue(arena, tree, position))
  })
  measure(`tree: remove and insert, random of ${KEY_COUNT}`, () => {
    const value = randomValue()
    const score = scoreOf(value)
    const hi = doubleToKeyHi(score)
    const lo = doubleToKeyLo(score)
    verify(byteTreeRemove(arena, tree, value, hi, lo), 'an item goes')
    verify(byteTreeInsert(arena, tree, value, hi, lo), 'an item comes')
  })
}

measurePauses()
const arena = new Arena()
const map = byteMapCreate(arena)
const keys = new Keys(KEY_COUNT)
const fillStartMs = performance.now()
fill(arena, map, keys, KEY_COUNT)
const fillNs = ((performance.now() - fillStartMs) * 1e6) / KEY_COUNT
say(`${KEY_COUNT} keys: hash, create and insert ${fillNs.toFixed(0)} ns a key`)
measureMemory(arena, map)
defineArena()
defineHash(keys)
defineMap(arena, map, keys)
defineTree()
if (!IS_SMOKE) await run()
