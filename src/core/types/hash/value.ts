/**
 * What the hash offers to those who hold a key without knowing what it holds.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: is on the way of a command for one field.
 */
import { hashWords } from '../../../lib/hash.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteMapCreate,
  byteMapForEach,
  byteMapFree,
  byteMapInsert,
  byteMapMemoryBytes,
  byteMapReserve,
  byteMapVisit,
} from '../../../memory/byte-map.ts'
import { byteTreeFree, byteTreeMemoryBytes, byteTreeVisit } from '../../../memory/byte-tree.ts'
import type { VisitBlock } from '../../../memory/check.ts'
import {
  entryCreateAligned,
  entryKeyLength,
  entryKeyOffset,
  entryPayloadOffset,
} from '../../../memory/entry.ts'
import { ListpackElement, listpackCopy } from '../../../memory/listpack.ts'
import { MapCursor } from '../../../memory/map-cursor.ts'
import { entryEncoding, entryValueWord, TYPE_HASH } from '../../keyspace/entry.ts'
import type { DigestSink, TimedElements, ValueType } from '../../keyspace/value.ts'
import {
  HASH_VALUE_SIZE,
  HashCursor,
  hashCount,
  hashMapOrPack,
  hashStructure,
  isHashTable,
  isTimedHash,
} from './hash.ts'
import { freeMap, HASH_LENGTH_SIZE, readValue } from './table.ts'
import {
  HASH_LISTPACK_EX,
  headCreate,
  headFree,
  hideBefore,
  setTimedListed,
  settleTimed,
  timedCount,
  timedExpire,
  timedFirstEnd,
  timedHead,
  timedListed,
} from './timed.ts'
import { END_SIZE, entryEnd, HEAD_TREE, timedTableList, writeEnd } from './timed-table.ts'

const EXPIRES = Buffer.from('!!hexpire!!')

const valueElement = new ListpackElement()
const walk = new HashCursor()

const timedFields: TimedElements = {
  removal: Buffer.from('HDEL'),
  expiredEvent: 'hexpired',
  hideBefore,
  firstEnd(arena, ref) {
    return timedFirstEnd(arena, ref) || Number.POSITIVE_INFINITY
  },
  listed: timedListed,
  setListed: setTimedListed,
  count: timedCount,
  expire: timedExpire,
  settle: settleTimed,
}

export const hashValue: ValueType = {
  name: 'hash',
  elements: timedFields,

  freeEffort(arena, ref) {
    return isHashTable(arena, ref) ? hashCount(arena, ref) : 1
  },

  elementMap(arena, ref) {
    return isHashTable(arena, ref) ? hashMapOrPack(arena, ref) : 0
  },

  freeWithoutElements(arena, ref) {
    byteMapFree(arena, hashMapOrPack(arena, ref))
    if (isTimedHash(arena, ref)) freeHead(arena, timedHead(arena, ref))
  },

  encodingName(arena, ref) {
    if (isHashTable(arena, ref)) return 'hashtable'
    return entryEncoding(arena, ref) === HASH_LISTPACK_EX ? 'listpackex' : 'listpack'
  },

  free(arena, ref) {
    freeStructure(
      arena,
      hashStructure(arena, ref),
      isHashTable(arena, ref),
      isTimedHash(arena, ref),
    )
  },

  valueSize() {
    return HASH_VALUE_SIZE
  },

  memoryBytes(arena, ref) {
    let bytes = 0
    if (isTimedHash(arena, ref)) {
      const head = timedHead(arena, ref)
      const tree = arena.words[(head << 1) + HEAD_TREE]
      bytes += arena.blockSizeBytes(head)
      if (tree !== 0) bytes += byteTreeMemoryBytes(arena, tree)
    }
    const structure = hashMapOrPack(arena, ref)
    if (!isHashTable(arena, ref)) return bytes + arena.blockSizeBytes(structure)
    bytes += byteMapMemoryBytes(arena, structure)
    byteMapForEach(arena, structure, (entry) => {
      bytes += arena.blockSizeBytes(entry)
    })
    return bytes
  },

  visit(arena, ref, visit) {
    if (isTimedHash(arena, ref)) visitHead(arena, timedHead(arena, ref), visit)
    const structure = hashMapOrPack(arena, ref)
    if (!isHashTable(arena, ref)) return visit(structure)
    byteMapVisit(arena, structure, visit)
    byteMapForEach(arena, structure, visit)
  },

  copyTo(arena, from, toArena, target) {
    const isMap = isHashTable(arena, from)
    const isTimed = isTimedHash(arena, from)
    const copy = isTimed
      ? copyTimed(arena, from, toArena)
      : copyStructure(arena, hashStructure(arena, from), toArena, isMap, 0)
    let to = 0
    try {
      to = target.create(TYPE_HASH, entryEncoding(arena, from), HASH_VALUE_SIZE)
    } finally {
      if (to === 0) freeStructure(toArena, copy, isMap, isTimed)
    }
    toArena.words[entryValueWord(toArena, to)] = copy
  },

  digest(arena, ref, sink: DigestSink) {
    walk.open(arena, ref, true)
    while (walk.next()) {
      const { bytes, offset, length, value } = walk
      const field = bytes.subarray(offset, offset + length)
      const text = value.bytes.subarray(value.offset, value.offset + value.length)
      if (walk.end === 0) sink.unordered(field, text)
      else sink.marked(EXPIRES, field, text)
    }
  },
}

function visitHead(arena: Arena, head: Ref, visit: VisitBlock): void {
  const tree = arena.words[(head << 1) + HEAD_TREE]
  visit(head)
  if (tree !== 0) byteTreeVisit(arena, tree, visit)
}

/** Frees the block of a timed hash, and the order of its fields, which nobody looks into any more. */
function freeHead(arena: Arena, head: Ref): void {
  const tree = arena.words[(head << 1) + HEAD_TREE]
  if (tree !== 0) byteTreeFree(arena, tree)
  arena.free(head)
}

function freeStructure(arena: Arena, structure: Ref, isMap: boolean, isTimed: boolean): void {
  if (isTimed) headFree(arena, structure, isMap)
  else if (isMap) freeMap(arena, structure)
  else arena.free(structure)
}

/** A copy of the block of a timed hash and all that it holds, in no order. Throws: ARENA_FULL. */
function copyTimed(arena: Arena, from: Ref, toArena: Arena): Ref {
  const head = headCreate(toArena, 0)
  let done = false
  try {
    const structure = hashMapOrPack(arena, from)
    const isMap = isHashTable(arena, from)
    toArena.words[head << 1] = copyStructure(arena, structure, toArena, isMap, head)
    done = true
  } finally {
    if (!done) {
      const tree = toArena.words[(head << 1) + HEAD_TREE]
      if (tree !== 0) byteTreeFree(toArena, tree)
      toArena.free(head)
    }
  }
  return head
}

function copyStructure(
  arena: Arena,
  structure: Ref,
  toArena: Arena,
  isMap: boolean,
  head: Ref,
): Ref {
  if (isMap) return copyMap(arena, structure, toArena, head)
  return listpackCopy(arena, structure, toArena)
}

/**
 * A copy of a map and its entries, which hold nothing but themselves. `head`: who lists those that
 * end, 0 when none does. Throws: ARENA_FULL.
 */
function copyMap(arena: Arena, map: Ref, toArena: Arena, head: Ref): Ref {
  const copy = byteMapCreate(toArena)
  const cursor = new MapCursor()
  let done = false
  try {
    cursor.open(arena, map)
    for (let entry = cursor.next(); entry !== 0; entry = cursor.next()) {
      const length = entryKeyLength(arena, entry)
      const from = entryKeyOffset(entry)
      const hash = hashWords(arena.words, from >> 2, length, toArena.hashSeed)
      byteMapReserve(toArena, copy, hash)
      readValue(arena, entry, valueElement)
      const end = head === 0 ? 0 : entryEnd(arena, entry)
      const size = HASH_LENGTH_SIZE + valueElement.length
      const room = end === 0 ? size : ((size + 3) & ~3) + END_SIZE
      const made = entryCreateAligned(toArena, arena.words, from, length, room)
      const payload = entryPayloadOffset(arena, entry)
      arena.bytes.copy(toArena.bytes, entryPayloadOffset(toArena, made), payload, payload + size)
      byteMapInsert(toArena, copy, hash, made)
      if (end === 0) continue
      timedTableList(toArena, head, made, end)
      writeEnd(toArena, made, end)
    }
    done = true
  } finally {
    if (!done) freeMap(toArena, copy)
  }
  return copy
}
