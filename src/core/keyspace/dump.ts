/**
 * DUMP and RESTORE: one value as bytes that any Redis understands.
 *
 * Thread: core.
 * Owns: the buffers that values are written to and read from.
 * Never: lets a forged payload do more than be refused.
 */
import { payloadEnd, sealPayload } from '../../lib/rdb/payload.ts'
import { RdbCorruptError, RdbReader } from '../../lib/rdb/reader.ts'
import { RdbWriter } from '../../lib/rdb/writer.ts'
import { type CommandDefinition, command } from '../command/command.ts'
import type { Call } from '../engine/call.ts'
import { CommandError, NOT_AN_INTEGER, SYNTAX } from '../engine/errors.ts'
import { idleAge } from './age.ts'
import { NO_DEADLINE } from './db.ts'
import { setEntryAge } from './entry.ts'
import { DEADLINE_MS_MAX } from './expire-time.ts'
import { persistenceOf, saveValue } from './persist.ts'
import { Draft } from './transfer.ts'

const BUSY_KEY = new CommandError('BUSYKEY Target key name already exists.')
const BAD_TTL = new CommandError('ERR Invalid TTL value, must be >= 0')
const BAD_IDLETIME = new CommandError('ERR Invalid IDLETIME value, must be >= 0')
const BAD_FREQ = new CommandError('ERR Invalid FREQ value, must be >= 0 and <= 255')
const BAD_PAYLOAD = new CommandError('ERR DUMP payload version or checksum are wrong')
const BAD_DATA = new CommandError('ERR Bad data format')

const FREQUENCY_MAX = 255

const writer = new RdbWriter()
const reader = new RdbReader()

export const dumpCommand = command({
  name: 'DUMP',
  usage: 'key',
  summary: "Gives a key's value as bytes for RESTORE.",
  since: '2.6.0',
  complexity: 'O(1) to find the key, O(N*M) to write N elements of M bytes',
  flags: ['readonly'],
  access: 'ro access',
  tips: ['nondeterministic_output'],
  reply: 'bulk | nil',

  run(call) {
    const { db, reply } = call
    const ref = db.read(call.args, 1)
    if (ref === 0) return reply.nil()
    writer.reset()
    writer.compress = call.server.settings.bool('rdbcompression')
    sealPayload(writer, saveValue(db.arena, ref, writer))
    reply.bulk(writer.bytes, 0, writer.length)
  },
})

export const restoreCommand = restoring({
  name: 'RESTORE',
  summary: 'Makes a key from the bytes that DUMP gave.',
  since: '2.6.0',
  flags: ['write', 'denyoom'],
})

export const restoreAskingCommand = restoring({
  name: 'RESTORE-ASKING',
  summary: 'Makes a key from the bytes that DUMP gave, in a slot that is being imported.',
  since: '3.0.0',
  flags: ['write', 'denyoom', 'asking'],
  group: 'server',
  internal: true,
})

type Own = 'name' | 'summary' | 'since' | 'flags' | 'group' | 'internal'

function restoring(own: Pick<CommandDefinition, Own>): CommandDefinition {
  return command({
    usage:
      'key ttl serialized-value [REPLACE]@3.0.0 [ABSTTL]@5.0.0 [IDLETIME seconds]@5.0.0 ' +
      '[FREQ frequency]@5.0.0',
    complexity: 'O(1) to make the key, O(N*M) to read N elements of M bytes',
    access: 'ow update',
    categories: ['dangerous'],
    history: [
      ['3.0.0', 'REPLACE came.'],
      ['5.0.0', 'ABSTTL came.'],
      ['5.0.0', 'IDLETIME and FREQ came.'],
    ],
    reply: 'simple',
    run: restore,
    ...own,
  })
}

interface RestoreOptions {
  replace: boolean
  absolute: boolean
  /** Seconds; -1: not given. */
  idle: number
  /** -1: not given. */
  frequency: number
}

function restore(call: Call): void {
  const { args, db } = call
  const options = parseOptions(call)
  if (!options.replace && db.write(args, 1) !== 0) throw BUSY_KEY
  const ttlMs = parseTtl(call)
  const { checksPayloads } = call.keyspace
  const end = payloadEnd(args.bytes, args.offsets[3], args.lengths[3], checksPayloads)
  if (end < 0) throw BAD_PAYLOAD

  let deadlineMs = NO_DEADLINE
  if (ttlMs > 0)
    deadlineMs = options.absolute ? ttlMs : Math.min(ttlMs + call.nowMs, DEADLINE_MS_MAX)
  const draft = new Draft(db, args, 1, deadlineMs)
  load(call, draft, end)

  const existing = options.replace ? db.write(args, 1) : 0
  if (deadlineMs !== NO_DEADLINE && call.keyspace.isOver(deadlineMs)) {
    draft.discard()
    if (existing !== 0) removeReplaced(call)
  } else {
    draft.adopt(existing)
    setAge(call, draft, options)
    if (existing !== 0) db.alsoNotify(args, 1, 'new')
    db.changed(args, 1, 'restore')
    if (ttlMs > 0 && !options.absolute && call.propagation.active) propagate(call, deadlineMs)
  }
  call.reply.ok()
}

function parseOptions(call: Call): RestoreOptions {
  const { args } = call
  const options = { replace: false, absolute: false, idle: -1, frequency: -1 }
  for (let i = 4; i < args.count; i++) {
    const more = i + 1 < args.count
    if (args.is(i, 'REPLACE')) {
      options.replace = true
    } else if (args.is(i, 'ABSTTL')) {
      options.absolute = true
    } else if (args.is(i, 'IDLETIME') && more && options.frequency === -1) {
      options.idle = integer(call, ++i)
      if (options.idle < 0) throw BAD_IDLETIME
    } else if (args.is(i, 'FREQ') && more && options.idle === -1) {
      options.frequency = integer(call, ++i)
      if (options.frequency < 0 || options.frequency > FREQUENCY_MAX) throw BAD_FREQ
    } else {
      throw SYNTAX
    }
  }
  return options
}

function parseTtl(call: Call): number {
  const ttlMs = integer(call, 2)
  if (ttlMs < 0) throw BAD_TTL
  return Math.min(ttlMs, DEADLINE_MS_MAX)
}

/** Any 64-bit integer, as the double next to it. */
function integer(call: Call, index: number): number {
  const { args } = call
  if (!args.integer64(index)) throw NOT_AN_INTEGER
  return args.high * 0x100000000 + (args.low >>> 0)
}

/** Reads the payload, up to `end`, into the draft. Throws: BAD_DATA, ARENA_FULL. */
function load(call: Call, draft: Draft, end: number): void {
  const { args, db } = call
  let done = false
  reader.open(args.bytes, args.words, args.offsets[3], end)
  try {
    const rdbType = reader.byte()
    const persistence = persistenceOf(rdbType)
    if (persistence === undefined) throw BAD_DATA
    persistence.load(rdbType, reader, db.arenaOf(args, 1), draft)
    done = true
  } catch (error) {
    if (!(error instanceof RdbCorruptError)) throw error
    const offset = reader.offset - args.offsets[3]
    call.server.log.warning(`Internal error in RDB reading offset ${offset} -> ${error.message}`)
    throw BAD_DATA
  } finally {
    reader.close()
    if (!done) draft.abandon()
  }
}

/** The key that was there is gone, and the new one's time was over before it came. */
function removeReplaced(call: Call): void {
  const { args, db } = call
  db.remove(db.find(args, 1))
  db.changed(args, 1, 'del')
  if (!call.propagation.active) return
  const lazy = call.server.settings.bool('lazyfree-lazy-server-del')
  call.propagateAs(lazy ? 'UNLINK' : 'DEL', args.copy(1))
}

function setAge(call: Call, draft: Draft, options: RestoreOptions): void {
  const { arena } = call.db
  const { countsUses, frequencies } = call.keyspace
  if (countsUses) {
    if (options.frequency >= 0) {
      setEntryAge(arena, draft.ref, frequencies.withCount(options.frequency))
    }
  } else if (options.idle >= 0) {
    setEntryAge(arena, draft.ref, idleAge(call.keyspace.lruClock, options.idle))
  }
}

/** A time that counts from now becomes one of Unix time. */
function propagate(call: Call, deadlineMs: number): void {
  const { args } = call
  const argv: (string | Uint8Array)[] = []
  for (let i = 0; i < args.count; i++) argv.push(i === 2 ? String(deadlineMs) : args.copy(i))
  call.propagateAs(...argv, 'ABSTTL')
}
