/**
 * A small sorted set: a listpack of members and scores in turn, in the order of the scores, then of
 * the members. A whole score is stored as an integer, another as its shortest exact text.
 *
 * Thread: core. Hot path.
 * Owns: how scores are written in a pack, and the order of its pairs.
 * Never: knows the entry that the pack belongs to.
 */
import { formatDouble, parseDouble } from '../../../lib/bytes/double.ts'
import { highWord } from '../../../lib/bytes/integer.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { compareBytes } from '../../../memory/copy.ts'
import {
  ListpackElement,
  listpackCount,
  listpackFind,
  listpackFirst,
  listpackInsert,
  listpackInsertInteger,
  listpackInteger,
  listpackLast,
  listpackNext,
  listpackPosition,
  listpackPrevious,
  listpackRead,
  listpackRemove,
  listpackReplace,
  listpackReplaceInteger,
  listpackSeek,
  listpackSizeBytes,
} from '../../../memory/listpack.ts'

/** Whole scores up to this magnitude are stored as integers. */
const INTEGER_SCORE_MAX = 2 ** 62
const SCORE_TEXT_MAX = 32

const element = new ListpackElement()
const scoreText = Buffer.alloc(SCORE_TEXT_MAX)

/** Members of a pack. */
export function packCount(arena: Arena, pack: Ref): number {
  return listpackCount(arena, pack) >> 1
}

/** Where a member is, 0 when it is not there; its score comes next. */
export function packFind(
  arena: Arena,
  pack: Ref,
  bytes: Buffer,
  offset: number,
  length: number,
): number {
  return listpackFind(arena, listpackFirst(arena, pack), bytes, offset, length, 1)
}

/** The score at a position; NaN when it is no number. */
export function packScoreAt(arena: Arena, at: number): number {
  const integer = listpackInteger(arena, at)
  if (!Number.isNaN(integer)) return integer
  listpackRead(arena, at, element)
  return parseDouble(element.bytes, element.offset, element.offset + element.length)
}

/** The score of the member at a position. */
export function packScore(arena: Arena, memberAt: number): number {
  return packScoreAt(arena, listpackNext(arena, memberAt))
}

let movedPack = 0

/** The pack after the last change, also after one that threw: its block may be another one. */
export function packMoved(): Ref {
  return movedPack
}

/**
 * Adds a member that is not there. Throws: ARENA_FULL, with the pack's contents unchanged. Either
 * way `packMoved` tells where the pack is.
 */
export function packAdd(
  arena: Arena,
  pack: Ref,
  bytes: Buffer,
  offset: number,
  length: number,
  score: number,
): void {
  insertPair(
    arena,
    pack,
    placeFor(arena, pack, bytes, offset, length, score),
    bytes,
    offset,
    length,
    score,
  )
}

/** Gives the member at a position another score, and so perhaps another place. As `packAdd`. */
export function packSetScore(
  arena: Arena,
  pack: Ref,
  memberAt: number,
  bytes: Buffer,
  offset: number,
  length: number,
  score: number,
): void {
  movedPack = pack
  const scoreAt = listpackNext(arena, memberAt)
  const next = listpackNext(arena, scoreAt)
  const rises = score > packScoreAt(arena, scoreAt)
  let before = rises ? next : listpackFirst(arena, pack)
  const stop = rises ? 0 : memberAt
  while (before !== stop && !isAfter(arena, before, bytes, offset, length, score)) {
    before = afterPair(arena, before)
  }
  if (before === (rises ? next : memberAt)) {
    movedPack = writeScore(arena, pack, scoreAt, score, true)
    return
  }
  const size = listpackSizeBytes(arena, pack)
  // The old pair goes last, so that nothing is lost when the new one finds no room.
  insertPair(arena, pack, before, bytes, offset, length, score)
  const added = listpackSizeBytes(arena, movedPack) - size
  let old = memberAt + ((movedPack - pack) << 3)
  if (!rises) old += added
  movedPack = listpackRemove(arena, movedPack, old, 2)
}

/** Takes out the member at a position. */
export function packRemoveAt(arena: Arena, pack: Ref, memberAt: number): void {
  movedPack = listpackRemove(arena, pack, memberAt, 2)
}

/** Takes out `count` members from a rank on. */
export function packRemoveRange(arena: Arena, pack: Ref, rank: number, count: number): void {
  movedPack = pack
  const at = packSeek(arena, pack, rank)
  if (at !== 0) movedPack = listpackRemove(arena, pack, at, count * 2)
}

/** Where the member of a rank is; 0: there is none. */
export function packSeek(arena: Arena, pack: Ref, rank: number): number {
  return listpackSeek(arena, pack, rank * 2)
}

/** The rank of the member at a position. */
export function packRank(arena: Arena, pack: Ref, memberAt: number): number {
  let rank = 0
  let at = listpackFirst(arena, pack)
  while (at !== memberAt) {
    rank++
    at = afterPair(arena, at)
  }
  return rank
}

/** How many members have a score below this one, or with `inclusive` up to it. */
export function packScoreRank(arena: Arena, pack: Ref, score: number, inclusive: boolean): number {
  return countFrom(arena, listpackFirst(arena, pack), score, inclusive)
}

/** How many members from a position on have a score below this one, or with `inclusive` up to it. */
function countFrom(arena: Arena, from: number, score: number, inclusive: boolean): number {
  let count = 0
  let at = from
  while (at !== 0) {
    const scoreAt = listpackNext(arena, at)
    const found = packScoreAt(arena, scoreAt)
    if (inclusive ? found > score : found >= score) break
    count++
    at = listpackNext(arena, scoreAt)
  }
  stoppedAt = at
  return count
}

/** Where the last `countFrom` ended; 0: at the end. */
let stoppedAt = 0

/** How many members have scores from `min` to `max`; `packRangeStart` is then the rank of the first. */
export function packRangeCount(
  arena: Arena,
  pack: Ref,
  min: number,
  minExclusive: boolean,
  max: number,
  maxExclusive: boolean,
): number {
  rangeStart = countFrom(arena, listpackFirst(arena, pack), min, minExclusive)
  return countFrom(arena, stoppedAt, max, !maxExclusive)
}

let rangeStart = 0

/** The rank at which the range of the last `packRangeCount` begins. */
export function packRangeStart(): number {
  return rangeStart
}

/** The order of the member at a position and some bytes. */
export function packCompare(
  arena: Arena,
  memberAt: number,
  bytes: Buffer,
  offset: number,
  length: number,
): number {
  listpackRead(arena, memberAt, element)
  return compareBytes(element.bytes, element.offset, element.length, bytes, offset, length)
}

/** The next member; 0 after the last. */
export function afterPair(arena: Arena, memberAt: number): number {
  return listpackNext(arena, listpackNext(arena, memberAt))
}

/** The member before; 0 before the first. */
export function beforePair(arena: Arena, pack: Ref, memberAt: number): number {
  const scoreAt = listpackPrevious(arena, pack, memberAt)
  return scoreAt === 0 ? 0 : listpackPrevious(arena, pack, scoreAt)
}

/** The last member; 0 in an empty pack. */
export function lastPair(arena: Arena, pack: Ref): number {
  const scoreAt = listpackLast(arena, pack)
  return scoreAt === 0 ? 0 : listpackPrevious(arena, pack, scoreAt)
}

/** Adds a pair at the end, whatever its order. As `packAdd`. */
export function packAppend(
  arena: Arena,
  pack: Ref,
  bytes: Buffer,
  offset: number,
  length: number,
  score: number,
): void {
  insertPair(arena, pack, 0, bytes, offset, length, score)
}

/** The member that a pair of this score and member comes before; 0: it comes last. */
function placeFor(
  arena: Arena,
  pack: Ref,
  bytes: Buffer,
  offset: number,
  length: number,
  score: number,
): number {
  const last = lastPair(arena, pack)
  if (last === 0 || !isAfter(arena, last, bytes, offset, length, score)) return 0
  let at = listpackFirst(arena, pack)
  while (!isAfter(arena, at, bytes, offset, length, score)) at = afterPair(arena, at)
  return at
}

/** True when the pair at a position comes after such a pair. */
function isAfter(
  arena: Arena,
  memberAt: number,
  bytes: Buffer,
  offset: number,
  length: number,
  score: number,
): boolean {
  const found = packScore(arena, memberAt)
  if (found !== score) return found > score
  return packCompare(arena, memberAt, bytes, offset, length) > 0
}

function insertPair(
  arena: Arena,
  pack: Ref,
  before: number,
  bytes: Buffer,
  offset: number,
  length: number,
  score: number,
): void {
  movedPack = pack
  movedPack = listpackInsert(arena, pack, before, bytes, offset, length)
  const memberAt = listpackPosition()
  const scoreBefore = listpackNext(arena, memberAt)
  let done = false
  try {
    movedPack = writeScore(arena, movedPack, scoreBefore, score, false)
    done = true
  } finally {
    if (!done) movedPack = listpackRemove(arena, movedPack, memberAt, 1)
  }
}

/** Puts a score before a position, 0: at the end, or in the place of what is there. */
function writeScore(arena: Arena, pack: Ref, at: number, score: number, replaces: boolean): Ref {
  // QUIRK: -0 is a whole number too, and becomes 0: seen as ZADD k -0 m, ZSCORE k m.
  if (score === Math.trunc(score) && Math.abs(score) <= INTEGER_SCORE_MAX) {
    const high = highWord(score)
    if (replaces) return listpackReplaceInteger(arena, pack, at, high, score | 0)
    return listpackInsertInteger(arena, pack, at, high, score | 0)
  }
  const size = scoreText.latin1Write(formatDouble(score), 0)
  if (replaces) return listpackReplace(arena, pack, at, scoreText, 0, size)
  return listpackInsert(arena, pack, at, scoreText, 0, size)
}
