/**
 * The set: an intset while it holds few integers and nothing else, a byte map of members otherwise.
 *
 * Thread: core. Hot path.
 * Owns: both encodings, and when one becomes the other.
 * Never: goes back to the intset; leaves a set without members to anybody but its caller.
 */
import {
  INTEGER_OK,
  integerHigh,
  integerLow,
  parseInteger,
  writeInteger64,
} from '../../../lib/bytes/integer.ts'
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
  byteMapReserve,
} from '../../../memory/byte-map.ts'
import { entryCreateAligned, entryKeyLength, entryKeyOffset } from '../../../memory/entry.ts'
import {
  intsetAdd,
  intsetChanged,
  intsetCount,
  intsetCreate,
  intsetFind,
  intsetGet,
  intsetHigh,
  intsetLow,
  intsetRemove,
} from '../../../memory/intset.ts'
import { MapCursor } from '../../../memory/map-cursor.ts'
import { entryEncoding, entryValueWord, setEntryEncoding } from '../../keyspace/entry.ts'

export const SET_INTSET = 0
export const SET_TABLE = 1
export const SET_VALUE_SIZE = 4
/** More digits than any integer of 64 bits has. */
const DIGITS_MAX = 20
const ENTRIES_MAX = 1 << 30

/** Where a member lies; its offset is a multiple of 4. */
export interface MemberBytes {
  bytes: Buffer
  words: Int32Array
}

const digits = Buffer.alloc(DIGITS_MAX + 1)
const member = new AlignedBytes()

/** The structure of an empty set. Throws: ARENA_FULL. */
export function setCreateStructure(arena: Arena, encoding: number): Ref {
  return encoding === SET_INTSET ? intsetCreate(arena) : byteMapCreate(arena)
}

/** The encoding that a new set of this member begins with. */
export function encodingFor(from: MemberBytes, offset: number, length: number): number {
  return isInteger(from, offset, length) ? SET_INTSET : SET_TABLE
}

export function setStructure(arena: Arena, ref: Ref): Ref {
  return arena.words[entryValueWord(arena, ref)]
}

export function setCount(arena: Arena, ref: Ref): number {
  const structure = setStructure(arena, ref)
  if (entryEncoding(arena, ref) === SET_INTSET) return intsetCount(arena, structure)
  return byteMapCount(arena, structure)
}

export function setContains(
  arena: Arena,
  ref: Ref,
  from: MemberBytes,
  offset: number,
  length: number,
): boolean {
  const structure = setStructure(arena, ref)
  if (entryEncoding(arena, ref) === SET_INTSET) {
    return (
      isInteger(from, offset, length) && intsetFind(arena, structure, integerHigh(), integerLow())
    )
  }
  const hash = hashWords(from.words, offset >> 2, length, arena.hashSeed)
  return byteMapFind(arena, structure, hash, from.words, offset, length) !== 0
}

/**
 * Adds a member that may not lie in this set. False when it is there already. `intsetMax`: the
 * largest intset. Throws: ARENA_FULL, with nothing changed but perhaps the encoding.
 */
export function setAdd(
  arena: Arena,
  ref: Ref,
  from: MemberBytes,
  offset: number,
  length: number,
  intsetMax: number,
): boolean {
  if (entryEncoding(arena, ref) === SET_INTSET) {
    const word = entryValueWord(arena, ref)
    const set = arena.words[word]
    if (isInteger(from, offset, length)) {
      arena.words[word] = intsetAdd(arena, set, integerHigh(), integerLow())
      if (!intsetChanged()) return false
      if (intsetCount(arena, arena.words[word]) > Math.min(intsetMax, ENTRIES_MAX)) {
        setToTable(arena, ref)
      }
      return true
    }
    setToTable(arena, ref)
  }
  return addToMap(arena, setStructure(arena, ref), from, offset, length)
}

/** Takes a member out. False when it is not there. */
export function setRemove(
  arena: Arena,
  ref: Ref,
  from: MemberBytes,
  offset: number,
  length: number,
): boolean {
  const word = entryValueWord(arena, ref)
  const structure = arena.words[word]
  if (entryEncoding(arena, ref) === SET_INTSET) {
    if (!isInteger(from, offset, length)) return false
    arena.words[word] = intsetRemove(arena, structure, integerHigh(), integerLow())
    return intsetChanged()
  }
  const hash = hashWords(from.words, offset >> 2, length, arena.hashSeed)
  const entry = byteMapFind(arena, structure, hash, from.words, offset, length)
  if (entry === 0) return false
  byteMapRemove(arena, structure, hash, entry)
  arena.free(entry)
  return true
}

/** Makes an intset a map. Throws: ARENA_FULL, with nothing changed. */
export function setToTable(arena: Arena, ref: Ref): void {
  const set = setStructure(arena, ref)
  const map = byteMapCreate(arena)
  const count = intsetCount(arena, set)
  let done = false
  try {
    for (let i = 0; i < count; i++) {
      intsetGet(arena, set, i)
      member.set(digits, 0, writeInteger64(digits, 0, intsetHigh(), intsetLow()))
      addToMap(arena, map, member, 0, member.length)
    }
    done = true
  } finally {
    if (!done) freeMembers(arena, map)
  }
  arena.free(set)
  arena.words[entryValueWord(arena, ref)] = map
  setEntryEncoding(arena, ref, SET_TABLE)
}

/** Adds to a map of members. False when the member is there. Throws: ARENA_FULL. */
export function addToMap(
  arena: Arena,
  map: Ref,
  from: MemberBytes,
  offset: number,
  length: number,
): boolean {
  const hash = hashWords(from.words, offset >> 2, length, arena.hashSeed)
  if (byteMapFind(arena, map, hash, from.words, offset, length) !== 0) return false
  byteMapReserve(arena, map, hash)
  byteMapInsert(arena, map, hash, entryCreateAligned(arena, from.words, offset, length, 0))
  return true
}

/** Frees a map with its members. */
// alloc: once for a whole set
export function freeMembers(arena: Arena, map: Ref): void {
  byteMapForEach(arena, map, (entry) => {
    arena.free(entry)
  })
  byteMapFree(arena, map)
}

/** A walk over the members. The set may not change meanwhile. */
export class SetCursor {
  bytes: Buffer
  words: Int32Array
  /** A multiple of 4. */
  offset = 0
  length = 0
  /** The member's entry in a map; 0 in an intset. */
  entry: Ref = 0
  readonly #cursor = new MapCursor()
  readonly #text = new AlignedBytes()
  #arena: Arena | undefined = undefined
  #set: Ref = 0
  #index = 0
  #count = 0
  #isTable = false

  constructor() {
    this.bytes = this.#text.bytes
    this.words = this.#text.words
  }

  open(arena: Arena, ref: Ref): void {
    const structure = setStructure(arena, ref)
    this.#arena = arena
    this.#isTable = entryEncoding(arena, ref) === SET_TABLE
    this.#set = structure
    this.#index = 0
    this.#count = this.#isTable ? 0 : intsetCount(arena, structure)
    this.entry = 0
    if (this.#isTable) this.#cursor.open(arena, structure)
  }

  next(): boolean {
    const arena = this.#arena
    if (arena === undefined) return false
    if (this.#isTable) {
      const entry = this.#cursor.next()
      if (entry === 0) return false
      this.openEntry(arena, entry)
      return true
    }
    if (this.#index === this.#count) return false
    this.openInteger(arena, this.#set, this.#index++)
    return true
  }

  /** Shows the member of an entry of a map. */
  openEntry(arena: Arena, entry: Ref): void {
    this.entry = entry
    this.bytes = arena.bytes
    this.words = arena.words
    this.offset = entryKeyOffset(entry)
    this.length = entryKeyLength(arena, entry)
  }

  /** Shows a member of an intset. */
  openInteger(arena: Arena, set: Ref, index: number): void {
    intsetGet(arena, set, index)
    const length = writeInteger64(digits, 0, intsetHigh(), intsetLow())
    this.#text.set(digits, 0, length)
    this.bytes = this.#text.bytes
    this.words = this.#text.words
    this.offset = 0
    this.length = length
  }
}

function isInteger(from: MemberBytes, offset: number, length: number): boolean {
  return length <= DIGITS_MAX && parseInteger(from.bytes, offset, offset + length) === INTEGER_OK
}
