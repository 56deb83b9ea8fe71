/**
 * What the list offers to those who hold a key without knowing what it holds, and its RDB bytes.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: takes a forged pack.
 */
import {
  QUICKLIST_PACKED,
  QUICKLIST_PLAIN,
  RDB_LIST,
  RDB_LIST_QUICKLIST,
} from '../../../lib/rdb/format.ts'
import { RDB_CORRUPT, type RdbReader } from '../../../lib/rdb/reader.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteListAppendPack,
  byteListCopy,
  byteListCount,
  byteListCreate,
  byteListFirstNode,
  byteListFree,
  byteListMemoryBytes,
  byteListNextNode,
  byteListNodeCount,
  byteListPack,
  byteListPush,
  byteListVisit,
} from '../../../memory/byte-list.ts'
import {
  listpackCount,
  listpackFrom,
  listpackSizeBytes,
  listpackValid,
} from '../../../memory/listpack.ts'
import { entryValueWord, TYPE_LIST } from '../../keyspace/entry.ts'
import type { ValuePersistence } from '../../keyspace/persist.ts'
import type { ValueType } from '../../keyspace/value.ts'
import { LIST_QUICKLIST, LIST_VALUE_SIZE, ListCursor, listStructure } from './list.ts'

/** Of lists that come without nodes of their own: 8 KiB each. */
const LOADED_LIMIT = -2

const cursor = new ListCursor()

export const listValue: ValueType = {
  name: 'list',

  encodingName() {
    return 'quicklist'
  },

  free(arena, ref) {
    byteListFree(arena, listStructure(arena, ref))
  },

  valueSize() {
    return LIST_VALUE_SIZE
  },

  memoryBytes(arena, ref) {
    return byteListMemoryBytes(arena, listStructure(arena, ref))
  },

  visit(arena, ref, visit) {
    byteListVisit(arena, listStructure(arena, ref), visit)
  },

  copyTo(arena, from, toArena, target) {
    const copy = byteListCopy(arena, listStructure(arena, from), toArena)
    let to = 0
    try {
      to = target.create(TYPE_LIST, LIST_QUICKLIST, LIST_VALUE_SIZE)
    } finally {
      if (to === 0) byteListFree(toArena, copy)
    }
    toArena.words[entryValueWord(toArena, to)] = copy
  },

  digest(arena, ref, sink) {
    cursor.open(arena, ref)
    while (cursor.next()) {
      const { bytes, offset, length } = cursor
      sink.ordered(bytes.subarray(offset, offset + length))
    }
  },
}

export const listPersistence: ValuePersistence = {
  rdbTypes: [RDB_LIST, RDB_LIST_QUICKLIST],

  rdbType() {
    return RDB_LIST_QUICKLIST
  },

  save(arena, ref, writer) {
    const list = listStructure(arena, ref)
    writer.size(byteListNodeCount(arena, list))
    for (let node = byteListFirstNode(arena, list); node !== 0; ) {
      const pack = byteListPack(arena, node)
      writer.size(QUICKLIST_PACKED)
      writer.string(arena.bytes, pack << 3, listpackSizeBytes(arena, pack))
      node = byteListNextNode(arena, node)
    }
  },

  load(rdbType, reader, arena, target) {
    const list = byteListCreate(arena)
    let to = 0
    try {
      const count = reader.count(rdbType === RDB_LIST ? 1 : 2)
      for (let i = 0; i < count; i++) {
        if (rdbType === RDB_LIST) loadElement(reader, arena, list)
        else loadNode(reader, arena, list)
      }
      if (byteListCount(arena, list) === 0) throw RDB_CORRUPT
      to = target.create(TYPE_LIST, LIST_QUICKLIST, LIST_VALUE_SIZE)
    } finally {
      if (to === 0) byteListFree(arena, list)
    }
    arena.words[entryValueWord(arena, to)] = list
  },
}

function loadElement(reader: RdbReader, arena: Arena, list: Ref): void {
  reader.string()
  const { stringBytes, stringOffset, stringLength } = reader
  byteListPush(arena, list, true, stringBytes, stringOffset, stringLength, LOADED_LIMIT)
}

function loadNode(reader: RdbReader, arena: Arena, list: Ref): void {
  const container = reader.size()
  if (container === QUICKLIST_PLAIN) return loadElement(reader, arena, list)
  if (container !== QUICKLIST_PACKED) throw RDB_CORRUPT
  reader.string()
  const { stringBytes, stringOffset, stringLength } = reader
  if (!listpackValid(stringBytes, stringOffset, stringLength)) throw RDB_CORRUPT
  const pack = listpackFrom(arena, stringBytes, stringOffset, stringLength)
  if (listpackCount(arena, pack) > 0) return byteListAppendPack(arena, list, pack)
  arena.free(pack)
}
