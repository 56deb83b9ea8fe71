/**
 * The hash's RDB bytes: the listpack itself, or fields and values in turn.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: takes a forged pack, or a field twice.
 */
import { RDB_HASH, RDB_HASH_LISTPACK } from '../../../lib/rdb/format.ts'
import { RDB_CORRUPT, type RdbReader } from '../../../lib/rdb/reader.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteMapCreate } from '../../../memory/byte-map.ts'
import {
  ListpackElement,
  listpackCount,
  listpackFirst,
  listpackFrom,
  listpackNext,
  listpackRead,
  listpackSizeBytes,
} from '../../../memory/listpack.ts'
import { listpackValid } from '../../../memory/listpack-valid.ts'
import { entryEncoding, entryValueWord, TYPE_HASH } from '../../keyspace/entry.ts'
import type { ValuePersistence } from '../../keyspace/persist.ts'
import {
  freeMap,
  HASH_LISTPACK,
  HASH_TABLE,
  HASH_VALUE_SIZE,
  HashCursor,
  hashCount,
  hashMapAdd,
  hashStructure,
} from './hash.ts'

const field = new ListpackElement()
const value = new ListpackElement()
const cursor = new HashCursor()

export const hashPersistence: ValuePersistence = {
  rdbTypes: [RDB_HASH, RDB_HASH_LISTPACK],

  rdbType(arena, ref) {
    return entryEncoding(arena, ref) === HASH_TABLE ? RDB_HASH : RDB_HASH_LISTPACK
  },

  save(arena, ref, writer) {
    if (entryEncoding(arena, ref) === HASH_LISTPACK) {
      const pack = hashStructure(arena, ref)
      writer.string(arena.bytes, pack << 3, listpackSizeBytes(arena, pack))
      return
    }
    writer.size(hashCount(arena, ref))
    cursor.open(arena, ref)
    while (cursor.next()) {
      writer.string(cursor.bytes, cursor.offset, cursor.length)
      writer.string(cursor.value.bytes, cursor.value.offset, cursor.value.length)
    }
  },

  load(rdbType, reader, arena, target) {
    const isPack = rdbType === RDB_HASH_LISTPACK
    const structure = isPack ? loadPack(reader, arena) : loadTable(reader, arena)
    let to = 0
    try {
      to = target.create(TYPE_HASH, isPack ? HASH_LISTPACK : HASH_TABLE, HASH_VALUE_SIZE)
    } finally {
      if (to === 0 && isPack) arena.free(structure)
      else if (to === 0) freeMap(arena, structure)
    }
    arena.words[entryValueWord(arena, to)] = structure
  },
}

function loadPack(reader: RdbReader, arena: Arena): Ref {
  reader.string()
  const { stringBytes, stringOffset, stringLength } = reader
  if (!listpackValid(stringBytes, stringOffset, stringLength)) throw RDB_CORRUPT
  const pack = listpackFrom(arena, stringBytes, stringOffset, stringLength)
  if (!hasDistinctFields(arena, pack)) {
    arena.free(pack)
    throw RDB_CORRUPT
  }
  return pack
}

/** Pairs, at least one, and no field twice. */
function hasDistinctFields(arena: Arena, pack: Ref): boolean {
  const count = listpackCount(arena, pack)
  if (count === 0 || count % 2 !== 0) return false
  const seen = new Set<string>()
  let at = listpackFirst(arena, pack)
  while (at !== 0) {
    listpackRead(arena, at, field)
    seen.add(field.bytes.latin1Slice(field.offset, field.offset + field.length))
    at = listpackNext(arena, listpackNext(arena, at))
  }
  return seen.size * 2 === count
}

function loadTable(reader: RdbReader, arena: Arena): Ref {
  const count = reader.count(2)
  if (count === 0) throw RDB_CORRUPT
  const map = byteMapCreate(arena)
  let done = false
  try {
    for (let i = 0; i < count; i++) {
      readInto(reader, field)
      // The reader's scratch is used again for the value.
      field.bytes = Buffer.from(field.bytes.subarray(field.offset, field.offset + field.length))
      field.offset = 0
      readInto(reader, value)
      if (!hashMapAdd(arena, map, field, value)) throw RDB_CORRUPT
    }
    done = true
  } finally {
    if (!done) freeMap(arena, map)
  }
  return map
}

function readInto(reader: RdbReader, element: ListpackElement): void {
  reader.string()
  element.bytes = reader.stringBytes
  element.offset = reader.stringOffset
  element.length = reader.stringLength
}
