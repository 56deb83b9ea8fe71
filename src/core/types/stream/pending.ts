/**
 * XPENDING: what consumers were given and have not acknowledged.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes when a consumer was seen.
 */
import type { Ref } from '../../../memory/arena.ts'
import {
  byteTreeFirst,
  byteTreeItemValue,
  byteTreeLast,
  byteTreeNext,
  byteTreeSeek,
  TreePosition,
} from '../../../memory/byte-tree.ts'
import { entryKeyLength, entryKeyOffset } from '../../../memory/entry.ts'
import { command } from '../../command/command.ts'
import type { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import { NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'
import { TYPE_STREAM } from '../../keyspace/entry.ts'
import {
  consumerPending,
  countOf,
  deliveryConsumer,
  deliveryCountHigh,
  deliveryCountLow,
  deliveryTime,
  groupConsumers,
  groupPending,
} from './consumer-group.ts'
import { endArgument, loadKey, replyId, StreamId, startArgument } from './id.ts'
import { consumerArgument, groupArgument, noKeyOrGroup } from './lookup.ts'
import { count } from './range.ts'
import { streamOf } from './stream.ts'
import { forEachItem } from './value.ts'

const TWO_32 = 4294967296
/** Words without a range, with the least of one, and with all of it. */
const SUMMARY_COUNT = 3
const RANGE_COUNT_MIN = 6
const RANGE_COUNT_MAX = 9
const IDLE_COUNT_MIN = 8

const start = new StreamId()
const end = new StreamId()
const id = new StreamId()
const position = new TreePosition()

interface RangeOptions {
  /** Milliseconds that an entry must have waited; 0: any. */
  idleMin: number
  limit: number
  /** The consumer's argument, 0: all consumers. */
  consumerIndex: number
}

export const xpendingCommand = command({
  name: 'XPENDING',
  usage: 'key group [filters: [IDLE min-idle-time:integer]@6.2.0 start end count [consumer]]',
  summary: 'Tells which entries of a group are pending.',
  since: '5.0.0',
  complexity: 'O(N) for N entries answered; without a range O(N) for N consumers',
  flags: ['readonly'],
  access: 'ro access',
  tips: ['nondeterministic_output'],
  history: [['6.2.0', 'IDLE came, and bounds that do not belong to the range.']],
  reply: 'array',

  run(call) {
    const { args, db } = call
    const isSummary = args.count === SUMMARY_COUNT
    if (!isSummary && (args.count < RANGE_COUNT_MIN || args.count > RANGE_COUNT_MAX)) throw SYNTAX
    const options = isSummary ? undefined : parseRange(args)
    const entry = db.readTyped(args, 1, TYPE_STREAM)
    const stream = entry === 0 ? 0 : streamOf(db.arena, entry)
    const group = groupArgument(db, args, stream, 2)
    if (group === 0) throw noKeyOrGroup(args, 1, 2)
    if (options === undefined) summary(call, group)
    else replyRange(call, group, options)
  },
})

/** Throws: CommandError. */
function parseRange(args: Args): RangeOptions {
  let from = 3
  let idleMin = 0
  if (args.is(3, 'IDLE')) {
    if (!args.integer64(4)) throw NOT_AN_INTEGER
    idleMin = args.high * TWO_32 + (args.low >>> 0)
    if (args.count < IDLE_COUNT_MIN) throw SYNTAX
    from = 5
  }
  const limit = count(args, from + 2)
  startArgument(args, from, start)
  endArgument(args, from + 1, end)
  return { idleMin, limit, consumerIndex: from + 3 < args.count ? from + 3 : 0 }
}

function summary(call: Call, group: Ref): void {
  const { db, reply } = call
  const { arena } = db
  const pending = groupPending(arena, group)
  const total = countOf(arena, pending)
  reply.array(4)
  reply.integer(total)
  if (total === 0) {
    reply.nil()
    reply.nil()
    reply.nilArray()
    return
  }
  byteTreeFirst(arena, pending, position)
  loadKey(arena, pending, position, id)
  replyId(reply, id)
  byteTreeLast(arena, pending, position)
  loadKey(arena, pending, position, id)
  replyId(reply, id)
  const busy: Ref[] = []
  forEachItem(arena, groupConsumers(arena, group), (consumer) => {
    if (countOf(arena, consumerPending(arena, consumer)) > 0) busy.push(consumer)
  })
  reply.array(busy.length)
  for (const consumer of busy) {
    reply.array(2)
    reply.bulk(arena.bytes, entryKeyOffset(consumer), entryKeyLength(arena, consumer))
    reply.bulkInteger(countOf(arena, consumerPending(arena, consumer)))
  }
}

function replyRange(call: Call, group: Ref, options: RangeOptions): void {
  const { args, db, reply } = call
  const { arena } = db
  let pending = groupPending(arena, group)
  if (options.consumerIndex > 0) {
    const consumer = consumerArgument(db, args, group, options.consumerIndex)
    pending = consumer === 0 ? 0 : consumerPending(arena, consumer)
  }
  const found = pending === 0 ? [] : findRange(call, pending, options)
  reply.array(found.length)
  for (const { shownId, delivery } of found) {
    reply.array(4)
    reply.bulkText(shownId)
    const consumer = deliveryConsumer(arena, delivery)
    reply.bulk(arena.bytes, entryKeyOffset(consumer), entryKeyLength(arena, consumer))
    reply.integer(Math.max(0, call.nowMs - deliveryTime(arena, delivery)))
    reply.integer64(deliveryCountHigh(arena, delivery), deliveryCountLow(arena, delivery))
  }
}

function findRange(
  call: Call,
  pending: Ref,
  options: RangeOptions,
): { readonly shownId: string; readonly delivery: Ref }[] {
  const { arena } = call.db
  const { idleMin, limit } = options
  const found: { readonly shownId: string; readonly delivery: Ref }[] = []
  const { msHigh, msLow, seqHigh, seqLow } = start
  let more = byteTreeSeek(arena, pending, position, msHigh, msLow, seqHigh, seqLow)
  while (more && found.length < limit) {
    loadKey(arena, pending, position, id)
    if (id.compare(end) > 0) break
    const delivery = byteTreeItemValue(arena, pending, position)
    if (idleMin === 0 || call.nowMs - deliveryTime(arena, delivery) >= idleMin) {
      found.push({ shownId: id.toString(), delivery })
    }
    more = byteTreeNext(arena, position)
  }
  return found
}
