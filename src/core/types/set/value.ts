/**
 * What the set offers to those who hold a key without knowing what it holds.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: is on the way of a command for one member.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteMapCount,
  byteMapCreate,
  byteMapForEach,
  byteMapFree,
  byteMapMemoryBytes,
  byteMapVisit,
} from '../../../memory/byte-map.ts'
import { intsetCopy } from '../../../memory/intset.ts'
import { MapCursor } from '../../../memory/map-cursor.ts'
import { entryEncoding, entryValueWord, TYPE_SET } from '../../keyspace/entry.ts'
import type { ValueType } from '../../keyspace/value.ts'
import { Member } from './member.ts'
import {
  freeMembers,
  mapInsert,
  SET_INTSET,
  SET_TABLE,
  SET_VALUE_SIZE,
  SetCursor,
  setFreeStructure,
  setStructure,
} from './set.ts'

const cursor = new SetCursor()
const walk = new MapCursor()
const member = new Member()

export const setValue: ValueType = {
  name: 'set',

  encodingName(arena, ref) {
    return entryEncoding(arena, ref) === SET_TABLE ? 'hashtable' : 'intset'
  },

  free(arena, ref) {
    setFreeStructure(arena, setStructure(arena, ref), entryEncoding(arena, ref))
  },

  freeEffort(arena, ref) {
    const isTable = entryEncoding(arena, ref) === SET_TABLE
    return isTable ? byteMapCount(arena, setStructure(arena, ref)) : 1
  },

  elementMap(arena, ref) {
    return entryEncoding(arena, ref) === SET_TABLE ? setStructure(arena, ref) : 0
  },

  freeWithoutElements(arena, ref) {
    byteMapFree(arena, setStructure(arena, ref))
  },

  valueSize() {
    return SET_VALUE_SIZE
  },

  memoryBytes(arena, ref) {
    const structure = setStructure(arena, ref)
    if (entryEncoding(arena, ref) === SET_INTSET) return arena.blockSizeBytes(structure)
    let bytes = byteMapMemoryBytes(arena, structure)
    byteMapForEach(arena, structure, (entry) => {
      bytes += arena.blockSizeBytes(entry)
    })
    return bytes
  },

  visit(arena, ref, visit) {
    const structure = setStructure(arena, ref)
    if (entryEncoding(arena, ref) === SET_INTSET) return visit(structure)
    byteMapVisit(arena, structure, visit)
    byteMapForEach(arena, structure, visit)
  },

  copyTo(arena, from, toArena, target) {
    const encoding = entryEncoding(arena, from)
    const structure = setStructure(arena, from)
    const isIntset = encoding === SET_INTSET
    const copy = isIntset
      ? intsetCopy(arena, structure, toArena)
      : copyMap(arena, structure, toArena)
    let to = 0
    try {
      to = target.create(TYPE_SET, encoding, SET_VALUE_SIZE)
    } finally {
      if (to === 0) setFreeStructure(toArena, copy, encoding)
    }
    toArena.words[entryValueWord(toArena, to)] = copy
  },

  digest(arena, ref, sink) {
    cursor.open(arena, ref)
    while (cursor.next()) {
      const { bytes, offset, length } = cursor
      sink.unordered(bytes.subarray(offset, offset + length))
    }
  },
}

/** A map with the same members. Throws: ARENA_FULL, having freed the map. */
function copyMap(arena: Arena, map: Ref, toArena: Arena): Ref {
  const copy = byteMapCreate(toArena, byteMapCount(arena, map))
  let done = false
  try {
    walk.open(arena, map)
    for (let entry = walk.next(); entry !== 0; entry = walk.next()) {
      member.openHashed(arena, entry, walk.hash)
      mapInsert(toArena, copy, member)
    }
    done = true
  } finally {
    if (!done) freeMembers(toArena, copy)
  }
  return copy
}
