/**
 * XCLAIM and XAUTOCLAIM: giving pending entries to another consumer.
 *
 * What is claimed is changed first and answered afterwards.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: leaves an entry pending that the stream has no more, once it was asked for.
 */
import type { Ref } from '../../../memory/arena.ts'
import { byteTreeItemValue, byteTreeSeek, TreePosition } from '../../../memory/byte-tree.ts'
import { command } from '../../command/command.ts'
import type { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, SYNTAX } from '../../engine/errors.ts'
import { streamHas } from './change.ts'
import {
  countDelivery,
  deliveryTime,
  groupLastId,
  groupPending,
  pendingAdd,
  pendingAssign,
  pendingFind,
  pendingRemove,
  setDeliveryCount,
  setDeliveryTime,
  setGroupLastId,
} from './consumer-group.ts'
import { replyEntry, StreamCursor } from './cursor.ts'
import { idArgument, isId, loadKey, replyId, StreamId, startArgument } from './id.ts'
import { groupArgument, newConsumer, noKeyOrGroup, seenConsumer, streamToRead } from './lookup.ts'
import { propagateDelivery, propagateLastId } from './propagate.ts'

const CLAIM_IDLE = new CommandError('ERR Invalid min-idle-time argument for XCLAIM')
const AUTOCLAIM_IDLE = new CommandError('ERR Invalid min-idle-time argument for XAUTOCLAIM')
const BAD_IDLE = new CommandError('ERR Invalid IDLE option argument for XCLAIM')
const BAD_TIME = new CommandError('ERR Invalid TIME option argument for XCLAIM')
const BAD_COUNT = new CommandError('ERR Invalid RETRYCOUNT option argument for XCLAIM')
const COUNT_NOT_POSITIVE = new CommandError('ERR COUNT must be > 0')

const TWO_32 = 4294967296
/** XAUTOCLAIM looks at so many pending entries for each that it may answer. */
const ATTEMPTS_FACTOR = 10
const COUNT_DEFAULT = 100
/** Redis keeps 16 bytes for each. */
const COUNT_MAX = (2 ** 63 - 1) / 16

const id = new StreamId()
const nextId = new StreamId()
const reached = new StreamId()
const position = new TreePosition()
const cursor = new StreamCursor()

interface ClaimOptions {
  /** The first argument that is no id. */
  idEnd: number
  /** Milliseconds that an entry must have waited; 0: any. */
  idleMin: number
  /** Unix milliseconds. */
  timeMs: number
  /** How often it was delivered; undefined: once more than before. */
  count: { readonly high: number; readonly low: number } | undefined
  force: boolean
  justId: boolean
  /** The group has read up to here at least. */
  lastId: StreamId
}

/** What a claim is about, and what it has come to. */
interface Claim {
  readonly call: Call
  readonly stream: Ref
  readonly group: Ref
  consumer: Ref
  readonly claimed: StreamId[]
}

export const xclaimCommand = command({
  name: 'XCLAIM',
  usage:
    'key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] ' +
    '[RETRYCOUNT count] [FORCE] [JUSTID] [LASTID id]',
  summary: 'Gives pending entries to a consumer.',
  since: '5.0.0',
  complexity: 'O(log N) for each id, N being pending',
  flags: ['write', 'fast'],
  access: 'rw update',
  tips: ['nondeterministic_output'],
  reply: 'array',

  run(call) {
    const { args, db } = call
    const stream = streamToRead(db, args, 1)
    const group = groupArgument(db, args, stream, 2)
    if (group === 0) throw noKeyOrGroup(args, 1, 2)
    const options = parseClaim(call)

    call.propagation.nothing()
    groupLastId(db.arena, group, reached)
    let advanced = options.lastId.compare(reached) > 0
    if (advanced) setGroupLastId(db.arena, group, options.lastId)
    const claim: Claim = { call, stream, group, consumer: 0, claimed: [] }
    try {
      for (let i = 5; i < options.idEnd; i++) {
        idArgument(args, i, id)
        // What is propagated tells how far the group has read.
        if (claimOne(claim, options, i)) advanced = false
      }
    } finally {
      if (advanced) {
        propagateLastId(call, 1, 2, group)
        call.keyspace.dirty++
      }
    }
    replyClaimed(claim, options.justId)
  },
})

function parseClaim(call: Call): ClaimOptions {
  const { args, nowMs } = call
  const options: ClaimOptions = {
    idEnd: 5,
    idleMin: Math.max(0, number(args, 4, CLAIM_IDLE)),
    timeMs: -1,
    count: undefined,
    force: false,
    justId: false,
    lastId: new StreamId(),
  }
  while (options.idEnd < args.count && isId(args, options.idEnd, id)) options.idEnd++
  for (let i = options.idEnd; i < args.count; i++) {
    const more = i + 1 < args.count
    if (args.is(i, 'FORCE')) {
      options.force = true
    } else if (args.is(i, 'JUSTID')) {
      options.justId = true
    } else if (more && args.is(i, 'IDLE')) {
      options.timeMs = nowMs - number(args, ++i, BAD_IDLE)
    } else if (more && args.is(i, 'TIME')) {
      options.timeMs = number(args, ++i, BAD_TIME)
    } else if (more && args.is(i, 'RETRYCOUNT')) {
      number(args, ++i, BAD_COUNT)
      options.count = args.high < 0 ? undefined : { high: args.high, low: args.low }
    } else if (more && args.is(i, 'LASTID')) {
      idArgument(args, ++i, options.lastId)
    } else {
      throw new CommandError(`ERR Unrecognized XCLAIM option '${args.shown(i)}'`)
    }
  }
  // Times that cannot be are now.
  if (options.timeMs < 0 || options.timeMs > nowMs) options.timeMs = nowMs
  return options
}

/** Any 64-bit integer, as the double next to it; the halves are in `args`. */
function number(args: Args, index: number, error: CommandError): number {
  if (!args.integer64(index)) throw error
  return args.high * TWO_32 + (args.low >>> 0)
}

/** Claims `id`, which argument `index` says. True when something was propagated. */
function claimOne(claim: Claim, options: ClaimOptions, index: number): boolean {
  const { call, stream, group } = claim
  const { args, db } = call
  const { arena } = db
  let delivery = pendingFind(arena, group, id)
  if (!streamHas(arena, stream, id)) {
    if (delivery === 0) return false
    dropDeleted(claim, delivery, args.copy(index))
    return true
  }
  if (delivery === 0 && !options.force) return false
  if (delivery !== 0 && !hasWaited(call, delivery, options.idleMin)) return false

  const consumer = consumerOf(claim)
  if (delivery === 0) delivery = pendingAdd(arena, group, consumer, id, options.timeMs)
  else pendingAssign(arena, delivery, consumer, id)
  setDeliveryTime(arena, delivery, options.timeMs)
  if (options.count !== undefined) {
    setDeliveryCount(arena, delivery, options.count.high, options.count.low)
  } else if (!options.justId) {
    countDelivery(arena, delivery)
  }
  took(claim, delivery, args.copy(index))
  return true
}

/** What is no longer in the stream is no longer pending. */
function dropDeleted(claim: Claim, delivery: Ref, shownId: string | Uint8Array): void {
  const { call, group } = claim
  propagateDelivery(call, 1, 2, group, shownId, delivery)
  pendingRemove(call.db.arena, group, delivery, id)
  call.keyspace.dirty++
}

function hasWaited(call: Call, delivery: Ref, idleMin: number): boolean {
  return idleMin === 0 || call.nowMs - deliveryTime(call.db.arena, delivery) >= idleMin
}

/** The consumer that argument 3 names, made when the first entry is for it. Throws: ARENA_FULL. */
function consumerOf(claim: Claim): Ref {
  const { call, group } = claim
  if (claim.consumer === 0) claim.consumer = seenConsumer(call, group, 3)
  if (claim.consumer === 0) claim.consumer = newConsumer(call, group, 3, 1)
  return claim.consumer
}

/** Notes that the consumer has got `id`. */
function took(claim: Claim, delivery: Ref, shownId: string | Uint8Array): void {
  const { call, group } = claim
  const claimed = new StreamId()
  claimed.copy(id)
  claim.claimed.push(claimed)
  propagateDelivery(call, 1, 2, group, shownId, delivery)
  call.keyspace.dirty++
}

function replyClaimed(claim: Claim, justId: boolean): void {
  const { call, stream, claimed } = claim
  call.reply.array(claimed.length)
  for (const one of claimed) {
    if (justId) {
      replyId(call.reply, one)
    } else {
      cursor.open(call.db.arena, stream, one, one, false)
      cursor.next()
      replyEntry(call.reply, cursor)
    }
  }
}

export const xautoclaimCommand = command({
  name: 'XAUTOCLAIM',
  usage: 'key group consumer min-idle-time start [COUNT count] [JUSTID]',
  summary: 'Gives pending entries that have waited to a consumer, some at a time.',
  since: '6.2.0',
  complexity: 'O(1) if COUNT is small',
  flags: ['write', 'fast'],
  access: 'rw delete',
  tips: ['nondeterministic_output'],
  history: [['7.0.0', 'Entries that are no longer in the stream are taken off and answered.']],
  reply: 'array',

  run(call) {
    const { args, db } = call
    const idleMin = Math.max(0, number(args, 4, AUTOCLAIM_IDLE))
    startArgument(args, 5, nextId)
    let count = COUNT_DEFAULT
    let justId = false
    for (let i = 6; i < args.count; i++) {
      if (args.is(i, 'COUNT') && i + 1 < args.count) {
        count = number(args, ++i, COUNT_NOT_POSITIVE)
        if (count < 1 || count >= COUNT_MAX) throw COUNT_NOT_POSITIVE
      } else if (args.is(i, 'JUSTID')) {
        justId = true
      } else {
        throw SYNTAX
      }
    }
    const stream = streamToRead(db, args, 1)
    const group = groupArgument(db, args, stream, 2)
    if (group === 0) throw noKeyOrGroup(args, 1, 2)

    call.propagation.nothing()
    const claim: Claim = { call, stream, group, consumer: 0, claimed: [] }
    const deleted = claimWaiting(claim, idleMin, count, justId)
    const { reply } = call
    reply.array(3)
    replyId(reply, nextId)
    replyClaimed(claim, justId)
    reply.array(deleted.length)
    for (const one of deleted) reply.bulkText(one)
  },
})

/**
 * Claims from `nextId` on, which is then where to go on, 0 at the end. Gives the ids of entries that
 * the stream has no more.
 */
function claimWaiting(claim: Claim, idleMin: number, count: number, justId: boolean): string[] {
  const { call, stream, group } = claim
  const { arena } = call.db
  const deleted: string[] = []
  let left = count
  let isLast = false
  for (let attempts = count * ATTEMPTS_FACTOR; attempts > 0 && left > 0 && !isLast; attempts--) {
    const delivery = nextPending(call, group)
    if (delivery === 0) return deleted
    id.copy(nextId)
    isLast = !nextId.increment()
    if (!streamHas(arena, stream, id)) {
      const shownId = id.toString()
      dropDeleted(claim, delivery, shownId)
      deleted.push(shownId)
    } else if (hasWaited(call, delivery, idleMin)) {
      pendingAssign(arena, delivery, consumerOf(claim), id)
      setDeliveryTime(arena, delivery, call.nowMs)
      if (!justId) countDelivery(arena, delivery)
      took(claim, delivery, id.toString())
    } else {
      continue
    }
    left--
  }
  if (isLast) nextId.setZero()
  else nextPending(call, group)
  return deleted
}

/** The delivery at `nextId` or the next one, whose id that becomes; 0 when there is none. */
function nextPending(call: Call, group: Ref): Ref {
  const { arena } = call.db
  const pending = groupPending(arena, group)
  const { msHigh, msLow, seqHigh, seqLow } = nextId
  if (pending === 0 || !byteTreeSeek(arena, pending, position, msHigh, msLow, seqHigh, seqLow)) {
    nextId.setZero()
    return 0
  }
  loadKey(arena, pending, position, nextId)
  return byteTreeItemValue(arena, pending, position)
}
