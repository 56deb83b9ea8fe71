/**
 * What the set offers to those who hold a key without knowing what it holds.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: is on the way of a command for one member.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteMapCreate,
  byteMapForEach,
  byteMapMemoryBytes,
  byteMapVisit,
} from '../../../memory/byte-map.ts'
import { intsetCopy } from '../../../memory/intset.ts'
import { entryEncoding, entryValueWord, TYPE_SET } from '../../keyspace/entry.ts'
import type { ValueType } from '../../keyspace/value.ts'
import {
  addToMap,
  freeMembers,
  SET_INTSET,
  SET_TABLE,
  SET_VALUE_SIZE,
  SetCursor,
  setStructure,
} from './set.ts'

const walk = new SetCursor()

export const setValue: ValueType = {
  name: 'set',

  encodingName(arena, ref) {
    return entryEncoding(arena, ref) === SET_TABLE ? 'hashtable' : 'intset'
  },

  free(arena, ref) {
    freeSetStructure(arena, setStructure(arena, ref), entryEncoding(arena, ref))
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
    const copy =
      encoding === SET_INTSET
        ? intsetCopy(arena, setStructure(arena, from), toArena)
        : copyMembers(arena, from, toArena)
    let to = 0
    try {
      to = target.create(TYPE_SET, encoding, SET_VALUE_SIZE)
    } finally {
      if (to === 0) freeSetStructure(toArena, copy, encoding)
    }
    toArena.words[entryValueWord(toArena, to)] = copy
  },

  digest(arena, ref, sink) {
    walk.open(arena, ref)
    while (walk.next()) sink.unordered(walk.bytes.subarray(walk.offset, walk.offset + walk.length))
  },
}

export function freeSetStructure(arena: Arena, structure: Ref, encoding: number): void {
  if (encoding === SET_INTSET) arena.free(structure)
  else freeMembers(arena, structure)
}

function copyMembers(arena: Arena, ref: Ref, toArena: Arena): Ref {
  const map = byteMapCreate(toArena)
  let done = false
  try {
    walk.open(arena, ref)
    while (walk.next()) addToMap(toArena, map, walk, walk.offset, walk.length)
    done = true
  } finally {
    if (!done) freeMembers(toArena, map)
  }
  return map
}
