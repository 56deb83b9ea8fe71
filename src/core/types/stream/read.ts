/**
 * XREAD and XREADGROUP: the entries after some id, of several streams, waiting for them if need be.
 *
 * A call that waits is run again for the stream that has grown, with the ids it had found at first.
 *
 * Thread: core. Hot path.
 * Owns: after which id each stream is read.
 * Never: makes an entry pending that it does not answer.
 */
import { ArenaFullError, type Ref } from '../../../memory/arena.ts'
import { command } from '../../command/command.ts'
import type { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import { TYPE_STREAM } from '../../keyspace/entry.ts'
import { lastLiveId } from './change.ts'
import { groupLastId } from './consumer-group.ts'
import { openCounted, replyEntries } from './cursor.ts'
import { deliverHistory, deliverNew, type Receiver, replyHistory } from './deliver.ts'
import { ID_WORDS, idArgument, StreamId } from './id.ts'
import { groupArgument } from './lookup.ts'
import { HISTORY, NEW_ENTRIES, NOTHING, ReadOptions } from './read-options.ts'
import { LAST_ID, streamLoadId, streamOf } from './stream.ts'

const DOLLAR_ALIEN = new CommandError(
  'ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.',
)
const GREATER_ALIEN = new CommandError(
  'ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.',
)
const KEY_GONE = new CommandError('UNBLOCKED the stream key no longer exists')
const GROUP_GONE = new CommandError(
  'NOGROUP the consumer group this client was blocked on no longer exists',
)

const DOLLAR = 36
const GREATER = 62
const PLUS = 43
/** A call that waited without COUNT gets so many entries at most. */
const WAITED_LIMIT = 1000

const options = new ReadOptions()
const id = new StreamId()
const start = new StreamId()
const max = new StreamId()
max.setMax()

export const xreadCommand = command({
  name: 'XREAD',
  usage: '[COUNT count] [BLOCK milliseconds] STREAMS <streams: key [key ...] id [id ...]>',
  summary: 'Answers the entries of streams that come after some ids, or waits for them.',
  since: '5.0.0',
  complexity: 'O(N) for N entries answered',
  flags: ['readonly', 'blocking'],
  access: 'ro access',
  reply: 'map | nil',

  run(call) {
    const { db } = call
    options.parse(call, false)
    if (call.servedKey !== 0) return readAgain(call)
    findIds(call)
    let servedCount = 0
    for (let i = 0; i < options.streamCount; i++) {
      const stream = streamAt(call, i)
      if (stream === 0 || !lastLiveId(db.arena, stream, id)) continue
      start.load(options.ids, i * ID_WORDS)
      if (id.compare(start) <= 0) continue
      serve(call, i, stream)
      servedCount++
    }
    if (servedCount > 0) answer(call, servedCount)
    else waitOrNothing(call)
  },
})

export const xreadgroupCommand = command({
  name: 'XREADGROUP',
  usage:
    'GROUP <group consumer> [COUNT count] [BLOCK milliseconds] [NOACK] ' +
    'STREAMS <streams: key [key ...] id [id ...]>',
  summary: 'Gives entries of streams to a consumer of a group, or waits for them.',
  since: '5.0.0',
  complexity: 'O(M) for M entries answered, O(log N) for each, N being pending',
  flags: ['write', 'blocking'],
  access: 'ro access',
  reply: 'map | nil',

  run(call) {
    options.parse(call, true)
    call.propagation.nothing()
    if (call.servedKey !== 0) return readGroupAgain(call)
    findIds(call)
    const servedCount = deliverAll(call)
    if (servedCount > 0) answer(call, servedCount)
    else waitOrNothing(call)
  },
})

/** A stream of the call, 0 when there is none. Throws: CommandError WRONG_TYPE. */
function streamAt(call: Call, index: number): Ref {
  const { args, db } = call
  const entry = db.readTyped(args, options.streamsIndex + index, TYPE_STREAM)
  return entry === 0 ? 0 : streamOf(db.arena, entry)
}

/** Finds after which id each stream is to be read. Throws: CommandError. */
function findIds(call: Call): void {
  const { args, db } = call
  for (let i = 0; i < options.streamCount; i++) {
    const keyIndex = options.streamsIndex + i
    const stream = streamAt(call, i)
    if (options.isGroup && groupArgument(db, args, stream, options.groupIndex) === 0) {
      throw noGroupToRead(args, keyIndex)
    }
    findId(call, keyIndex + options.streamCount, stream)
    id.store(options.ids, i * ID_WORDS)
  }
}

/** Makes `id` what an argument says of a stream. Throws: CommandError. */
function findId(call: Call, index: number, stream: Ref): void {
  const { args, db } = call
  const mark = args.lengths[index] === 1 ? args.bytes[args.offsets[index]] : 0
  if (mark === DOLLAR) {
    if (options.isGroup) throw DOLLAR_ALIEN
    id.setZero()
    if (stream !== 0) streamLoadId(db.arena, stream, LAST_ID, id)
  } else if (mark === GREATER) {
    if (!options.isGroup) throw GREATER_ALIEN
    // QUIRK: the last id there can be means the same when it is written out.
    id.setMax()
  } else if (mark === PLUS && !options.isGroup) {
    // Of a stream with entries the last one, else those to come.
    if (stream === 0 || !lastLiveId(db.arena, stream, id)) id.setZero()
    id.decrement()
  } else {
    idArgument(args, index, id)
  }
}

// alloc: an error with a text of its own
function noGroupToRead(args: Args, keyIndex: number): CommandError {
  const key = args.shown(keyIndex)
  const group = args.shown(options.groupIndex)
  return new CommandError(
    `NOGROUP No such key '${key}' or consumer group '${group}' in XREADGROUP with GROUP option`,
  )
}

/** Notes that a stream's entries after its id are to be answered. */
function serve(call: Call, index: number, stream: Ref): void {
  start.load(options.ids, index * ID_WORDS)
  start.increment()
  options.served[index] = NEW_ENTRIES
  const cursor = options.cursors[index]
  const { limit } = options
  options.counts[index] = openCounted(cursor, call.db.arena, stream, start, max, false, limit)
}

/**
 * Gives entries of all streams that have some to the consumer. Gives how many streams that are.
 * DIFFERS: when memory ends on the way, what was given so far is answered; Redis would be killed.
 * Throws: ARENA_FULL when that is nothing.
 */
function deliverAll(call: Call): number {
  let servedCount = 0
  try {
    for (let i = 0; i < options.streamCount; i++) {
      const reading = findReading(call, i)
      if (reading === NOTHING) continue
      deliver(call, i, reading)
      servedCount++
    }
  } catch (error) {
    if (!(error instanceof ArenaFullError) || servedCount === 0) throw error
  }
  return servedCount
}

/** What the consumer gets of a stream; new entries are those after the group's last id. */
function findReading(call: Call, index: number): number {
  const { args, db } = call
  const stream = streamAt(call, index)
  start.load(options.ids, index * ID_WORDS)
  if (!start.isMax) return HISTORY
  if (stream === 0 || !lastLiveId(db.arena, stream, id)) return NOTHING
  groupLastId(db.arena, groupArgument(db, args, stream, options.groupIndex), start)
  start.store(options.ids, index * ID_WORDS)
  return id.compare(start) > 0 ? NEW_ENTRIES : NOTHING
}

/** Gives entries of one stream, after its id, to the consumer. Throws: ARENA_FULL. */
function deliver(call: Call, index: number, reading: number): void {
  const receiver = receiverAt(call, index)
  start.load(options.ids, index * ID_WORDS)
  start.increment()
  const { limit } = options
  options.counts[index] =
    reading === HISTORY
      ? deliverHistory(receiver, start, limit)
      : deliverNew(receiver, options.cursors[index], start, limit)
  options.served[index] = reading
  call.keyspace.dirty++
}

// alloc: beside the deliveries it is nothing
function receiverAt(call: Call, index: number): Receiver {
  const { args, db } = call
  const keyIndex = options.streamsIndex + index
  const entry = db.write(args, keyIndex)
  const stream = streamOf(db.arena, entry)
  const { groupIndex, noAck } = options
  const group = groupArgument(db, args, stream, groupIndex)
  return { call, keyIndex, groupIndex, stream, group, noAck }
}

/** Answers the streams that are served: a name and entries for each. */
function answer(call: Call, servedCount: number): void {
  const { args, reply } = call
  const isFlat = reply.protocol !== 3
  if (isFlat) reply.array(servedCount)
  else reply.map(servedCount) // alloc: none, it is a header
  for (let i = 0; i < options.streamCount; i++) {
    const reading = options.served[i]
    if (reading === NOTHING) continue
    const keyIndex = options.streamsIndex + i
    if (isFlat) reply.array(2)
    reply.bulk(args.bytes, args.offsets[keyIndex], args.lengths[keyIndex])
    if (reading === HISTORY) {
      start.load(options.ids, i * ID_WORDS)
      start.increment()
      replyHistory(receiverAt(call, i), start, options.counts[i])
    } else {
      replyEntries(reply, options.cursors[i], options.counts[i])
    }
  }
}

function waitOrNothing(call: Call): void {
  if (options.timeoutMs === -1) call.reply.nilArray()
  else wait(call, options.ids.slice(0, options.streamCount * ID_WORDS)) // alloc: it waits
}

// alloc: it waits
function wait(call: Call, ids: unknown): void {
  call.block({
    type: TYPE_STREAM,
    firstKey: options.streamsIndex,
    keyCount: options.streamCount,
    timeoutMs: options.timeoutMs,
    onTimeout: (reply) => reply.nilArray(),
    wakeOnDelete: options.isGroup,
    state: ids,
  })
}

/**
 * XREAD after waiting: the stream at `servedKey` may have grown.
 * QUIRK: when the new entries were deleted at once, the answer is a stream without entries.
 */
function readAgain(call: Call): void {
  const { args, db, servedKey, servedState } = call
  if (!(servedState instanceof Int32Array)) return
  options.ids.set(servedState)
  const index = servedKey - options.streamsIndex
  const entry = db.peek(args, servedKey)
  start.load(options.ids, index * ID_WORDS)
  if (entry !== 0) streamLoadId(db.arena, streamOf(db.arena, entry), LAST_ID, id)
  if (entry === 0 || id.compare(start) <= 0) return wait(call, servedState)
  options.limit = limitAfterWaiting()
  serve(call, index, streamOf(db.arena, entry))
  answer(call, 1)
}

/** XREADGROUP after waiting: the stream at `servedKey` may have grown, or be gone. */
function readGroupAgain(call: Call): void {
  const { args, db, servedKey, servedState } = call
  const entry = db.write(args, servedKey)
  if (entry === 0 || db.typeOf(entry) !== TYPE_STREAM) throw KEY_GONE
  const stream = streamOf(db.arena, entry)
  const group = groupArgument(db, args, stream, options.groupIndex)
  if (group === 0) throw GROUP_GONE
  groupLastId(db.arena, group, start)
  streamLoadId(db.arena, stream, LAST_ID, id)
  if (id.compare(start) <= 0) return wait(call, servedState)
  const index = servedKey - options.streamsIndex
  start.store(options.ids, index * ID_WORDS)
  options.limit = limitAfterWaiting()
  deliver(call, index, NEW_ENTRIES)
  answer(call, 1)
}

/** So that somebody who waits after too low an id does not get everything at once. */
function limitAfterWaiting(): number {
  return options.limit === Number.POSITIVE_INFINITY ? WAITED_LIMIT : options.limit
}
