/**
 * Commands that read strings: whole, in part, or for the last time.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: changes a value.
 */
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { NO_DEADLINE } from '../../keyspace/db.ts'
import { entryType, TYPE_STRING } from '../../keyspace/entry.ts'
import {
  deadlineOf,
  OPTION_EX,
  OPTION_EXAT,
  OPTION_PERSIST,
  OPTION_PX,
  OPTION_PXAT,
  OPTION_TIMED,
  optionTimeIndex,
  parseOptions,
} from './expiration.ts'
import { isReversed, position } from './position.ts'
import { stringLength, stringValueSize } from './string.ts'
import { StringView } from './view.ts'

const GETEX_OPTIONS = OPTION_EX | OPTION_PX | OPTION_EXAT | OPTION_PXAT | OPTION_PERSIST

const value = new StringView()

export const get = command({
  name: 'GET',
  usage: 'key',
  summary: 'Answers the string value of a key.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['readonly', 'fast'],
  access: 'ro access',
  reply: 'bulk | nil',

  run(call) {
    const { db } = call
    const ref = db.readTyped(call.args, 1, TYPE_STRING)
    if (ref === 0) return call.reply.nil()
    value.open(db.arena, ref)
    call.reply.bulk(value.bytes, value.offset, value.length)
  },
})

export const mget = command({
  name: 'MGET',
  usage: 'key [key ...]',
  summary: 'Answers the string values of several keys; nil for those without one.',
  since: '1.0.0',
  complexity: 'O(N) where N is the number of keys',
  flags: ['readonly', 'fast'],
  access: 'ro access',
  tips: ['request_policy:multi_shard'],
  reply: 'array of bulk | nil',

  run(call) {
    const { args, db, reply } = call
    reply.array(args.count - 1)
    for (let i = 1; i < args.count; i++) {
      const ref = db.read(args, i)
      if (ref === 0 || entryType(db.arena, ref) !== TYPE_STRING) {
        reply.nil()
      } else {
        value.open(db.arena, ref)
        reply.bulk(value.bytes, value.offset, value.length)
      }
    }
  },
})

export const getex = command({
  name: 'GETEX',
  usage:
    'key [expiration: EX seconds | PX milliseconds | EXAT unix-time-seconds | ' +
    'PXAT unix-time-milliseconds | PERSIST]',
  summary: 'Answers the string value of a key and changes when it expires.',
  since: '6.2.0',
  complexity: 'O(1)',
  flags: ['write', 'fast'],
  access: 'rw access update',
  reply: 'bulk | nil',

  run(call) {
    const { args, db, reply } = call
    const options = parseOptions(call, 2, GETEX_OPTIONS)
    let ref = db.readTyped(args, 1, TYPE_STRING)
    if (ref === 0) return reply.nil()
    const unit = options & OPTION_TIMED
    const deadlineMs = unit === 0 ? NO_DEADLINE : deadlineOf(call, optionTimeIndex(), unit)

    if (deadlineMs !== NO_DEADLINE && deadlineMs <= call.nowMs) return getLast(call, ref)
    if (deadlineMs !== NO_DEADLINE) {
      ref = db.setDeadline(ref, deadlineMs, stringValueSize(db.arena, ref))
      db.changed(args, 1, 'expire')
      if (call.propagation.active) {
        call.propagateAs('PEXPIREAT', args.copy(1), String(deadlineMs))
      }
    } else if ((options & OPTION_PERSIST) !== 0 && db.clearDeadline(ref)) {
      db.changed(args, 1, 'persist')
      if (call.propagation.active) call.propagateAs('PERSIST', args.copy(1))
    }
    value.open(db.arena, ref)
    reply.bulk(value.bytes, value.offset, value.length)
  },
})

export const getdel = command({
  name: 'GETDEL',
  usage: 'key',
  summary: 'Answers the string value of a key and deletes the key.',
  since: '6.2.0',
  complexity: 'O(1)',
  flags: ['write', 'fast'],
  access: 'rw access delete',
  reply: 'bulk | nil',

  run(call) {
    const { args, db, reply } = call
    const ref = db.readTyped(args, 1, TYPE_STRING)
    if (ref !== 0) {
      getLast(call, ref)
      return
    }
    reply.nil()
    // QUIRK: what has expired, and only the primary may delete for that, goes too, whatever it is.
    const hidden = db.find(args, 1)
    if (hidden !== 0) take(call, hidden)
  },
})

/** Answers the value and deletes the key. */
function getLast(call: Call, ref: number): void {
  value.open(call.db.arena, ref)
  call.reply.bulk(value.bytes, value.offset, value.length)
  take(call, ref)
}

function take(call: Call, ref: number): void {
  const { args, db } = call
  db.remove(ref)
  db.changed(args, 1, 'del')
  if (call.propagation.active) call.propagateAs('DEL', args.copy(1))
}

export const strlen = command({
  name: 'STRLEN',
  usage: 'key',
  summary: 'Answers how many bytes a string value has.',
  since: '2.2.0',
  complexity: 'O(1)',
  flags: ['readonly', 'fast'],
  access: 'ro',
  reply: 'integer',

  run(call) {
    const { db } = call
    const ref = db.readTyped(call.args, 1, TYPE_STRING)
    call.reply.integer(ref === 0 ? 0 : stringLength(db.arena, ref))
  },
})

export const getrange = command({
  name: 'GETRANGE',
  usage: 'key start:integer end:integer',
  summary: 'Answers a part of a string value, by its first and last byte.',
  since: '2.4.0',
  complexity: 'O(N) where N is the number of bytes answered',
  flags: ['readonly'],
  access: 'ro access',
  reply: 'bulk',
  run: getRange,
})

export const substr = command({
  name: 'SUBSTR',
  usage: 'key start:integer end:integer',
  summary: 'Answers a part of a string value, by its first and last byte.',
  since: '1.0.0',
  complexity: 'O(N) where N is the number of bytes answered',
  flags: ['readonly'],
  access: 'ro access',
  reply: 'bulk',
  deprecated: { since: '2.0.0', replacedBy: '`GETRANGE`' },
  run: getRange,
})

function getRange(call: Call): void {
  const { args, db, reply } = call
  let start = position(call, 2)
  let end = position(call, 3)
  const ref = db.readTyped(args, 1, TYPE_STRING)
  if (ref === 0) value.openEmpty()
  else value.open(db.arena, ref)
  const { length } = value

  if (isReversed(call, 2, 3, start, end)) return reply.bulk(value.bytes, 0, 0)
  if (start < 0) start = Math.max(length + start, 0)
  if (end < 0) end = Math.max(length + end, 0)
  if (end >= length) end = length - 1
  if (start > end) return reply.bulk(value.bytes, 0, 0)
  reply.bulk(value.bytes, value.offset + start, end - start + 1)
}
