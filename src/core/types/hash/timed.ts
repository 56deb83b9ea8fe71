/**
 * The hash whose fields may end on their own, of either size. Its entry holds the ref of a block:
 *
 *     listpack or map | tree, 0: none | listed, two words, low first; -1: not listed
 *
 * `listed` is the moment under which the key stands in the database's order of such keys. A hash
 * without such fields has none of this.
 *
 * A field whose end has passed but which is still there is hidden: whoever looks for it does not find
 * it. Where the present is, `hideBefore` says.
 *
 * Thread: core. Hot path.
 * Owns: the block; what is hidden.
 * Never: removes a field on its own account.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteMapCount, byteMapCreate } from '../../../memory/byte-map.ts'
import { byteTreeFree } from '../../../memory/byte-tree.ts'
import { entryKeyLength, entryKeyOffset } from '../../../memory/entry.ts'
import {
  ListpackElement,
  listpackFirst,
  listpackNext,
  listpackRead,
  listpackRemove,
} from '../../../memory/listpack.ts'
import { NO_DEADLINE } from '../../keyspace/db.ts'
import {
  entryEncoding,
  entryValueWord,
  setEntryEncoding,
  TIMED_ENCODING,
} from '../../keyspace/entry.ts'
import type { SeeElement } from '../../keyspace/value.ts'
import { freeMap, hashMapAdd, readValue, type Words } from './table.ts'
import {
  TIMED_STRIDE,
  timedPackAppend,
  timedPackCount,
  timedPackCountBefore,
  timedPackEndAt,
  timedPackFind,
  timedPackFirstEnd,
  timedPackNext,
  timedPackOf,
  timedPackRemove,
  timedPackSetEnd,
  timedPackSetValue,
} from './timed-pack.ts'
import {
  END_SIZE,
  entryEnd,
  HEAD_STRUCTURE,
  HEAD_TREE,
  timedTableCountBefore,
  timedTableFind,
  timedTableFirst,
  timedTableFirstEnd,
  timedTableList,
  timedTableListed,
  timedTableRemove,
  timedTableSet,
  timedTableSetEnd,
  writeEnd,
} from './timed-table.ts'

export const HASH_LISTPACK = 0
export const HASH_TABLE = 1
export const HASH_LISTPACK_EX = TIMED_ENCODING | HASH_LISTPACK
export const HASH_TABLE_EX = TIMED_ENCODING | HASH_TABLE

const HEAD_LISTED_LOW = 2
const HEAD_LISTED_HIGH = 3
const HEAD_SIZE = 16
const NOT_LISTED = -1

/** What `timedEnd` says of a field that is not there. */
export const NO_FIELD = -2

const fieldElement = new ListpackElement()
const valueElement = new ListpackElement()
let hiddenBeforeMs = 0
let foundHidden = false

/** Fields that end before this moment are not to be seen. */
export function hideBefore(ms: number): void {
  hiddenBeforeMs = ms
}

/** True when the field that was not found is there, but its time is over. */
export function foundIsHidden(): boolean {
  return foundHidden
}

/** True for the end of a field that is not to be seen. */
export function isHidden(end: number): boolean {
  return end !== 0 && end < hiddenBeforeMs
}

/** The block of a timed hash. */
export function timedHead(arena: Arena, ref: Ref): Ref {
  return arena.words[entryValueWord(arena, ref)]
}

/** The listpack or map of a timed hash. */
export function timedStructure(arena: Arena, ref: Ref): Ref {
  return arena.words[(timedHead(arena, ref) << 1) + HEAD_STRUCTURE]
}

function isTable(arena: Arena, ref: Ref): boolean {
  return entryEncoding(arena, ref) === HASH_TABLE_EX
}

/** A block that holds this structure. Throws: ARENA_FULL. */
export function headCreate(arena: Arena, structure: Ref): Ref {
  const head = arena.allocate(HEAD_SIZE)
  const word = head << 1
  arena.words[word + HEAD_STRUCTURE] = structure
  arena.words[word + HEAD_TREE] = 0
  arena.words[word + HEAD_LISTED_LOW] = 0
  arena.words[word + HEAD_LISTED_HIGH] = NOT_LISTED
  return head
}

/** Frees a block with all that it holds. */
export function headFree(arena: Arena, head: Ref, isMap: boolean): void {
  const word = head << 1
  if (isMap) freeMap(arena, arena.words[word + HEAD_STRUCTURE])
  else arena.free(arena.words[word + HEAD_STRUCTURE])
  if (arena.words[word + HEAD_TREE] !== 0) byteTreeFree(arena, arena.words[word + HEAD_TREE])
  arena.free(head)
}

/** NO_DEADLINE when the key is not in the order. */
export function timedListed(arena: Arena, ref: Ref): number {
  const word = timedHead(arena, ref) << 1
  const high = arena.words[word + HEAD_LISTED_HIGH]
  if (high === NOT_LISTED) return NO_DEADLINE
  return high * 0x100000000 + (arena.words[word + HEAD_LISTED_LOW] >>> 0)
}

export function setTimedListed(arena: Arena, ref: Ref, ms: number): void {
  const word = timedHead(arena, ref) << 1
  arena.words[word + HEAD_LISTED_LOW] = ms | 0
  arena.words[word + HEAD_LISTED_HIGH] = Math.floor(ms / 0x100000000)
}

/** The end of the field that goes first, 0 when none has one. */
export function timedFirstEnd(arena: Arena, ref: Ref): number {
  const head = timedHead(arena, ref)
  if (isTable(arena, ref)) return timedTableFirstEnd(arena, head)
  return timedPackFirstEnd(arena, arena.words[head << 1])
}

/** Fields, those that are hidden included. */
export function timedCount(arena: Arena, ref: Ref): number {
  const structure = timedStructure(arena, ref)
  return isTable(arena, ref) ? byteMapCount(arena, structure) : timedPackCount(arena, structure)
}

export function timedHiddenCount(arena: Arena, ref: Ref): number {
  const head = timedHead(arena, ref)
  if (isTable(arena, ref)) return timedTableCountBefore(arena, head, hiddenBeforeMs)
  return timedPackCountBefore(arena, arena.words[head << 1], hiddenBeforeMs)
}

/** As `hashFind`. */
export function timedFind(
  arena: Arena,
  ref: Ref,
  from: Words,
  offset: number,
  length: number,
  value: ListpackElement,
): boolean {
  const head = timedHead(arena, ref)
  foundHidden = false
  if (isTable(arena, ref)) {
    const entry = timedTableFind(arena, head, from, offset, length)
    if (entry === 0) return false
    foundHidden = isHidden(entryEnd(arena, entry))
    readValue(arena, entry, value)
  } else {
    const at = timedPackFind(arena, arena.words[head << 1], from.bytes, offset, length)
    if (at === 0) return false
    foundHidden = isHidden(timedPackEndAt(arena, at))
    listpackRead(arena, listpackNext(arena, at), value)
  }
  return !foundHidden
}

/** The end of a field, 0 when it has none; NO_FIELD when it is not there or hidden. */
export function timedEnd(
  arena: Arena,
  ref: Ref,
  from: Words,
  offset: number,
  length: number,
): number {
  const head = timedHead(arena, ref)
  let end = NO_FIELD
  if (isTable(arena, ref)) {
    const entry = timedTableFind(arena, head, from, offset, length)
    if (entry !== 0) end = entryEnd(arena, entry)
  } else {
    const at = timedPackFind(arena, arena.words[head << 1], from.bytes, offset, length)
    if (at !== 0) end = timedPackEndAt(arena, at)
  }
  foundHidden = end > 0 && isHidden(end)
  return foundHidden ? NO_FIELD : end
}

/** As `hashSet`; an end that the field has stays if `keeps`, else it goes. Throws: ARENA_FULL. */
export function timedSet(
  arena: Arena,
  ref: Ref,
  field: Words,
  fieldOffset: number,
  fieldLength: number,
  value: Words,
  valueOffset: number,
  valueLength: number,
  keeps: boolean,
): boolean {
  const head = timedHead(arena, ref)
  if (isTable(arena, ref)) {
    return timedTableSet(
      arena,
      head,
      field,
      fieldOffset,
      fieldLength,
      value,
      valueOffset,
      valueLength,
      keeps,
    )
  }
  const word = (head << 1) + HEAD_STRUCTURE
  const pack = arena.words[word]
  const at = timedPackFind(arena, pack, field.bytes, fieldOffset, fieldLength)
  if (at !== 0 && (keeps || timedPackEndAt(arena, at) === 0)) {
    const { bytes } = value
    arena.words[word] = timedPackSetValue(arena, pack, at, bytes, valueOffset, valueLength)
    return false
  }
  const start = at - (pack << 3)
  const grown = timedPackAppend(
    arena,
    pack,
    field.bytes,
    fieldOffset,
    fieldLength,
    value.bytes,
    valueOffset,
    valueLength,
  )
  arena.words[word] = grown
  if (at === 0) return true
  // The field without an end is behind all others: the old one goes.
  arena.words[word] = timedPackRemove(arena, grown, (grown << 3) + start)
  return false
}

/** Gives a field that is there another end, or none: 0. Throws: ARENA_FULL. */
export function timedSetEnd(
  arena: Arena,
  ref: Ref,
  from: Words,
  offset: number,
  length: number,
  end: number,
): void {
  const head = timedHead(arena, ref)
  if (isTable(arena, ref)) {
    const entry = timedTableFind(arena, head, from, offset, length)
    return timedTableSetEnd(arena, head, entry, end)
  }
  const word = (head << 1) + HEAD_STRUCTURE
  const pack = arena.words[word]
  const at = timedPackFind(arena, pack, from.bytes, offset, length)
  if (timedPackEndAt(arena, at) === end) return
  arena.words[word] = timedPackSetEnd(arena, pack, at, end)
}

/** As `hashRemove`. */
export function timedRemove(
  arena: Arena,
  ref: Ref,
  from: Words,
  offset: number,
  length: number,
): boolean {
  const head = timedHead(arena, ref)
  if (isTable(arena, ref)) {
    const entry = timedTableFind(arena, head, from, offset, length)
    if (entry === 0) return false
    timedTableRemove(arena, head, entry)
    return true
  }
  const word = (head << 1) + HEAD_STRUCTURE
  const pack = arena.words[word]
  const at = timedPackFind(arena, pack, from.bytes, offset, length)
  if (at === 0) return false
  arena.words[word] = timedPackRemove(arena, pack, at)
  return true
}

/**
 * Takes out fields that end before a moment, the first ones first, up to `limit`; `see` is shown each
 * before. Gives how many.
 */
export function timedExpire(
  arena: Arena,
  ref: Ref,
  ms: number,
  limit: number,
  see: SeeElement | undefined,
): number {
  const head = timedHead(arena, ref)
  if (isTable(arena, ref)) return expireInTable(arena, head, ms, limit, see)
  const word = (head << 1) + HEAD_STRUCTURE
  const pack = arena.words[word]
  const count = Math.min(timedPackCountBefore(arena, pack, ms), limit)
  if (count === 0) return 0
  const first = listpackFirst(arena, pack)
  if (see !== undefined) {
    let at = first
    for (let i = 0; i < count; i++) {
      listpackRead(arena, at, fieldElement)
      see(fieldElement.bytes, fieldElement.offset, fieldElement.length)
      at = timedPackNext(arena, at)
    }
  }
  arena.words[word] = listpackRemove(arena, pack, first, count * TIMED_STRIDE)
  return count
}

function expireInTable(
  arena: Arena,
  head: Ref,
  ms: number,
  limit: number,
  see: SeeElement | undefined,
): number {
  let count = 0
  while (count < limit) {
    const end = timedTableFirstEnd(arena, head)
    if (end === 0 || end >= ms) break
    const entry = timedTableFirst(arena, head)
    if (see !== undefined) see(arena.bytes, entryKeyOffset(entry), entryKeyLength(arena, entry))
    timedTableRemove(arena, head, entry)
    count++
  }
  return count
}

/** Makes a hash one whose fields may end. Throws: ARENA_FULL, with nothing changed. */
export function toTimed(arena: Arena, ref: Ref): void {
  const word = entryValueWord(arena, ref)
  const structure = arena.words[word]
  const isMap = entryEncoding(arena, ref) === HASH_TABLE
  const made = isMap ? structure : timedPackOf(arena, structure)
  let head = 0
  try {
    head = headCreate(arena, made)
  } finally {
    if (head === 0 && !isMap) arena.free(made)
  }
  if (!isMap) arena.free(structure)
  arena.words[word] = head
  setEntryEncoding(arena, ref, isMap ? HASH_TABLE_EX : HASH_LISTPACK_EX)
}

/**
 * Makes a large hash of which no field ends any more a plain one again; the key is in no order.
 * QUIRK: a small one stays what it is, as OBJECT ENCODING shows.
 */
export function settleTimed(arena: Arena, ref: Ref): void {
  if (!isTable(arena, ref)) return
  const head = timedHead(arena, ref)
  if (timedTableListed(arena, head) > 0) return
  const tree = arena.words[(head << 1) + HEAD_TREE]
  if (tree !== 0) byteTreeFree(arena, tree)
  arena.words[entryValueWord(arena, ref)] = arena.words[(head << 1) + HEAD_STRUCTURE]
  arena.free(head)
  setEntryEncoding(arena, ref, HASH_TABLE)
}

/** Makes a small timed hash a large one. Throws: ARENA_FULL, with nothing changed. */
export function timedToTable(arena: Arena, ref: Ref): void {
  const head = timedHead(arena, ref)
  const word = (head << 1) + HEAD_STRUCTURE
  const pack = arena.words[word]
  const map = byteMapCreate(arena)
  let done = false
  try {
    for (let at = listpackFirst(arena, pack); at !== 0; at = timedPackNext(arena, at)) {
      listpackRead(arena, at, fieldElement)
      listpackRead(arena, listpackNext(arena, at), valueElement)
      timedMapAdd(arena, head, map, fieldElement, valueElement, timedPackEndAt(arena, at))
    }
    done = true
  } finally {
    if (!done) freeUnfinished(arena, head, map)
  }
  arena.words[word] = map
  arena.free(pack)
  setEntryEncoding(arena, ref, HASH_TABLE_EX)
}

/** The map that could not be finished, and the order of it. */
function freeUnfinished(arena: Arena, head: Ref, map: Ref): void {
  const word = (head << 1) + HEAD_TREE
  freeMap(arena, map)
  if (arena.words[word] !== 0) byteTreeFree(arena, arena.words[word])
  arena.words[word] = 0
}

/** As `hashMapAdd`, with an end; 0: none. False when the field is there. Throws: ARENA_FULL. */
export function timedMapAdd(
  arena: Arena,
  head: Ref,
  map: Ref,
  field: ListpackElement,
  value: ListpackElement,
  end: number,
): boolean {
  const entry = hashMapAdd(arena, map, field, value, end === 0 ? 0 : END_SIZE)
  if (entry === 0 || end === 0) return entry !== 0
  timedTableList(arena, head, entry, end)
  writeEnd(arena, entry, end)
  return true
}
