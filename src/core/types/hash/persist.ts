/**
 * The hash's RDB bytes: the listpack itself, or fields and values in turn; with ends of fields only
 * when there are some.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: takes a forged pack, a field twice, or an end that cannot be.
 */
import {
  RDB_HASH,
  RDB_HASH_LISTPACK,
  RDB_HASH_LISTPACK_EX,
  RDB_HASH_METADATA,
  RDB_HASH_ZIPLIST,
  RDB_HASH_ZIPMAP,
} from '../../../lib/rdb/format.ts'
import {
  RDB_CORRUPT,
  RDB_EMPTY,
  type RdbCorruptError,
  type RdbReader,
  unsound,
} from '../../../lib/rdb/reader.ts'
import type { RdbWriter } from '../../../lib/rdb/writer.ts'
import { ZiplistReader } from '../../../lib/rdb/ziplist.ts'
import { ZipmapReader } from '../../../lib/rdb/zipmap.ts'
import { AlignedBytes } from '../../../memory/aligned.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { listpackFrom, listpackSizeBytes } from '../../../memory/listpack.ts'
import { listpackValid } from '../../../memory/listpack-valid.ts'
import { entryValueWord, setEntryEncoding, TYPE_HASH } from '../../keyspace/entry.ts'
import type { ValuePersistence } from '../../keyspace/persist.ts'
import { ListpackLimits } from '../listpack-limits.ts'
import {
  HASH_VALUE_SIZE,
  HashCursor,
  hashCount,
  hashCreatePack,
  hashMapOrPack,
  hashSet,
  hashStructure,
  hashToTable,
  isHashTable,
  isTimedHash,
} from './hash.ts'
import { examinePairs, examineTriples, FILE_END_MS_MAX, type PackState } from './pack-valid.ts'
import {
  HASH_LISTPACK,
  HASH_LISTPACK_EX,
  headCreate,
  timedFirstEnd,
  timedSetEnd,
  toTimed,
} from './timed.ts'
import { timedPackPlain } from './timed-pack.ts'
import { hashValue } from './value.ts'

/** Bytes that a field with its value takes, at least; an end takes one more. */
const PAIR_SIZE_MIN = 2
const TIMED_PAIR_SIZE_MIN = 3
const ANY_SIZE = Number.POSITIVE_INFINITY

const field = new AlignedBytes()
const value = new AlignedBytes()
const cursor = new HashCursor()
const limits = new ListpackLimits('hash')
const ziplist = new ZiplistReader()
const zipmap = new ZipmapReader()

const BAD_LISTPACK = unsound('Hash listpack')
const FIELDS_TWICE = unsound('Hash listpack with dup elements:')
const BAD_ZIPLIST = unsound('Hash ziplist')
const BAD_ZIPMAP = unsound('Zipmap')

export const hashPersistence: ValuePersistence = {
  rdbTypes: [
    RDB_HASH,
    RDB_HASH_ZIPMAP,
    RDB_HASH_ZIPLIST,
    RDB_HASH_LISTPACK,
    RDB_HASH_METADATA,
    RDB_HASH_LISTPACK_EX,
  ],

  rdbType(arena, ref) {
    const ends = isTimedHash(arena, ref) && timedFirstEnd(arena, ref) > 0
    if (isHashTable(arena, ref)) return ends ? RDB_HASH_METADATA : RDB_HASH
    return ends ? RDB_HASH_LISTPACK_EX : RDB_HASH_LISTPACK
  },

  save(arena, ref, writer) {
    const first = isTimedHash(arena, ref) ? timedFirstEnd(arena, ref) : 0
    if (first > 0) writer.milliseconds(first)
    if (!isHashTable(arena, ref)) return savePack(arena, ref, writer, first)
    writer.size(hashCount(arena, ref))
    cursor.open(arena, ref, true)
    while (cursor.next()) {
      if (first > 0) writer.size(cursor.end === 0 ? 0 : cursor.end - first + 1)
      writer.string(cursor.bytes, cursor.offset, cursor.length)
      writer.string(cursor.value.bytes, cursor.value.offset, cursor.value.length)
    }
  },

  load(rdbType, reader, arena, target) {
    limits.follow(target.settings)
    const pack = hashCreatePack(arena)
    let ref = 0
    try {
      ref = target.create(TYPE_HASH, HASH_LISTPACK, HASH_VALUE_SIZE)
    } finally {
      if (ref === 0) arena.free(pack)
    }
    arena.words[entryValueWord(arena, ref)] = pack
    let done = false
    try {
      loadInto(rdbType, reader, arena, ref)
      if (hashCount(arena, ref) === 0) throw RDB_EMPTY
      done = true
    } finally {
      if (!done) hashValue.free(arena, ref)
    }
  },
}

/** `firstEnd`: 0 when no field has an end; then the pack is one of pairs, whatever the encoding. */
function savePack(arena: Arena, ref: Ref, writer: RdbWriter, firstEnd: number): void {
  const pack = hashMapOrPack(arena, ref)
  if (firstEnd === 0 && isTimedHash(arena, ref)) {
    const plain = timedPackPlain(arena, pack)
    return writer.string(plain, 0, plain.length)
  }
  writer.string(arena.bytes, pack << 3, listpackSizeBytes(arena, pack))
}

/** Fills a hash that has no fields yet. */
function loadInto(rdbType: number, reader: RdbReader, arena: Arena, ref: Ref): void {
  switch (rdbType) {
    case RDB_HASH:
      return loadPairs(reader, arena, ref)
    case RDB_HASH_METADATA:
      return loadTimedPairs(reader, arena, ref)
    case RDB_HASH_ZIPMAP:
      return loadZipmap(reader, arena, ref)
    case RDB_HASH_ZIPLIST:
      return loadZiplist(reader, arena, ref)
    case RDB_HASH_LISTPACK_EX:
      return loadTimedPack(reader, arena, ref)
    default:
      return loadPack(reader, arena, ref)
  }
}

function loadPack(reader: RdbReader, arena: Arena, ref: Ref): void {
  const pack = takePack(reader, arena, examinePairs)
  arena.free(hashStructure(arena, ref))
  arena.words[entryValueWord(arena, ref)] = pack
  fitCount(arena, ref, hashCount(arena, ref))
}

function loadTimedPack(reader: RdbReader, arena: Arena, ref: Ref): void {
  firstEnd(reader)
  const pack = takePack(reader, arena, examineTriples)
  let head = 0
  try {
    head = headCreate(arena, pack)
  } finally {
    if (head === 0) arena.free(pack)
  }
  arena.free(hashStructure(arena, ref))
  arena.words[entryValueWord(arena, ref)] = head
  setEntryEncoding(arena, ref, HASH_LISTPACK_EX)
  fitCount(arena, ref, hashCount(arena, ref))
}

function takePack(
  reader: RdbReader,
  arena: Arena,
  examine: (arena: Arena, pack: Ref) => PackState,
): Ref {
  reader.string()
  const { stringBytes, stringOffset, stringLength } = reader
  if (!listpackValid(stringBytes, stringOffset, stringLength)) throw BAD_LISTPACK
  const pack = listpackFrom(arena, stringBytes, stringOffset, stringLength)
  const state = examine(arena, pack)
  if (state === 'sound') return pack
  arena.free(pack)
  throw state === 'repeats' ? FIELDS_TWICE : BAD_LISTPACK
}

function loadPairs(reader: RdbReader, arena: Arena, ref: Ref): void {
  const count = reader.count(PAIR_SIZE_MIN)
  fitCount(arena, ref, count)
  for (let i = 0; i < count; i++) {
    takeString(reader, field)
    takeString(reader, value)
    add(arena, ref, limits.valueSize, RDB_CORRUPT)
  }
}

/** Ends are counted from the first one on, which is 1; 0: none. */
function loadTimedPairs(reader: RdbReader, arena: Arena, ref: Ref): void {
  const first = firstEnd(reader)
  const count = reader.count(TIMED_PAIR_SIZE_MIN)
  fitCount(arena, ref, count)
  for (let i = 0; i < count; i++) {
    const from = reader.size()
    const end = from === 0 ? 0 : first + from - 1
    if (end > FILE_END_MS_MAX || (from > 0 && end === 0)) throw RDB_CORRUPT
    takeString(reader, field)
    takeString(reader, value)
    add(arena, ref, limits.valueSize, RDB_CORRUPT)
    if (end === 0) continue
    if (!isTimedHash(arena, ref)) toTimed(arena, ref)
    timedSetEnd(arena, ref, field, 0, field.length, end)
  }
}

/** What comes before ends: the first of them. */
function firstEnd(reader: RdbReader): number {
  const ms = reader.milliseconds()
  if (ms < 0 || ms > FILE_END_MS_MAX + 1) throw RDB_CORRUPT
  return ms
}

function loadZiplist(reader: RdbReader, arena: Arena, ref: Ref): void {
  reader.string()
  if (!ziplist.open(reader.stringBytes, reader.stringOffset, reader.stringLength)) throw BAD_ZIPLIST
  if (ziplist.count % 2 !== 0) throw BAD_ZIPLIST
  fitCount(arena, ref, ziplist.count / 2)
  while (ziplist.next()) {
    field.set(ziplist.bytes, ziplist.offset, ziplist.length)
    ziplist.next()
    value.set(ziplist.bytes, ziplist.offset, ziplist.length)
    add(arena, ref, ANY_SIZE, BAD_ZIPLIST)
  }
}

function loadZipmap(reader: RdbReader, arena: Arena, ref: Ref): void {
  reader.string()
  if (!zipmap.open(reader.stringBytes, reader.stringOffset, reader.stringLength)) throw BAD_ZIPMAP
  fitCount(arena, ref, zipmap.count)
  while (zipmap.next()) {
    field.set(zipmap.bytes, zipmap.offset, zipmap.length)
    zipmap.next()
    value.set(zipmap.bytes, zipmap.offset, zipmap.length)
    add(arena, ref, limits.valueSize, BAD_ZIPMAP)
  }
}

/**
 * Adds `field` with `value`. `sizeMax`: of either in a listpack. `twice`: thrown for a field that is
 * there. Throws: ARENA_FULL.
 */
function add(arena: Arena, ref: Ref, sizeMax: number, twice: RdbCorruptError): void {
  const isLong = field.length > sizeMax || value.length > sizeMax
  if (isLong && !isHashTable(arena, ref)) hashToTable(arena, ref)
  const { length } = field
  if (!hashSet(arena, ref, field, 0, length, value, 0, value.length, false)) throw twice
}

/** Makes a hash of so many fields a large one, if that is too many for a small one. */
function fitCount(arena: Arena, ref: Ref, count: number): void {
  if (count > limits.entries && !isHashTable(arena, ref)) hashToTable(arena, ref)
}

function takeString(reader: RdbReader, into: AlignedBytes): void {
  reader.string()
  into.set(reader.stringBytes, reader.stringOffset, reader.stringLength)
}
