/**
 * Hash table from bytes to entries (`entry.ts`) that grows and shrinks without ever pausing.
 *
 * Extendible hashing: the top bits of a hash pick one of the directory's segments, and a segment is
 * a small open-addressing table that grows alone and at its largest splits in two. Inside a segment
 * the home slot is a monotone function of the hash, and linear probing keeps the slots in the order
 * of the hashes. So a rebuild, split or merge is one pass without probing, a miss ends at the first
 * larger hash, and a position in hash space is a scan cursor that no rebuild can upset. A plain
 * table with incremental rehashing (as Redis has) keeps two tables while it moves and needs the
 * reversed-bits cursor, which returns elements twice.
 *
 * Layout, growth and shrinking are in `byte-map-segments.ts`. The core chooses arenas by low bits
 * of a hash: the top ones must stay evenly spread within a map.
 *
 * Thread: core. Hot path.
 * Owns: map headers; the slots within a segment.
 * Never: touches more than three segments and a directory in one call (except the walks `ForEach`,
 * `Free` and `Visit`), moves or frees an entry, stores an entry twice.
 */

import { ARENA_FULL, type Arena, type Ref, roundedSizeBytes } from './arena.ts'
import {
  countLimit,
  growSegment,
  homeOf,
  initialiseMap,
  itemOf,
  LOAD_MIN,
  MAP_COUNT,
  MAP_DEPTH,
  MAP_SIZE_BYTES,
  MAP_SLOT_BYTES,
  MAP_SLOTS_MAX,
  nextSegmentHash,
  SIGN,
  shrinkSegment,
} from './byte-map-segments.ts'
import type { VisitBlock } from './check.ts'
import { ENTRY_KEY_LENGTH_MASK } from './entry.ts'

/** Slots looked at per wanted entry, at most, before a scan call ends. */
const SCAN_SLOTS_PER_ENTRY = 10
const RANDOM_TRIES_MAX = 512

/** Receives entries; an array is one. */
export interface EntryCollector {
  push(entry: Ref): unknown
}

/** A new, empty map, with room for about `count` entries to begin with. Throws `ARENA_FULL`. */
export function byteMapCreate(arena: Arena, count = 0): Ref {
  const map = arena.allocate(MAP_SIZE_BYTES)
  try {
    initialiseMap(arena, map, count)
  } catch (error) {
    if (error === ARENA_FULL) arena.free(map)
    throw error
  }
  return map
}

/** Frees the map but not the entries in it. */
// alloc: once for a whole map
export function byteMapFree(arena: Arena, map: Ref): void {
  const blocks: Ref[] = []
  byteMapVisit(arena, map, (block) => blocks.push(block))
  for (let index = 0; index < blocks.length; index++) arena.free(blocks[index])
}

export function byteMapCount(arena: Arena, map: Ref): number {
  return arena.words[(map << 1) + MAP_COUNT]
}

/** Bytes of all blocks of the map, entries not counted. */
export function byteMapMemoryBytes(arena: Arena, map: Ref): number {
  const header = map << 1
  const depth = arena.words[header + MAP_DEPTH]
  const directorySize = depth === 0 ? 0 : roundedSizeBytes(8 << depth)
  return MAP_SIZE_BYTES + directorySize + arena.words[header + MAP_SLOT_BYTES]
}

/**
 * The entry with this key, 0 if there is none. `keyOffset` is in bytes, a multiple of 4, and the word
 * that holds the last byte can be read whole.
 */
export function byteMapFind(
  arena: Arena,
  map: Ref,
  hash: number,
  keyWords: Int32Array,
  keyOffset: number,
  keyLength: number,
): Ref {
  const words = arena.words
  const header = map << 1
  const item = (words[header] + ((hash >>> 1) >>> (31 - words[header + MAP_DEPTH]))) << 1
  const shape = words[item + 1]
  const home = Math.imul((hash << (shape >>> 16)) >>> 16, shape & 0xffff) >>> 16
  let slot = (words[item] + 1 + home) << 1
  const order = hash ^ SIGN
  const keyWord = keyOffset >> 2
  const fullWords = keyLength >> 2
  for (;;) {
    const ref = words[slot + 1]
    if (ref === 0) return 0
    const slotHash = words[slot]
    if (slotHash === hash) {
      const entry = ref << 1
      if ((words[entry + 1] & ENTRY_KEY_LENGTH_MASK) === keyLength) {
        const entryKey = entry + 2
        let index = 0
        while (index < fullWords && words[entryKey + index] === keyWords[keyWord + index]) index++
        if (index === fullWords) {
          const tailCount = keyLength & 3
          if (tailCount === 0) return ref
          const mask = (1 << (tailCount << 3)) - 1
          if (words[entryKey + index] === (keyWords[keyWord + index] & mask)) return ref
        }
      }
    } else if ((slotHash ^ SIGN) > order) {
      return 0
    }
    slot += 2
  }
}

/**
 * Reads what a find of this hash will read first: the slot and the head of the entry there. Several
 * of these in a row wait for memory together, where the finds would wait one after the other. Gives
 * a number that means nothing, so that the reading is not left out.
 * MEASURED: bench/micro/execute.bench.ts, random keys of a million.
 */
export function byteMapTouch(arena: Arena, map: Ref, hash: number): number {
  const words = arena.words
  const header = map << 1
  const item = (words[header] + ((hash >>> 1) >>> (31 - words[header + MAP_DEPTH]))) << 1
  const shape = words[item + 1]
  const home = Math.imul((hash << (shape >>> 16)) >>> 16, shape & 0xffff) >>> 16
  let slot = (words[item] + 1 + home) << 1
  // The element is seldom far from home, and then mostly in the same cache line.
  if (words[slot] !== hash && words[slot + 2] === hash) slot += 2
  return words[words[slot + 1] << 1]
}

/** Adds an entry whose key is known to be absent. Throws `ARENA_FULL`. */
export function byteMapInsert(arena: Arena, map: Ref, hash: number, entry: Ref): void {
  let slot = roomFor(arena, map, hash)
  const words = arena.words
  const header = map << 1
  const segment = words[itemOf(words, header, hash)] << 1
  const order = hash ^ SIGN
  // Push larger hashes into the empty slot, one by one.
  const first = segment + 2
  while (slot > first && (words[slot - 2] ^ SIGN) > order) {
    words[slot] = words[slot - 2]
    words[slot + 1] = words[slot - 1]
    slot -= 2
  }
  words[slot] = hash
  words[slot + 1] = entry
  words[segment]++
  words[header + MAP_COUNT]++
}

/** Makes room so that inserting this hash next cannot fail. Throws `ARENA_FULL`. */
export function byteMapReserve(arena: Arena, map: Ref, hash: number): void {
  roomFor(arena, map, hash)
}

/** Takes an entry out; its block stays. Answers whether it was there. */
export function byteMapRemove(arena: Arena, map: Ref, hash: number, entry: Ref): boolean {
  const words = arena.words
  const header = map << 1
  const item = itemOf(words, header, hash)
  const segment = words[item] << 1
  const shape = words[item + 1]
  let slot = findSlot(words, segment, shape, hash, entry)
  if (slot === 0) return false
  // Pull back what follows, up to an empty slot or an element that is at home.
  let slotIndex = (slot - segment - 2) >> 1
  while (words[slot + 3] !== 0 && homeOf(words[slot + 2], shape) <= slotIndex) {
    words[slot] = words[slot + 2]
    words[slot + 1] = words[slot + 3]
    slot += 2
    slotIndex++
  }
  words[slot + 1] = 0
  const count = words[segment] - 1
  words[segment] = count
  words[header + MAP_COUNT]--
  if (count < words[segment + 1] * LOAD_MIN) shrinkSegment(arena, map, hash)
  return true
}

/** Answers whether this very entry is in the map. */
export function byteMapHas(arena: Arena, map: Ref, hash: number, entry: Ref): boolean {
  const words = arena.words
  const item = itemOf(words, map << 1, hash)
  return findSlot(words, words[item] << 1, words[item + 1], hash, entry) !== 0
}

/** Puts an entry of the same key in the place of another. Answers whether that was there. */
export function byteMapReplace(
  arena: Arena,
  map: Ref,
  hash: number,
  oldEntry: Ref,
  newEntry: Ref,
): boolean {
  const words = arena.words
  const item = itemOf(words, map << 1, hash)
  const slot = findSlot(words, words[item] << 1, words[item + 1], hash, oldEntry)
  if (slot === 0) return false
  words[slot + 1] = newEntry
  return true
}

/**
 * Hands about `wantedCount` entries from `cursor` on to `out` and answers the next cursor. Cursors
 * are positions in hash space, unsigned 32-bit: 0 starts, and 0 comes back at the end. An element
 * that is in the map throughout comes exactly once, whatever else happens to the map. A call looks
 * at some ten slots a wanted entry, or one segment, so it may hand out fewer, even none.
 */
export function byteMapScan(
  arena: Arena,
  map: Ref,
  cursor: number,
  wantedCount: number,
  out: EntryCollector,
): number {
  const words = arena.words
  const header = map << 1
  let slotsLeft = wantedCount * SCAN_SLOTS_PER_ENTRY
  let found = 0
  let position = cursor | 0
  do {
    const item = itemOf(words, header, position)
    const shape = words[item + 1]
    const segment = words[item] << 1
    const end = segment + 2 + (words[segment + 1] << 1)
    const order = position ^ SIGN
    let lastHash = position - 1
    let slot = segment + 2 + (homeOf(position, shape) << 1)
    slotsLeft -= (end - slot) >> 1
    for (; slot < end; slot += 2) {
      const ref = words[slot + 1]
      const hash = words[slot]
      if (ref === 0 || (hash ^ SIGN) < order) continue
      // A cursor cannot point between elements of the same hash.
      if (found >= wantedCount && hash !== lastHash) return (lastHash + 1) >>> 0
      out.push(ref)
      found++
      lastHash = hash
    }
    position = nextSegmentHash(position, shape >>> 16)
  } while (position !== 0 && found < wantedCount && slotsLeft > 0)
  return position >>> 0
}

/**
 * An entry drawn with equal chances, 0 from an empty map. `random` answers numbers in [0, 1).
 *
 * An item of the directory and a slot number below the largest slot count are drawn; the draw
 * counts only if the slot exists and is filled, and one time in 2^(g-d) for a segment that has so
 * many items. So each element has the same chance in each draw.
 */
export function byteMapRandom(arena: Arena, map: Ref, random: () => number): Ref {
  const words = arena.words
  const header = map << 1
  const count = words[header + MAP_COUNT]
  if (count === 0) return 0
  const depth = words[header + MAP_DEPTH]
  const slotsMax = words[header + MAP_SLOTS_MAX]
  for (let tries = 0; tries < RANDOM_TRIES_MAX; tries++) {
    const index = Math.floor(random() * 2 ** depth)
    const item = (words[header] + index) << 1
    const segmentDepth = words[item + 1] >>> 16
    // Of the items of one segment only the first counts.
    if ((index & ((1 << (depth - segmentDepth)) - 1)) !== 0) continue
    const segment = words[item] << 1
    const slotIndex = Math.floor(random() * slotsMax)
    if (slotIndex >= words[segment + 1]) continue
    const ref = words[segment + 3 + (slotIndex << 1)]
    if (ref !== 0) return ref
  }
  return entryAt(words, header, Math.floor(random() * count))
}

/**
 * The entry in the slot that this hash calls home, 0 if it is empty. With a random hash that is a
 * quick draw: equal chances within a segment, but keys of full and of empty segments differ up to
 * twofold.
 */
export function byteMapAtHome(arena: Arena, map: Ref, hash: number): Ref {
  const words = arena.words
  const item = itemOf(words, map << 1, hash)
  const slot = (words[item] + 1 + homeOf(hash, words[item + 1])) << 1
  return words[slot + 1]
}

/** Shows every entry once. `visit` may free the entry but not change the map. */
export function byteMapForEach(arena: Arena, map: Ref, visit: (entry: Ref) => void): void {
  let position = 0
  do {
    const words = arena.words
    const item = itemOf(words, map << 1, position)
    const depth = words[item + 1] >>> 16
    const segment = words[item] << 1
    let slot = segment + 3
    for (let left = words[segment]; left > 0; slot += 2) {
      const ref = words[slot]
      if (ref === 0) continue
      left--
      visit(ref)
    }
    position = nextSegmentHash(position, depth)
  } while (position !== 0)
}

/** Tells the checker's visitor every block of the map; entries are their owner's. */
export function byteMapVisit(arena: Arena, map: Ref, visitBlock: VisitBlock): void {
  const words = arena.words
  const header = map << 1
  let position = 0
  do {
    const item = itemOf(words, header, position)
    visitBlock(words[item])
    position = nextSegmentHash(position, words[item + 1] >>> 16)
  } while (position !== 0)
  if (words[header + MAP_DEPTH] > 0) visitBlock(words[header])
  visitBlock(map)
}

/** The word index of the first empty slot from the home of a hash on, after growing if need be. */
function roomFor(arena: Arena, map: Ref, hash: number): number {
  for (;;) {
    const words = arena.words
    const item = itemOf(words, map << 1, hash)
    const segment = words[item] << 1
    const slotCount = words[segment + 1]
    if (words[segment] < countLimit(slotCount)) {
      let slot = segment + 2 + (homeOf(hash, words[item + 1]) << 1)
      while (words[slot + 1] !== 0) slot += 2
      // The last slot of all stays empty as a stop.
      if (slot < segment + 2 + (slotCount << 1)) return slot
    }
    growSegment(arena, map, hash)
  }
}

/** The word index of the slot of an entry, 0 if it is not there. */
function findSlot(
  words: Int32Array,
  segment: number,
  shape: number,
  hash: number,
  entry: Ref,
): number {
  const order = hash ^ SIGN
  let slot = segment + 2 + (homeOf(hash, shape) << 1)
  for (;;) {
    const ref = words[slot + 1]
    if (ref === entry && words[slot] === hash) return slot
    if (ref === 0 || (words[slot] ^ SIGN) > order) return 0
    slot += 2
  }
}

/** The entry with this rank in hash order, by counting through the segments. */
function entryAt(words: Int32Array, header: number, rank: number): Ref {
  let left = rank
  let position = 0
  for (;;) {
    const item = itemOf(words, header, position)
    const segment = words[item] << 1
    if (left < words[segment]) {
      let slot = segment + 3
      for (; ; slot += 2) if (words[slot] !== 0 && left-- === 0) return words[slot]
    }
    left -= words[segment]
    position = nextSegmentHash(position, words[item + 1] >>> 16)
  }
}
