/**
 * The set's RDB bytes: the intset itself, or its members in turn.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: takes a forged intset, or a member twice.
 */
import { RDB_SET, RDB_SET_INTSET, RDB_SET_LISTPACK } from '../../../lib/rdb/format.ts'
import { RDB_CORRUPT, RDB_EMPTY, type RdbReader, unsound } from '../../../lib/rdb/reader.ts'
import type { Arena } from '../../../memory/arena.ts'
import { intsetCount, intsetFrom, intsetSizeBytes, intsetValid } from '../../../memory/intset.ts'
import {
  ListpackElement,
  listpackFirst,
  listpackFrom,
  listpackNext,
  listpackRead,
} from '../../../memory/listpack.ts'
import { listpackValid } from '../../../memory/listpack-valid.ts'
import { entryEncoding } from '../../keyspace/entry.ts'
import type { ValuePersistence } from '../../keyspace/persist.ts'
import { SetBuilder } from './builder.ts'
import { intsetCountMax } from './limits.ts'
import { mapOfIntset, SET_INTSET, SET_TABLE, SetCursor, setCount, setStructure } from './set.ts'

const cursor = new SetCursor()
const element = new ListpackElement()

const BAD_INTSET = unsound('Intset')
const BAD_LISTPACK = unsound('Set listpack')

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
    const most = intsetCountMax(target.settings)
    const count = rdbType === RDB_SET ? reader.count(1) : 0
    const builder = new SetBuilder(arena, most, count)
    try {
      if (rdbType === RDB_SET_INTSET) takeIntset(reader, arena, builder, most)
      else if (rdbType === RDB_SET) takeMembers(reader, builder, count)
      else takePack(reader, arena, builder)
      builder.finish(target)
    } finally {
      builder.free()
    }
  },
}

function takeIntset(reader: RdbReader, arena: Arena, builder: SetBuilder, most: number): void {
  reader.string()
  const { stringBytes, stringOffset, stringLength } = reader
  if (!intsetValid(stringBytes, stringOffset, stringLength)) throw BAD_INTSET
  const set = intsetFrom(arena, stringBytes, stringOffset, stringLength)
  arena.free(builder.structure)
  builder.structure = set
  if (intsetCount(arena, set) <= most) return
  const map = mapOfIntset(arena, set, 0)
  arena.free(set)
  builder.structure = map
  builder.encoding = SET_TABLE
}

function takeMembers(reader: RdbReader, builder: SetBuilder, count: number): void {
  if (count === 0) throw RDB_EMPTY
  for (let i = 0; i < count; i++) {
    reader.string()
    const { stringBytes, stringOffset, stringLength } = reader
    if (!builder.push(stringBytes, stringOffset, stringLength)) throw RDB_CORRUPT
  }
}

/** DIFFERS: what Redis 7.2 keeps as a listpack gets the encoding that it would have in 7.0. */
function takePack(reader: RdbReader, arena: Arena, builder: SetBuilder): void {
  reader.string()
  const { stringBytes, stringOffset, stringLength } = reader
  if (!listpackValid(stringBytes, stringOffset, stringLength)) throw BAD_LISTPACK
  const pack = listpackFrom(arena, stringBytes, stringOffset, stringLength)
  try {
    let at = listpackFirst(arena, pack)
    if (at === 0) throw RDB_EMPTY
    while (at !== 0) {
      listpackRead(arena, at, element)
      if (!builder.push(element.bytes, element.offset, element.length)) throw BAD_LISTPACK
      at = listpackNext(arena, at)
    }
  } finally {
    arena.free(pack)
  }
}
