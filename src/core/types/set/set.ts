/**
 * The set: an intset while it holds few integers and nothing else, a byte map of members otherwise.
 * The entry holds the ref of the one or the other.
 *
 * Thread: core. Hot path.
 * Owns: both encodings, and when one becomes the other.
 * Never: goes back to the intset; leaves a set without members to anybody but its caller.
 */
import { integerHigh, integerLow } from '../../../lib/bytes/integer.ts'
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
import { entryCreateAligned } from '../../../memory/entry.ts'
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
import { isIntegerText, Member, type MemberBytes } from './member.ts'

export const SET_INTSET = 0
export const SET_TABLE = 1
/** Bytes of the value in the key's own block. */
export const SET_VALUE_SIZE = 4

const integer = new Member()
const scratch = new AlignedBytes()

/** The structure of a set without members; `count`: how many are expected. Throws: ARENA_FULL. */
export function setCreateStructure(arena: Arena, encoding: number, count: number): Ref {
  return encoding === SET_INTSET ? intsetCreate(arena) : byteMapCreate(arena, count)
}

export function setFreeStructure(arena: Arena, structure: Ref, encoding: number): void {
  if (encoding === SET_INTSET) arena.free(structure)
  else freeMembers(arena, structure)
}

/** The encoding that a new set of this member begins with. */
export function encodingFor(from: MemberBytes, offset: number, length: number): number {
  return isIntegerText(from.bytes, offset, length) ? SET_INTSET : SET_TABLE
}

export function setStructure(arena: Arena, ref: Ref): Ref {
  return arena.words[entryValueWord(arena, ref)]
}

export function setCount(arena: Arena, ref: Ref): number {
  const structure = setStructure(arena, ref)
  if (entryEncoding(arena, ref) === SET_INTSET) return intsetCount(arena, structure)
  return byteMapCount(arena, structure)
}

/** Whether the set has a member, which lies anywhere. */
export function setContains(
  arena: Arena,
  ref: Ref,
  bytes: Buffer,
  offset: number,
  length: number,
): boolean {
  scratch.set(bytes, offset, length)
  return setHas(arena, ref, scratch, 0, length)
}

/** As `setContains`, for a member that begins at a word. */
export function setHas(
  arena: Arena,
  ref: Ref,
  from: MemberBytes,
  offset: number,
  length: number,
): boolean {
  const structure = setStructure(arena, ref)
  if (entryEncoding(arena, ref) === SET_INTSET) {
    if (!isIntegerText(from.bytes, offset, length)) return false
    return intsetFind(arena, structure, integerHigh(), integerLow())
  }
  const { words } = from
  const hash = hashWords(words, offset >> 2, length, arena.hashSeed)
  return byteMapFind(arena, structure, hash, words, offset, length) !== 0
}

/**
 * Adds a member, which does not lie in this set. False when it is there already. `intsetMax`: the
 * most integers of an intset. Throws: ARENA_FULL, with nothing changed but perhaps the encoding.
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
    if (isIntegerText(from.bytes, offset, length)) {
      return addInteger(arena, ref, integerHigh(), integerLow(), intsetMax)
    }
    setToTable(arena, ref)
  }
  return mapAdd(arena, setStructure(arena, ref), from, offset, length)
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
    if (!isIntegerText(from.bytes, offset, length)) return false
    arena.words[word] = intsetRemove(arena, structure, integerHigh(), integerLow())
    return intsetChanged()
  }
  const { words } = from
  const hash = hashWords(words, offset >> 2, length, arena.hashSeed)
  const entry = byteMapFind(arena, structure, hash, words, offset, length)
  if (entry === 0) return false
  byteMapRemove(arena, structure, hash, entry)
  arena.free(entry)
  return true
}

/**
 * A map with the members of an intset, which stays, and room for `expectedCount`. Throws: ARENA_FULL,
 * having freed the map.
 */
export function mapOfIntset(arena: Arena, set: Ref, expectedCount: number): Ref {
  const count = intsetCount(arena, set)
  const map = byteMapCreate(arena, Math.max(count, expectedCount))
  let done = false
  try {
    for (let i = 0; i < count; i++) {
      intsetGet(arena, set, i)
      integer.openInteger(intsetHigh(), intsetLow())
      mapInsert(arena, map, integer)
    }
    done = true
  } finally {
    if (!done) freeMembers(arena, map)
  }
  return map
}

/** Adds to a map of members. False when the member is there. Throws: ARENA_FULL. */
export function mapAdd(
  arena: Arena,
  map: Ref,
  from: MemberBytes,
  offset: number,
  length: number,
): boolean {
  const { words } = from
  const hash = hashWords(words, offset >> 2, length, arena.hashSeed)
  if (byteMapFind(arena, map, hash, words, offset, length) !== 0) return false
  byteMapReserve(arena, map, hash)
  byteMapInsert(arena, map, hash, entryCreateAligned(arena, words, offset, length, 0))
  return true
}

/** Adds a member that is not in the map. Throws: ARENA_FULL. */
export function mapInsert(arena: Arena, map: Ref, member: Member): void {
  const hash = member.hash(arena.hashSeed)
  byteMapReserve(arena, map, hash)
  const entry = entryCreateAligned(arena, member.words, member.offset, member.length, 0)
  byteMapInsert(arena, map, hash, entry)
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
  readonly #member = new Member()
  readonly #map = new MapCursor()
  #arena: Arena | undefined = undefined
  #isTable = false
  #set: Ref = 0
  #index = 0
  #count = 0

  constructor() {
    this.bytes = this.#member.bytes
    this.words = this.#member.words
  }

  open(arena: Arena, ref: Ref): void {
    const structure = setStructure(arena, ref)
    this.#arena = arena
    this.#isTable = entryEncoding(arena, ref) === SET_TABLE
    this.#set = structure
    this.#index = 0
    this.#count = 0
    if (this.#isTable) this.#map.open(arena, structure)
    else this.#count = intsetCount(arena, structure)
  }

  next(): boolean {
    const arena = this.#arena
    if (arena === undefined) return false
    const member = this.#member
    if (this.#isTable) {
      const entry = this.#map.next()
      if (entry === 0) return false
      member.openEntry(arena, entry)
    } else {
      if (this.#index === this.#count) return false
      intsetGet(arena, this.#set, this.#index++)
      member.openInteger(intsetHigh(), intsetLow())
      member.show()
    }
    this.bytes = member.bytes
    this.words = member.words
    this.offset = member.offset
    this.length = member.length
    return true
  }
}

/** Adds to an intset, which becomes a map when it is too large then. */
function addInteger(arena: Arena, ref: Ref, high: number, low: number, intsetMax: number): boolean {
  const word = entryValueWord(arena, ref)
  const set = intsetAdd(arena, arena.words[word], high, low)
  arena.words[word] = set
  if (!intsetChanged()) return false
  if (intsetCount(arena, set) <= intsetMax) return true
  let done = false
  try {
    setToTable(arena, ref)
    done = true
  } finally {
    if (!done) arena.words[word] = intsetRemove(arena, set, high, low)
  }
  return true
}

/** Makes an intset a map. Throws: ARENA_FULL, with nothing changed. */
function setToTable(arena: Arena, ref: Ref): void {
  const set = setStructure(arena, ref)
  const map = mapOfIntset(arena, set, 0)
  arena.free(set)
  arena.words[entryValueWord(arena, ref)] = map
  setEntryEncoding(arena, ref, SET_TABLE)
}
