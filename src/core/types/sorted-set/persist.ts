/**
 * The sorted set's RDB bytes: the listpack itself, or members and scores from the highest down.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: takes a forged pack, a member twice, or a score that is no number.
 */
import { parseDouble } from '../../../lib/bytes/double.ts'
import {
  RDB_SORTED_SET,
  RDB_SORTED_SET_LISTPACK,
  RDB_SORTED_SET_TEXT,
  RDB_SORTED_SET_ZIPLIST,
} from '../../../lib/rdb/format.ts'
import { RDB_CORRUPT, RDB_EMPTY, type RdbReader, unsound } from '../../../lib/rdb/reader.ts'
import { ZiplistReader } from '../../../lib/rdb/ziplist.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { compareBytes } from '../../../memory/copy.ts'
import {
  ListpackElement,
  listpackFirst,
  listpackFrom,
  listpackNext,
  listpackRead,
  listpackSizeBytes,
} from '../../../memory/listpack.ts'
import { listpackValid } from '../../../memory/listpack-valid.ts'
import type { ValuePersistence } from '../../keyspace/persist.ts'
import type { CopyTarget } from '../../keyspace/value.ts'
import { ListpackLimits } from '../listpack-limits.ts'
import { SortedSetBuilder } from './builder.ts'
import { SortedSetCursor } from './cursor.ts'
import { SORTED_SET_LISTPACK } from './encodings.ts'
import { packCount, packScoreAt } from './pack.ts'
import { createEntry, isTree, sortedSetCount, sortedSetToTree, structureOf } from './sorted-set.ts'

/** A member takes a byte at least, a score one, or eight. */
const TEXT_PAIR_SIZE_MIN = 2
const PAIR_SIZE_MIN = 9
const ANY_SIZE = Number.POSITIVE_INFINITY
/** Lengths of a score's text that are no lengths. */
const TEXT_NAN = 253
const TEXT_INFINITY = 254
const TEXT_MINUS_INFINITY = 255

const limits = new ListpackLimits('zset')
const cursor = new SortedSetCursor()
const ziplist = new ZiplistReader()

const BAD_LISTPACK = unsound('Zset listpack')
const BAD_ZIPLIST = unsound('Zset ziplist')

export const sortedSetPersistence: ValuePersistence = {
  rdbTypes: [RDB_SORTED_SET_TEXT, RDB_SORTED_SET, RDB_SORTED_SET_ZIPLIST, RDB_SORTED_SET_LISTPACK],

  rdbType(arena, ref) {
    return isTree(arena, ref) ? RDB_SORTED_SET : RDB_SORTED_SET_LISTPACK
  },

  save(arena, ref, writer) {
    if (!isTree(arena, ref)) {
      const pack = structureOf(arena, ref)
      return writer.string(arena.bytes, pack << 3, listpackSizeBytes(arena, pack))
    }
    const count = sortedSetCount(arena, ref)
    writer.size(count)
    cursor.openAt(arena, ref, count - 1, true)
    while (cursor.next()) {
      writer.string(cursor.bytes, cursor.offset, cursor.length)
      writer.double(cursor.score)
    }
  },

  load(rdbType, reader, arena, target) {
    limits.follow(target.settings)
    if (rdbType === RDB_SORTED_SET_LISTPACK) return loadPack(reader, arena, target)
    const builder = new SortedSetBuilder(arena)
    try {
      const isPacked = rdbType === RDB_SORTED_SET_ZIPLIST
      if (isPacked) readZiplist(reader, builder)
      else readPairs(reader, builder, rdbType === RDB_SORTED_SET)
      // What was packed stays so, however long its members.
      builder.finish(isPacked ? { entries: limits.entries, valueSize: ANY_SIZE } : limits)
      builder.create(target)
    } finally {
      builder.free()
    }
  },
}

function loadPack(reader: RdbReader, arena: Arena, target: CopyTarget): void {
  reader.string()
  const { stringBytes, stringOffset, stringLength } = reader
  if (!listpackValid(stringBytes, stringOffset, stringLength)) throw BAD_LISTPACK
  const pack = listpackFrom(arena, stringBytes, stringOffset, stringLength)
  if (!isSortedSet(arena, pack)) {
    const isEmpty = listpackFirst(arena, pack) === 0
    arena.free(pack)
    throw isEmpty ? RDB_EMPTY : BAD_LISTPACK
  }
  const isLarge = packCount(arena, pack) > limits.entries
  const ref = createEntry(arena, target, SORTED_SET_LISTPACK, pack, 0)
  if (!isLarge) return
  let done = false
  try {
    sortedSetToTree(arena, ref)
    done = true
  } finally {
    if (!done) arena.free(pack)
  }
}

/** True for pairs of members and scores, at least one, in order, no member twice. */
function isSortedSet(arena: Arena, pack: Ref): boolean {
  let member = new ListpackElement()
  let before = new ListpackElement()
  let scoreBefore = Number.NEGATIVE_INFINITY
  const seen = new Set<string>()
  let at = listpackFirst(arena, pack)
  if (at === 0) return false
  for (let index = 0; at !== 0; index++) {
    listpackRead(arena, at, member)
    at = listpackNext(arena, at)
    if (at === 0) return false
    const score = packScoreAt(arena, at)
    if (Number.isNaN(score) || score < scoreBefore) return false
    if (index > 0 && score === scoreBefore && compare(before, member) >= 0) return false
    seen.add(member.bytes.latin1Slice(member.offset, member.offset + member.length))
    if (seen.size !== index + 1) return false
    scoreBefore = score
    const swapped = before
    before = member
    member = swapped
    at = listpackNext(arena, at)
  }
  return true
}

function compare(a: ListpackElement, b: ListpackElement): number {
  return compareBytes(a.bytes, a.offset, a.length, b.bytes, b.offset, b.length)
}

function readZiplist(reader: RdbReader, builder: SortedSetBuilder): void {
  reader.string()
  const { stringBytes, stringOffset, stringLength } = reader
  if (!ziplist.open(stringBytes, stringOffset, stringLength)) throw BAD_ZIPLIST
  if (ziplist.count === 0) throw RDB_EMPTY
  if (ziplist.count % 2 !== 0) throw BAD_ZIPLIST
  while (ziplist.next()) {
    // The scratch of an integer is used again for the score.
    const member = Buffer.from(
      ziplist.bytes.subarray(ziplist.offset, ziplist.offset + ziplist.length),
    )
    ziplist.next()
    const score = parseDouble(ziplist.bytes, ziplist.offset, ziplist.offset + ziplist.length)
    add(builder, member, 0, member.length, score)
  }
}

function readPairs(reader: RdbReader, builder: SortedSetBuilder, isBinary: boolean): void {
  const count = reader.count(isBinary ? PAIR_SIZE_MIN : TEXT_PAIR_SIZE_MIN)
  if (count === 0) throw RDB_EMPTY
  for (let i = 0; i < count; i++) {
    reader.string()
    const { stringBytes, stringOffset, stringLength } = reader
    const score = isBinary ? reader.double() : readScoreText(reader)
    add(builder, stringBytes, stringOffset, stringLength, score)
  }
}

function readScoreText(reader: RdbReader): number {
  const length = reader.byte()
  if (length === TEXT_INFINITY) return Number.POSITIVE_INFINITY
  if (length === TEXT_MINUS_INFINITY) return Number.NEGATIVE_INFINITY
  if (length === TEXT_NAN) throw RDB_CORRUPT
  const start = reader.raw(length)
  return parseDouble(reader.bytes, start, start + length)
}

function add(
  builder: SortedSetBuilder,
  bytes: Buffer,
  offset: number,
  length: number,
  score: number,
): void {
  if (Number.isNaN(score)) throw RDB_CORRUPT
  if (!builder.add(bytes, offset, length, score)) throw RDB_CORRUPT
}
