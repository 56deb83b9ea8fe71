/**
 * Intset: a sorted array of integers, all of the same width, byte for byte as Redis writes it, so that
 * saving one is a copy.
 *
 *     width in bytes: 2, 4 or 8 (4) | element count (4) | element ...     little-endian
 *
 * An intset is one block of an arena. What adds or removes may move it and gives its new ref. Integers
 * are given in two halves of 32 bits.
 *
 * Thread: core. Hot path.
 * Owns: order and width.
 * Never: holds an integer twice; goes back to a smaller width; changes anything when it throws
 * ARENA_FULL.
 */
import type { Arena, Ref } from './arena.ts'

const HEADER_SIZE = 8
const WIDTHS = [2, 4, 8]

let changed = false
let readHigh = 0
let readLow = 0
/** Where the integer searched last is, or would be. */
let place = 0

/** A new, empty set. Throws: ARENA_FULL. */
export function intsetCreate(arena: Arena): Ref {
  const set = arena.allocate(HEADER_SIZE)
  arena.words[set << 1] = 2
  arena.words[(set << 1) + 1] = 0
  return set
}

/** A set of bytes that are one. Throws: ARENA_FULL. */
export function intsetFrom(arena: Arena, bytes: Buffer, offset: number, length: number): Ref {
  const set = arena.allocate(length)
  bytes.copy(arena.bytes, set << 3, offset, offset + length)
  return set
}

export function intsetCopy(arena: Arena, set: Ref, toArena: Arena): Ref {
  return intsetFrom(toArena, arena.bytes, set << 3, intsetSizeBytes(arena, set))
}

export function intsetCount(arena: Arena, set: Ref): number {
  return arena.words[(set << 1) + 1]
}

/** Bytes of the set itself; its block may be larger. */
export function intsetSizeBytes(arena: Arena, set: Ref): number {
  return HEADER_SIZE + arena.words[set << 1] * arena.words[(set << 1) + 1]
}

export function intsetFind(arena: Arena, set: Ref, high: number, low: number): boolean {
  if (widthOf(high, low) > arena.words[set << 1]) return false
  return search(arena, set, high, low)
}

/** Reads the integer at `index` into `intsetHigh` and `intsetLow`. */
export function intsetGet(arena: Arena, set: Ref, index: number): void {
  const word = set << 1
  const width = arena.words[word]
  if (width === 4) {
    readLow = arena.words[word + 2 + index]
    readHigh = readLow >> 31
  } else if (width === 2) {
    const at = (set << 3) + HEADER_SIZE + (index << 1)
    readLow = ((arena.bytes[at + 1] << 24) >> 16) | arena.bytes[at]
    readHigh = readLow >> 31
  } else {
    readLow = arena.words[word + 2 + (index << 1)]
    readHigh = arena.words[word + 3 + (index << 1)]
  }
}

export function intsetHigh(): number {
  return readHigh
}

export function intsetLow(): number {
  return readLow
}

/** True when the last `intsetAdd` or `intsetRemove` changed the set. */
export function intsetChanged(): boolean {
  return changed
}

/** Throws: ARENA_FULL. */
export function intsetAdd(arena: Arena, set: Ref, high: number, low: number): Ref {
  changed = false
  const width = widthOf(high, low)
  if (width > arena.words[set << 1]) return widen(arena, set, width, high, low)
  if (search(arena, set, high, low)) return set
  const at = place
  const used = arena.words[set << 1]
  const count = arena.words[(set << 1) + 1]
  const size = HEADER_SIZE + used * count
  const fitted = grow(arena, set, size + used, size)
  const start = (fitted << 3) + HEADER_SIZE
  arena.bytes.copyWithin(start + (at + 1) * used, start + at * used, start + count * used)
  put(arena, fitted, used, at, high, low)
  arena.words[(fitted << 1) + 1] = count + 1
  changed = true
  return fitted
}

export function intsetRemove(arena: Arena, set: Ref, high: number, low: number): Ref {
  changed = intsetFind(arena, set, high, low)
  if (!changed) return set
  const width = arena.words[set << 1]
  const count = arena.words[(set << 1) + 1]
  const start = (set << 3) + HEADER_SIZE
  const at = place
  arena.bytes.copyWithin(start + at * width, start + (at + 1) * width, start + count * width)
  arena.words[(set << 1) + 1] = count - 1
  return fit(arena, set)
}

/** Takes out the integers at some indexes, at least one, which ascend. */
export function intsetRemoveAt(arena: Arena, set: Ref, indexes: readonly number[]): Ref {
  const width = arena.words[set << 1]
  const count = arena.words[(set << 1) + 1]
  const start = (set << 3) + HEADER_SIZE
  let to = indexes[0]
  for (let i = 0; i < indexes.length; i++) {
    const from = indexes[i] + 1
    const end = i + 1 < indexes.length ? indexes[i + 1] : count
    arena.bytes.copyWithin(start + to * width, start + from * width, start + end * width)
    to += end - from
  }
  arena.words[(set << 1) + 1] = to
  return fit(arena, set)
}

/** True when the bytes are a set with at least one integer, and nothing else. */
export function intsetValid(bytes: Buffer, offset: number, length: number): boolean {
  if (length < HEADER_SIZE) return false
  const width = bytes.readUInt32LE(offset)
  const count = bytes.readUInt32LE(offset + 4)
  if (!WIDTHS.includes(width) || count === 0 || HEADER_SIZE + width * count !== length) return false
  let last = 0n
  for (let i = 0; i < count; i++) {
    const at = offset + HEADER_SIZE + i * width
    const value = width === 8 ? bytes.readBigInt64LE(at) : BigInt(bytes.readIntLE(at, width))
    if (i > 0 && value <= last) return false
    last = value
  }
  return true
}

/** Room for as much again may stay; more goes back. */
function fit(arena: Arena, set: Ref): Ref {
  const size = intsetSizeBytes(arena, set)
  return arena.blockSizeBytes(set) <= 2 * size + 64 ? set : arena.reallocate(set, size, size)
}

function widthOf(high: number, low: number): number {
  if (high !== low >> 31) return 8
  return low >= -32768 && low < 32768 ? 2 : 4
}

/** Finds an integer that the width can hold, and its place. */
function search(arena: Arena, set: Ref, high: number, low: number): boolean {
  const width = arena.words[set << 1]
  if (width === 2) return search16(arena, set, low)
  return width === 4 ? search32(arena, set, low) : search64(arena, set, high, low)
}

function search16(arena: Arena, set: Ref, wanted: number): boolean {
  const { bytes } = arena
  const start = (set << 3) + HEADER_SIZE
  let from = 0
  let to = arena.words[(set << 1) + 1]
  while (from < to) {
    const middle = (from + to) >>> 1
    const at = start + (middle << 1)
    const value = ((bytes[at + 1] << 24) >> 16) | bytes[at]
    if (value < wanted) from = middle + 1
    else if (value > wanted) to = middle
    else return foundAt(middle)
  }
  place = from
  return false
}

function search32(arena: Arena, set: Ref, wanted: number): boolean {
  const { words } = arena
  const start = (set << 1) + 2
  let from = 0
  let to = words[start - 1]
  while (from < to) {
    const middle = (from + to) >>> 1
    const value = words[start + middle]
    if (value < wanted) from = middle + 1
    else if (value > wanted) to = middle
    else return foundAt(middle)
  }
  place = from
  return false
}

function search64(arena: Arena, set: Ref, high: number, low: number): boolean {
  const { words } = arena
  const start = (set << 1) + 2
  const unsigned = low >>> 0
  let from = 0
  let to = words[start - 1]
  while (from < to) {
    const middle = (from + to) >>> 1
    const at = start + (middle << 1)
    const order = words[at + 1] === high ? (words[at] >>> 0) - unsigned : words[at + 1] - high
    if (order < 0) from = middle + 1
    else if (order > 0) to = middle
    else return foundAt(middle)
  }
  place = from
  return false
}

function foundAt(index: number): boolean {
  place = index
  return true
}

function put(
  arena: Arena,
  set: Ref,
  width: number,
  index: number,
  high: number,
  low: number,
): void {
  const word = (set << 1) + 2
  if (width === 4) {
    arena.words[word + index] = low
  } else if (width === 2) {
    const at = (word << 2) + (index << 1)
    arena.bytes[at] = low
    arena.bytes[at + 1] = low >> 8
  } else {
    arena.words[word + (index << 1)] = low
    arena.words[word + (index << 1) + 1] = high
  }
}

/** Makes all integers wider; the new one is then the first or the last. */
function widen(arena: Arena, set: Ref, width: number, high: number, low: number): Ref {
  const before = arena.words[set << 1]
  const count = arena.words[(set << 1) + 1]
  const fitted = grow(arena, set, HEADER_SIZE + width * (count + 1), HEADER_SIZE + before * count)
  const shift = high < 0 ? 1 : 0
  for (let i = count - 1; i >= 0; i--) {
    arena.words[fitted << 1] = before
    intsetGet(arena, fitted, i)
    put(arena, fitted, width, i + shift, readHigh, readLow)
  }
  put(arena, fitted, width, shift === 1 ? 0 : count, high, low)
  arena.words[fitted << 1] = width
  arena.words[(fitted << 1) + 1] = count + 1
  changed = true
  return fitted
}

function grow(arena: Arena, set: Ref, size: number, kept: number): Ref {
  if (size <= arena.blockSizeBytes(set)) return set
  // A larger set grows by more at a time.
  return arena.reallocate(set, size > 128 ? size + (size >> 2) : size, kept)
}
