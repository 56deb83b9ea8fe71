/**
 * What replicas and the AOF see of groups: every delivery as an XCLAIM that makes just that, whatever
 * was there before.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: lets a replica choose a time, a consumer or an entry.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import { entryKeyLength, entryKeyOffset } from '../../../memory/entry.ts'
import type { Call } from '../../engine/call.ts'
import {
  deliveryConsumer,
  deliveryCountHigh,
  deliveryCountLow,
  deliveryTimeHigh,
  deliveryTimeLow,
  groupLastId,
  groupReadHigh,
  groupReadLow,
} from './consumer-group.ts'
import { StreamId } from './id.ts'

const reached = new StreamId()

/** `keyIndex`, `groupIndex`: the arguments that name them; `entryId`: as the replica is to see it. */
export function propagateDelivery(
  call: Call,
  keyIndex: number,
  groupIndex: number,
  group: Ref,
  entryId: string | Uint8Array,
  delivery: Ref,
): void {
  if (!call.propagation.active) return
  const { args, db } = call
  const { arena } = db
  groupLastId(arena, group, reached)
  call.propagateAs(
    ...['XCLAIM', args.copy(keyIndex), args.copy(groupIndex)],
    ...[nameOf(arena, deliveryConsumer(arena, delivery)), '0', entryId],
    ...['TIME', int64(deliveryTimeHigh(arena, delivery), deliveryTimeLow(arena, delivery))],
    ...['RETRYCOUNT', int64(deliveryCountHigh(arena, delivery), deliveryCountLow(arena, delivery))],
    ...['FORCE', 'JUSTID', 'LASTID', reached.toString()],
  )
}

/** How far a group has read, where no delivery tells it. */
export function propagateLastId(
  call: Call,
  keyIndex: number,
  groupIndex: number,
  group: Ref,
): void {
  if (!call.propagation.active) return
  const { args, db } = call
  const { arena } = db
  groupLastId(arena, group, reached)
  call.propagateAs(
    ...['XGROUP', 'SETID', args.copy(keyIndex), args.copy(groupIndex), reached.toString()],
    ...['ENTRIESREAD', int64(groupReadHigh(arena, group), groupReadLow(arena, group))],
  )
}

/** A new consumer that no delivery makes. */
export function propagateConsumer(
  call: Call,
  keyIndex: number,
  groupIndex: number,
  consumerIndex: number,
): void {
  if (!call.propagation.active) return
  const { args } = call
  call.propagateAs(
    ...['XGROUP', 'CREATECONSUMER', args.copy(keyIndex), args.copy(groupIndex)],
    args.copy(consumerIndex),
  )
}

/** A copy of the name of a group or consumer. */
export function nameOf(arena: Arena, entry: Ref): Buffer {
  const offset = entryKeyOffset(entry)
  return Buffer.from(arena.bytes.subarray(offset, offset + entryKeyLength(arena, entry)))
}

function int64(high: number, low: number): string {
  return ((BigInt(high) << 32n) | BigInt(low >>> 0)).toString()
}
