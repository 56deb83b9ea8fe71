/**
 * Listpack: a short list of strings and integers as one run of bytes, byte for byte as Redis writes
 * it, so that saving one is a copy.
 *
 *     total bytes (4) | element count (2) | element ... | 0xFF
 *
 *     element = encoding and data | their size, readable from behind, 7 bits a byte
 *
 *     0xxxxxxx                    integer 0 to 127
 *     10xxxxxx ...                string of up to 63 bytes
 *     110xxxxx x                  integer of 13 bits
 *     1110xxxx x ...              string of up to 4095 bytes
 *     0xF0 xxxx ...               string, length in 4 bytes
 *     0xF1 xx  F2 xxx  F3 xxxx  F4 xxxxxxxx    integers of 16, 24, 32 and 64 bits
 *
 * A pack is one block of an arena. A position (`at`) is the byte offset of an element in the arena,
 * 0 is none; it is valid until the pack changes. What changes a pack may move it and gives its new
 * ref; bytes to be put in may not lie in the same pack.
 *
 * Thread: core. Hot path.
 * Owns: the encoding of elements.
 * Never: keeps a canonical integer as a string; changes anything when it throws ARENA_FULL.
 *
 * @see https://github.com/antirez/listpack/blob/master/listpack.md
 */
import {
  INTEGER_OK,
  integerHigh,
  integerLow,
  parseInteger,
  writeInteger64,
} from '../lib/bytes/integer.ts'
import type { Arena, Ref } from './arena.ts'
import { equalBytes } from './copy.ts'
import { copyUnaligned } from './unaligned.ts'

/** Bytes of an empty pack. */
export const LISTPACK_EMPTY_SIZE = 7
export const LISTPACK_HEADER_SIZE = 6
export const LISTPACK_END = 0xff
/** The count says this when there are as many elements or more. */
const COUNT_UNKNOWN = 0xffff
const HEADER_SIZE = LISTPACK_HEADER_SIZE
const END = LISTPACK_END
export const DIGITS_MAX = 21

/** One element, as `listpackRead` finds it. */
export class ListpackElement {
  /** Where its text is: in the arena, or for an integer in a scratch of this object. */
  bytes: Buffer
  offset = 0
  length = 0
  isInteger = false
  /** An integer's halves. */
  high = 0
  low = 0
  readonly digits: Buffer = Buffer.alloc(DIGITS_MAX)

  constructor() {
    this.bytes = this.digits
  }

  /** The integer as a number; beyond 2^53 the nearest. */
  get number(): number {
    return this.high * 0x100000000 + (this.low >>> 0)
  }
}

/** Where the element put in last is, or the one after those removed; 0: the end. */
let position = 0

// The element about to be written, as `planBytes` and `planInteger` find it.
let planIsInteger = false
let planHigh = 0
let planLow = 0
let planSize = 0
let planBytesSource: Buffer = Buffer.alloc(0)
let planOffset = 0
let planLength = 0

/** A new, empty pack with room for `capacityBytes`. Throws: ARENA_FULL. */
export function listpackCreate(arena: Arena, capacityBytes: number): Ref {
  const pack = arena.allocate(Math.max(capacityBytes, LISTPACK_EMPTY_SIZE))
  arena.words[pack << 1] = LISTPACK_EMPTY_SIZE
  setCount(arena, pack, 0)
  arena.bytes[(pack << 3) + HEADER_SIZE] = END
  return pack
}

/** A pack of bytes that are one. Throws: ARENA_FULL. */
export function listpackFrom(arena: Arena, bytes: Buffer, offset: number, length: number): Ref {
  const pack = arena.allocate(length)
  bytes.copy(arena.bytes, pack << 3, offset, offset + length)
  return pack
}

export function listpackCopy(arena: Arena, pack: Ref, toArena: Arena): Ref {
  return listpackFrom(toArena, arena.bytes, pack << 3, listpackSizeBytes(arena, pack))
}

/** Bytes of the pack itself; its block may be larger. */
export function listpackSizeBytes(arena: Arena, pack: Ref): number {
  return arena.words[pack << 1]
}

export function listpackCount(arena: Arena, pack: Ref): number {
  const count = arena.words[(pack << 1) + 1] & 0xffff
  if (count !== COUNT_UNKNOWN) return count
  let found = 0
  for (let at = listpackFirst(arena, pack); at !== 0; at = listpackNext(arena, at)) found++
  return found
}

export function listpackFirst(arena: Arena, pack: Ref): number {
  const at = (pack << 3) + HEADER_SIZE
  return arena.bytes[at] === END ? 0 : at
}

export function listpackLast(arena: Arena, pack: Ref): number {
  return before(arena, pack, (pack << 3) + arena.words[pack << 1] - 1)
}

export function listpackNext(arena: Arena, at: number): number {
  const next = at + fullSize(arena.bytes, at)
  return arena.bytes[next] === END ? 0 : next
}

export function listpackPrevious(arena: Arena, pack: Ref, at: number): number {
  return before(arena, pack, at)
}

/** The element at `index`; negative: from the end, -1 the last. 0 when there is none. */
export function listpackSeek(arena: Arena, pack: Ref, index: number): number {
  const count = arena.words[(pack << 1) + 1] & 0xffff
  let from = index
  if (count !== COUNT_UNKNOWN) {
    if (from < 0) from += count
    if (from < 0 || from >= count) return 0
    // From the nearer end.
    if (from > count >> 1) from -= count
  }
  let at = 0
  if (from >= 0) {
    at = listpackFirst(arena, pack)
    for (let i = 0; i < from && at !== 0; i++) at = listpackNext(arena, at)
  } else {
    at = listpackLast(arena, pack)
    for (let i = -1; i > from && at !== 0; i--) at = before(arena, pack, at)
  }
  return at
}

/** Fills `element` with what is at a position. */
export function listpackRead(arena: Arena, at: number, element: ListpackElement): void {
  const bytes = arena.bytes
  const first = bytes[at]
  if ((first & 0xc0) === 0x80) {
    element.isInteger = false
    element.bytes = bytes
    element.offset = at + 1
    element.length = first & 63
  } else if ((first & 0xf0) === 0xe0 || first === 0xf0) {
    element.isInteger = false
    element.bytes = bytes
    element.offset = at + (first === 0xf0 ? 5 : 2)
    element.length = stringLength(bytes, at)
  } else {
    readInteger(bytes, at, element)
    element.isInteger = true
    element.bytes = element.digits
    element.offset = 0
    element.length = writeInteger64(element.digits, 0, element.high, element.low)
  }
}

/** The element as a number, beyond 2^53 the nearest; NaN when it is a string. */
export function listpackInteger(arena: Arena, at: number): number {
  const bytes = arena.bytes
  const first = bytes[at]
  if (first < 128) return first
  if ((first & 0xe0) === 0xc0) return (((first & 0x1f) << 27) >> 19) | bytes[at + 1]
  if (first < 0xf1) return Number.NaN
  if (first === 0xf1) return ((bytes[at + 2] << 24) >> 16) | bytes[at + 1]
  readInteger(bytes, at, compared)
  return compared.number
}

/** False when the element is a string; else its halves are in `element`, but no digits are. */
export function listpackReadInteger(arena: Arena, at: number, element: ListpackElement): boolean {
  const bytes = arena.bytes
  const first = bytes[at]
  if ((first & 0xc0) === 0x80 || (first & 0xf0) === 0xe0 || first === 0xf0) return false
  readInteger(bytes, at, element)
  return true
}

/** True when the element is these bytes, however it is encoded. */
export function listpackEquals(
  arena: Arena,
  at: number,
  bytes: Buffer,
  offset: number,
  length: number,
): boolean {
  listpackRead(arena, at, compared)
  return (
    compared.length === length && equalBytes(compared.bytes, compared.offset, bytes, offset, length)
  )
}

/**
 * The first element from `fromAt` on that is these bytes, looking at every `skip + 1`-th; 0 when
 * there is none.
 */
export function listpackFind(
  arena: Arena,
  fromAt: number,
  bytes: Buffer,
  offset: number,
  length: number,
  skip: number,
): number {
  if (fromAt === 0) return 0
  const source = arena.bytes
  const isInteger = parseInteger(bytes, offset, offset + length) === INTEGER_OK
  const high = isInteger ? integerHigh() : 0
  const low = isInteger ? integerLow() : 0
  // Elements often begin alike: the last byte tells most of them apart.
  const last = length === 0 ? 0 : bytes[offset + length - 1]
  let at = fromAt
  for (;;) {
    const first = source[at]
    if ((first & 0xc0) === 0x80) {
      const size = first & 63
      if (size === length && (size === 0 || source[at + size] === last)) {
        if (equalBytes(source, at + 1, bytes, offset, length)) return at
      }
      at += size + 2
    } else if (first === END) {
      return 0
    } else if ((first & 0xf0) === 0xe0 || first === 0xf0) {
      const text = at + (first === 0xf0 ? 5 : 2)
      if (stringLength(source, at) === length) {
        if (equalBytes(source, text, bytes, offset, length)) return at
      }
      at += fullSize(source, at)
    } else {
      if (isInteger) {
        readInteger(source, at, compared)
        if (compared.low === low && compared.high === high) return at
      }
      at += fullSize(source, at)
    }
    for (let i = 0; i < skip; i++) {
      const passed = source[at]
      if (passed === END) return 0
      at += passed < 128 ? 2 : passed < 192 ? (passed & 63) + 2 : fullSize(source, at)
    }
  }
}

/** Puts bytes before the element at `beforeAt`, 0: at the end. Throws: ARENA_FULL. */
export function listpackInsert(
  arena: Arena,
  pack: Ref,
  beforeAt: number,
  bytes: Buffer,
  offset: number,
  length: number,
): Ref {
  planBytes(bytes, offset, length)
  return put(arena, pack, beforeAt, 0)
}

export function listpackInsertInteger(
  arena: Arena,
  pack: Ref,
  beforeAt: number,
  high: number,
  low: number,
): Ref {
  planInteger(high, low)
  return put(arena, pack, beforeAt, 0)
}

/** Puts bytes in the place of an element. Throws: ARENA_FULL. */
export function listpackReplace(
  arena: Arena,
  pack: Ref,
  at: number,
  bytes: Buffer,
  offset: number,
  length: number,
): Ref {
  planBytes(bytes, offset, length)
  return put(arena, pack, at, fullSize(arena.bytes, at))
}

export function listpackReplaceInteger(
  arena: Arena,
  pack: Ref,
  at: number,
  high: number,
  low: number,
): Ref {
  planInteger(high, low)
  return put(arena, pack, at, fullSize(arena.bytes, at))
}

/** Takes out up to `count` elements from `at` on. */
export function listpackRemove(arena: Arena, pack: Ref, at: number, count: number): Ref {
  const bytes = arena.bytes
  const start = pack << 3
  let end = at
  let removed = 0
  while (removed < count && bytes[end] !== END) {
    end += fullSize(bytes, end)
    removed++
  }
  const total = arena.words[pack << 1]
  const size = total - (end - at)
  if (bytes[end] === END) bytes[at] = END
  else bytes.copyWithin(at, end, start + total)
  arena.words[pack << 1] = size
  changeCount(arena, pack, -removed)
  position = bytes[at] === END ? 0 : at
  // Room for as much again may stay; more goes back.
  if (arena.blockSizeBytes(pack) <= 2 * size + 64) return pack
  const fitted = arena.reallocate(pack, size, size)
  if (position !== 0) position += (fitted - pack) << 3
  return fitted
}

/**
 * The pack with room for `roomBytes` more, so that so much can be put in without moving it again.
 * Throws: ARENA_FULL, with nothing changed.
 */
export function listpackReserve(arena: Arena, pack: Ref, roomBytes: number): Ref {
  const total = arena.words[pack << 1]
  const size = total + roomBytes
  if (size <= arena.blockSizeBytes(pack)) return pack
  return arena.reallocate(pack, total > 64 ? size + (size >> 2) : size, total)
}

/**
 * Where to write elements behind the last one, by `listpackWrite…`, which give where to go on; there
 * has to be room, see `listpackReserve`. The pack is whole again after `listpackWritten`.
 */
export function listpackEnd(arena: Arena, pack: Ref): number {
  return (pack << 3) + arena.words[pack << 1] - 1
}

/** Writes an integer behind the last element. */
export function listpackWriteInteger(bytes: Buffer, at: number, high: number, low: number): number {
  if (high === 0 && low >= 0 && low < 128) {
    bytes[at] = low
    bytes[at + 1] = 1
    return at + 2
  }
  planInteger(high, low)
  writeInteger(bytes, at)
  bytes[at + planSize] = planSize
  return at + planSize + 1
}

/** Writes bytes of another memory behind the last element. */
export function listpackWriteBytes(
  bytes: Buffer,
  at: number,
  source: Buffer,
  offset: number,
  length: number,
): number {
  planBytes(source, offset, length)
  const back = backSize(planSize)
  if (planIsInteger) writeInteger(bytes, at)
  else writeString(bytes, at)
  writeBack(bytes, at + planSize, planSize, back)
  return at + planSize + back
}

/** Says that `count` elements were written, up to `at`. */
export function listpackWritten(arena: Arena, pack: Ref, at: number, count: number): void {
  arena.bytes[at] = END
  arena.words[pack << 1] = at + 1 - (pack << 3)
  changeCount(arena, pack, count)
}

/** Where the last change was: the element put in, or the one after those removed; 0: the end. */
export function listpackPosition(): number {
  return position
}

/** Bytes that an element of these bytes takes in a pack. */
export function listpackEncodedSize(bytes: Buffer, offset: number, length: number): number {
  planBytes(bytes, offset, length)
  return planSize + backSize(planSize)
}

const compared = new ListpackElement()

function before(arena: Arena, pack: Ref, at: number): number {
  const bytes = arena.bytes
  if (at === (pack << 3) + HEADER_SIZE) return 0
  let from = at - 1
  let size = bytes[from] & 127
  let shift = 7
  while ((bytes[from] & 128) !== 0) {
    from--
    size |= (bytes[from] & 127) << shift
    shift += 7
  }
  return from - size
}

function planBytes(bytes: Buffer, offset: number, length: number): void {
  if (length < DIGITS_MAX && parseInteger(bytes, offset, offset + length) === INTEGER_OK) {
    planInteger(integerHigh(), integerLow())
    return
  }
  planIsInteger = false
  planBytesSource = bytes
  planOffset = offset
  planLength = length
  planSize = length + (length < 64 ? 1 : length < 4096 ? 2 : 5)
}

function planInteger(high: number, low: number): void {
  planIsInteger = true
  planHigh = high
  planLow = low
  if (high !== low >> 31) planSize = 9
  else if (low >= 0 && low < 128) planSize = 1
  else if (low >= -4096 && low < 4096) planSize = 2
  else if (low >= -32768 && low < 32768) planSize = 3
  else if (low >= -8388608 && low < 8388608) planSize = 4
  else planSize = 5
}

/** Writes the planned element at `at` (0: the end) over `replaced` bytes. */
function put(arena: Arena, pack: Ref, at: number, replaced: number): Ref {
  const total = arena.words[pack << 1]
  const back = backSize(planSize)
  const added = planSize + back
  const size = total + added - replaced
  const relative = at === 0 ? total - 1 : at - (pack << 3)
  let fitted = pack
  if (size > arena.blockSizeBytes(pack)) {
    // A larger pack grows by more at a time.
    fitted = arena.reallocate(pack, total > 64 ? size + (size >> 2) : size, total)
  }
  const bytes = arena.bytes
  const start = fitted << 3
  const to = start + relative
  // What is as long as what it replaces moves nothing.
  if (added !== replaced) {
    if (relative + replaced < total - 1) {
      bytes.copyWithin(to + added, to + replaced, start + total)
    } else {
      bytes[start + size - 1] = END
    }
  }
  if (planIsInteger) writeInteger(bytes, to)
  else writeString(bytes, to)
  writeBack(bytes, to + planSize, planSize, back)
  arena.words[fitted << 1] = size
  if (replaced === 0) changeCount(arena, fitted, 1)
  position = to
  return fitted
}

function writeString(bytes: Buffer, at: number): void {
  const length = planLength
  let to = at
  if (length < 64) {
    bytes[to++] = 0x80 | length
  } else if (length < 4096) {
    bytes[to] = 0xe0 | (length >> 8)
    bytes[to + 1] = length
    to += 2
  } else {
    bytes[to] = 0xf0
    bytes.writeUInt32LE(length, to + 1)
    to += 5
  }
  copyUnaligned(bytes, to, planBytesSource, planOffset, length)
}

function writeInteger(bytes: Buffer, at: number): void {
  const low = planLow
  switch (planSize) {
    case 1:
      bytes[at] = low
      return
    case 2:
      bytes[at] = 0xc0 | ((low >> 8) & 0x1f)
      bytes[at + 1] = low
      return
    case 3:
      bytes[at] = 0xf1
      bytes[at + 1] = low
      bytes[at + 2] = low >> 8
      return
    case 4:
      bytes[at] = 0xf2
      bytes[at + 1] = low
      bytes[at + 2] = low >> 8
      bytes[at + 3] = low >> 16
      return
    case 5:
      bytes[at] = 0xf3
      bytes.writeInt32LE(low, at + 1)
      return
    default:
      bytes[at] = 0xf4
      bytes.writeInt32LE(low | 0, at + 1)
      bytes.writeInt32LE(planHigh | 0, at + 5)
  }
}

/** The halves of an integer element. */
export function readInteger(bytes: Buffer, at: number, element: ListpackElement): void {
  const first = bytes[at]
  let low = 0
  if (first < 128) low = first
  else if ((first & 0xe0) === 0xc0) low = (((first & 0x1f) << 27) >> 19) | bytes[at + 1]
  else if (first === 0xf1) low = ((bytes[at + 2] << 24) >> 16) | bytes[at + 1]
  else if (first === 0xf2) {
    low = ((bytes[at + 3] << 24) >> 8) | (bytes[at + 2] << 8) | bytes[at + 1]
  } else {
    low = bytes.readInt32LE(at + 1)
    if (first === 0xf4) {
      element.low = low
      element.high = bytes.readInt32LE(at + 5)
      return
    }
  }
  element.low = low
  element.high = low >> 31
}

/** Bytes of a string element. */
export function stringLength(bytes: Buffer, at: number): number {
  const first = bytes[at]
  if ((first & 0xc0) === 0x80) return first & 63
  if (first === 0xf0) return bytes.readUInt32LE(at + 1)
  return ((first & 15) << 8) | bytes[at + 1]
}

/** Bytes of an element, with the size behind it. */
export function fullSize(bytes: Buffer, at: number): number {
  const first = bytes[at]
  if (first < 128) return 2
  if (first < 192) return (first & 63) + 2
  const size = longSize(bytes, at, first)
  return size + backSize(size)
}

/** Bytes of an element whose first byte is 192 or more, without the size behind it. */
export function longSize(bytes: Buffer, at: number, first: number): number {
  if (first < 0xe0) return 2
  if (first < 0xf0) return 2 + (((first & 15) << 8) | bytes[at + 1])
  if (first === 0xf0) return 5 + bytes.readUInt32LE(at + 1)
  if (first === 0xf4) return 9
  return first - 0xf1 + 3
}

/** Bytes that the size behind an element takes. */
export function backSize(size: number): number {
  if (size < 128) return 1
  if (size < 16384) return 2
  if (size < 2097152) return 3
  return size < 268435456 ? 4 : 5
}

function writeBack(bytes: Buffer, at: number, size: number, back: number): void {
  let rest = size
  for (let i = back - 1; i > 0; i--) {
    bytes[at + i] = (rest & 127) | 128
    rest >>>= 7
  }
  bytes[at] = rest
}

/** For those who make packs themselves: writes the count. */
export function setCount(arena: Arena, pack: Ref, count: number): void {
  const word = (pack << 1) + 1
  arena.words[word] = (arena.words[word] & ~0xffff) | Math.min(count, COUNT_UNKNOWN)
}

function changeCount(arena: Arena, pack: Ref, change: number): void {
  const count = arena.words[(pack << 1) + 1] & 0xffff
  if (count !== COUNT_UNKNOWN) setCount(arena, pack, count + change)
}
