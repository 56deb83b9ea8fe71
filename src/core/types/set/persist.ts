/**
 * The set's RDB bytes: the intset itself, or its members in turn.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: takes a forged intset, or a member twice.
 */
import { RDB_SET, RDB_SET_INTSET, RDB_SET_LISTPACK } from '../../../lib/rdb/format.ts'
import { RDB_CORRUPT, type RdbReader } from '../../../lib/rdb/reader.ts'
import { AlignedBytes } from '../../../memory/aligned.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteMapCreate } from '../../../memory/byte-map.ts'
import { intsetFrom, intsetSizeBytes, intsetValid } from '../../../memory/intset.ts'
import {
  ListpackElement,
  listpackFirst,
  listpackFrom,
  listpackNext,
  listpackRead,
  listpackValid,
} from '../../../memory/listpack.ts'
import { entryEncoding, entryValueWord, TYPE_SET } from '../../keyspace/entry.ts'
import type { ValuePersistence } from '../../keyspace/persist.ts'
import {
  addToMap,
  freeMembers,
  SET_INTSET,
  SET_TABLE,
  SET_VALUE_SIZE,
  SetCursor,
  setCount,
  setStructure,
} from './set.ts'
import { freeSetStructure } from './value.ts'

const cursor = new SetCursor()
const element = new ListpackElement()
const member = new AlignedBytes()

export const setPersistence: ValuePersistence = {
  rdbTypes: [RDB_SET, RDB_SET_INTSET, RDB_SET_LISTPACK],

  rdbType(arena, ref) {
    return entryEncoding(arena, ref) === SET_INTSET ? RDB_SET_INTSET : RDB_SET
  },

  save(arena, ref, writer) {
    if (entryEncoding(arena, ref) === SET_INTSET) {
      const set = setStructure(arena, ref)
      return writer.string(arena.bytes, set << 3, intsetSizeBytes(arena, set))
    }
    writer.size(setCount(arena, ref))
    cursor.open(arena, ref)
    while (cursor.next()) writer.string(cursor.bytes, cursor.offset, cursor.length)
  },

  load(rdbType, reader, arena, target) {
    const encoding = rdbType === RDB_SET_INTSET ? SET_INTSET : SET_TABLE
    const structure = loadStructure(rdbType, reader, arena)
    let to = 0
    try {
      to = target.create(TYPE_SET, encoding, SET_VALUE_SIZE)
    } finally {
      if (to === 0) freeSetStructure(arena, structure, encoding)
    }
    arena.words[entryValueWord(arena, to)] = structure
  },
}

function loadStructure(rdbType: number, reader: RdbReader, arena: Arena): Ref {
  if (rdbType === RDB_SET_INTSET) return loadIntset(reader, arena)
  const map = byteMapCreate(arena)
  let done = false
  try {
    if (rdbType === RDB_SET) loadMembers(reader, arena, map)
    else loadPack(reader, arena, map)
    done = true
  } finally {
    if (!done) freeMembers(arena, map)
  }
  return map
}

function loadIntset(reader: RdbReader, arena: Arena): Ref {
  reader.string()
  const { stringBytes, stringOffset, stringLength } = reader
  if (!intsetValid(stringBytes, stringOffset, stringLength)) throw RDB_CORRUPT
  return intsetFrom(arena, stringBytes, stringOffset, stringLength)
}

function loadMembers(reader: RdbReader, arena: Arena, map: Ref): void {
  const count = reader.count(1)
  if (count === 0) throw RDB_CORRUPT
  for (let i = 0; i < count; i++) {
    reader.string()
    member.set(reader.stringBytes, reader.stringOffset, reader.stringLength)
    if (!addToMap(arena, map, member, 0, member.length)) throw RDB_CORRUPT
  }
}

/** DIFFERS: what Redis 7.2 keeps as a listpack becomes a map, as in 7.0. */
function loadPack(reader: RdbReader, arena: Arena, map: Ref): void {
  reader.string()
  const { stringBytes, stringOffset, stringLength } = reader
  if (!listpackValid(stringBytes, stringOffset, stringLength)) throw RDB_CORRUPT
  const pack = listpackFrom(arena, stringBytes, stringOffset, stringLength)
  try {
    let at = listpackFirst(arena, pack)
    if (at === 0) throw RDB_CORRUPT
    while (at !== 0) {
      listpackRead(arena, at, element)
      member.set(element.bytes, element.offset, element.length)
      if (!addToMap(arena, map, member, 0, member.length)) throw RDB_CORRUPT
      at = listpackNext(arena, at)
    }
  } finally {
    arena.free(pack)
  }
}
