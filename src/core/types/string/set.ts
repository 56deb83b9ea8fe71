/**
 * Commands that give a key a whole new string.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: changes a key before all that can fail is done.
 */
import { ArenaFullError } from '../../../memory/arena.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import { hasWord } from '../../command/key-specs.ts'
import type { Call } from '../../engine/call.ts'
import { wrongArity } from '../../engine/errors.ts'
import { NO_DEADLINE } from '../../keyspace/db.ts'
import { TYPE_STRING } from '../../keyspace/entry.ts'
import {
  deadlineOf,
  OPTION_EX,
  OPTION_EXAT,
  OPTION_GET,
  OPTION_KEEPTTL,
  OPTION_NX,
  OPTION_PX,
  OPTION_PXAT,
  OPTION_TIMED,
  OPTION_XX,
  optionTimeIndex,
  parseOptions,
} from './expiration.ts'
import { KEEP_DEADLINE, stringSetArgument } from './string.ts'
import { StringView } from './view.ts'

const SET_OPTIONS =
  OPTION_NX |
  OPTION_XX |
  OPTION_GET |
  OPTION_KEEPTTL |
  OPTION_EX |
  OPTION_PX |
  OPTION_EXAT |
  OPTION_PXAT

const before = new StringView()

export const set = command({
  name: 'SET',
  usage:
    'key value [condition: NX | XX]@2.6.12 [GET]@6.2.0 [expiration: EX seconds@2.6.12 | ' +
    'PX milliseconds@2.6.12 | EXAT unix-time-seconds@6.2.0 | ' +
    'PXAT unix-time-milliseconds@6.2.0 | KEEPTTL@6.0.0]',
  summary: 'Gives a key a string value, whatever it held before.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom'],
  brief: true,
  access: 'rw access update variable_flags',
  variableAccess: (args) => (hasWord(args, 3, 'GET') ? 'rw access update' : 'ow update'),
  reply: 'status | nil | bulk',

  run(call) {
    const { args, db } = call
    if (args.count > 3) return setWithOptions(call)
    const ref = db.write(args, 1)
    stringSetArgument(db, args, 1, ref, 2, NO_DEADLINE)
    db.changed(args, 1, 'set')
    call.reply.ok()
  },
})

function setWithOptions(call: Call): void {
  const { args, db, reply } = call
  const options = parseOptions(call, 3, SET_OPTIONS)
  const unit = options & OPTION_TIMED
  const deadlineMs = unit === 0 ? NO_DEADLINE : deadlineOf(call, optionTimeIndex(), unit)
  const wantsOld = (options & OPTION_GET) !== 0

  const ref = wantsOld ? db.writeTyped(args, 1, TYPE_STRING) : db.write(args, 1)
  const had = ref !== 0
  if (wantsOld && had) before.open(db.arena, ref)

  if ((options & (had ? OPTION_NX : OPTION_XX)) === 0) {
    if (wantsOld && had) before.keep()
    const lifetime = (options & OPTION_KEEPTTL) !== 0 ? KEEP_DEADLINE : deadlineMs
    stringSetArgument(db, args, 1, ref, 2, lifetime)
    db.changed(args, 1, 'set')
    if (unit !== 0) db.alsoNotify(args, 1, 'expire')
    if (call.propagation.active) propagateSet(call, options, deadlineMs)
    if (!wantsOld) return reply.ok()
  } else if (!wantsOld) {
    return reply.nil()
  }
  if (had) reply.bulk(before.bytes, before.offset, before.length)
  else reply.nil()
}

/** SET as replicas and the AOF see it: with an absolute time and no condition, and without GET. */
// alloc: for the AOF and replicas
function propagateSet(call: Call, options: number, deadlineMs: number): void {
  const { args } = call
  if ((options & OPTION_TIMED) !== 0) return propagateTimedSet(call, 2, deadlineMs)
  if ((options & OPTION_GET) === 0) return
  const argv: Buffer[] = []
  for (let i = 0; i < args.count; i++) if (i < 3 || !args.is(i, 'GET')) argv.push(args.copy(i))
  call.propagateAs(...argv)
}

function propagateTimedSet(call: Call, valueIndex: number, deadlineMs: number): void {
  const { args } = call
  call.propagateAs('SET', args.copy(1), args.copy(valueIndex), 'PXAT', String(deadlineMs))
}

export const setnx = command({
  name: 'SETNX',
  usage: 'key value',
  summary: 'Gives a key a string value, unless the key is there already.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom', 'fast'],
  access: 'ow insert',
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    if (db.write(args, 1) !== 0) return reply.integer(0)
    stringSetArgument(db, args, 1, 0, 2, NO_DEADLINE)
    db.changed(args, 1, 'set')
    reply.integer(1)
  },
})

export const setex = command({
  name: 'SETEX',
  usage: 'key seconds value',
  summary: 'Gives a key a string value that lives for some seconds.',
  since: '2.0.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom'],
  access: 'ow update',
  reply: 'status',

  run(call) {
    setTimed(call, OPTION_EX)
  },
})

export const psetex = command({
  name: 'PSETEX',
  usage: 'key milliseconds value',
  summary: 'Gives a key a string value that lives for some milliseconds.',
  since: '2.6.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom'],
  access: 'ow update',
  reply: 'status',

  run(call) {
    setTimed(call, OPTION_PX)
  },
})

/** `key time value`. */
function setTimed(call: Call, unit: number): void {
  const { args, db } = call
  const deadlineMs = deadlineOf(call, 2, unit)
  const ref = db.write(args, 1)
  stringSetArgument(db, args, 1, ref, 3, deadlineMs)
  db.changed(args, 1, 'set')
  db.alsoNotify(args, 1, 'expire')
  if (call.propagation.active) propagateTimedSet(call, 3, deadlineMs)
  call.reply.ok()
}

export const getset = command({
  name: 'GETSET',
  usage: 'key value',
  summary: 'Gives a key a string value and answers the one before.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw access update',
  reply: 'bulk | nil',
  deprecated: { since: '6.2.0', replacedBy: '`SET` with the `!GET` argument' },

  run(call) {
    const { args, db, reply } = call
    const ref = db.writeTyped(args, 1, TYPE_STRING)
    if (ref !== 0) {
      before.open(db.arena, ref)
      before.keep()
    }
    stringSetArgument(db, args, 1, ref, 2, NO_DEADLINE)
    db.changed(args, 1, 'set')
    if (call.propagation.active) call.propagateAs('SET', args.copy(1), args.copy(2))
    if (ref === 0) reply.nil()
    else reply.bulk(before.bytes, before.offset, before.length)
  },
})

const pairsCommand: Pick<CommandDefinition, 'usage' | 'flags' | 'complexity' | 'since'> = {
  usage: 'key value [key value ...]',
  since: '1.0.1',
  complexity: 'O(N) where N is the number of keys',
  flags: ['write', 'denyoom'],
}

export const mset = command({
  ...pairsCommand,
  name: 'MSET',
  summary: 'Gives several keys a string value each, all at once.',
  access: 'ow update',
  tips: ['request_policy:multi_shard', 'response_policy:all_succeeded'],
  reply: 'status',

  run(call) {
    if ((call.args.count & 1) === 0) throw wrongArity(call.entry.name)
    setPairs(call)
    call.reply.ok()
  },
})

export const msetnx = command({
  ...pairsCommand,
  name: 'MSETNX',
  summary: 'Gives several keys a string value each, if none of them is there.',
  access: 'ow insert',
  tips: ['request_policy:multi_shard', 'response_policy:agg_min'],
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    if ((args.count & 1) === 0) throw wrongArity(call.entry.name)
    for (let i = 1; i < args.count; i += 2) {
      if (db.write(args, i) !== 0) return reply.integer(0)
    }
    setPairs(call)
    reply.integer(1)
  },
})

/**
 * Sets key after key.
 * DIFFERS: when the memory ends on the way, the keys before stay set; Redis would have been killed.
 * What replicas and the AOF see is what was set.
 */
// alloc: only when memory ended on the way
function setPairs(call: Call): void {
  const { args, db } = call
  let i = 1
  try {
    for (; i < args.count; i += 2) {
      stringSetArgument(db, args, i, db.write(args, i), i + 1, NO_DEADLINE)
      db.changed(args, i, 'set')
    }
  } catch (error) {
    if (error instanceof ArenaFullError && i > 1 && call.propagation.active) {
      const argv = ['MSET', ...Array.from({ length: i - 1 }, (_, at) => args.copy(at + 1))]
      call.propagateAs(...argv)
    }
    throw error
  }
}
