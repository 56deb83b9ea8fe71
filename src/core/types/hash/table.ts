/**
 * The large hash: a byte map whose entries hold a field with its value. The value is the payload: its
 * length, then its bytes.
 *
 * Thread: core. Hot path.
 * Owns: what an entry looks like.
 * Never: knows whose map it is.
 */
import { hashWords } from '../../../lib/hash.ts'
import { AlignedBytes } from '../../../memory/aligned.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteMapFind,
  byteMapForEach,
  byteMapFree,
  byteMapInsert,
  byteMapReplace,
  byteMapReserve,
} from '../../../memory/byte-map.ts'
import { copyBytes } from '../../../memory/copy.ts'
import { entryCreateAligned, entryPayloadOffset, entrySize } from '../../../memory/entry.ts'
import type { ListpackElement } from '../../../memory/listpack.ts'

export const HASH_LENGTH_SIZE = 4

/** Bytes that an argument, or an element, lies in. `offset` is a multiple of 4 where words are. */
export interface Words {
  bytes: Buffer
  words: Int32Array
}

const aligned = new AlignedBytes()

/**
 * Gives a field of a map a value. True when the field is new. Neither may lie in this map. `hash`:
 * of the field. Throws: ARENA_FULL, with nothing changed.
 */
export function setInMap(
  arena: Arena,
  map: Ref,
  hash: number,
  field: Words,
  fieldOffset: number,
  fieldLength: number,
  value: Words,
  valueOffset: number,
  valueLength: number,
): boolean {
  const entry = byteMapFind(arena, map, hash, field.words, fieldOffset, fieldLength)
  const size = HASH_LENGTH_SIZE + valueLength
  let made = entry
  if (entry === 0 || !fits(arena, entry, fieldLength, size)) {
    if (entry === 0) byteMapReserve(arena, map, hash)
    made = entryCreateAligned(arena, field.words, fieldOffset, fieldLength, size)
  }
  const payload = entryPayloadOffset(arena, made)
  arena.words[payload >> 2] = valueLength
  copyBytes(
    arena.bytes,
    arena.words,
    payload + HASH_LENGTH_SIZE,
    value.bytes,
    value.words,
    valueOffset,
    valueLength,
  )
  if (entry === 0) {
    byteMapInsert(arena, map, hash, made)
  } else if (made !== entry) {
    byteMapReplace(arena, map, hash, entry, made)
    arena.free(entry)
  }
  return entry === 0
}

/** Puts a value into the payload of an entry. */
export function writeValueBytes(
  arena: Arena,
  payload: number,
  value: Words,
  offset: number,
  length: number,
): void {
  arena.words[payload >> 2] = length
  copyBytes(
    arena.bytes,
    arena.words,
    payload + HASH_LENGTH_SIZE,
    value.bytes,
    value.words,
    offset,
    length,
  )
}

/** True when a value of `size` bytes fits into the entry's block, and does not waste most of it. */
export function fits(arena: Arena, entry: Ref, fieldLength: number, size: number): boolean {
  const block = arena.blockSizeBytes(entry)
  const needed = entrySize(fieldLength, size)
  return needed <= block && needed * 2 + 64 > block
}

/**
 * Adds to a map that is being built, with `extraSize` bytes of payload behind the value, which begin
 * at a word. The new entry; 0 when the field is there already. Throws: ARENA_FULL.
 */
export function hashMapAdd(
  arena: Arena,
  map: Ref,
  field: ListpackElement,
  value: ListpackElement,
  extraSize: number,
): Ref {
  aligned.set(field.bytes, field.offset, field.length)
  const hash = hashWords(aligned.words, 0, aligned.length, arena.hashSeed)
  if (byteMapFind(arena, map, hash, aligned.words, 0, aligned.length) !== 0) return 0
  byteMapReserve(arena, map, hash)
  const valueSize = extraSize === 0 ? value.length : (value.length + 3) & ~3
  const size = HASH_LENGTH_SIZE + valueSize + extraSize
  const entry = entryCreateAligned(arena, aligned.words, 0, aligned.length, size)
  const payload = entryPayloadOffset(arena, entry)
  arena.words[payload >> 2] = value.length
  const from = value.offset
  value.bytes.copy(arena.bytes, payload + HASH_LENGTH_SIZE, from, from + value.length)
  byteMapInsert(arena, map, hash, entry)
  return entry
}

/** Frees a map with its entries, which hold nothing but themselves. */
// alloc: once for a whole hash
export function freeMap(arena: Arena, map: Ref): void {
  byteMapForEach(arena, map, (entry) => {
    arena.free(entry)
  })
  byteMapFree(arena, map)
}

/** Makes `value` that of an entry of the map. */
export function readValue(arena: Arena, entry: Ref, value: ListpackElement): void {
  const payload = entryPayloadOffset(arena, entry)
  value.isInteger = false
  value.bytes = arena.bytes
  value.offset = payload + HASH_LENGTH_SIZE
  value.length = arena.words[payload >> 2]
}
