/**
 * Commands that count in a string: INCR and its relations.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: goes beyond 64 bits unseen; counts with less than the 80-bit floats that Redis has.
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
import {
  addLongDouble,
  formatLongDouble,
  isInfinityText,
  type LongDouble,
  parseLongDouble,
} from '../../../lib/bytes/long-double.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import {
  CommandError,
  INCREMENT_OVERFLOW,
  NOT_A_FLOAT,
  NOT_AN_INTEGER,
} from '../../engine/errors.ts'
import { entryEncoding, entryValueWord, TYPE_STRING } from '../../keyspace/entry.ts'
import { KEEP_DEADLINE, stringSetInteger, stringSetText } from './string.ts'
import { STRING_INT, StringView } from './view.ts'

const DECREMENT_OVERFLOW = new CommandError('ERR decrement would overflow')
const NOT_FINITE = new CommandError('ERR increment would produce NaN or Infinity')
/** Stands for either infinity: no sum may have it. */
const INFINITE: LongDouble = { mantissa: 0n, power: 0 }
/** More than the longest number's digits: 4933 before the point, 17 behind. */
const DECIMALS_SIZE_MAX = 5120
const INT32_MIN = -0x80000000

const value = new StringView()
const decimals = Buffer.from(new ArrayBuffer(DECIMALS_SIZE_MAX))
const decimalWords = new Int32Array(decimals.buffer)

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

export const incrbyfloat = command({
  name: 'INCRBYFLOAT',
  usage: 'key increment:double',
  summary: 'Adds a number with decimals to that in a key; a missing key counts as 0.',
  since: '2.6.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw access update',
  reply: 'bulk',

  // alloc: INCRBYFLOAT makes a text anyway
  run(call) {
    const { args, db } = call
    const ref = db.writeTyped(args, 1, TYPE_STRING)
    let beforeText = '0'
    if (ref !== 0) {
      value.open(db.arena, ref)
      beforeText = value.bytes.latin1Slice(value.offset, value.offset + value.length)
    }
    const before = number(beforeText)
    const by = number(args.text(2))
    const after = before === INFINITE || by === INFINITE ? undefined : addLongDouble(before, by)
    if (after === undefined) throw NOT_FINITE
    const length = decimals.latin1Write(formatLongDouble(after), 0)

    stringSetText(db, args, 1, ref, decimals, decimalWords, 0, length, KEEP_DEADLINE)
    db.changed(args, 1, 'incrbyfloat')
    const bytes = decimals.subarray(0, length)
    if (call.propagation.active) {
      call.propagateAs('SET', args.copy(1), Buffer.from(bytes), 'KEEPTTL')
    }
    call.reply.bulkBytes(bytes)
  },
})

/** Throws: CommandError NOT_A_FLOAT. */
function number(text: string): LongDouble {
  const parsed = parseLongDouble(text)
  if (parsed !== undefined) return parsed
  if (isInfinityText(text)) return INFINITE
  throw NOT_A_FLOAT
}

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
