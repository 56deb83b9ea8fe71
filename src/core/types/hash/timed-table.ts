/**
 * The large hash whose fields may end: the map of any large hash, and a tree of the entries that have
 * an end, in the order of those. Such an entry says so in its header word and has its end, Unix
 * milliseconds, behind its value:
 *
 *     header 1 | key length | field ... | value length | value ... | end (8, low word first)
 *
 * An entry without an end is as in a map where none has one, so making one the other moves no entry.
 *
 * Thread: core. Hot path.
 * Owns: the tree, and what is behind the value.
 * Never: changes anything when it throws ARENA_FULL.
 */
import { hashWords } from '../../../lib/hash.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteMapFind, byteMapRemove, byteMapReplace } from '../../../memory/byte-map.ts'
import {
  byteTreeCount,
  byteTreeCountBelow,
  byteTreeCreate,
  byteTreeFirst,
  byteTreeInsert,
  byteTreeItemKey,
  byteTreeItemValue,
  byteTreeRemove,
  TIE_BY_VALUE,
  TreePosition,
} from '../../../memory/byte-tree.ts'
import {
  entryCreateAligned,
  entryKeyLength,
  entryKeyOffset,
  entryPayloadOffset,
  entrySize,
} from '../../../memory/entry.ts'
import { fits, HASH_LENGTH_SIZE, setInMap, type Words, writeValueBytes } from './table.ts'

/** Words of the block that holds a timed hash together. */
export const HEAD_STRUCTURE = 0
export const HEAD_TREE = 1
export const END_SIZE = 8
const HAS_END = 1
const TREE_KEY_WORDS = 2

const position = new TreePosition()

/** The end of an entry, 0 when it has none. */
export function entryEnd(arena: Arena, entry: Ref): number {
  if (arena.words[entry << 1] !== HAS_END) return 0
  const word = endWord(arena, entry)
  return arena.words[word + 1] * 0x100000000 + (arena.words[word] >>> 0)
}

/** Gives an entry that has room for it an end. */
export function writeEnd(arena: Arena, entry: Ref, end: number): void {
  const word = endWord(arena, entry)
  arena.words[word] = end | 0
  arena.words[word + 1] = Math.floor(end / 0x100000000)
  arena.words[entry << 1] = HAS_END
}

function endWord(arena: Arena, entry: Ref): number {
  const payload = entryPayloadOffset(arena, entry)
  return (payload + HASH_LENGTH_SIZE + ((arena.words[payload >> 2] + 3) & ~3)) >> 2
}

/** Puts an entry in order. Throws: ARENA_FULL, with nothing changed. */
export function timedTableList(arena: Arena, head: Ref, entry: Ref, end: number): void {
  const word = (head << 1) + HEAD_TREE
  if (arena.words[word] === 0) {
    arena.words[word] = byteTreeCreate(arena, TREE_KEY_WORDS, TIE_BY_VALUE)
  }
  byteTreeInsert(arena, arena.words[word], entry, high(end), end | 0)
}

function unlist(arena: Arena, head: Ref, entry: Ref, end: number): void {
  byteTreeRemove(arena, arena.words[(head << 1) + HEAD_TREE], entry, high(end), end | 0)
}

/** Fields that have an end. */
export function timedTableListed(arena: Arena, head: Ref): number {
  const tree = arena.words[(head << 1) + HEAD_TREE]
  return tree === 0 ? 0 : byteTreeCount(arena, tree)
}

/** The first end of all, 0 when no field has one. */
export function timedTableFirstEnd(arena: Arena, head: Ref): number {
  const tree = arena.words[(head << 1) + HEAD_TREE]
  if (tree === 0 || !byteTreeFirst(arena, tree, position)) return 0
  const low = byteTreeItemKey(arena, tree, position, 1)
  return byteTreeItemKey(arena, tree, position, 0) * 0x100000000 + (low >>> 0)
}

/** The entry that ends first; there is one. */
export function timedTableFirst(arena: Arena, head: Ref): Ref {
  const tree = arena.words[(head << 1) + HEAD_TREE]
  byteTreeFirst(arena, tree, position)
  return byteTreeItemValue(arena, tree, position)
}

/** How many fields end before a moment. */
export function timedTableCountBefore(arena: Arena, head: Ref, ms: number): number {
  const tree = arena.words[(head << 1) + HEAD_TREE]
  return tree === 0 ? 0 : byteTreeCountBelow(arena, tree, high(ms), ms | 0)
}

/** The entry of a field, 0 when there is none. */
export function timedTableFind(
  arena: Arena,
  head: Ref,
  from: Words,
  offset: number,
  length: number,
): Ref {
  const map = arena.words[head << 1]
  const hash = hashWords(from.words, offset >> 2, length, arena.hashSeed)
  return byteMapFind(arena, map, hash, from.words, offset, length)
}

/**
 * Gives a field a value; an end that it has stays if `keeps`, else it goes. True when the field is
 * new. Neither may lie in this hash. Throws: ARENA_FULL.
 */
export function timedTableSet(
  arena: Arena,
  head: Ref,
  field: Words,
  fieldOffset: number,
  fieldLength: number,
  value: Words,
  valueOffset: number,
  valueLength: number,
  keeps: boolean,
): boolean {
  const map = arena.words[head << 1]
  const hash = hashWords(field.words, fieldOffset >> 2, fieldLength, arena.hashSeed)
  const entry = byteMapFind(arena, map, hash, field.words, fieldOffset, fieldLength)
  const end = entry === 0 ? 0 : entryEnd(arena, entry)
  if (end === 0) {
    return setInMap(
      arena,
      map,
      hash,
      field,
      fieldOffset,
      fieldLength,
      value,
      valueOffset,
      valueLength,
    )
  }
  const size = HASH_LENGTH_SIZE + (keeps ? ((valueLength + 3) & ~3) + END_SIZE : valueLength)
  let made = entry
  if (!fits(arena, entry, fieldLength, size)) {
    made = entryCreateAligned(arena, field.words, fieldOffset, fieldLength, size)
    if (keeps) listOrFree(arena, head, made, end)
  }
  writeValueBytes(arena, entryPayloadOffset(arena, made), value, valueOffset, valueLength)
  if (made !== entry || !keeps) unlist(arena, head, entry, end)
  arena.words[made << 1] = 0
  if (keeps) writeEnd(arena, made, end)
  if (made !== entry) {
    byteMapReplace(arena, map, hash, entry, made)
    arena.free(entry)
  }
  return false
}

/** Gives an entry an end, or another one, or none: 0. Its ref may change. Throws: ARENA_FULL. */
export function timedTableSetEnd(arena: Arena, head: Ref, entry: Ref, end: number): void {
  const before = entryEnd(arena, entry)
  if (before === end) return
  if (before !== 0 && end === 0) {
    unlist(arena, head, entry, before)
    arena.words[entry << 1] = 0
    return
  }
  const made = before === 0 ? withRoom(arena, entry) : entry
  if (made !== entry) listOrFree(arena, head, made, end)
  else timedTableList(arena, head, entry, end)
  if (before !== 0) unlist(arena, head, entry, before)
  writeEnd(arena, made, end)
  if (made === entry) return
  const hash = hashOf(arena, made)
  byteMapReplace(arena, arena.words[head << 1], hash, entry, made)
  arena.free(entry)
}

/** The entry, if there is room for an end behind its value, else a copy that has it. */
function withRoom(arena: Arena, entry: Ref): Ref {
  const payload = entryPayloadOffset(arena, entry)
  const valueSize = HASH_LENGTH_SIZE + ((arena.words[payload >> 2] + 3) & ~3)
  const length = entryKeyLength(arena, entry)
  const size = valueSize + END_SIZE
  if (entrySize(length, size) <= arena.blockSizeBytes(entry)) return entry
  const made = entryCreateAligned(arena, arena.words, entryKeyOffset(entry), length, size)
  arena.bytes.copy(arena.bytes, entryPayloadOffset(arena, made), payload, payload + valueSize)
  return made
}

function listOrFree(arena: Arena, head: Ref, made: Ref, end: number): void {
  let done = false
  try {
    timedTableList(arena, head, made, end)
    done = true
  } finally {
    if (!done) arena.free(made)
  }
}

/** Takes an entry out and frees it. */
export function timedTableRemove(arena: Arena, head: Ref, entry: Ref): void {
  const end = entryEnd(arena, entry)
  if (end !== 0) unlist(arena, head, entry, end)
  byteMapRemove(arena, arena.words[head << 1], hashOf(arena, entry), entry)
  arena.free(entry)
}

function hashOf(arena: Arena, entry: Ref): number {
  const length = entryKeyLength(arena, entry)
  return hashWords(arena.words, entryKeyOffset(entry) >> 2, length, arena.hashSeed)
}

function high(ms: number): number {
  return Math.floor(ms / 0x100000000)
}
