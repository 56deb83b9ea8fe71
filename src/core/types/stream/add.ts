/**
 * XADD and XSETID: what gives a stream its last id.
 *
 * Thread: core. Hot path.
 * Owns: which id a new entry gets.
 * Never: lets ids go back.
 */
import type { Settings } from '../../../config/settings.ts'
import { SettingsWatch } from '../../../config/settings-watch.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import {
  CommandError,
  NO_SUCH_KEY,
  NOT_AN_INTEGER,
  SYNTAX,
  wrongArity,
} from '../../engine/errors.ts'
import { NO_DEADLINE } from '../../keyspace/db.ts'
import { entryValueWord, TYPE_STREAM } from '../../keyspace/entry.ts'
import { lastLiveId, streamTrim } from './change.ts'
import { ID_COMPLETE, ID_OPEN, idArgument, replyId, StreamId } from './id.ts'
import { pairsSize } from './node.ts'
import {
  LAST_ID,
  MAX_DELETED_ID,
  NODE_BYTES_MAX,
  type NodeLimits,
  STREAM_ENCODING,
  STREAM_VALUE_SIZE,
  setStreamAdded,
  streamAppend,
  streamCreate,
  streamFree,
  streamLength,
  streamLoadId,
  streamOf,
  streamStoreId,
} from './stream.ts'
import { propagateTrimmed, TrimOptions } from './trim.ts'

const ID_ZERO = new CommandError('ERR The ID specified in XADD must be greater than 0-0')
const ID_TOO_SMALL = new CommandError(
  'ERR The ID specified in XADD is equal or smaller than the target stream top item',
)
const EXHAUSTED = new CommandError(
  'ERR The stream has exhausted the last possible ID, unable to add more items',
)
const TOO_LARGE = new CommandError('ERR Elements are too large to be stored')
const ADDED_NEGATIVE = new CommandError('ERR entries_added must be positive')
const BELOW_DELETED = new CommandError(
  'ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id',
)
const BELOW_TOP = new CommandError(
  'ERR The ID specified in XSETID is smaller than the target stream top item',
)
const ADDED_TOO_FEW = new CommandError(
  'ERR The entries_added specified in XSETID is smaller than the target stream length',
)
const TWO_32 = 4294967296

/** The directives `stream-node-max-…`, looked up again only when some setting has changed. */
class Limits implements NodeLimits {
  nodeBytes = 0
  nodeEntries = 0
  readonly #watch = new SettingsWatch()

  read(settings: Settings): void {
    if (!this.#watch.hasChanged(settings)) return
    this.nodeBytes = settings.int('stream-node-max-bytes')
    this.nodeEntries = settings.int('stream-node-max-entries')
  }
}

const limits = new Limits()
const options = new TrimOptions()
const id = new StreamId()
const last = new StreamId()

export const xaddCommand: CommandDefinition = command({
  name: 'XADD',
  usage:
    'key [NOMKSTREAM]@6.2.0 [trim: <strategy: MAXLEN | MINID@6.2.0> [operator: equal:= | ' +
    'approximately:~] threshold [LIMIT count]@6.2.0] <id_or_auto: auto_id:* | id> field value ' +
    '[field value ...]',
  summary: 'Adds an entry at the end of a stream.',
  since: '5.0.0',
  complexity: 'O(1) to add, O(N) for N entries that trimming takes out',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw update',
  tips: ['nondeterministic_output'],
  history: [
    ['6.2.0', 'NOMKSTREAM, MINID and LIMIT came.'],
    ['7.0.0', 'Ids of the form `ms-*` came.'],
  ],
  reply: 'bulk | nil',

  run(call) {
    const { args, db, reply } = call
    options.parseAdd(call)
    const first = options.idIndex + 1
    const wordCount = args.count - first
    if (wordCount < 2 || wordCount % 2 === 1) throw wrongArity(call.entry.name)
    const isComplete = !options.isAuto && options.idForm === ID_COMPLETE
    if (isComplete && options.id.isZero) throw ID_ZERO
    if (pairsSize(args, first, wordCount / 2) > NODE_BYTES_MAX) throw TOO_LARGE

    const entry = db.writeTyped(args, 1, TYPE_STREAM)
    if (entry === 0 && options.mustExist) return reply.nil()
    if (entry === 0) last.setZero()
    else streamLoadId(db.arena, streamOf(db.arena, entry), LAST_ID, last)
    chooseId(call)

    limits.read(call.server.settings)
    if (entry === 0) {
      makeStream(call, first, wordCount / 2)
    } else {
      const stream = streamOf(db.arena, entry)
      streamAppend(db.arena, stream, id, args, first, wordCount / 2, limits)
    }
    db.changed(args, 1, 'xadd')
    if (options.trims) trim(call)
    if (call.propagation.active && (!isComplete || (options.trims && options.approximate))) {
      propagateTrimmed(call, options, isComplete ? '' : id.toString()) // alloc: for replicas
    }
    db.signalReady(args, 1)
    replyId(reply, id)
  },
})

/** Makes `id` the new entry's; `last` is the stream's. Throws: CommandError. */
function chooseId(call: Call): void {
  if (last.isMax) throw EXHAUSTED
  if (options.isAuto) {
    id.setTime(call.nowMs)
    if (id.compare(last) > 0 && !id.hasTimeOf(last)) return
    // The clock has not moved on, or is behind.
    id.copy(last)
    id.increment()
    return
  }
  id.copy(options.id)
  if (options.idForm === ID_OPEN && id.hasTimeOf(last)) {
    id.copy(last)
    // DIFFERS: Redis chooses between two texts here by what an earlier system call has left.
    if (!id.incrementNumber()) throw ID_TOO_SMALL
  } else if (id.compare(last) <= 0) {
    throw ID_TOO_SMALL
  }
}

/** Makes the key with its first entry. Throws: ARENA_FULL. */
function makeStream(call: Call, first: number, pairCount: number): void {
  const { args, db } = call
  const arena = db.arenaOf(args, 1)
  const stream = streamCreate(arena)
  let done = false
  try {
    streamAppend(arena, stream, id, args, first, pairCount, limits)
    const entry = db.create(args, 1, TYPE_STREAM, STREAM_ENCODING, STREAM_VALUE_SIZE, NO_DEADLINE)
    arena.words[entryValueWord(arena, entry)] = stream
    done = true
  } finally {
    if (!done) streamFree(arena, stream)
  }
}

function trim(call: Call): void {
  const { args, db } = call
  const entry = db.find(args, 1)
  const { arena } = db
  if (streamTrim(arena, streamOf(arena, entry), options) > 0) {
    db.alsoNotify(args, 1, 'xtrim')
  }
}

export const xsetidCommand = command({
  name: 'XSETID',
  usage: 'key last-id [ENTRIESADDED entries_added]@7.0.0 [MAXDELETEDID max_deleted_entry_id]@7.0.0',
  summary: "Sets a stream's last id, for replicas and files.",
  since: '5.0.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw update',
  history: [['7.0.0', 'ENTRIESADDED and MAXDELETEDID came.']],
  reply: 'status',

  run(call) {
    const { args, db } = call
    idArgument(args, 2, id)
    last.setZero()
    let added = -1
    let addedHigh = 0
    let addedLow = 0
    for (let i = 3; i < args.count; i += 2) {
      const more = i + 1 < args.count
      if (more && args.is(i, 'ENTRIESADDED')) {
        if (!args.integer64(i + 1)) throw NOT_AN_INTEGER
        if (args.high < 0) throw ADDED_NEGATIVE
        addedHigh = args.high
        addedLow = args.low
        added = addedHigh * TWO_32 + (addedLow >>> 0)
      } else if (more && args.is(i, 'MAXDELETEDID')) {
        idArgument(args, i + 1, last)
        if (id.compare(last) < 0) throw BELOW_DELETED
      } else {
        throw SYNTAX
      }
    }
    const entry = db.writeTyped(args, 1, TYPE_STREAM)
    if (entry === 0) throw NO_SUCH_KEY
    const { arena } = db
    const stream = streamOf(arena, entry)
    const length = streamLength(arena, stream)
    if (length > 0) {
      lastLiveId(arena, stream, top)
      if (id.compare(top) < 0) throw BELOW_TOP
      if (added !== -1 && length > added) throw ADDED_TOO_FEW
    }

    streamStoreId(arena, stream, LAST_ID, id)
    if (added !== -1) setStreamAdded(arena, stream, addedHigh, addedLow)
    if (!last.isZero) streamStoreId(arena, stream, MAX_DELETED_ID, last)
    call.keyspace.dirty++
    db.alsoNotify(args, 1, 'xsetid')
    call.reply.ok()
  },
})

const top = new StreamId()
