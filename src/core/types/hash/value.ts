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
  byteMapInsert,
  byteMapMemoryBytes,
  byteMapReserve,
  byteMapVisit,
} from '../../../memory/byte-map.ts'
import {
  entryCreateAligned,
  entryKeyLength,
  entryKeyOffset,
  entryPayloadOffset,
} from '../../../memory/entry.ts'
import { ListpackElement, listpackCopy } from '../../../memory/listpack.ts'
import { MapCursor } from '../../../memory/map-cursor.ts'
import { entryEncoding, entryValueWord, TYPE_HASH } from '../../keyspace/entry.ts'
import type { DigestSink, ValueType } from '../../keyspace/value.ts'
import {
  freeMap,
  HASH_LENGTH_SIZE,
  HASH_LISTPACK,
  HASH_TABLE,
  HASH_VALUE_SIZE,
  HashCursor,
  hashStructure,
  readValue,
} from './hash.ts'

const valueElement = new ListpackElement()
const walk = new HashCursor()

export const hashValue: ValueType = {
  name: 'hash',

  encodingName(arena, ref) {
    return entryEncoding(arena, ref) === HASH_TABLE ? 'hashtable' : 'listpack'
  },

  free(arena, ref) {
    const structure = hashStructure(arena, ref)
    if (entryEncoding(arena, ref) === HASH_TABLE) freeMap(arena, structure)
    else arena.free(structure)
  },

  valueSize() {
    return HASH_VALUE_SIZE
  },

  memoryBytes(arena, ref) {
    const structure = hashStructure(arena, ref)
    if (entryEncoding(arena, ref) !== HASH_TABLE) return arena.blockSizeBytes(structure)
    let bytes = byteMapMemoryBytes(arena, structure)
    byteMapForEach(arena, structure, (entry) => {
      bytes += arena.blockSizeBytes(entry)
    })
    return bytes
  },

  visit(arena, ref, visit) {
    const structure = hashStructure(arena, ref)
    if (entryEncoding(arena, ref) !== HASH_TABLE) return visit(structure)
    byteMapVisit(arena, structure, visit)
    byteMapForEach(arena, structure, visit)
  },

  copyTo(arena, from, toArena, target) {
    const isTable = entryEncoding(arena, from) === HASH_TABLE
    const structure = hashStructure(arena, from)
    const copy = isTable
      ? copyMap(arena, structure, toArena)
      : listpackCopy(arena, structure, toArena)
    let to = 0
    try {
      to = target.create(TYPE_HASH, isTable ? HASH_TABLE : HASH_LISTPACK, HASH_VALUE_SIZE)
    } finally {
      if (to === 0 && isTable) freeMap(toArena, copy)
      else if (to === 0) toArena.free(copy)
    }
    toArena.words[entryValueWord(toArena, to)] = copy
  },

  digest(arena, ref, sink: DigestSink) {
    walk.open(arena, ref)
    while (walk.next()) {
      const { bytes, offset, length, value } = walk
      sink.unordered(
        bytes.subarray(offset, offset + length),
        value.bytes.subarray(value.offset, value.offset + value.length),
      )
    }
  },
}

/** A copy of a map and its entries, which hold nothing but themselves. Throws: ARENA_FULL. */
function copyMap(arena: Arena, map: Ref, toArena: Arena): Ref {
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
      const size = HASH_LENGTH_SIZE + valueElement.length
      const made = entryCreateAligned(toArena, arena.words, from, length, size)
      const payload = entryPayloadOffset(arena, entry)
      arena.bytes.copy(toArena.bytes, entryPayloadOffset(toArena, made), payload, payload + size)
      byteMapInsert(toArena, copy, hash, made)
    }
    done = true
  } finally {
    if (!done) freeMap(toArena, copy)
  }
  return copy
}
