/**
 * Giving entries to a consumer: new ones of the stream, or again those that are pending for it.
 *
 * What changes is changed by `deliver…`; answering the entries comes afterwards.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: counts an entry as read that did not become pending, unless nobody wants that.
 */
import { ArenaFullError, type Ref } from '../../../memory/arena.ts'
import {
  byteTreeCountBelow,
  byteTreeItemValue,
  byteTreeNext,
  byteTreeSeek,
  TreePosition,
} from '../../../memory/byte-tree.ts'
import type { Call } from '../../engine/call.ts'
import { streamHas } from './change.ts'
import {
  consumerPending,
  countDelivery,
  countOf,
  groupLastId,
  pendingAdd,
  pendingAssign,
  pendingFind,
  setDeliveryCount,
  setDeliveryTime,
  setGroupLastId,
} from './consumer-group.ts'
import { countRead } from './counters.ts'
import { replyEntry, StreamCursor } from './cursor.ts'
import { loadKey, replyId, StreamId } from './id.ts'
import { newConsumer, seenConsumer } from './lookup.ts'
import { propagateConsumer, propagateDelivery, propagateLastId } from './propagate.ts'

const cursor = new StreamCursor()
const position = new TreePosition()
const id = new StreamId()
const lastId = new StreamId()
const max = new StreamId()
max.setMax()

/** Who gets entries: the arguments that name key, group and consumer, and the first two found. */
export interface Receiver {
  readonly call: Call
  readonly keyIndex: number
  readonly groupIndex: number
  readonly stream: Ref
  readonly group: Ref
  /** Nothing becomes pending. */
  readonly noAck: boolean
}

/** The consumer, made if need be. Throws: ARENA_FULL. */
function consumerOf({ call, keyIndex, groupIndex, group, noAck }: Receiver): Ref {
  const consumer = seenConsumer(call, group, groupIndex + 1)
  if (consumer !== 0) return consumer
  const made = newConsumer(call, group, groupIndex + 1, keyIndex)
  if (noAck) propagateConsumer(call, keyIndex, groupIndex, groupIndex + 1)
  return made
}

/**
 * Gives up to `limit` entries from `start` on. Gives how many; when memory ends on the way, those
 * before. `cursor` is then before the first. Throws: ARENA_FULL when there is none.
 */
export function deliverNew(
  receiver: Receiver,
  cursor: StreamCursor,
  start: StreamId,
  limit: number,
): number {
  const { call, keyIndex, groupIndex, stream, group, noAck } = receiver
  const { arena } = call.db
  const consumer = consumerOf(receiver)
  let count = 0
  let advanced = false
  try {
    cursor.open(arena, stream, start, max, false)
    while (count < limit && cursor.next()) {
      const delivery = noAck ? 0 : give(receiver, consumer, cursor.id)
      groupLastId(arena, group, lastId)
      if (cursor.id.compare(lastId) > 0) {
        countRead(arena, stream, group, cursor.id)
        setGroupLastId(arena, group, cursor.id)
        advanced = true
      }
      count++
      if (delivery !== 0 && call.propagation.active) {
        propagateDelivery(call, keyIndex, groupIndex, group, cursor.id.toString(), delivery)
      }
    }
  } catch (error) {
    if (!(error instanceof ArenaFullError) || count === 0) throw error
  }
  cursor.again()
  if (noAck && advanced) propagateLastId(call, keyIndex, groupIndex, group)
  return count
}

/** Makes an entry pending for the consumer, whoever had it before. Throws: ARENA_FULL. */
function give({ call, group }: Receiver, consumer: Ref, entryId: StreamId): Ref {
  const { arena } = call.db
  const known = pendingFind(arena, group, entryId)
  if (known === 0) return pendingAdd(arena, group, consumer, entryId, call.nowMs)
  pendingAssign(arena, known, consumer, entryId)
  setDeliveryTime(arena, known, call.nowMs)
  setDeliveryCount(arena, known, 0, 1)
  return known
}

/**
 * Gives once more what is pending for the consumer from `start` on, up to `limit` entries. Gives how
 * many. Throws: ARENA_FULL.
 */
export function deliverHistory(receiver: Receiver, start: StreamId, limit: number): number {
  const { call, stream } = receiver
  const { arena } = call.db
  const own = consumerPending(arena, consumerOf(receiver))
  if (own === 0) return 0
  const { msHigh, msLow, seqHigh, seqLow } = start
  const before = byteTreeCountBelow(arena, own, msHigh, msLow, seqHigh, seqLow)
  const count = Math.min(limit, countOf(arena, own) - before)
  byteTreeSeek(arena, own, position, msHigh, msLow, seqHigh, seqLow)
  for (let left = count; left > 0; left--) {
    loadKey(arena, own, position, id)
    if (streamHas(arena, stream, id)) {
      const delivery = byteTreeItemValue(arena, own, position)
      setDeliveryTime(arena, delivery, call.nowMs)
      countDelivery(arena, delivery)
    }
    byteTreeNext(arena, position)
  }
  return count
}

/** Answers what `deliverHistory` gave; an entry that is gone has no fields. */
export function replyHistory(receiver: Receiver, start: StreamId, count: number): void {
  const { call, stream } = receiver
  const { arena } = call.db
  const { reply } = call
  reply.array(count)
  if (count === 0) return
  const own = consumerPending(arena, consumerOf(receiver))
  const { msHigh, msLow, seqHigh, seqLow } = start
  byteTreeSeek(arena, own, position, msHigh, msLow, seqHigh, seqLow)
  for (let left = count; left > 0; left--) {
    loadKey(arena, own, position, id)
    cursor.open(arena, stream, id, id, false)
    if (cursor.next()) {
      replyEntry(reply, cursor)
    } else {
      reply.array(2)
      replyId(reply, id)
      reply.nilArray()
    }
    byteTreeNext(arena, position)
  }
}
