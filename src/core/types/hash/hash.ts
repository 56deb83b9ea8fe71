/**
 * The hash: a listpack of fields and values in turn while it is small, a byte map of fields beyond.
 * Once a field is given an end of its own, `timed.ts` has both; no other hash is larger or slower
 * for it.
 *
 * Thread: core. Hot path.
 * Owns: the encodings, and when one becomes the other.
 * Never: goes back to the small encoding; leaves a hash without fields to anybody but its caller.
 */
import { hashWords } from '../../../lib/hash.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteMapCount,
  byteMapCreate,
  byteMapFind,
  byteMapRemove,
} from '../../../memory/byte-map.ts'
import { entryKeyLength, entryKeyOffset } from '../../../memory/entry.ts'
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
import { freeMap, hashMapAdd, readValue, setInMap, type Words } from './table.ts'
import {
  HASH_LISTPACK,
  HASH_LISTPACK_EX,
  HASH_TABLE,
  HASH_TABLE_EX,
  isHidden,
  NO_FIELD,
  timedCount,
  timedEnd,
  timedFind,
  timedHiddenCount,
  timedRemove,
  timedSet,
  timedStructure,
  timedToTable,
} from './timed.ts'
import { timedPackEndAt, timedPackNext } from './timed-pack.ts'
import { entryEnd } from './timed-table.ts'

export const HASH_VALUE_SIZE = 4

const fieldElement = new ListpackElement()
const valueElement = new ListpackElement()

/** An empty small hash's structure. Throws: ARENA_FULL. */
export function hashCreatePack(arena: Arena): Ref {
  return listpackCreate(arena, 0)
}

/** The listpack or map of a hash that is not timed; the head of one that is. */
export function hashStructure(arena: Arena, ref: Ref): Ref {
  return arena.words[entryValueWord(arena, ref)]
}

/** True for a large hash, timed or not. */
export function isHashTable(arena: Arena, ref: Ref): boolean {
  return (entryEncoding(arena, ref) & HASH_TABLE) !== 0
}

/** True for a hash whose fields may end. */
export function isTimedHash(arena: Arena, ref: Ref): boolean {
  return entryEncoding(arena, ref) >= HASH_LISTPACK_EX
}

/** The map of a large hash, or the listpack of a small one. */
export function hashMapOrPack(arena: Arena, ref: Ref): Ref {
  return isTimedHash(arena, ref) ? timedStructure(arena, ref) : hashStructure(arena, ref)
}

function setStructure(arena: Arena, ref: Ref, structure: Ref): void {
  arena.words[entryValueWord(arena, ref)] = structure
}

/** Fields, those included whose time is over but which are still there. */
export function hashCount(arena: Arena, ref: Ref): number {
  const structure = hashStructure(arena, ref)
  const encoding = entryEncoding(arena, ref)
  if (encoding === HASH_TABLE) return byteMapCount(arena, structure)
  if (encoding === HASH_LISTPACK) return listpackCount(arena, structure) >> 1
  return timedCount(arena, ref)
}

/** Fields that are to be seen. */
export function hashSeenCount(arena: Arena, ref: Ref): number {
  const count = hashCount(arena, ref)
  return isTimedHash(arena, ref) ? count - timedHiddenCount(arena, ref) : count
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
  const encoding = entryEncoding(arena, ref)
  if (encoding === HASH_TABLE) {
    const hash = hashWords(from.words, offset >> 2, length, arena.hashSeed)
    const entry = byteMapFind(arena, structure, hash, from.words, offset, length)
    if (entry === 0) return false
    readValue(arena, entry, value)
    return true
  }
  if (encoding !== HASH_LISTPACK) return timedFind(arena, ref, from, offset, length, value)
  const at = listpackFind(arena, listpackFirst(arena, structure), from.bytes, offset, length, 1)
  if (at === 0) return false
  listpackRead(arena, listpackNext(arena, at), value)
  return true
}

/**
 * Gives a field a value, whatever the size of the hash. True when the field is new. Neither may lie
 * in this hash. An end that the field has stays if `keepsEnd`, else it goes. Throws: ARENA_FULL, with
 * nothing changed.
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
  keepsEnd: boolean,
): boolean {
  const structure = hashStructure(arena, ref)
  const encoding = entryEncoding(arena, ref)
  if (encoding === HASH_TABLE) {
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
  if (encoding !== HASH_LISTPACK) {
    return timedSet(
      arena,
      ref,
      field,
      fieldOffset,
      fieldLength,
      value,
      valueOffset,
      valueLength,
      keepsEnd,
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

/** Takes a field out. False when there is no such field. */
export function hashRemove(
  arena: Arena,
  ref: Ref,
  field: Words,
  offset: number,
  length: number,
): boolean {
  const structure = hashStructure(arena, ref)
  const encoding = entryEncoding(arena, ref)
  if (encoding === HASH_TABLE) {
    const hash = hashWords(field.words, offset >> 2, length, arena.hashSeed)
    const entry = byteMapFind(arena, structure, hash, field.words, offset, length)
    if (entry === 0) return false
    byteMapRemove(arena, structure, hash, entry)
    arena.free(entry)
    return true
  }
  if (encoding !== HASH_LISTPACK) return timedRemove(arena, ref, field, offset, length)
  const at = listpackFind(arena, listpackFirst(arena, structure), field.bytes, offset, length, 1)
  if (at === 0) return false
  setStructure(arena, ref, listpackRemove(arena, structure, at, 2))
  return true
}

/** When a field ends, 0: on no account; NO_FIELD when it is not there, or not to be seen. */
export function hashEnd(
  arena: Arena,
  ref: Ref,
  from: Words,
  offset: number,
  length: number,
): number {
  if (isTimedHash(arena, ref)) return timedEnd(arena, ref, from, offset, length)
  return hashFind(arena, ref, from, offset, length, valueElement) ? 0 : NO_FIELD
}

/** Makes a small hash a map. Throws: ARENA_FULL, with nothing changed. */
export function hashToTable(arena: Arena, ref: Ref): void {
  if (isTimedHash(arena, ref)) return timedToTable(arena, ref)
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
      hashMapAdd(arena, map, fieldElement, valueElement, 0)
    }
    done = true
  } finally {
    if (!done) freeMap(arena, map)
  }
  arena.free(pack)
  setStructure(arena, ref, map)
  setEntryEncoding(arena, ref, HASH_TABLE)
}

/** A walk over fields and values. The hash may not change meanwhile. */
export class HashCursor {
  /** The field. */
  bytes: Buffer = fieldElement.digits
  offset = 0
  length = 0
  readonly value = new ListpackElement()
  /** When the field ends, 0: on no account. */
  end = 0
  readonly #field = new ListpackElement()
  readonly #cursor = new MapCursor()
  #arena: Arena | undefined = undefined
  #at = 0
  #encoding = HASH_LISTPACK
  #showsAll = false

  /** `showsAll`: fields as well whose time is over. */
  open(arena: Arena, ref: Ref, showsAll: boolean): void {
    const structure = hashMapOrPack(arena, ref)
    this.#arena = arena
    this.#encoding = entryEncoding(arena, ref)
    this.#showsAll = showsAll
    this.end = 0
    if ((this.#encoding & HASH_TABLE) !== 0) this.#cursor.open(arena, structure)
    else this.#at = listpackFirst(arena, structure)
  }

  next(): boolean {
    const arena = this.#arena
    if (arena === undefined) return false
    if ((this.#encoding & HASH_TABLE) !== 0) return this.#nextOfMap(arena)
    return this.#nextOfPack(arena)
  }

  #nextOfMap(arena: Arena): boolean {
    let entry = this.#cursor.next()
    if (this.#encoding === HASH_TABLE_EX) {
      while (entry !== 0) {
        this.end = entryEnd(arena, entry)
        if (this.#showsAll || !isHidden(this.end)) break
        entry = this.#cursor.next()
      }
    }
    if (entry === 0) return false
    this.bytes = arena.bytes
    this.offset = entryKeyOffset(entry)
    this.length = entryKeyLength(arena, entry)
    readValue(arena, entry, this.value)
    return true
  }

  #nextOfPack(arena: Arena): boolean {
    const isTimed = this.#encoding === HASH_LISTPACK_EX
    if (isTimed) this.#passHidden(arena)
    if (this.#at === 0) return false
    const field = this.#field
    listpackRead(arena, this.#at, field)
    this.bytes = field.bytes
    this.offset = field.offset
    this.length = field.length
    let at = listpackNext(arena, this.#at)
    listpackRead(arena, at, this.value)
    if (isTimed) at = listpackNext(arena, at)
    this.#at = listpackNext(arena, at)
    return true
  }

  #passHidden(arena: Arena): void {
    while (this.#at !== 0) {
      this.end = timedPackEndAt(arena, this.#at)
      if (this.#showsAll || !isHidden(this.end)) return
      this.#at = timedPackNext(arena, this.#at)
    }
  }
}
