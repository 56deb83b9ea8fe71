/**
 * How far a group has read: the number of entries up to its last id, and how many are left. Both
 * can be told from the stream's counters alone unless entries were deleted in between.
 *
 * Thread: core.
 * Owns: the registers of the last estimate.
 * Never: walks over entries.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import { groupLastId, groupReadHigh, groupReadLow, setGroupRead } from './consumer-group.ts'
import { StreamId } from './id.ts'
import {
  FIRST_ID,
  LAST_ID,
  MAX_DELETED_ID,
  streamAddedHigh,
  streamAddedLow,
  streamLength,
  streamLoadId,
} from './stream.ts'

/** What both words of a number say that is not known. */
const UNKNOWN = -1

const last = new StreamId()
const first = new StreamId()
const deleted = new StreamId()
const reached = new StreamId()

let readHigh = 0
let readLow = 0

/** Upper word of the last estimate. */
export function estimateReadHigh(): number {
  return readHigh
}

export function estimateReadLow(): number {
  return readLow
}

/**
 * How many entries had been added when the one at `id` was, or would have been: into the registers,
 * -1 when it cannot be told.
 */
export function estimateRead(arena: Arena, stream: Ref, id: StreamId): void {
  const length = streamLength(arena, stream)
  readHigh = streamAddedHigh(arena, stream)
  readLow = streamAddedLow(arena, stream)
  if ((readHigh | readLow) === 0) return
  streamLoadId(arena, stream, LAST_ID, last)
  const order = id.compare(last)
  if (order === 0 || (length === 0 && order < 0)) return
  streamLoadId(arena, stream, FIRST_ID, first)
  streamLoadId(arena, stream, MAX_DELETED_ID, deleted)
  const whole = deleted.isZero || deleted.compare(first) < 0
  if (order > 0 || !whole || id.compare(first) > 0) {
    readHigh = UNKNOWN
    readLow = UNKNOWN
    return
  }
  subtract(id.compare(first) === 0 ? length - 1 : length)
}

/** Takes a number of entries from the registers. */
function subtract(count: number): void {
  const low = (readLow >>> 0) - count
  readHigh = (readHigh - (low < 0 ? 1 : 0)) | 0
  readLow = low | 0
}

/** True when entries from `id` on may have been deleted. */
function hasGapsFrom(arena: Arena, stream: Ref, id: StreamId): boolean {
  if (streamLength(arena, stream) === 0) return false
  streamLoadId(arena, stream, MAX_DELETED_ID, deleted)
  if (deleted.isZero) return false
  streamLoadId(arena, stream, FIRST_ID, first)
  return first.compare(deleted) <= 0 && id.compare(deleted) <= 0
}

function knowsRead(arena: Arena, group: Ref): boolean {
  return (groupReadHigh(arena, group) & groupReadLow(arena, group)) !== UNKNOWN
}

/** Counts the entry at `id`, which a group reads as its next one. */
export function countRead(arena: Arena, stream: Ref, group: Ref, id: StreamId): void {
  if (knowsRead(arena, group) && !hasGapsFrom(arena, stream, id)) {
    const low = (groupReadLow(arena, group) + 1) | 0
    setGroupRead(arena, group, groupReadHigh(arena, group) + (low === 0 ? 1 : 0), low)
  } else if ((streamAddedHigh(arena, stream) | streamAddedLow(arena, stream)) !== 0) {
    estimateRead(arena, stream, id)
    setGroupRead(arena, group, readHigh, readLow)
  }
}

/** Entries that a group has not read yet; undefined when that cannot be told. */
// alloc: for XINFO
export function groupLag(arena: Arena, stream: Ref, group: Ref): bigint | undefined {
  const added = int64(streamAddedHigh(arena, stream), streamAddedLow(arena, stream))
  if (added === 0n) return 0n
  groupLastId(arena, group, reached)
  readHigh = groupReadHigh(arena, group)
  readLow = groupReadLow(arena, group)
  if (!knowsRead(arena, group) || hasGapsFrom(arena, stream, reached)) {
    estimateRead(arena, stream, reached)
    if ((readHigh & readLow) === UNKNOWN) return undefined
  }
  return BigInt.asIntN(64, added - int64(readHigh, readLow))
}

// alloc: for XINFO
function int64(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0)
}
