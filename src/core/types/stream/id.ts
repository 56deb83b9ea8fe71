/**
 * Stream ids: a time in milliseconds and a number, both unsigned 64 bits, ordered as one number of
 * 128 bits.
 *
 * An id is four words, the highest first, which is how byte trees take keys. Written they are
 * `ms-seq`.
 *
 * Thread: core. Hot path.
 * Owns: what ids are, as words and as text.
 * Never: allocates for an id that a clock could have made.
 */
import {
  INTEGER_OK,
  integerHigh,
  integerLow,
  parseInteger,
  writeInteger,
} from '../../../lib/bytes/integer.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteTreeItemKey, type TreePosition } from '../../../memory/byte-tree.ts'
import type { Args } from '../../engine/args.ts'
import { CommandError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'

/** Words of an id. */
export const ID_WORDS = 4
/** Bytes of an id in an RDB file, and as the text of one at most. */
export const ID_BYTES = 16
const ID_TEXT_MAX = 48
/** A longer argument is no id. */
const ARGUMENT_SIZE_MAX = 127

export const ID_BAD = 0
export const ID_COMPLETE = 1
/** `ms-*`: the number is still to be chosen. */
export const ID_OPEN = 2

export const INVALID_ID = new CommandError(
  'ERR Invalid stream ID specified as stream command argument',
)
export const INVALID_START = new CommandError('ERR invalid start ID for the interval')
export const INVALID_END = new CommandError('ERR invalid end ID for the interval')

const MINUS = 45
const PLUS = 43
const STAR = 42
const OPEN_BRACKET = 40
const TWO_32 = 4294967296
const TWO_64 = 1n << 64n
/** Upper words up to here leave the whole number exact as a double. */
const SAFE_HIGH = 0x1fffff

export class StreamId {
  msHigh = 0
  msLow = 0
  seqHigh = 0
  seqLow = 0

  set(msHigh: number, msLow: number, seqHigh: number, seqLow: number): void {
    this.msHigh = msHigh | 0
    this.msLow = msLow | 0
    this.seqHigh = seqHigh | 0
    this.seqLow = seqLow | 0
  }

  setZero(): void {
    this.set(0, 0, 0, 0)
  }

  setMax(): void {
    this.set(-1, -1, -1, -1)
  }

  /** The first id of a time. */
  setTime(ms: number): void {
    this.set(Math.floor(ms / TWO_32), ms | 0, 0, 0)
  }

  copy(other: StreamId): void {
    this.msHigh = other.msHigh
    this.msLow = other.msLow
    this.seqHigh = other.seqHigh
    this.seqLow = other.seqLow
  }

  load(words: Int32Array, at: number): void {
    this.msHigh = words[at]
    this.msLow = words[at + 1]
    this.seqHigh = words[at + 2]
    this.seqLow = words[at + 3]
  }

  store(words: Int32Array, at: number): void {
    words[at] = this.msHigh
    words[at + 1] = this.msLow
    words[at + 2] = this.seqHigh
    words[at + 3] = this.seqLow
  }

  get isZero(): boolean {
    return (this.msHigh | this.msLow | this.seqHigh | this.seqLow) === 0
  }

  get isMax(): boolean {
    return (this.msHigh & this.msLow & this.seqHigh & this.seqLow) === -1
  }

  /** True when a double can tell both parts. */
  get isSafe(): boolean {
    return (
      this.msHigh >= 0 && this.msHigh <= SAFE_HIGH && this.seqHigh >= 0 && this.seqHigh <= SAFE_HIGH
    )
  }

  get safeMs(): number {
    return this.msHigh * TWO_32 + (this.msLow >>> 0)
  }

  get safeSeq(): number {
    return this.seqHigh * TWO_32 + (this.seqLow >>> 0)
  }

  /** Negative, 0 or positive as this id lies before, at or after the other one. */
  compare(other: StreamId): number {
    if (this.msHigh !== other.msHigh) return (this.msHigh >>> 0) - (other.msHigh >>> 0)
    if (this.msLow !== other.msLow) return (this.msLow >>> 0) - (other.msLow >>> 0)
    if (this.seqHigh !== other.seqHigh) return (this.seqHigh >>> 0) - (other.seqHigh >>> 0)
    return (this.seqLow >>> 0) - (other.seqLow >>> 0)
  }

  hasTimeOf(other: StreamId): boolean {
    return this.msHigh === other.msHigh && this.msLow === other.msLow
  }

  /** The next id of the same time. False, and unchanged, when there is none. */
  incrementNumber(): boolean {
    if ((this.seqHigh & this.seqLow) === -1) return false
    this.seqLow = (this.seqLow + 1) | 0
    if (this.seqLow === 0) this.seqHigh = (this.seqHigh + 1) | 0
    return true
  }

  /** The next id. False, and unchanged, when this is the last there can be. */
  increment(): boolean {
    if (this.incrementNumber()) return true
    if (this.isMax) return false
    this.seqHigh = 0
    this.seqLow = 0
    this.msLow = (this.msLow + 1) | 0
    if (this.msLow === 0) this.msHigh = (this.msHigh + 1) | 0
    return true
  }

  /** The id before. False, and unchanged, when this is the first. */
  decrement(): boolean {
    if (this.isZero) return false
    if ((this.seqHigh | this.seqLow) === 0) {
      if (this.msLow === 0) this.msHigh = (this.msHigh - 1) | 0
      this.msLow = (this.msLow - 1) | 0
      this.seqHigh = -1
      this.seqLow = -1
      return true
    }
    if (this.seqLow === 0) this.seqHigh = (this.seqHigh - 1) | 0
    this.seqLow = (this.seqLow - 1) | 0
    return true
  }

  /** The id as text. */
  // alloc: for propagation, digests and errors
  toString(): string {
    return text.latin1Slice(0, writeText(this))
  }
}

/** The key of the item at a position of a tree of ids. */
export function loadKey(arena: Arena, tree: Ref, position: TreePosition, key: StreamId): void {
  key.set(
    byteTreeItemKey(arena, tree, position, 0),
    byteTreeItemKey(arena, tree, position, 1),
    byteTreeItemKey(arena, tree, position, 2),
    byteTreeItemKey(arena, tree, position, 3),
  )
}

/** The id written last. Most ids have the time of the one before. */
const text = Buffer.alloc(ID_TEXT_MAX)
let textMsHigh = 0
let textMsLow = 0
/** Where the number begins; 0: nothing was written yet. */
let textNumberAt = 0

export function replyId(reply: Reply, id: StreamId): void {
  reply.bulk(text, 0, writeText(id))
}

/** Makes `text` the id's. Gives its length. */
function writeText(id: StreamId): number {
  const { msHigh, msLow } = id
  if (msHigh !== textMsHigh || msLow !== textMsLow || textNumberAt === 0) {
    const at = writeUnsigned(text, 0, msHigh, msLow)
    text[at] = MINUS
    textMsHigh = msHigh
    textMsLow = msLow
    textNumberAt = at + 1
  }
  return writeUnsigned(text, textNumberAt, id.seqHigh, id.seqLow)
}

function writeUnsigned(bytes: Buffer, offset: number, high: number, low: number): number {
  if (high >= 0 && high <= SAFE_HIGH) {
    return writeInteger(bytes, offset, high * TWO_32 + (low >>> 0))
  }
  return offset + bytes.latin1Write(unsigned(high, low).toString(), offset)
}

function unsigned(high: number, low: number): bigint {
  return BigInt.asUintN(64, (BigInt(high) << 32n) | BigInt(low >>> 0))
}

/** Writes an id as 16 bytes, the highest first. */
export function writeRawId(bytes: Buffer, offset: number, id: StreamId): void {
  bytes.writeInt32BE(id.msHigh, offset)
  bytes.writeInt32BE(id.msLow, offset + 4)
  bytes.writeInt32BE(id.seqHigh, offset + 8)
  bytes.writeInt32BE(id.seqLow, offset + 12)
}

export function readRawId(bytes: Buffer, offset: number, id: StreamId): void {
  id.msHigh = bytes.readInt32BE(offset)
  id.msLow = bytes.readInt32BE(offset + 4)
  id.seqHigh = bytes.readInt32BE(offset + 8)
  id.seqLow = bytes.readInt32BE(offset + 12)
}

/** An argument that has to be one id. A missing number is 0. Throws: CommandError INVALID_ID. */
export function idArgument(args: Args, index: number, id: StreamId): void {
  if (!isId(args, index, id)) throw INVALID_ID
}

/** As `idArgument`; false when the argument is no id. */
export function isId(args: Args, index: number, id: StreamId): boolean {
  return parseId(args.bytes, args.offsets[index], args.lengths[index], id, 0, false) !== ID_BAD
}

/** As `idArgument`, and `-` and `+` are the first and the last id. */
export function looseIdArgument(args: Args, index: number, id: StreamId): void {
  const { bytes } = args
  if (!parseLoose(bytes, args.offsets[index], args.lengths[index], id, 0)) throw INVALID_ID
}

/** As `idArgument`, for XADD: ID_COMPLETE, or ID_OPEN for `ms-*`. */
export function newIdArgument(args: Args, index: number, id: StreamId): number {
  const form = parseId(args.bytes, args.offsets[index], args.lengths[index], id, 0, true)
  if (form === ID_BAD) throw INVALID_ID
  return form
}

/** Where an interval begins: an id, `-`, `+`, or `(id` without the id itself. Throws: CommandError. */
export function startArgument(args: Args, index: number, id: StreamId): void {
  if (edgeArgument(args, index, id, 0) && !id.increment()) throw INVALID_START
}

/** Where an interval ends; likewise. */
export function endArgument(args: Args, index: number, id: StreamId): void {
  if (edgeArgument(args, index, id, -1) && !id.decrement()) throw INVALID_END
}

/** True when the edge itself does not belong to the interval. */
function edgeArgument(args: Args, index: number, id: StreamId, missing: number): boolean {
  const { bytes } = args
  const at = args.offsets[index]
  const length = args.lengths[index]
  if (length > 1 && bytes[at] === OPEN_BRACKET) {
    if (parseId(bytes, at + 1, length - 1, id, missing, false) === ID_BAD) throw INVALID_ID
    return true
  }
  if (!parseLoose(bytes, at, length, id, missing)) throw INVALID_ID
  return false
}

function parseLoose(
  bytes: Buffer,
  offset: number,
  length: number,
  id: StreamId,
  missing: number,
): boolean {
  if (length === 1 && bytes[offset] === MINUS) {
    id.setZero()
    return true
  }
  if (length === 1 && bytes[offset] === PLUS) {
    id.setMax()
    return true
  }
  return parseId(bytes, offset, length, id, missing, false) !== ID_BAD
}

/** `missing`: both words of the number when it is not given. `mayBeOpen`: takes `ms-*`. */
function parseId(
  bytes: Buffer,
  offset: number,
  length: number,
  id: StreamId,
  missing: number,
  mayBeOpen: boolean,
): number {
  if (length > ARGUMENT_SIZE_MAX) return ID_BAD
  const end = offset + length
  let dash = offset
  while (dash < end && bytes[dash] !== MINUS) dash++
  if (parseInteger(bytes, offset, dash) !== INTEGER_OK) {
    return parseOdd(bytes, offset, end, id, missing, mayBeOpen)
  }
  id.msHigh = integerHigh()
  id.msLow = integerLow()
  id.seqHigh = missing
  id.seqLow = missing
  if (dash === end) return ID_COMPLETE
  const from = dash + 1
  if (mayBeOpen && end - from === 1 && bytes[from] === STAR) {
    id.seqHigh = 0
    id.seqLow = 0
    return ID_OPEN
  }
  if (parseInteger(bytes, from, end) !== INTEGER_OK || integerHigh() < 0) {
    return parseOdd(bytes, offset, end, id, missing, mayBeOpen)
  }
  id.seqHigh = integerHigh()
  id.seqLow = integerLow()
  return ID_COMPLETE
}

/**
 * Ids beyond 2^63, and those that nobody would write.
 * QUIRK: Redis reads with C's strtoull what is not a plain integer: leading blanks, a sign and
 * leading zeros are fine, and a NUL byte ends the text.
 */
// alloc: only for odd texts
function parseOdd(
  bytes: Buffer,
  offset: number,
  end: number,
  id: StreamId,
  missing: number,
  mayBeOpen: boolean,
): number {
  const [whole] = bytes.latin1Slice(offset, end).split('\0')
  const dash = whole.indexOf('-')
  const ms = readUnsigned(dash < 0 ? whole : whole.slice(0, dash))
  if (ms === undefined) return ID_BAD
  id.msHigh = Number(BigInt.asIntN(32, ms >> 32n))
  id.msLow = Number(BigInt.asIntN(32, ms))
  id.seqHigh = missing
  id.seqLow = missing
  if (dash < 0) return ID_COMPLETE
  const number = whole.slice(dash + 1)
  if (mayBeOpen && number === '*') {
    id.seqHigh = 0
    id.seqLow = 0
    return ID_OPEN
  }
  const seq = readUnsigned(number)
  if (seq === undefined) return ID_BAD
  id.seqHigh = Number(BigInt.asIntN(32, seq >> 32n))
  id.seqLow = Number(BigInt.asIntN(32, seq))
  return ID_COMPLETE
}

/** Undefined when the text is no number of 64 bits. */
// alloc: only for odd texts
function readUnsigned(source: string): bigint | undefined {
  const found = /^[ \t\n\v\f\r]*([+-]?)(\d+)$/.exec(source)
  if (found === null) return undefined
  const [, sign, digits] = found
  const value = BigInt(digits)
  if (value >= TWO_64) return undefined
  if (sign !== '-') return value
  // A plain negative number is refused, one that only strtoull reads wraps around.
  if (/^-[1-9]\d*$/.test(source) && value <= 1n << 63n) return undefined
  return BigInt.asUintN(64, -value)
}
