/**
 * HSET, HMSET, HSETNX, HDEL, HINCRBY, HINCRBYFLOAT: changing fields.
 *
 * Thread: core. Hot path.
 * Owns: when a hash becomes too large for a listpack.
 * Never: leaves a key without fields.
 */
import {
  addInt64,
  INTEGER_OK,
  int64SumHigh,
  int64SumLow,
  integerHigh,
  integerLow,
  parseInteger,
  writeInteger64,
} from '../../../lib/bytes/integer.ts'
import {
  addLongDouble,
  formatLongDouble,
  isInfinityText,
  type LongDouble,
  parseLongDouble,
} from '../../../lib/bytes/long-double.ts'
import { AlignedBytes } from '../../../memory/aligned.ts'
import type { Ref } from '../../../memory/arena.ts'
import { ListpackElement } from '../../../memory/listpack.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import {
  CommandError,
  INCREMENT_OVERFLOW,
  NOT_A_FLOAT,
  NOT_AN_INTEGER,
  wrongArity,
} from '../../engine/errors.ts'
import { NO_DEADLINE } from '../../keyspace/db.ts'
import { entryValueWord, TYPE_HASH } from '../../keyspace/entry.ts'
import { ListpackLimits } from '../listpack-limits.ts'
import {
  HASH_VALUE_SIZE,
  hashCount,
  hashCreatePack,
  hashEnd,
  hashRemove,
  hashSet,
  hashToTable,
  isHashTable,
  isTimedHash,
} from './hash.ts'
import { findField, lookupEmptied } from './lookup.ts'
import type { Words } from './table.ts'
import { HASH_LISTPACK } from './timed.ts'

const NOT_AN_INTEGER_VALUE = new CommandError('ERR hash value is not an integer')
const NOT_A_FLOAT_VALUE = new CommandError('ERR hash value is not a float')
const NOT_FINITE = new CommandError('ERR increment would produce NaN or Infinity')
const INFINITE = new CommandError('ERR value is NaN or Infinity')
const DIGITS_MAX = 21

type HashEvent = 'hset' | 'hincrby' | 'hincrbyfloat'

const limits = new ListpackLimits('hash')
const value = new ListpackElement()
const text = new AlignedBytes()
const digits = Buffer.alloc(DIGITS_MAX)

export const hset = command({
  name: 'HSET',
  usage: 'key field value [field value ...]',
  summary: 'Sets fields of a hash.',
  since: '2.0.0',
  complexity: 'O(1) for each field',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw update',
  history: [['4.0.0', 'Several fields at once.']],
  reply: 'integer',

  run(call) {
    call.reply.integer(setFields(call))
  },
})

export const hmset = command({
  name: 'HMSET',
  usage: 'key field value [field value ...]',
  summary: 'Sets fields of a hash.',
  since: '2.0.0',
  complexity: 'O(1) for each field',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw update',
  deprecated: { since: '4.0.0', replacedBy: '`HSET` with multiple field-value pairs' },
  reply: 'ok',

  run(call) {
    setFields(call)
    call.reply.ok()
  },
})

/** Gives how many fields are new. */
function setFields(call: Call): number {
  const { args } = call
  if (args.count % 2 !== 0) throw wrongArity(call.entry.name)
  const ref = hashForWriting(call)
  const { arena } = call.db
  let added = 0
  let end = 2
  let done = false
  try {
    fitArguments(call, ref, 2, args.count - 1)
    for (let i = 2; i < args.count; i += 2) {
      const isNew = hashSet(
        arena,
        ref,
        args,
        args.offsets[i],
        args.lengths[i],
        args,
        args.offsets[i + 1],
        args.lengths[i + 1],
        false,
      )
      end = i + 2
      if (isNew) added++
    }
    fitCount(call, ref)
    done = true
  } finally {
    endWriting(call, ref, end > 2 ? 'hset' : '')
    if (end > 4) call.keyspace.dirty += (end - 4) >> 1
    if (!done && end > 2) propagateSet(call, end)
  }
  return added
}

/**
 * Memory ran out at argument `end`.
 * DIFFERS: the fields before it stay; Redis would have been killed. What replicas and the AOF see is
 * what was set.
 */
// alloc: only when memory ended on the way
function propagateSet(call: Call, end: number): void {
  if (!call.propagation.active) return
  const argv = Array.from({ length: end - 1 }, (_, at) => call.args.copy(at + 1))
  call.propagateAs('HSET', ...argv)
}

export const hsetnx = command({
  name: 'HSETNX',
  usage: 'key field value',
  summary: 'Sets a field of a hash that is not there yet.',
  since: '2.0.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw insert',
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    const before = db.writeTyped(args, 1, TYPE_HASH)
    if (before !== 0 && findField(call, before, 2, value)) return reply.integer(0)
    const ref = before === 0 || lookupEmptied() ? makeHash(call) : before
    setOne(call, ref, args, args.offsets[3], args.lengths[3], 'hset')
    reply.integer(1)
  },
})

export const hdel = command({
  name: 'HDEL',
  usage: 'key field [field ...]',
  summary: 'Takes fields out of a hash.',
  since: '2.0.0',
  complexity: 'O(N) where N is the number of fields',
  flags: ['write', 'fast'],
  access: 'rw delete',
  history: [['2.4.0', 'Several fields at once.']],
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    const ref = db.writeTyped(args, 1, TYPE_HASH)
    if (ref === 0) return reply.integer(0)
    const { arena } = db
    let removed = 0
    let empty = false
    for (let i = 2; i < args.count && !empty; i++) {
      if (!hashRemove(arena, ref, args, args.offsets[i], args.lengths[i])) continue
      removed++
      empty = hashCount(arena, ref) === 0
    }
    if (empty) db.remove(ref)
    else if (removed > 0 && isTimedHash(arena, ref)) db.elements.changed(ref)
    if (removed > 0) {
      db.changed(args, 1, 'hdel')
      call.keyspace.dirty += removed - 1
    }
    if (empty) db.alsoNotify(args, 1, 'del')
    reply.integer(removed)
  },
})

export const hincrby = command({
  name: 'HINCRBY',
  usage: 'key field increment:integer',
  summary: 'Adds a number to the integer in a field; a missing field counts as 0.',
  since: '2.0.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw access update',
  reply: 'integer',

  run(call) {
    const { args, db } = call
    if (!args.integer64(3)) throw NOT_AN_INTEGER
    const { high, low } = args
    const before = db.writeTyped(args, 1, TYPE_HASH)
    let oldHigh = 0
    let oldLow = 0
    if (before !== 0 && findField(call, before, 2, value)) {
      const end = value.offset + value.length
      if (parseInteger(value.bytes, value.offset, end) !== INTEGER_OK) throw NOT_AN_INTEGER_VALUE
      oldHigh = integerHigh()
      oldLow = integerLow()
    }
    if (!addInt64(oldHigh, oldLow, high, low)) throw INCREMENT_OVERFLOW
    const sumHigh = int64SumHigh()
    const sumLow = int64SumLow()
    text.set(digits, 0, writeInteger64(digits, 0, sumHigh, sumLow))

    const ref = before === 0 || lookupEmptied() ? makeHash(call) : before
    setOne(call, ref, text, 0, text.length, 'hincrby')
    call.reply.integer64(sumHigh, sumLow)
  },
})

export const hincrbyfloat = command({
  name: 'HINCRBYFLOAT',
  usage: 'key field increment:double',
  summary: 'Adds a number with decimals to that in a field; a missing field counts as 0.',
  since: '2.6.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw access update',
  reply: 'bulk',

  // alloc: HINCRBYFLOAT makes a text anyway
  run(call) {
    const { args, db } = call
    const by = decimal(args.text(3), NOT_A_FLOAT)
    if (by === undefined) throw INFINITE
    const ref = db.writeTyped(args, 1, TYPE_HASH)
    let old: LongDouble | undefined = ZERO
    if (ref !== 0 && findField(call, ref, 2, value)) {
      const { bytes, offset, length } = value
      old = decimal(bytes.latin1Slice(offset, offset + length), NOT_A_FLOAT_VALUE)
    }
    const sum = old === undefined ? undefined : addLongDouble(old, by)
    if (sum === undefined) throw NOT_FINITE
    const bytes = Buffer.from(formatLongDouble(sum), 'latin1')
    text.set(bytes, 0, bytes.length)

    const made = ref === 0 || lookupEmptied() ? makeHash(call) : ref
    setOne(call, made, text, 0, text.length, 'hincrbyfloat')
    if (call.propagation.active) propagateSum(call, made, bytes)
    call.reply.bulkBytes(bytes)
  },
})

/**
 * HINCRBYFLOAT travels as HSET of the sum.
 * DIFFERS: where the field has an end, that follows; Redis 7.4 lets replicas and the AOF lose it.
 */
// alloc: for the AOF and replicas
function propagateSum(call: Call, ref: Ref, sum: Buffer): void {
  const { args, db } = call
  const [key, field] = [args.copy(1), args.copy(2)]
  call.propagateAs('HSET', key, field, sum)
  const end = hashEnd(db.arena, ref, args, args.offsets[2], args.lengths[2])
  if (end > 0) call.propagateAs('HPEXPIREAT', key, String(end), 'FIELDS', '1', field)
}

const ZERO: LongDouble = { mantissa: 0n, power: 0 }

/** Undefined for an infinity. Throws: `error`. */
function decimal(shown: string, error: CommandError): LongDouble | undefined {
  const parsed = parseLongDouble(shown)
  if (parsed === undefined && !isInfinityText(shown)) throw error
  return parsed
}

/** The key's hash, made if there is none. Throws: CommandError, ARENA_FULL. */
function hashForWriting(call: Call): Ref {
  const ref = call.db.writeTyped(call.args, 1, TYPE_HASH)
  return ref === 0 ? makeHash(call) : ref
}

/** A hash without fields: the caller adds one, or ends with `endWriting`. */
function makeHash(call: Call): Ref {
  const { args, db } = call
  const arena = db.arenaOf(args, 1)
  const pack = hashCreatePack(arena)
  let ref = 0
  try {
    ref = db.create(args, 1, TYPE_HASH, HASH_LISTPACK, HASH_VALUE_SIZE, NO_DEADLINE)
  } finally {
    if (ref === 0) arena.free(pack)
  }
  arena.words[entryValueWord(arena, ref)] = pack
  return ref
}

/** Sets the field in argument 2; only HSET and its like end what end it has. */
function setOne(
  call: Call,
  ref: Ref,
  from: Words,
  offset: number,
  length: number,
  event: HashEvent,
): void {
  const { args, db } = call
  let done = false
  try {
    fitArguments(call, ref, 2, 2)
    fitLength(call, ref, length)
    const keepsEnd = event !== 'hset'
    const at = args.offsets[2]
    hashSet(db.arena, ref, args, at, args.lengths[2], from, offset, length, keepsEnd)
    fitCount(call, ref)
    done = true
  } finally {
    endWriting(call, ref, done ? event : '')
  }
}

/** Says what has changed; a hash that got no field after all goes away. */
function endWriting(call: Call, ref: Ref, event: HashEvent | ''): void {
  const { args, db } = call
  if (isTimedHash(db.arena, ref)) db.elements.changed(ref)
  if (event !== '') db.changed(args, 1, event)
  else if (hashCount(db.arena, ref) === 0) db.remove(ref)
}

/** Makes a map of a hash that is about to get arguments too long for a listpack. */
function fitArguments(call: Call, ref: Ref, first: number, last: number): void {
  const { args, db } = call
  if (isHashTable(db.arena, ref)) return
  const most = limits.follow(call.server.settings).valueSize
  for (let i = first; i <= last; i++) {
    if (args.lengths[i] > most) return hashToTable(db.arena, ref)
  }
}

function fitLength(call: Call, ref: Ref, length: number): void {
  const { arena } = call.db
  if (isHashTable(arena, ref)) return
  if (length > limits.follow(call.server.settings).valueSize) hashToTable(arena, ref)
}

function fitCount(call: Call, ref: Ref): void {
  const { arena } = call.db
  if (isHashTable(arena, ref)) return
  const most = limits.follow(call.server.settings).entries
  if (hashCount(arena, ref) > most) hashToTable(arena, ref)
}
