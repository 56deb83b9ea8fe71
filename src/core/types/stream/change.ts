/**
 * Taking entries out of a stream: single ones, and all before some place.
 *
 * Thread: core.
 * Owns: what happens to nodes, the length and the first id then.
 * Never: leaves a node without a live entry.
 */
import { type Arena, ArenaFullError, type Ref } from '../../../memory/arena.ts'
import {
  byteTreeFirst,
  byteTreeItemValue,
  byteTreeRemove,
  TreePosition,
} from '../../../memory/byte-tree.ts'
import { listpackReserve } from '../../../memory/listpack.ts'
import { StreamCursor } from './cursor.ts'
import { loadKey, StreamId } from './id.ts'
import {
  FLAG_DELETED,
  nodeCountDeleted,
  nodeDeletedRoom,
  nodeLastId,
  nodeLiveCount,
} from './node.ts'
import {
  FIRST_ID,
  MAX_DELETED_ID,
  setPack,
  setStreamLength,
  streamLength,
  streamLoadId,
  streamNodes,
  streamStoreId,
} from './stream.ts'

const cursor = new StreamCursor()
const position = new TreePosition()
const key = new StreamId()
const edge = new StreamId()
const zero = new StreamId()
const max = new StreamId()
max.setMax()

/** How far to trim; exactly one of both. */
export interface TrimTarget {
  /** Entries that stay, the last ones; -1: `minId` says. */
  readonly length: number
  /** The first id that may stay. */
  readonly minId: StreamId
  /** Only whole nodes go. */
  readonly approximate: boolean
  /** Entries that may go at most, as far as whole nodes are concerned; 0: any number. */
  readonly limit: number
}

/** True when the stream has this entry. */
export function streamHas(arena: Arena, stream: Ref, id: StreamId): boolean {
  cursor.open(arena, stream, id, id, false)
  return cursor.next()
}

/** The id of the last live entry; false when there is none. */
export function lastLiveId(arena: Arena, stream: Ref, id: StreamId): boolean {
  cursor.open(arena, stream, zero, max, true)
  if (!cursor.next()) return false
  id.copy(cursor.id)
  return true
}

/** Deletes an entry; false when there is none. Throws: ARENA_FULL, with nothing changed. */
export function streamDelete(arena: Arena, stream: Ref, id: StreamId): boolean {
  cursor.open(arena, stream, id, id, false)
  if (!cursor.next()) return false
  const nodes = streamNodes(arena, stream)
  const { pack, flagsAt } = cursor
  if (nodeLiveCount(arena, pack) === 1) {
    removeNode(arena, nodes, cursor.key, pack)
  } else {
    const fitted = listpackReserve(arena, pack, nodeDeletedRoom(arena, pack, 1))
    if (fitted !== pack) setPack(arena, nodes, cursor.key, pack, fitted)
    flagDeleted(arena, flagsAt + ((fitted - pack) << 3))
    nodeCountDeleted(arena, fitted, 1)
  }
  setStreamLength(arena, stream, streamLength(arena, stream) - 1)
  streamLoadId(arena, stream, MAX_DELETED_ID, edge)
  if (id.compare(edge) > 0) streamStoreId(arena, stream, MAX_DELETED_ID, id)
  streamLoadId(arena, stream, FIRST_ID, edge)
  if (id.compare(edge) === 0 || streamLength(arena, stream) === 0) findFirst(arena, stream)
  return true
}

/** Flags are a single byte. */
function flagDeleted(arena: Arena, flagsAt: number): void {
  arena.bytes[flagsAt] |= FLAG_DELETED
}

function removeNode(arena: Arena, nodes: Ref, nodeKey: StreamId, pack: Ref): void {
  const { msHigh, msLow, seqHigh, seqLow } = nodeKey
  byteTreeRemove(arena, nodes, 0, msHigh, msLow, seqHigh, seqLow)
  arena.free(pack)
}

/** Looks again which live entry is the first. */
export function findFirst(arena: Arena, stream: Ref): void {
  cursor.open(arena, stream, zero, max, false)
  streamStoreId(arena, stream, FIRST_ID, cursor.next() ? cursor.id : zero)
}

/** Takes out the first entries. Gives how many. */
export function streamTrim(arena: Arena, stream: Ref, target: TrimTarget): number {
  const nodes = streamNodes(arena, stream)
  const before = streamLength(arena, stream)
  let length = before
  while (byteTreeFirst(arena, nodes, position)) {
    if (target.length >= 0 && length <= target.length) break
    const pack = byteTreeItemValue(arena, nodes, position)
    loadKey(arena, nodes, position, key)
    const live = nodeLiveCount(arena, pack)
    if (target.limit !== 0 && before - length + live > target.limit) break
    const surplus =
      target.length >= 0
        ? Math.min(length - target.length, live)
        : countBefore(arena, stream, pack, target, live)
    if (surplus < live) {
      if (target.approximate || surplus === 0) break
      if (trimNode(arena, stream, pack, surplus)) length -= surplus
      break
    }
    removeNode(arena, nodes, key, pack)
    length -= live
  }
  setStreamLength(arena, stream, length)
  if (length !== before) findFirst(arena, stream)
  return before - length
}

/**
 * Live entries of the first node, which is at `key` and has `live`, that lie before the target's id.
 * QUIRK: a deleted entry at the end of a node counts where only whole nodes go.
 * DIFFERS: Redis keeps a node whose live entries have all gone before such a deleted one.
 */
function countBefore(
  arena: Arena,
  stream: Ref,
  pack: Ref,
  target: TrimTarget,
  live: number,
): number {
  if (target.approximate) {
    nodeLastId(arena, pack, key, edge)
    return edge.compare(target.minId) < 0 ? live : 0
  }
  cursor.open(arena, stream, zero, max, false)
  let count = 0
  while (count < live && cursor.next() && cursor.id.compare(target.minId) < 0) count++
  return count
}

/**
 * Deletes the first `count` entries of the first node, which is at `key`. False, with nothing
 * changed, when its counters have to grow and there is no room for that.
 */
function trimNode(arena: Arena, stream: Ref, pack: Ref, count: number): boolean {
  const room = nodeDeletedRoom(arena, pack, count)
  let fitted = pack
  try {
    if (room > 0) fitted = listpackReserve(arena, pack, room)
  } catch (error) {
    if (error instanceof ArenaFullError) return false
    throw error
  }
  if (fitted !== pack) setPack(arena, streamNodes(arena, stream), key, pack, fitted)
  cursor.open(arena, stream, zero, max, false)
  for (let left = count; left > 0; left--) {
    cursor.next()
    flagDeleted(arena, cursor.flagsAt)
  }
  nodeCountDeleted(arena, fitted, count)
  return true
}
