/**
 * BITFIELD: integers of any width at any bit of a string.
 *
 * Fields up to 32 bits and numbers up to 2^52 are reckoned with in doubles, where every sum is exact;
 * the others in BigInt.
 *
 * Thread: core.
 * Owns: the operations of the call in progress.
 * Never: changes a field before all operations are parsed.
 */

import { INTEGER_OK, integerNumber, parseInteger } from '../../../lib/bytes/integer.ts'
import { command } from '../../command/command.ts'
import type { ArgumentTexts } from '../../command/key-specs.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'
import { TYPE_STRING } from '../../keyspace/entry.ts'
import { rawBytesOffset, stringGrow, stringLength } from '../string/string.ts'
import { StringView } from '../string/view.ts'
import { bitOffset } from './bit.ts'
import { readField, writeField } from './bits.ts'

const INVALID_TYPE = new CommandError(
  'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.',
)
const INVALID_OVERFLOW = new CommandError('ERR Invalid OVERFLOW type specified')
const ONLY_GET = new CommandError('ERR BITFIELD_RO only supports the GET subcommand')

const GET = 0
const SET = 1
const INCRBY = 2

const WRAP = 0
const SATURATE = 1
const FAIL = 2

const SMALL_I = 105
const SMALL_U = 117
const SIGNED_BITS_MAX = 64
const UNSIGNED_BITS_MAX = 63
/** Fields of more bits are read and written in two parts. */
const PART_BITS = 32
const SAFE_NUMBER = 2 ** 52

interface Operation {
  readonly kind: number
  readonly signed: boolean
  readonly bitCount: number
  readonly offset: number
  readonly overflow: number
  /** What to set or to add: a signed 64-bit integer. */
  readonly high: number
  readonly low: number
}

const view = new StringView()

/** Where the fields are. */
const field = { bytes: view.bytes, offset: 0, length: 0 }

export const bitfield = command({
  name: 'BITFIELD',
  usage:
    'key [<operation: GET encoding offset | <write: [OVERFLOW <wrap_sat_fail: WRAP | SAT | FAIL>] ' +
    '<write_operation: SET encoding offset value:integer | ' +
    'INCRBY encoding offset increment:integer>>> [...]]',
  summary: 'Reads, sets and adds to integers of any width within a string value.',
  since: '3.2.0',
  complexity: 'O(1) for each operation',
  flags: ['write', 'denyoom'],
  access: 'rw access update variable_flags',
  variableAccess: (args) => (onlyReads(args) ? 'ro access' : 'rw access update'),
  reply: 'array of integer | nil',

  run(call) {
    const operations = parseOperations(call)
    if (operations.every((operation) => operation.kind === GET)) readFields(call, operations)
    else changeFields(call, operations)
  },
})

/** Arguments that make no sense are taken for a change. */
function onlyReads(args: ArgumentTexts): boolean {
  let index = 2
  while (index < args.count) {
    const word = args.text(index).toUpperCase()
    if (word === 'GET' && index + 2 < args.count) index += 3
    else if (word === 'OVERFLOW' && index + 1 < args.count) index += 2
    else return false
  }
  return true
}

export const bitfieldRo = command({
  name: 'BITFIELD_RO',
  usage: 'key [GET encoding offset [GET encoding offset ...]]',
  summary: 'Reads integers of any width within a string value.',
  since: '6.0.0',
  complexity: 'O(1) for each operation',
  flags: ['readonly', 'fast'],
  access: 'ro access',
  reply: 'array of integer',

  run(call) {
    const operations = parseOperations(call)
    if (operations.some((operation) => operation.kind !== GET)) throw ONLY_GET
    readFields(call, operations)
  },
})

function parseOperations(call: Call): Operation[] {
  const { args } = call
  const operations: Operation[] = []
  let overflow = WRAP
  for (let i = 2; i < args.count; i++) {
    const following = args.count - i - 1
    if (args.is(i, 'OVERFLOW') && following >= 1) {
      overflow = overflowOf(call, ++i)
      continue
    }
    const kind = kindOf(call, i, following)
    const signed = args.bytes[args.offsets[i + 1]] === SMALL_I
    const bitCount = fieldBits(call, i + 1)
    const offset = bitOffset(call, i + 2, bitCount)
    i += 2
    let high = 0
    let low = 0
    if (kind !== GET) {
      if (!args.integer64(++i)) throw NOT_AN_INTEGER
      high = args.high
      low = args.low
    }
    operations.push({ kind, signed, bitCount, offset, overflow, high, low })
  }
  return operations
}

function kindOf(call: Call, index: number, following: number): number {
  const { args } = call
  if (args.is(index, 'GET') && following >= 2) return GET
  if (args.is(index, 'SET') && following >= 3) return SET
  if (args.is(index, 'INCRBY') && following >= 3) return INCRBY
  throw SYNTAX
}

function overflowOf(call: Call, index: number): number {
  const { args } = call
  if (args.is(index, 'WRAP')) return WRAP
  if (args.is(index, 'SAT')) return SATURATE
  if (args.is(index, 'FAIL')) return FAIL
  throw INVALID_OVERFLOW
}

/** The width in a type such as i16 or u8. */
function fieldBits(call: Call, index: number): number {
  const { args } = call
  const start = args.offsets[index]
  const first = args.lengths[index] > 0 ? args.bytes[start] : 0
  if (first !== SMALL_I && first !== SMALL_U) throw INVALID_TYPE
  if (parseInteger(args.bytes, start + 1, start + args.lengths[index]) !== INTEGER_OK) {
    throw INVALID_TYPE
  }
  const bits = integerNumber()
  if (bits < 1 || bits > (first === SMALL_I ? SIGNED_BITS_MAX : UNSIGNED_BITS_MAX)) {
    throw INVALID_TYPE
  }
  return bits
}

function readFields(call: Call, operations: readonly Operation[]): void {
  const { db, reply } = call
  const ref = db.readTyped(call.args, 1, TYPE_STRING)
  if (ref === 0) view.openEmpty()
  else view.open(db.arena, ref)
  field.bytes = view.bytes
  field.offset = view.offset
  field.length = view.length
  reply.array(operations.length)
  for (const operation of operations) replyField(call, operation)
}

function changeFields(call: Call, operations: readonly Operation[]): void {
  const { args, db, reply } = call
  let end = 0
  for (const { kind, offset, bitCount } of operations) {
    if (kind !== GET) end = Math.max(end, offset + bitCount)
  }
  const size = Math.ceil(end / 8)
  const ref = db.writeTyped(args, 1, TYPE_STRING)
  const isLonger = ref === 0 || size > stringLength(db.arena, ref)
  const grown = stringGrow(db, args, 1, ref, size)
  field.bytes = db.arena.bytes
  field.offset = rawBytesOffset(db.arena, grown)
  field.length = stringLength(db.arena, grown)

  let changes = 0
  reply.array(operations.length)
  for (const operation of operations) {
    if (operation.kind === GET) replyField(call, operation)
    else if (changeField(call, operation, isLonger)) changes++
  }
  if (changes > 0) {
    db.changed(args, 1, 'setbit')
    // Each counts, but they are one event.
    call.keyspace.dirty += changes - 1
  } else if (isLonger && call.propagation.active) {
    // DIFFERS: OVERFLOW FAIL has still made the string longer. Redis counts that as no change and
    // tells nobody, so that its AOF and its replicas hold another string.
    call.propagateAs(...Array.from({ length: args.count }, (_, i) => args.copy(i)))
  }
}

function replyField(call: Call, operation: Operation): void {
  if (operation.bitCount > PART_BITS) replyBig(call, readBig(operation))
  else call.reply.integer(readSmall(operation))
}

/**
 * Does what a SET or INCRBY says, and answers it. Tells whether that counts as a change: when the
 * number is another one, or is set in a string that has just become longer.
 */
function changeField(call: Call, operation: Operation, isLonger: boolean): boolean {
  const { high, low } = operation
  const number = high * 0x100000000 + (low >>> 0)
  const isSmall = operation.bitCount <= PART_BITS && Math.abs(number) < SAFE_NUMBER
  return isSmall
    ? changeSmall(call, operation, number, isLonger)
    : changeBig(call, operation, isLonger)
}

function changeSmall(call: Call, operation: Operation, number: number, isLonger: boolean): boolean {
  const { kind, signed, bitCount, overflow } = operation
  const before = readSmall(operation)
  const span = 2 ** bitCount
  const max = signed ? span / 2 - 1 : span - 1
  const min = signed ? -span / 2 : 0
  let after = kind === INCRBY ? before + number : number
  if (after > max || after < min) {
    if (overflow === FAIL) {
      call.reply.nil()
      return false
    }
    if (overflow === WRAP) {
      after -= Math.floor((after - min) / span) * span
    } else {
      // QUIRK: what is to be set in an unsigned field is unsigned itself: SET u8 0 -1 is too large.
      const isAbove = after > max || (kind === SET && !signed)
      after = isAbove ? max : min
    }
  }
  call.reply.integer(kind === INCRBY ? after : before)
  writeField(
    field.bytes,
    field.offset,
    operation.offset,
    bitCount,
    after < 0 ? after + span : after,
  )
  return isLonger || after !== before
}

function changeBig(call: Call, operation: Operation, isLonger: boolean): boolean {
  const { kind, signed, bitCount, overflow } = operation
  const before = operation.bitCount > PART_BITS ? readBig(operation) : BigInt(readSmall(operation))
  const number = (BigInt(operation.high) << 32n) | BigInt(operation.low >>> 0)
  const span = 1n << BigInt(bitCount)
  const max = signed ? span / 2n - 1n : span - 1n
  const min = signed ? -span / 2n : 0n
  let after = kind === INCRBY ? before + number : signed ? number : BigInt.asUintN(64, number)
  if (after > max || after < min) {
    if (overflow === FAIL) {
      call.reply.nil()
      return false
    }
    // QUIRK: below the least by more than 64 bits can tell counts as above: C's difference wraps.
    const isAbove = after > max || (kind === SET && signed && max - after >= 1n << 63n)
    if (overflow === SATURATE) after = isAbove ? max : min
    else after = signed ? BigInt.asIntN(bitCount, after) : BigInt.asUintN(bitCount, after)
  }
  replyBig(call, kind === INCRBY ? after : before)
  writeBig(operation, BigInt.asUintN(bitCount, after))
  return isLonger || after !== before
}

/** The field's number; up to 32 bits. */
function readSmall(operation: Operation): number {
  const { bitCount, signed } = operation
  const value = readField(field.bytes, field.offset, field.length, operation.offset, bitCount)
  return signed && value >= 2 ** (bitCount - 1) ? value - 2 ** bitCount : value
}

/** The field's number; more than 32 bits. */
function readBig(operation: Operation): bigint {
  const { offset, bitCount, signed } = operation
  const upperCount = bitCount - PART_BITS
  const { bytes, length } = field
  const upper = readField(bytes, field.offset, length, offset, upperCount)
  const lower = readField(bytes, field.offset, length, offset + upperCount, PART_BITS)
  const value = (BigInt(upper) << 32n) | BigInt(lower)
  return signed ? BigInt.asIntN(bitCount, value) : value
}

function writeBig(operation: Operation, value: bigint): void {
  const { offset, bitCount } = operation
  const lower = Number(value & 0xffffffffn)
  const lowerCount = Math.min(bitCount, PART_BITS)
  const upperCount = bitCount - lowerCount
  if (upperCount > 0)
    writeField(field.bytes, field.offset, offset, upperCount, Number(value >> 32n))
  writeField(field.bytes, field.offset, offset + upperCount, lowerCount, lower)
}

function replyBig(call: Call, value: bigint): void {
  call.reply.integer64(Number(value >> 32n), Number(BigInt.asIntN(32, value)))
}
