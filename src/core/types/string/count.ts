/**
 * Commands that count in a string: INCR and its relations.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: goes beyond 64 bits unseen.
 */

import {
  addInt64,
  INTEGER_OK,
  int64SumHigh,
  int64SumLow,
  integerHigh,
  integerLow,
  parseInteger,
} from '../../../lib/bytes/integer.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, INCREMENT_OVERFLOW, NOT_AN_INTEGER } from '../../engine/errors.ts'
import { entryEncoding, entryValueWord, TYPE_STRING } from '../../keyspace/entry.ts'
import { KEEP_DEADLINE, stringSetInteger } from './string.ts'
import { STRING_INT, StringView } from './view.ts'

const DECREMENT_OVERFLOW = new CommandError('ERR decrement would overflow')
const INT32_MIN = -0x80000000

const value = new StringView()

export const incr = command({
  name: 'INCR',
  usage: 'key',
  summary: 'Adds one to the integer in a key; a missing key counts as 0.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw access update',
  reply: 'integer',

  run(call) {
    add(call, 0, 1)
  },
})

export const decr = command({
  name: 'DECR',
  usage: 'key',
  summary: 'Takes one from the integer in a key; a missing key counts as 0.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw access update',
  reply: 'integer',

  run(call) {
    add(call, -1, -1)
  },
})

export const incrby = command({
  name: 'INCRBY',
  usage: 'key increment:integer',
  summary: 'Adds a number to the integer in a key; a missing key counts as 0.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw access update',
  reply: 'integer',

  run(call) {
    const { args } = call
    if (!args.integer64(2)) throw NOT_AN_INTEGER
    add(call, args.high, args.low)
  },
})

export const decrby = command({
  name: 'DECRBY',
  usage: 'key decrement',
  summary: 'Takes a number from the integer in a key; a missing key counts as 0.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw access update',
  reply: 'integer',

  run(call) {
    const { args } = call
    if (!args.integer64(2)) throw NOT_AN_INTEGER
    const { high, low } = args
    if (high === INT32_MIN && low === 0) throw DECREMENT_OVERFLOW
    add(call, low === 0 ? -high : ~high, -low | 0)
  },
})

/** Adds a signed 64-bit integer to the key's. */
function add(call: Call, byHigh: number, byLow: number): void {
  const { args, db } = call
  const ref = db.writeTyped(args, 1, TYPE_STRING)
  let high = 0
  let low = 0
  const { words } = db.arena
  const isInteger = ref !== 0 && entryEncoding(db.arena, ref) === STRING_INT
  const word = isInteger ? entryValueWord(db.arena, ref) : 0
  if (isInteger) {
    high = words[word + 1]
    low = words[word]
  } else if (ref !== 0) {
    value.open(db.arena, ref)
    const { bytes, offset, length } = value
    if (parseInteger(bytes, offset, offset + length) !== INTEGER_OK) throw NOT_AN_INTEGER
    high = integerHigh()
    low = integerLow()
  }
  if (!addInt64(high, low, byHigh, byLow)) throw INCREMENT_OVERFLOW
  high = int64SumHigh()
  low = int64SumLow()

  if (isInteger) {
    words[word + 1] = high
    words[word] = low
  } else {
    stringSetInteger(db, args, 1, ref, high, low, KEEP_DEADLINE)
  }
  db.changed(args, 1, 'incrby')
  call.reply.integer64(high, low)
}
