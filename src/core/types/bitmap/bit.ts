/**
 * Commands on single bits of a string, and on counts and places of bits.
 *
 * Thread: core. Hot path.
 * Owns: what a bit offset may be.
 * Never: makes a string longer than a client could send.
 */

import { INTEGER_OK, integerNumber, parseInteger } from '../../../lib/bytes/integer.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { BIT_OFFSET, BIT_VALUE, CommandError, NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'
import { TYPE_STRING } from '../../keyspace/entry.ts'
import { isReversed, position } from '../string/position.ts'
import { rawBytesOffset, stringGrow, stringLength } from '../string/string.ts'
import { StringView } from '../string/view.ts'
import { countBits, findBit } from './bits.ts'

const BIT_ARGUMENT = new CommandError('ERR The bit argument must be 1 or 0.')
const HASH = 35

const value = new StringView()

/** The range of bits, or bytes, that BITCOUNT and BITPOS look at: both ends belong to it. */
const range = { start: 0, end: 0, inBits: false }

/**
 * The bit offset in an argument. `fieldSize`: bits of a field that '#' counts in, 0 where '#' is no
 * part of an offset. Throws: CommandError BIT_OFFSET.
 */
export function bitOffset(call: Call, index: number, fieldSize: number): number {
  const { args } = call
  const end = args.offsets[index] + args.lengths[index]
  let start = args.offsets[index]
  let unit = 1
  if (fieldSize > 0 && start < end && args.bytes[start] === HASH) {
    start++
    unit = fieldSize
  }
  if (parseInteger(args.bytes, start, end) !== INTEGER_OK) throw BIT_OFFSET
  const offset = integerNumber() * unit
  if (offset < 0 || Math.floor(offset / 8) >= call.server.settings.int('proto-max-bulk-len')) {
    throw BIT_OFFSET
  }
  return offset
}

export const setbit = command({
  name: 'SETBIT',
  usage: 'key offset value:integer',
  summary: 'Sets or clears a bit of a string value and answers what it was.',
  since: '2.2.0',
  complexity: 'O(1)',
  flags: ['write', 'denyoom'],
  access: 'rw access update',
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    const offset = bitOffset(call, 2, 0)
    if (!args.integer64(3) || args.high !== 0 || (args.low & ~1) !== 0) throw BIT_VALUE
    const bit = args.low
    const ref = db.writeTyped(args, 1, TYPE_STRING)
    const index = Math.floor(offset / 8)
    const isLonger = ref === 0 || index >= stringLength(db.arena, ref)

    const grown = stringGrow(db, args, 1, ref, index + 1)
    const { bytes } = db.arena
    const at = rawBytesOffset(db.arena, grown) + index
    const shift = 7 - (offset % 8)
    const byte = bytes[at]
    const before = (byte >> shift) & 1
    if (isLonger || before !== bit) {
      bytes[at] = (byte & ~(1 << shift)) | (bit << shift)
      db.changed(args, 1, 'setbit')
    }
    reply.integer(before)
  },
})

export const getbit = command({
  name: 'GETBIT',
  usage: 'key offset',
  summary: 'Answers a bit of a string value.',
  since: '2.2.0',
  complexity: 'O(1)',
  flags: ['readonly', 'fast'],
  access: 'ro access',
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    const offset = bitOffset(call, 2, 0)
    const ref = db.readTyped(args, 1, TYPE_STRING)
    if (ref === 0) return reply.integer(0)
    value.open(db.arena, ref)
    const index = Math.floor(offset / 8)
    if (index >= value.length) return reply.integer(0)
    reply.integer((value.bytes[value.offset + index] >> (7 - (offset % 8))) & 1)
  },
})

export const bitcount = command({
  name: 'BITCOUNT',
  usage: 'key [index: start:integer end:integer [index_unit: BYTE | BIT]@7.0.0]',
  summary: 'Counts the bits that are set in a string value or a part of it.',
  since: '2.6.0',
  complexity: 'O(N)',
  flags: ['readonly'],
  access: 'ro access',
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    const ref = db.readTyped(args, 1, TYPE_STRING)
    // QUIRK: a missing key counts before the arguments do: BITCOUNT none x.
    if (ref === 0) return reply.integer(0)
    value.open(db.arena, ref)
    const { bytes, words, offset, length } = value
    if (args.count === 2) return reply.integer(countBits(bytes, words, offset, length))
    if (args.count !== 4 && args.count !== 5) throw SYNTAX
    range.start = position(call, 2)
    range.end = position(call, 3)
    // QUIRK: so does a range from the end that runs backwards: BITCOUNT key -1 -5 x.
    if (isReversed(call, 2, 3, range.start, range.end)) return reply.integer(0)
    range.inBits = args.count === 5 && isBitUnit(call, 4)
    if (!clampRange(length)) return reply.integer(0)
    reply.integer(countInRange())
  },
})

/** Bits set within `range` of `value`. */
function countInRange(): number {
  const { bytes, words, offset } = value
  const { start, end, inBits } = range
  if (!inBits) return countBits(bytes, words, offset + start, end - start + 1)
  const first = Math.floor(start / 8)
  const last = Math.floor(end / 8)
  let count = countBits(bytes, words, offset + first, last - first + 1)
  for (let bit = first * 8; bit < start; bit++) count -= bitAt(bit)
  for (let bit = end + 1; bit < last * 8 + 8; bit++) count -= bitAt(bit)
  return count
}

function bitAt(bit: number): number {
  return (value.bytes[value.offset + Math.floor(bit / 8)] >> (7 - (bit % 8))) & 1
}

export const bitpos = command({
  name: 'BITPOS',
  usage: 'key bit [index: start:integer [end_index: end:integer [index_unit: BYTE | BIT]@7.0.0]]',
  summary: 'Finds the first bit that is set, or clear, in a string value or a part of it.',
  since: '2.8.7',
  complexity: 'O(N)',
  flags: ['readonly'],
  access: 'ro access',
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    if (!args.integer64(2)) throw NOT_AN_INTEGER
    if (args.high !== 0 || (args.low & ~1) !== 0) throw BIT_ARGUMENT
    const bit = args.low
    const ref = db.readTyped(args, 1, TYPE_STRING)
    // QUIRK: a missing key is looked at before the range is: BITPOS none 1 x.
    if (ref === 0) return reply.integer(bit === 1 ? -1 : 0)
    value.open(db.arena, ref)
    if (args.count > 6) throw SYNTAX
    const hasEnd = args.count > 4
    range.start = args.count > 3 ? position(call, 3) : 0
    range.inBits = args.count > 5 && isBitUnit(call, 5)
    range.end = hasEnd ? position(call, 4) : value.length - 1
    if (!clampRange(value.length)) return reply.integer(-1)
    const found = findInRange(bit)
    // Clear bits are taken to follow the string, unless its end was given.
    if (found < 0 && bit === 0 && !hasEnd) reply.integer(value.length * 8)
    else reply.integer(found)
  },
})

/** The first such bit within `range` of `value`, -1 if there is none. */
function findInRange(bit: number): number {
  const { bytes, words, offset } = value
  const { start, end, inBits } = range
  if (!inBits) {
    const found = findBit(bytes, words, offset + start, end - start + 1, bit)
    return found < 0 ? -1 : start * 8 + found
  }
  // The bits of the first byte, then whole bytes; a find beyond the end is none.
  let at = start
  for (; at <= end && at % 8 !== 0; at++) if (bitAt(at) === bit) return at
  if (at > end) return -1
  const first = at / 8
  const found = findBit(bytes, words, offset + first, Math.floor(end / 8) - first + 1, bit)
  return found < 0 || at + found > end ? -1 : at + found
}

/** Counts negative ends from the end of `length` bytes and cuts `range` there. False: it is empty. */
function clampRange(length: number): boolean {
  const total = range.inBits ? length * 8 : length
  if (range.start < 0) range.start = Math.max(total + range.start, 0)
  if (range.end < 0) range.end = Math.max(total + range.end, 0)
  if (range.end >= total) range.end = total - 1
  return range.start <= range.end
}

function isBitUnit(call: Call, index: number): boolean {
  if (call.args.is(index, 'BIT')) return true
  if (call.args.is(index, 'BYTE')) return false
  throw SYNTAX
}
