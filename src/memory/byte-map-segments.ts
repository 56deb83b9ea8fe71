/**
 * The segments and the directory of a byte map: layout, growth, splitting, shrinking, merging.
 *
 *   map        word 0 directory ref   1 depth g          2 element count   3 segments of depth g
 *                   4 bytes of slots  5 most slots of a segment
 *                   6, 7 the directory while it has one item
 *   directory  2^g items of two words: segment ref; home range R (16 bits) | depth d << 16
 *   segment    word 0 element count   1 slot count; then the slots and an empty one as a stop
 *   slot       word 0 hash            1 entry ref, 0 in an empty slot
 *
 * A segment of depth d holds all elements whose hashes share their top d bits, and 2^(g-d)
 * neighbouring items of the directory name it. The home slot is the next 16 bits of the hash scaled
 * to R; R is a little less than the slot count, because probing does not wrap around. Slots are in
 * the unsigned order of their hashes, so every rebuild is one pass that puts each element at its
 * home or right behind the one before.
 *
 * Segments grow by about a quarter, so that their blocks stay full, up to a largest size, then
 * split. Hashes that share too many bits to be parted (by chance or malice) make a segment grow
 * past that size instead.
 *
 * Thread: core. Hot path.
 * Owns: directories, segments.
 * Never: changes anything visible before all memory that the change needs is there.
 */

import { ARENA_FULL, type Arena, type Ref, roundedSizeBytes } from './arena.ts'

export const MAP_DIRECTORY = 0
export const MAP_DEPTH = 1
export const MAP_COUNT = 2
export const MAP_DEEP_COUNT = 3
export const MAP_SLOT_BYTES = 4
export const MAP_SLOTS_MAX = 5
const MAP_INLINE_DIRECTORY = 6
export const MAP_SIZE_BYTES = 32
/** The directory of one item lies this many refs into the map itself. */
const INLINE_DIRECTORY_REFS = 3

const SEGMENT_SIZE_MIN = 80
/**
 * MEASURED: `bench/micro/byte-map.bench.ts`: at 32 KiB lookups are at most 5 % faster and the
 * longest rebuilds take twice as long; at 8 KiB and 5 M keys lookups are 5 to 10 % slower.
 */
const SEGMENT_SIZE_MAX = 16384
const SEGMENT_DEPTH_MAX = 20
/** A segment splits if that separates most of its elements within so many bits. */
const SPLIT_BITS_MAX = 6
const HOME_RANGE_MAX = 65535
/** Turns the signed order of 32-bit integers into the unsigned one. */
export const SIGN = 0x80000000 | 0

/** How full a segment gets, in 128ths. */
const LOAD_MAX_128THS = 111
/** How full a segment is after growing or shrinking. */
const LOAD_FITTED = 0.68
/** A segment less full than this shrinks or merges. */
export const LOAD_MIN = 0.3
/** Two segments merge into one that is at most so full, were it of the largest size. */
const LOAD_MERGED_MAX = 0.45
/** Whether to shrink is asked once in so many removals; of no more elements, crowding is no matter. */
const SHRINK_PERIOD = 32
/** The middle one of elements that are spread lies within these, of the whole range of hashes. */
const MIDDLE_MIN = 0.2 * 2 ** 32
const MIDDLE_MAX = 0.8 * 2 ** 32

/** The home slot of a hash in a segment of the given range and depth. */
export function homeOf(hash: number, shape: number): number {
  return Math.imul((hash << (shape >>> 16)) >>> 16, shape & 0xffff) >>> 16
}

/** The word index of the directory item for a hash. */
export function itemOf(words: Int32Array, header: number, hash: number): number {
  return (words[header] + ((hash >>> 1) >>> (31 - words[header + MAP_DEPTH]))) << 1
}

/** How many elements a segment takes before it grows. */
export function countLimit(slotCount: number): number {
  return (slotCount * LOAD_MAX_128THS) >> 7
}

/** Lays out an empty map in its header block, with its first segment: for `count` elements or so. */
export function initialiseMap(arena: Arena, map: Ref, count: number): void {
  const size = fittedSize(Math.min(count, SEGMENT_SIZE_MAX >> 3))
  const segment = arena.allocate(Math.min(size, SEGMENT_SIZE_MAX))
  const slotCount = clearSegment(arena, segment)
  const words = arena.words
  const header = map << 1
  words[header + MAP_DIRECTORY] = map + INLINE_DIRECTORY_REFS
  words[header + MAP_DEPTH] = 0
  words[header + MAP_COUNT] = 0
  words[header + MAP_DEEP_COUNT] = 1
  words[header + MAP_SLOT_BYTES] = arena.blockSizeBytes(segment)
  words[header + MAP_SLOTS_MAX] = slotCount
  words[header + MAP_INLINE_DIRECTORY] = segment
  words[header + MAP_INLINE_DIRECTORY + 1] = homeRange(slotCount)
}

/** Gives the segment of this hash more slots, or splits it. Throws `ARENA_FULL`. */
export function growSegment(arena: Arena, map: Ref, hash: number): void {
  const words = arena.words
  const item = itemOf(words, map << 1, hash)
  const segment = words[item]
  const depth = words[item + 1] >>> 16
  const count = words[segment << 1]
  const slotCount = words[(segment << 1) + 1]
  const size = arena.blockSizeBytes(segment)
  if (size >= SEGMENT_SIZE_MAX && depth < SEGMENT_DEPTH_MAX) {
    // Most hashes must part within a few bits: identical ones would only deepen the directory.
    const low = hashAt(words, segment, count >> 3)
    const high = hashAt(words, segment, count - 1 - (count >> 3))
    if (Math.clz32(low ^ high) - depth <= SPLIT_BITS_MAX) {
      splitSegment(arena, map, hash)
      return
    }
  }
  let newSize = Math.max(fittedSize(count), roundedSizeBytes((slotCount + 3) << 3))
  if (size < SEGMENT_SIZE_MAX && newSize > SEGMENT_SIZE_MAX) newSize = SEGMENT_SIZE_MAX
  const grown = rebuild(arena, newSize, depth, segment, 0)
  replaceSegment(arena, map, hash, depth, segment, grown)
}

/**
 * Merges the segment of this hash with its neighbour, or fits it, if that is worth it.
 *
 * Whoever scans a map and removes what is found takes all from the lower hashes. In fewer slots what is
 * left would crowd at the end, far from home, and the next removal pull back all of it; so a segment
 * stays as it is until its elements are spread, or few.
 */
export function shrinkSegment(arena: Arena, map: Ref, hash: number): void {
  const left = arena.words[arena.words[itemOf(arena.words, map << 1, hash)] << 1]
  if (left > SHRINK_PERIOD && left % SHRINK_PERIOD !== 0) return
  for (;;) {
    const words = arena.words
    const item = itemOf(words, map << 1, hash)
    const depth = words[item + 1] >>> 16
    if (depth === 0 || !mergeSegments(arena, map, hash, depth)) break
  }
  const words = arena.words
  const item = itemOf(words, map << 1, hash)
  const segment = words[item]
  const depth = words[item + 1] >>> 16
  const count = words[segment << 1]
  if (count >= words[(segment << 1) + 1] * LOAD_MIN) return
  const newSize = fittedSize(count)
  if (newSize >= arena.blockSizeBytes(segment)) return
  if (count > SHRINK_PERIOD && !isSpread(hashAt(words, segment, count >> 1), depth)) return
  const fitted = tryRebuild(arena, newSize, depth, segment, 0)
  if (fitted !== 0) replaceSegment(arena, map, hash, depth, segment, fitted)
}

/** The first hash of the segment after the one of `hash`, 0 if that is the last. */
export function nextSegmentHash(hash: number, depth: number): number {
  return depth === 0 ? 0 : ((hash >>> (32 - depth)) + 1) << (32 - depth)
}

function splitSegment(arena: Arena, map: Ref, hash: number): void {
  const header = map << 1
  const item = itemOf(arena.words, header, hash)
  const segment = arena.words[item]
  const depth = arena.words[item + 1] >>> 16
  const middle = splitHash(hash, depth)
  const lowCount = countBelow(arena.words, segment, middle)
  const highCount = arena.words[segment << 1] - lowCount
  // Take all memory.
  const low = rebuildPart(arena, depth + 1, segment, 0, lowCount)
  if (low === 0) throw ARENA_FULL
  const high = rebuildPart(arena, depth + 1, segment, lowCount, highCount)
  if (high === 0 || (depth === arena.words[header + MAP_DEPTH] && !doubleDirectory(arena, map))) {
    arena.free(low)
    if (high !== 0) arena.free(high)
    throw ARENA_FULL
  }
  // Put the halves in place.
  const words = arena.words
  if (depth + 1 === words[header + MAP_DEPTH]) words[header + MAP_DEEP_COUNT] += 2
  pointItems(arena, map, middle - 1, depth + 1, low)
  pointItems(arena, map, middle, depth + 1, high)
  accountSegments(arena, map, low, high, segment, 0)
  arena.free(segment)
}

/** Merges a segment with the one it would have been split from; answers whether it did. */
function mergeSegments(arena: Arena, map: Ref, hash: number, depth: number): boolean {
  const words = arena.words
  const header = map << 1
  const middle = splitHash(hash, depth - 1)
  const lowItem = itemOf(words, header, middle - 1)
  const highItem = itemOf(words, header, middle)
  if (words[lowItem + 1] >>> 16 !== depth || words[highItem + 1] >>> 16 !== depth) return false
  const low = words[lowItem]
  const high = words[highItem]
  const count = words[low << 1] + words[high << 1]
  if (count > (SEGMENT_SIZE_MAX >> 3) * LOAD_MERGED_MAX) return false
  if (count > SHRINK_PERIOD && !isSpread(middleHash(words, low, high), depth - 1)) return false
  const merged = tryRebuild(arena, fittedSize(count), depth - 1, low, high)
  if (merged === 0) return false
  if (depth === words[header + MAP_DEPTH]) words[header + MAP_DEEP_COUNT] -= 2
  pointItems(arena, map, hash, depth - 1, merged)
  accountSegments(arena, map, merged, 0, low, high)
  arena.free(low)
  arena.free(high)
  while (words[header + MAP_DEPTH] > 0 && words[header + MAP_DEEP_COUNT] === 0) {
    halveDirectory(arena, map)
  }
  return true
}

function replaceSegment(
  arena: Arena,
  map: Ref,
  hash: number,
  depth: number,
  oldSegment: Ref,
  newSegment: Ref,
): void {
  pointItems(arena, map, hash, depth, newSegment)
  accountSegments(arena, map, newSegment, 0, oldSegment, 0)
  arena.free(oldSegment)
}

/** Counts two new segments in and two old ones out; 0 is none. */
function accountSegments(arena: Arena, map: Ref, newA: Ref, newB: Ref, oldA: Ref, oldB: Ref): void {
  const words = arena.words
  const header = map << 1
  let bytes = arena.blockSizeBytes(newA) - arena.blockSizeBytes(oldA)
  if (newB !== 0) bytes += arena.blockSizeBytes(newB)
  if (oldB !== 0) bytes -= arena.blockSizeBytes(oldB)
  words[header + MAP_SLOT_BYTES] += bytes
  let slotsMax = words[header + MAP_DEPTH] === 0 ? 0 : words[header + MAP_SLOTS_MAX]
  slotsMax = Math.max(slotsMax, words[(newA << 1) + 1])
  if (newB !== 0) slotsMax = Math.max(slotsMax, words[(newB << 1) + 1])
  words[header + MAP_SLOTS_MAX] = slotsMax
}

/** Makes all directory items for the top `depth` bits of a hash name this segment. */
function pointItems(arena: Arena, map: Ref, hash: number, depth: number, segment: Ref): void {
  const words = arena.words
  const header = map << 1
  const spread = words[header + MAP_DEPTH] - depth
  const first = ((hash >>> 1) >>> (31 - depth)) << spread
  const shape = homeRange(words[(segment << 1) + 1]) | (depth << 16)
  let item = (words[header] + first) << 1
  for (const end = item + (2 << spread); item < end; item += 2) {
    words[item] = segment
    words[item + 1] = shape
  }
}

/** Answers false, with nothing changed, when there is no room. */
function doubleDirectory(arena: Arena, map: Ref): boolean {
  const words = arena.words
  const header = map << 1
  const depth = words[header + MAP_DEPTH]
  const oldDirectory = words[header]
  const directory = arena.tryAllocate(16 << depth)
  if (directory === 0) return false
  let to = directory << 1
  let from = oldDirectory << 1
  for (const end = from + (2 << depth); from < end; from += 2) {
    words[to] = words[to + 2] = words[from]
    words[to + 1] = words[to + 3] = words[from + 1]
    to += 4
  }
  words[header] = directory
  words[header + MAP_DEPTH] = depth + 1
  words[header + MAP_DEEP_COUNT] = 0
  if (depth > 0) arena.free(oldDirectory)
  return true
}

/** Only when no segment is as deep as the directory. */
function halveDirectory(arena: Arena, map: Ref): void {
  const words = arena.words
  const header = map << 1
  const depth = words[header + MAP_DEPTH] - 1
  const directory = words[header]
  let deepCount = 0
  let slotsMax = 0
  let to = directory << 1
  let from = to
  for (const end = from + (4 << depth); from < end; from += 4) {
    if (words[from + 1] >>> 16 === depth) deepCount++
    slotsMax = Math.max(slotsMax, words[(words[from] << 1) + 1])
    words[to] = words[from]
    words[to + 1] = words[from + 1]
    to += 2
  }
  words[header + MAP_DEPTH] = depth
  words[header + MAP_DEEP_COUNT] = deepCount
  words[header + MAP_SLOTS_MAX] = slotsMax
  if (depth > 0) {
    words[header] = arena.reallocate(directory, 8 << depth, 8 << depth)
    return
  }
  words[header + MAP_INLINE_DIRECTORY] = words[directory << 1]
  words[header + MAP_INLINE_DIRECTORY + 1] = words[(directory << 1) + 1]
  words[header] = map + INLINE_DIRECTORY_REFS
  arena.free(directory)
}

/** A segment with the elements of one or two, at least `size` bytes. Throws `ARENA_FULL`. */
function rebuild(arena: Arena, size: number, depth: number, first: Ref, second: Ref): Ref {
  const segment = tryRebuild(arena, size, depth, first, second)
  if (segment === 0) throw ARENA_FULL
  return segment
}

/** As `rebuild`, but 0 when there is no room. */
function tryRebuild(arena: Arena, size: number, depth: number, first: Ref, second: Ref): Ref {
  for (let trySize = size; ; trySize = roundedSizeBytes(trySize + (trySize >> 2) + 8)) {
    const segment = arena.tryAllocate(trySize)
    if (segment === 0) return 0
    const slotCount = clearSegment(arena, segment)
    const shape = homeRange(slotCount) | (depth << 16)
    let at = fillSegment(arena.words, segment, shape, 0, first, 0, arena.words[first << 1])
    if (at >= 0 && second !== 0) {
      at = fillSegment(arena.words, segment, shape, at, second, 0, arena.words[second << 1])
    }
    if (at >= 0) return segment
    arena.free(segment)
  }
}

/** A new segment with `count` elements of another from the `skip`th on, 0 when there is no room. */
function rebuildPart(arena: Arena, depth: number, from: Ref, skip: number, count: number): Ref {
  let size = fittedSize(count)
  for (; ; size = roundedSizeBytes(size + (size >> 2) + 8)) {
    const segment = arena.tryAllocate(size)
    if (segment === 0) return 0
    const slotCount = clearSegment(arena, segment)
    const shape = homeRange(slotCount) | (depth << 16)
    if (fillSegment(arena.words, segment, shape, 0, from, skip, count) >= 0) return segment
    arena.free(segment)
  }
}

/**
 * Copies elements, in order, to their homes or behind those before them, from slot `at` on.
 * Answers the first slot behind the last, or -1 when the slots did not suffice.
 */
function fillSegment(
  words: Int32Array,
  segment: Ref,
  shape: number,
  at: number,
  from: Ref,
  skip: number,
  count: number,
): number {
  const slots = (segment << 1) + 2
  const slotCount = words[slots - 1]
  const depth = shape >>> 16
  const range = shape & 0xffff
  let source = (from << 1) + 2
  for (let left = skip; left > 0; source += 2) if (words[source + 1] !== 0) left--
  let next = at
  for (let left = count; left > 0; source += 2) {
    const ref = words[source + 1]
    if (ref === 0) continue
    left--
    const hash = words[source]
    const home = Math.imul((hash << depth) >>> 16, range) >>> 16
    if (home > next) next = home
    if (next >= slotCount) return -1
    const slot = slots + (next << 1)
    words[slot] = hash
    words[slot + 1] = ref
    next++
  }
  words[segment << 1] += count
  return next
}

/** Makes a block an empty segment of as many slots as fit; answers how many. */
function clearSegment(arena: Arena, segment: Ref): number {
  const size = arena.blockSizeBytes(segment)
  const slotCount = (size >>> 3) - 2
  const word = segment << 1
  if (size > 256) arena.words.fill(0, word, word + (size >> 2))
  else for (let index = 0; index < size >> 2; index++) arena.words[word + index] = 0
  arena.words[word + 1] = slotCount
  return slotCount
}

/** The hash of the element with this rank in a segment. */
function hashAt(words: Int32Array, segment: Ref, rank: number): number {
  let slot = (segment << 1) + 2
  for (let left = rank; ; slot += 2) if (words[slot + 1] !== 0 && left-- === 0) return words[slot]
}

/** The hash of the middle one of the elements of two segments. */
function middleHash(words: Int32Array, low: Ref, high: Ref): number {
  const lowCount = words[low << 1]
  const rank = (lowCount + words[high << 1]) >> 1
  return rank < lowCount ? hashAt(words, low, rank) : hashAt(words, high, rank - lowCount)
}

/** Whether elements of which this is the middle one's hash are spread over a range of hashes. */
function isSpread(hash: number, depth: number): boolean {
  const place = (hash << depth) >>> 0
  return place >= MIDDLE_MIN && place < MIDDLE_MAX
}

/** Elements of a segment whose hash lies below `limit` in unsigned order. */
function countBelow(words: Int32Array, segment: Ref, limit: number): number {
  let slot = (segment << 1) + 2
  const order = limit ^ SIGN
  let count = 0
  for (let left = words[segment << 1]; left > 0; slot += 2) {
    if (words[slot + 1] === 0) continue
    if ((words[slot] ^ SIGN) >= order) break
    count++
    left--
  }
  return count
}

/** The first hash of the upper half of the segment of this hash and depth. */
function splitHash(hash: number, depth: number): number {
  return ((((hash >>> 1) >>> (31 - depth)) << (32 - depth - 1)) << 1) | (0x80000000 >>> depth)
}

/** The block size for a segment of `count` elements with room for more. */
function fittedSize(count: number): number {
  const size = roundedSizeBytes((Math.ceil(count / LOAD_FITTED) + 2) << 3)
  return Math.max(size, SEGMENT_SIZE_MIN)
}

/** The homes of a segment: a few slots are left to what is pushed past the last one. */
function homeRange(slotCount: number): number {
  return Math.min(slotCount - 4 - (slotCount >> 6), HOME_RANGE_MAX)
}
