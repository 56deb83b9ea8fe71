/**
 * The hash: a listpack of fields and values in turn while it is small, a byte map of fields beyond.
 * An entry of the map has the value in its payload: its length, then its bytes.
 *
 * Thread: core. Hot path.
 * Owns: both encodings, and when one becomes the other.
 * Never: goes back to the small encoding; leaves a hash without fields to anybody but its caller.
 */
import { hashWords } from '../../../lib/hash.ts'
import { AlignedBytes } from '../../../memory/aligned.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteMapCount,
  byteMapCreate,
  byteMapFind,
  byteMapForEach,
  byteMapFree,
  byteMapInsert,
  byteMapRemove,
  byteMapReplace,
  byteMapReserve,
} from '../../../memory/byte-map.ts'
import { copyBytes } from '../../../memory/copy.ts'
import {
  entryCreateAligned,
  entryKeyLength,
  entryKeyOffset,
  entryPayloadOffset,
  entrySize,
} from '../../../memory/entry.ts'
import {
  ListpackElement,
  listpackCount,
  listpackCreate,
  listpackFind,
  listpackFirst,
  listpackInsert,
  listpackNext,
  listpackPosition,
  listpackRead,
  listpackRemove,
  listpackReplace,
} from '../../../memory/listpack.ts'
import { MapCursor } from '../../../memory/map-cursor.ts'
import { entryEncoding, entryValueWord, setEntryEncoding } from '../../keyspace/entry.ts'

export const HASH_LISTPACK = 0
export const HASH_TABLE = 1
export const HASH_VALUE_SIZE = 4
export const HASH_LENGTH_SIZE = 4

/** Bytes that an argument, or an element, lies in. `offset` is a multiple of 4 where words are. */
export interface Words {
  bytes: Buffer
  words: Int32Array
}

const aligned = new AlignedBytes()
const fieldElement = new ListpackElement()
const valueElement = new ListpackElement()

/** An empty small hash's structure. Throws: ARENA_FULL. */
export function hashCreatePack(arena: Arena): Ref {
  return listpackCreate(arena, 0)
}

export function hashStructure(arena: Arena, ref: Ref): Ref {
  return arena.words[entryValueWord(arena, ref)]
}

function setStructure(arena: Arena, ref: Ref, structure: Ref): void {
  arena.words[entryValueWord(arena, ref)] = structure
}

export function hashCount(arena: Arena, ref: Ref): number {
  const structure = hashStructure(arena, ref)
  if (entryEncoding(arena, ref) === HASH_TABLE) return byteMapCount(arena, structure)
  return listpackCount(arena, structure) >> 1
}

/** Finds a field's value. False when there is no such field. `offset` is a multiple of 4. */
export function hashFind(
  arena: Arena,
  ref: Ref,
  from: Words,
  offset: number,
  length: number,
  value: ListpackElement,
): boolean {
  const structure = hashStructure(arena, ref)
  if (entryEncoding(arena, ref) === HASH_TABLE) {
    const hash = hashWords(from.words, offset >> 2, length, arena.hashSeed)
    const entry = byteMapFind(arena, structure, hash, from.words, offset, length)
    if (entry === 0) return false
    readValue(arena, entry, value)
    return true
  }
  const at = listpackFind(arena, listpackFirst(arena, structure), from.bytes, offset, length, 1)
  if (at === 0) return false
  listpackRead(arena, listpackNext(arena, at), value)
  return true
}

/** Makes `value` that of an entry of the map. */
export function readValue(arena: Arena, entry: Ref, value: ListpackElement): void {
  const payload = entryPayloadOffset(arena, entry)
  value.isInteger = false
  value.bytes = arena.bytes
  value.offset = payload + HASH_LENGTH_SIZE
  value.length = arena.words[payload >> 2]
}

/**
 * Gives a field a value, whatever the size of the hash. True when the field is new. Neither may lie
 * in this hash. Throws: ARENA_FULL, with nothing changed.
 */
export function hashSet(
  arena: Arena,
  ref: Ref,
  field: Words,
  fieldOffset: number,
  fieldLength: number,
  value: Words,
  valueOffset: number,
  valueLength: number,
): boolean {
  const structure = hashStructure(arena, ref)
  if (entryEncoding(arena, ref) === HASH_TABLE) {
    const hash = hashWords(field.words, fieldOffset >> 2, fieldLength, arena.hashSeed)
    return setInMap(
      arena,
      structure,
      hash,
      field,
      fieldOffset,
      fieldLength,
      value,
      valueOffset,
      valueLength,
    )
  }
  const first = listpackFirst(arena, structure)
  const at = listpackFind(arena, first, field.bytes, fieldOffset, fieldLength, 1)
  if (at !== 0) {
    const to = listpackNext(arena, at)
    const pack = listpackReplace(arena, structure, to, value.bytes, valueOffset, valueLength)
    setStructure(arena, ref, pack)
    return false
  }
  const { bytes } = value
  const grown = listpackInsert(arena, structure, 0, field.bytes, fieldOffset, fieldLength)
  setStructure(arena, ref, grown)
  const added = listpackPosition()
  let done = false
  try {
    setStructure(arena, ref, listpackInsert(arena, grown, 0, bytes, valueOffset, valueLength))
    done = true
  } finally {
    if (!done) setStructure(arena, ref, listpackRemove(arena, grown, added, 1))
  }
  return true
}

function setInMap(
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

/** True when a value of `size` bytes fits into the entry's block, and does not waste most of it. */
function fits(arena: Arena, entry: Ref, fieldLength: number, size: number): boolean {
  const block = arena.blockSizeBytes(entry)
  const needed = entrySize(fieldLength, size)
  return needed <= block && needed * 2 + 64 > block
}

/** Takes a field out. False when there is no such field. */
export function hashRemove(
  arena: Arena,
  ref: Ref,
  field: Words,
  offset: number,
  length: number,
): boolean {
  const structure = hashStructure(arena, ref)
  if (entryEncoding(arena, ref) === HASH_TABLE) {
    const hash = hashWords(field.words, offset >> 2, length, arena.hashSeed)
    const entry = byteMapFind(arena, structure, hash, field.words, offset, length)
    if (entry === 0) return false
    byteMapRemove(arena, structure, hash, entry)
    arena.free(entry)
    return true
  }
  const at = listpackFind(arena, listpackFirst(arena, structure), field.bytes, offset, length, 1)
  if (at === 0) return false
  setStructure(arena, ref, listpackRemove(arena, structure, at, 2))
  return true
}

/** Makes a small hash a map. Throws: ARENA_FULL, with nothing changed. */
export function hashToTable(arena: Arena, ref: Ref): void {
  const pack = hashStructure(arena, ref)
  const map = byteMapCreate(arena)
  let done = false
  try {
    let at = listpackFirst(arena, pack)
    while (at !== 0) {
      listpackRead(arena, at, fieldElement)
      at = listpackNext(arena, at)
      listpackRead(arena, at, valueElement)
      at = listpackNext(arena, at)
      hashMapAdd(arena, map, fieldElement, valueElement)
    }
    done = true
  } finally {
    if (!done) freeMap(arena, map)
  }
  arena.free(pack)
  setStructure(arena, ref, map)
  setEntryEncoding(arena, ref, HASH_TABLE)
}

/** Adds to a map that is being built. False when the field is there already. Throws: ARENA_FULL. */
export function hashMapAdd(
  arena: Arena,
  map: Ref,
  field: ListpackElement,
  value: ListpackElement,
): boolean {
  aligned.set(field.bytes, field.offset, field.length)
  const hash = hashWords(aligned.words, 0, aligned.length, arena.hashSeed)
  if (byteMapFind(arena, map, hash, aligned.words, 0, aligned.length) !== 0) return false
  byteMapReserve(arena, map, hash)
  const size = HASH_LENGTH_SIZE + value.length
  const entry = entryCreateAligned(arena, aligned.words, 0, aligned.length, size)
  const payload = entryPayloadOffset(arena, entry)
  arena.words[payload >> 2] = value.length
  const from = value.offset
  value.bytes.copy(arena.bytes, payload + HASH_LENGTH_SIZE, from, from + value.length)
  byteMapInsert(arena, map, hash, entry)
  return true
}

/** Frees a map with its entries. */
// alloc: once for a whole hash
export function freeMap(arena: Arena, map: Ref): void {
  byteMapForEach(arena, map, (entry) => {
    arena.free(entry)
  })
  byteMapFree(arena, map)
}

/** A walk over fields and values. The hash may not change meanwhile. */
export class HashCursor {
  /** The field. */
  bytes: Buffer = fieldElement.digits
  offset = 0
  length = 0
  readonly value = new ListpackElement()
  readonly #field = new ListpackElement()
  readonly #cursor = new MapCursor()
  #arena: Arena | undefined = undefined
  #at = 0
  #isTable = false

  open(arena: Arena, ref: Ref): void {
    const structure = hashStructure(arena, ref)
    this.#arena = arena
    this.#isTable = entryEncoding(arena, ref) === HASH_TABLE
    if (this.#isTable) this.#cursor.open(arena, structure)
    else this.#at = listpackFirst(arena, structure)
  }

  next(): boolean {
    const arena = this.#arena
    if (arena === undefined) return false
    if (this.#isTable) {
      const entry = this.#cursor.next()
      if (entry === 0) return false
      this.bytes = arena.bytes
      this.offset = entryKeyOffset(entry)
      this.length = entryKeyLength(arena, entry)
      readValue(arena, entry, this.value)
      return true
    }
    if (this.#at === 0) return false
    const field = this.#field
    listpackRead(arena, this.#at, field)
    this.bytes = field.bytes
    this.offset = field.offset
    this.length = field.length
    const at = listpackNext(arena, this.#at)
    listpackRead(arena, at, this.value)
    this.#at = listpackNext(arena, at)
    return true
  }
}
