/**
 * A node of a stream: up to some hundred entries in one listpack, as Redis lays them out, so that
 * saving a node is a copy.
 *
 *     live | deleted | field count | field ... | 0          the master: fields of the first entry
 *     flags | ms | seq | value ... | pieces                 an entry with the fields of the master
 *     flags | ms | seq | field count | field | value ... | pieces        an entry with its own
 *
 * `ms` and `seq` are differences to the node's key, the id of its first entry. `pieces` counts what
 * stands before it, so that a walk can go backwards. A deleted entry stays, with a flag; a node
 * without a live entry goes.
 *
 * Thread: core. Hot path.
 * Owns: what the elements of the listpack mean.
 * Never: changes anything when it throws ARENA_FULL.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  LISTPACK_EMPTY_SIZE,
  ListpackElement,
  listpackCreate,
  listpackEnd,
  listpackEquals,
  listpackFirst,
  listpackInteger,
  listpackLast,
  listpackNext,
  listpackPrevious,
  listpackReadInteger,
  listpackReplaceInteger,
  listpackReserve,
  listpackWriteBytes,
  listpackWriteInteger,
  listpackWritten,
} from '../../../memory/listpack.ts'
import type { Args } from '../../engine/args.ts'
import { StreamId } from './id.ts'

export const FLAG_DELETED = 1
export const FLAG_SAME_FIELDS = 2
/** Flags, ms and seq. */
export const FIXED_PIECES = 3
/** The master without its fields. */
const MASTER_PIECES = 4

/** Bytes that the numbers of an entry and the counters of the master may take, or grow by. */
const NUMBERS_ROOM = 48

const number = new ListpackElement()

/**
 * A new node with its first entry, whose id is its key; room for `capacityBytes` if that is more
 * than it needs. Pairs begin at argument `first`. Throws: ARENA_FULL.
 */
export function nodeCreate(
  arena: Arena,
  capacityBytes: number,
  args: Args,
  first: number,
  pairCount: number,
): Ref {
  const needed = LISTPACK_EMPTY_SIZE + masterRoom(args, first, pairCount)
  const size = needed + entryRoom(args, first, pairCount)
  const pack = listpackCreate(arena, Math.max(size, capacityBytes))
  // There is room for all of it: nothing moves or throws from here on.
  const { bytes } = arena
  let at = listpackEnd(arena, pack)
  at = listpackWriteInteger(bytes, at, 0, 1)
  at = listpackWriteInteger(bytes, at, 0, 0)
  at = listpackWriteInteger(bytes, at, 0, pairCount)
  for (let i = first; i < first + 2 * pairCount; i += 2) {
    at = listpackWriteBytes(bytes, at, args.bytes, args.offsets[i], args.lengths[i])
  }
  at = listpackWriteInteger(bytes, at, 0, 0)
  at = listpackWriteInteger(bytes, at, 0, FLAG_SAME_FIELDS)
  at = listpackWriteInteger(bytes, at, 0, 0)
  at = listpackWriteInteger(bytes, at, 0, 0)
  at = writePairs(bytes, at, args, first, pairCount, true)
  listpackWritten(arena, pack, at, MASTER_PIECES + pairCount + FIXED_PIECES + pairCount + 1)
  return pack
}

/** Adds an entry; `key` is the node's. Gives the pack, which may have moved. Throws: ARENA_FULL. */
export function nodeAppend(
  arena: Arena,
  pack: Ref,
  key: StreamId,
  id: StreamId,
  args: Args,
  first: number,
  pairCount: number,
): Ref {
  const grown = listpackReserve(arena, pack, entryRoom(args, first, pairCount))
  // There is room for all of it: nothing moves or throws from here on.
  addToCounter(arena, grown, (grown << 3) + LISTPACK_EMPTY_SIZE - 1, 1)
  const same = hasFields(arena, grown, args, first, pairCount)
  const { bytes } = arena
  let at = listpackEnd(arena, grown)
  at = listpackWriteInteger(bytes, at, 0, same ? FLAG_SAME_FIELDS : 0)
  at = writeDifference(bytes, at, id.msHigh, id.msLow, key.msHigh, key.msLow)
  at = writeDifference(bytes, at, id.seqHigh, id.seqLow, key.seqHigh, key.seqLow)
  at = writePairs(bytes, at, args, first, pairCount, same)
  listpackWritten(arena, grown, at, pieceCount(pairCount, same) + 1)
  return grown
}

/**
 * From the entry at a position on, the first that may not lie before `id`; 0 when all do. `key` is
 * the node's, `fieldCount` its master's. A short way past the entries of no interest.
 */
export function nodeSkip(
  arena: Arena,
  from: number,
  key: StreamId,
  id: StreamId,
  fieldCount: number,
): number {
  if (!key.isSafe || !id.isSafe) return from
  const keyMs = key.safeMs
  const keySeq = key.safeSeq
  const ms = id.safeMs
  const seq = id.safeSeq
  let at = from
  while (at !== 0) {
    const msAt = listpackNext(arena, at)
    const seqAt = listpackNext(arena, msAt)
    const entryMs = keyMs + listpackInteger(arena, msAt)
    const entrySeq = keySeq + listpackInteger(arena, seqAt)
    // What is negative here is a difference that has wrapped around.
    if (entryMs < 0 || entrySeq < 0) return at
    if (entryMs > ms || (entryMs === ms && entrySeq >= seq)) return at
    let left = fieldCount
    let piece = listpackNext(arena, seqAt)
    if ((arena.bytes[at] & FLAG_SAME_FIELDS) === 0) left = 2 * listpackInteger(arena, piece) + 1
    for (; left >= 0; left--) piece = listpackNext(arena, piece)
    at = piece
  }
  return 0
}

/** Live entries. */
export function nodeLiveCount(arena: Arena, pack: Ref): number {
  return listpackInteger(arena, listpackFirst(arena, pack))
}

/** Live and deleted entries. */
export function nodeEntryCount(arena: Arena, pack: Ref): number {
  const live = listpackFirst(arena, pack)
  return listpackInteger(arena, live) + listpackInteger(arena, listpackNext(arena, live))
}

/** Bytes to reserve before `nodeCountDeleted`: mostly none. */
export function nodeDeletedRoom(arena: Arena, pack: Ref, count: number): number {
  const deleted = listpackInteger(arena, listpackNext(arena, listpackFirst(arena, pack)))
  return deleted + count < 128 ? 0 : 2
}

/** Counts `count` entries that were flagged as deleted. The pack stays where it is. */
export function nodeCountDeleted(arena: Arena, pack: Ref, count: number): void {
  const live = listpackFirst(arena, pack)
  addToCounter(arena, pack, live, -count)
  addToCounter(arena, pack, listpackNext(arena, live), count)
}

/** The id of the last entry, deleted or not. */
export function nodeLastId(arena: Arena, pack: Ref, key: StreamId, id: StreamId): void {
  let at = listpackLast(arena, pack)
  for (let left = listpackInteger(arena, at); left > 0; left--) {
    at = listpackPrevious(arena, pack, at)
  }
  readEntryId(arena, listpackNext(arena, at), key, id)
}

/** Bytes of the fields and values given as arguments. */
export function pairsSize(args: Args, first: number, pairCount: number): number {
  let size = 0
  for (let i = first; i < first + 2 * pairCount; i++) size += args.lengths[i]
  return size
}

/** The id that differs from `key` as the entry says whose `ms` is at a position. */
export function readEntryId(arena: Arena, at: number, key: StreamId, id: StreamId): void {
  const bytes = arena.bytes
  const ms = bytes[at]
  if (ms < 128) {
    addDifference(id, key, 0, ms)
  } else {
    listpackReadInteger(arena, at, number)
    addDifference(id, key, number.high, number.low)
  }
  const seqAt = listpackNext(arena, at)
  const seq = bytes[seqAt]
  let seqHigh = 0
  let seqLow = seq
  if (seq >= 128) {
    listpackReadInteger(arena, seqAt, number)
    seqHigh = number.high
    seqLow = number.low
  }
  const low = (key.seqLow >>> 0) + (seqLow >>> 0)
  id.seqLow = low | 0
  id.seqHigh = (key.seqHigh + seqHigh + (low > 0xffffffff ? 1 : 0)) | 0
}

function addDifference(id: StreamId, key: StreamId, high: number, low: number): void {
  const sum = (key.msLow >>> 0) + (low >>> 0)
  id.msLow = sum | 0
  id.msHigh = (key.msHigh + high + (sum > 0xffffffff ? 1 : 0)) | 0
}

function addToCounter(arena: Arena, pack: Ref, at: number, change: number): void {
  const counter = arena.bytes[at]
  const changed = counter + change
  // A small one is a byte.
  if (counter < 128 && changed < 128 && changed >= 0) {
    arena.bytes[at] = changed
    return
  }
  listpackReplaceInteger(arena, pack, at, 0, listpackInteger(arena, at) + change)
}

/** Writes the difference of two unsigned numbers of 64 bits, which wraps around. */
function writeDifference(
  bytes: Buffer,
  at: number,
  high: number,
  low: number,
  keyHigh: number,
  keyLow: number,
): number {
  const difference = (low >>> 0) - (keyLow >>> 0)
  const differenceHigh = (high - keyHigh - (difference < 0 ? 1 : 0)) | 0
  return listpackWriteInteger(bytes, at, differenceHigh, difference | 0)
}

function writePairs(
  bytes: Buffer,
  from: number,
  args: Args,
  first: number,
  pairCount: number,
  same: boolean,
): number {
  let at = from
  if (!same) at = listpackWriteInteger(bytes, at, 0, pairCount)
  for (let i = first; i < first + 2 * pairCount; i++) {
    if (same) i++
    at = listpackWriteBytes(bytes, at, args.bytes, args.offsets[i], args.lengths[i])
  }
  return listpackWriteInteger(bytes, at, 0, pieceCount(pairCount, same))
}

/** What an entry's last piece says: how many stand before it. */
function pieceCount(pairCount: number, same: boolean): number {
  return FIXED_PIECES + (same ? pairCount : 2 * pairCount + 1)
}

/** True when the pairs have the fields of the master, in its order. */
function hasFields(arena: Arena, pack: Ref, args: Args, first: number, pairCount: number): boolean {
  let at = listpackNext(arena, listpackNext(arena, listpackFirst(arena, pack)))
  if (listpackInteger(arena, at) !== pairCount) return false
  for (let i = first; i < first + 2 * pairCount; i += 2) {
    at = listpackNext(arena, at)
    if (!listpackEquals(arena, at, args.bytes, args.offsets[i], args.lengths[i])) return false
  }
  return true
}

/** At least the bytes that an entry takes, and that the counters may grow by. */
function entryRoom(args: Args, first: number, pairCount: number): number {
  let room = NUMBERS_ROOM
  for (let i = first; i < first + 2 * pairCount; i++) room += elementRoom(args.lengths[i])
  return room
}

function masterRoom(args: Args, first: number, pairCount: number): number {
  let room = NUMBERS_ROOM
  for (let i = first; i < first + 2 * pairCount; i += 2) room += elementRoom(args.lengths[i])
  return room
}

/** At least the bytes that an element of so many bytes of text takes. */
function elementRoom(length: number): number {
  return length < 64 ? length + 4 : length + 10
}

/** What `nodeCheck` found: the last live entry. */
export const checkedLast = new StreamId()
const checked = new StreamId()

/**
 * Looks through a node of which only this is known, that it is a listpack: all pieces are what they
 * should be, the counters are right, live ids grow, from the key on. Gives the number of live
 * entries, -1 when something is wrong.
 */
export function nodeCheck(arena: Arena, pack: Ref, key: StreamId): number {
  const liveAt = listpackFirst(arena, pack)
  const deletedAt = next(arena, liveAt)
  const fieldsAt = next(arena, deletedAt)
  const live = integer(arena, liveAt)
  const deleted = integer(arena, deletedAt)
  const fieldCount = integer(arena, fieldsAt)
  let at = skip(arena, next(arena, fieldsAt), fieldCount)
  if (!(live >= 0 && deleted >= 0) || integer(arena, at) !== 0) return -1
  at = next(arena, at)
  let found = 0
  for (let left = live + deleted; left > 0; left--) {
    const flags = integer(arena, at)
    if (flags !== (flags & (FLAG_DELETED | FLAG_SAME_FIELDS))) return -1
    const msAt = next(arena, at)
    const seqAt = next(arena, msAt)
    if (!isInteger(arena, msAt) || !isInteger(arena, seqAt)) return -1
    let pieces = FIXED_PIECES + fieldCount
    at = next(arena, seqAt)
    if ((flags & FLAG_SAME_FIELDS) === 0) {
      pieces = FIXED_PIECES + 1 + 2 * integer(arena, at)
      at = next(arena, at)
      at = skip(arena, at, pieces - FIXED_PIECES - 1)
    } else {
      at = skip(arena, at, fieldCount)
    }
    if (integer(arena, at) !== pieces) return -1
    at = next(arena, at)
    if ((flags & FLAG_DELETED) !== 0) continue
    readEntryId(arena, msAt, key, checked)
    if (checked.compare(found === 0 ? key : checkedLast) < (found === 0 ? 0 : 1)) return -1
    checkedLast.copy(checked)
    found++
  }
  return at === 0 && found === live ? found : -1
}

function next(arena: Arena, at: number): number {
  return at === 0 ? 0 : listpackNext(arena, at)
}

/** The element `count` on; 0 when there are not so many. */
function skip(arena: Arena, at: number, count: number): number {
  if (!(count >= 0)) return 0
  let to = at
  for (let left = count; left > 0 && to !== 0; left--) to = listpackNext(arena, to)
  return to
}

/** A number that counts something; NaN when it is none. */
function integer(arena: Arena, at: number): number {
  return at === 0 ? Number.NaN : listpackInteger(arena, at)
}

function isInteger(arena: Arena, at: number): boolean {
  return at !== 0 && listpackReadInteger(arena, at, number)
}
