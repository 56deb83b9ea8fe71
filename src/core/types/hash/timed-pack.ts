/**
 * The small hash whose fields may end: a listpack of fields, values and ends in turn, byte for byte as
 * Redis 7.4 writes it. An end is Unix milliseconds, 0 is none. The fields stand in the order of their
 * ends, those without one last; so the next field to go is the first.
 *
 * Thread: core. Hot path.
 * Owns: the order.
 * Never: changes anything when it throws ARENA_FULL.
 */
import { AlignedBytes } from '../../../memory/aligned.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  LISTPACK_END,
  ListpackElement,
  listpackCount,
  listpackCreate,
  listpackEncodedSize,
  listpackEnd,
  listpackFind,
  listpackFirst,
  listpackInsert,
  listpackInsertInteger,
  listpackNext,
  listpackPosition,
  listpackRead,
  listpackReadInteger,
  listpackRemove,
  listpackReplace,
  listpackReserve,
  listpackSizeBytes,
  listpackWriteBytes,
  listpackWriteInteger,
  listpackWritten,
} from '../../../memory/listpack.ts'

/** Elements that a field takes. */
export const TIMED_STRIDE = 3
/** An integer takes no more. */
const END_SIZE_MAX = 10
/** One without an end. */
const NO_END_SIZE = 2

/** What the count says when only counting helps. */
const COUNT_UNKNOWN = 0xffff

const element = new ListpackElement()
const fieldBytes = new AlignedBytes()
const valueBytes = new AlignedBytes()

export function timedPackCount(arena: Arena, pack: Ref): number {
  return listpackCount(arena, pack) / TIMED_STRIDE
}

/** Where a field is, 0 when there is no such field. */
export function timedPackFind(
  arena: Arena,
  pack: Ref,
  bytes: Buffer,
  offset: number,
  length: number,
): number {
  return listpackFind(arena, listpackFirst(arena, pack), bytes, offset, length, TIMED_STRIDE - 1)
}

/** The end of the field at a position, 0 when it has none. */
export function timedPackEndAt(arena: Arena, at: number): number {
  const end = listpackNext(arena, listpackNext(arena, at))
  return listpackReadInteger(arena, end, element) ? element.number : 0
}

/** The field behind the one at a position, 0 when that is the last. */
export function timedPackNext(arena: Arena, at: number): number {
  return listpackNext(arena, listpackNext(arena, listpackNext(arena, at)))
}

/** The first end of all, 0 when no field has one. */
export function timedPackFirstEnd(arena: Arena, pack: Ref): number {
  const first = listpackFirst(arena, pack)
  return first === 0 ? 0 : timedPackEndAt(arena, first)
}

/** How many fields end before a moment. */
export function timedPackCountBefore(arena: Arena, pack: Ref, ms: number): number {
  let count = 0
  for (let at = listpackFirst(arena, pack); at !== 0; at = timedPackNext(arena, at)) {
    const end = timedPackEndAt(arena, at)
    if (end === 0 || end >= ms) break
    count++
  }
  return count
}

/** Adds a field behind all others, without an end; gives the pack. Throws: ARENA_FULL. */
export function timedPackAppend(
  arena: Arena,
  pack: Ref,
  field: Buffer,
  fieldOffset: number,
  fieldLength: number,
  value: Buffer,
  valueOffset: number,
  valueLength: number,
): Ref {
  const size =
    listpackEncodedSize(field, fieldOffset, fieldLength) +
    listpackEncodedSize(value, valueOffset, valueLength)
  const grown = listpackReserve(arena, pack, size + NO_END_SIZE)
  let at = listpackEnd(arena, grown)
  at = listpackWriteBytes(arena.bytes, at, field, fieldOffset, fieldLength)
  at = listpackWriteBytes(arena.bytes, at, value, valueOffset, valueLength)
  at = listpackWriteInteger(arena.bytes, at, 0, 0)
  listpackWritten(arena, grown, at, TIMED_STRIDE)
  return grown
}

/** Gives the field at a position another value; gives the pack. Throws: ARENA_FULL. */
export function timedPackSetValue(
  arena: Arena,
  pack: Ref,
  at: number,
  value: Buffer,
  offset: number,
  length: number,
): Ref {
  return listpackReplace(arena, pack, listpackNext(arena, at), value, offset, length)
}

export function timedPackRemove(arena: Arena, pack: Ref, at: number): Ref {
  return listpackRemove(arena, pack, at, TIMED_STRIDE)
}

/**
 * Gives the field at a position another end, or none: 0. It goes where that belongs, behind those
 * that end at the same time. Gives the pack. Throws: ARENA_FULL.
 */
export function timedPackSetEnd(arena: Arena, pack: Ref, at: number, end: number): Ref {
  listpackRead(arena, at, element)
  fieldBytes.set(element.bytes, element.offset, element.length)
  listpackRead(arena, listpackNext(arena, at), element)
  valueBytes.set(element.bytes, element.offset, element.length)
  const oldSize = listpackSizeBytes(arena, pack)
  const oldStart = at - (pack << 3)
  const grown = timedPackInsert(arena, pack, fieldBytes, valueBytes, end)
  const inserted = listpackSizeBytes(arena, grown) - oldSize
  const start = insertedAt - (grown << 3)
  const now = start <= oldStart ? oldStart + inserted : oldStart
  return timedPackRemove(arena, grown, (grown << 3) + now)
}

/** Where the last `timedPackInsert` has put its field. */
let insertedAt = 0

/** Adds a field where its end belongs; gives the pack. Throws: ARENA_FULL. */
export function timedPackInsert(
  arena: Arena,
  pack: Ref,
  field: AlignedBytes,
  value: AlignedBytes,
  end: number,
): Ref {
  const size =
    listpackEncodedSize(field.bytes, 0, field.length) +
    listpackEncodedSize(value.bytes, 0, value.length)
  // With room for all of it, none of the three can fail or move the pack.
  const grown = listpackReserve(arena, pack, size + END_SIZE_MAX)
  const before = placeOf(arena, grown, end)
  listpackInsert(arena, grown, before, field.bytes, 0, field.length)
  const at = listpackPosition()
  listpackInsert(arena, grown, listpackNext(arena, at), value.bytes, 0, value.length)
  const behind = listpackNext(arena, listpackNext(arena, at))
  listpackInsertInteger(arena, grown, behind, Math.floor(end / 0x100000000), end | 0)
  insertedAt = at
  return grown
}

/** The first field that ends later, or never; 0: the end of the pack. */
function placeOf(arena: Arena, pack: Ref, end: number): number {
  if (end === 0) return 0
  let at = listpackFirst(arena, pack)
  while (at !== 0) {
    const other = timedPackEndAt(arena, at)
    if (other === 0 || other > end) return at
    at = timedPackNext(arena, at)
  }
  return 0
}

/** A pack of the same fields, without ends, of a listpack of fields and values. Throws: ARENA_FULL. */
export function timedPackOf(arena: Arena, plain: Ref): Ref {
  const count = listpackCount(arena, plain) >> 1
  const size = listpackSizeBytes(arena, plain) + NO_END_SIZE * count
  const pack = listpackCreate(arena, size)
  const { bytes } = arena
  let to = listpackEnd(arena, pack)
  for (let at = listpackFirst(arena, plain); at !== 0; ) {
    for (let i = 0; i < 2; i++) {
      listpackRead(arena, at, element)
      to = listpackWriteBytes(bytes, to, element.bytes, element.offset, element.length)
      at = listpackNext(arena, at)
    }
    to = listpackWriteInteger(bytes, to, 0, 0)
  }
  listpackWritten(arena, pack, to, TIMED_STRIDE * count)
  return pack
}

/** The bytes of a listpack of the same fields and values, when none of them has an end. */
// alloc: for files
export function timedPackPlain(arena: Arena, pack: Ref): Buffer {
  const count = timedPackCount(arena, pack)
  const size = listpackSizeBytes(arena, pack) - NO_END_SIZE * count
  const bytes = Buffer.alloc(size, LISTPACK_END)
  let to = bytes.writeUInt32LE(size)
  to = bytes.writeUInt16LE(Math.min(2 * count, COUNT_UNKNOWN), to)
  for (let at = listpackFirst(arena, pack); at !== 0; at = timedPackNext(arena, at)) {
    const end = listpackNext(arena, listpackNext(arena, at))
    to += arena.bytes.copy(bytes, to, at, end)
  }
  return bytes
}
