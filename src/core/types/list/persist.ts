/**
 * The list's RDB bytes: its nodes as they are.
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
  RDB_LIST_QUICKLIST_ZIPLIST,
  RDB_LIST_ZIPLIST,
} from '../../../lib/rdb/format.ts'
import { RDB_CORRUPT, RDB_EMPTY, type RdbReader, unsound } from '../../../lib/rdb/reader.ts'
import type { RdbWriter } from '../../../lib/rdb/writer.ts'
import { ZiplistReader } from '../../../lib/rdb/ziplist.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteListAppendPack,
  byteListAppendPlain,
  byteListFirstNode,
  byteListNextNode,
  byteListNodeCount,
} from '../../../memory/byte-list.ts'
import {
  nodeBytesOffset,
  nodeCompressedSize,
  nodeIsCompressed,
  nodeIsPlain,
  nodeSizeBytes,
} from '../../../memory/byte-list-node.ts'
import {
  listpackCount,
  listpackCreate,
  listpackFrom,
  listpackInsert,
} from '../../../memory/listpack.ts'
import { listpackValid } from '../../../memory/listpack-valid.ts'
import type { ValuePersistence } from '../../keyspace/persist.ts'
import { ListBuilder } from './builder.ts'
import { listStructure } from './list.ts'

/** An element takes a byte at least, a node the number of its container and a byte. */
const ELEMENT_SIZE_MIN = 1
const NODE_SIZE_MIN = 2

const ziplist = new ZiplistReader()

const BAD_LISTPACK = unsound('Listpack')
const BAD_ZIPLIST = unsound('Ziplist')

export const listPersistence: ValuePersistence = {
  rdbTypes: [RDB_LIST, RDB_LIST_ZIPLIST, RDB_LIST_QUICKLIST_ZIPLIST, RDB_LIST_QUICKLIST],

  rdbType() {
    return RDB_LIST_QUICKLIST
  },

  save(arena, ref, writer) {
    const list = listStructure(arena, ref)
    writer.size(byteListNodeCount(arena, list))
    for (let node = byteListFirstNode(arena, list); node !== 0; ) {
      saveNode(arena, node, writer)
      node = byteListNextNode(arena, node)
    }
  },

  load(rdbType, reader, arena, target) {
    const builder = new ListBuilder(arena, target.settings)
    try {
      loadNodes(rdbType, reader, arena, builder)
      if (builder.count === 0) throw RDB_EMPTY
      builder.create(target)
    } finally {
      builder.free()
    }
  },
}

function saveNode(arena: Arena, node: Ref, writer: RdbWriter): void {
  writer.size(nodeIsPlain(arena, node) ? QUICKLIST_PLAIN : QUICKLIST_PACKED)
  const size = nodeSizeBytes(arena, node)
  const at = nodeBytesOffset(arena, node)
  if (!nodeIsCompressed(arena, node)) return writer.string(arena.bytes, at, size)
  writer.compressedString(arena.bytes, at, nodeCompressedSize(arena, node), size)
}

function loadNodes(rdbType: number, reader: RdbReader, arena: Arena, builder: ListBuilder): void {
  if (rdbType === RDB_LIST_ZIPLIST) return loadZiplist(reader, arena, builder.structure)
  const count = reader.count(rdbType === RDB_LIST ? ELEMENT_SIZE_MIN : NODE_SIZE_MIN)
  for (let i = 0; i < count; i++) {
    if (rdbType === RDB_LIST) {
      reader.string()
      builder.push(reader.stringBytes, reader.stringOffset, reader.stringLength)
    } else if (rdbType === RDB_LIST_QUICKLIST_ZIPLIST) {
      loadZiplist(reader, arena, builder.structure)
    } else {
      loadNode(reader, arena, builder.structure)
    }
  }
}

function loadNode(reader: RdbReader, arena: Arena, list: Ref): void {
  const container = reader.size()
  if (container !== QUICKLIST_PLAIN && container !== QUICKLIST_PACKED) throw RDB_CORRUPT
  reader.string()
  const { stringBytes, stringOffset, stringLength } = reader
  if (container === QUICKLIST_PLAIN) {
    if (stringLength === 0) throw RDB_CORRUPT
    return byteListAppendPlain(arena, list, stringBytes, stringOffset, stringLength)
  }
  if (!listpackValid(stringBytes, stringOffset, stringLength)) throw BAD_LISTPACK
  const pack = listpackFrom(arena, stringBytes, stringOffset, stringLength)
  if (listpackCount(arena, pack) > 0) return byteListAppendPack(arena, list, pack)
  arena.free(pack)
}

/** The elements of a ziplist as one node. */
function loadZiplist(reader: RdbReader, arena: Arena, list: Ref): void {
  reader.string()
  if (!ziplist.open(reader.stringBytes, reader.stringOffset, reader.stringLength)) throw BAD_ZIPLIST
  if (ziplist.count === 0) return
  let pack = listpackCreate(arena, reader.stringLength)
  let done = false
  try {
    while (ziplist.next()) {
      pack = listpackInsert(arena, pack, 0, ziplist.bytes, ziplist.offset, ziplist.length)
    }
    done = true
  } finally {
    if (!done) arena.free(pack)
  }
  byteListAppendPack(arena, list, pack)
}
