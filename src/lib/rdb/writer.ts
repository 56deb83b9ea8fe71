/**
 * Writes the pieces that RDB values are made of into a buffer that grows.
 *
 * Thread: any.
 * Owns: the bytes written so far.
 * Never: knows what a value is.
 *
 * @see https://rdb.fnordig.de/file_format.html
 */
import { lzfCompress } from '../lzf.ts'
import {
  LENGTH_14,
  LENGTH_32,
  LENGTH_64,
  LENGTH_SPECIAL,
  STRING_INT_8,
  STRING_INT_16,
  STRING_INT_32,
  STRING_LZF,
} from './format.ts'

/** A longer text is no 32-bit integer. */
const INTEGER_TEXT_SIZE_MAX = 11
/** Shorter strings are not worth compressing. */
const COMPRESS_SIZE_MIN = 21
/** Compressing has to save at least so much. */
const COMPRESS_GAIN_MIN = 4
const START_CAPACITY = 256
/** Bytes taken over at a time where the buffer is emptied meanwhile. */
const PIECE_SIZE = 16 * 1024
/** A buffer that grew beyond this is not kept for the next value. */
const KEPT_CAPACITY_MAX = 1024 * 1024

export class RdbWriter {
  bytes: Buffer
  length = 0
  /** The directive rdbcompression. */
  compress = true
  /**
   * Where strings that are worth compressing lie, for somebody else to do it: (offset, length) pairs.
   * Such a string stands there bare, without its length. undefined: they are compressed here.
   */
  left: number[] | undefined = undefined
  readonly #doubles = new DataView(new ArrayBuffer(8))
  #spillSize = Number.POSITIVE_INFINITY
  #onSpill: () => void = () => undefined

  constructor(capacity: number = START_CAPACITY) {
    this.bytes = Buffer.allocUnsafe(capacity)
  }

  /** Begins anew; a huge buffer goes. */
  reset(): void {
    this.length = 0
    if (this.bytes.length > KEPT_CAPACITY_MAX) this.bytes = Buffer.allocUnsafe(START_CAPACITY)
  }

  /** Empties the buffer by `onSpill`, which takes what is there, whenever it holds `size` bytes. */
  spill(size: number, onSpill: () => void): void {
    this.#spillSize = size
    this.#onSpill = onSpill
  }

  byte(value: number): void {
    this.#reserve(1)
    this.bytes[this.length++] = value
  }

  uint16(value: number): void {
    this.#reserve(2)
    this.length = this.bytes.writeUInt16LE(value, this.length)
  }

  uint32(value: number): void {
    this.#reserve(4)
    this.length = this.bytes.writeUInt32LE(value >>> 0, this.length)
  }

  /** A 64-bit integer in two halves, low byte first. */
  int64(high: number, low: number): void {
    this.#spillIfFull()
    this.uint32(low)
    this.uint32(high)
  }

  /** Unix milliseconds or another safe integer, 64 bits, low byte first. */
  milliseconds(value: number): void {
    this.int64(Math.floor(value / 0x100000000), value | 0)
  }

  /** A double as its 8 bytes, low byte first. */
  double(value: number): void {
    this.#spillIfFull()
    this.#doubles.setFloat64(0, value, true)
    this.uint32(this.#doubles.getUint32(0, true))
    this.uint32(this.#doubles.getUint32(4, true))
  }

  /** A length or count: a safe integer, not negative. */
  size(value: number): void {
    this.#reserve(9)
    const bytes = this.bytes
    let at = this.length
    if (value < 64) {
      bytes[at++] = value
    } else if (value < 16384) {
      bytes[at++] = LENGTH_14 | (value >> 8)
      bytes[at++] = value & 0xff
    } else if (value <= 0xffffffff) {
      bytes[at++] = LENGTH_32
      at = bytes.writeUInt32BE(value, at)
    } else {
      bytes[at++] = LENGTH_64
      at = bytes.writeUInt32BE(Math.floor(value / 0x100000000), at)
      at = bytes.writeUInt32BE(value >>> 0, at)
    }
    this.length = at
  }

  /** A length or number of 64 bits in two halves. */
  size64(high: number, low: number): void {
    if (high === 0) return this.size(low >>> 0)
    this.byte(LENGTH_64)
    this.#reserve(8)
    this.length = this.bytes.writeUInt32BE(high >>> 0, this.length)
    this.length = this.bytes.writeUInt32BE(low >>> 0, this.length)
  }

  /** Bytes as they are. */
  raw(source: Buffer, offset: number, length: number): void {
    this.#spillIfFull()
    if (length > PIECE_SIZE && this.#spillSize !== Number.POSITIVE_INFINITY) {
      return this.#pieces(source, offset, length)
    }
    this.#reserve(length)
    source.copy(this.bytes, this.length, offset, offset + length)
    this.length += length
  }

  /** A string in the shortest of its forms: integer, compressed or plain. */
  string(source: Buffer, offset: number, length: number): void {
    this.#spillIfFull()
    if (length <= INTEGER_TEXT_SIZE_MAX) {
      const value = integerOf(source, offset, length)
      if (!Number.isNaN(value)) return this.integer(value)
    }
    if (this.compress && length >= COMPRESS_SIZE_MIN) {
      if (this.left !== undefined) return this.#leave(source, offset, length)
      if (this.#compressed(source, offset, length)) return
    }
    this.size(length)
    this.raw(source, offset, length)
  }

  /** A string that is the decimal text of a 32-bit integer. */
  integer(value: number): void {
    this.#reserve(5)
    if (value === (value << 24) >> 24) {
      this.bytes[this.length++] = LENGTH_SPECIAL | STRING_INT_8
      this.bytes[this.length++] = value & 0xff
    } else if (value === (value << 16) >> 16) {
      this.bytes[this.length++] = LENGTH_SPECIAL | STRING_INT_16
      this.length = this.bytes.writeInt16LE(value, this.length)
    } else {
      this.bytes[this.length++] = LENGTH_SPECIAL | STRING_INT_32
      this.length = this.bytes.writeInt32LE(value, this.length)
    }
  }

  /** A string of `length` bytes of which the LZF bytes are there already. */
  compressedString(source: Buffer, offset: number, packedLength: number, length: number): void {
    this.byte(LENGTH_SPECIAL | STRING_LZF)
    this.size(packedLength)
    this.size(length)
    this.raw(source, offset, packedLength)
  }

  #leave(source: Buffer, offset: number, length: number): void {
    this.left?.push(this.length, length)
    this.raw(source, offset, length)
  }

  #pieces(source: Buffer, offset: number, length: number): void {
    const end = offset + length
    for (let at = offset; at < end; at += PIECE_SIZE) {
      this.#spillIfFull()
      const size = Math.min(end - at, PIECE_SIZE)
      this.#reserve(size)
      source.copy(this.bytes, this.length, at, at + size)
      this.length += size
    }
  }

  /** False when compressing does not pay; then nothing is written. */
  #compressed(source: Buffer, offset: number, length: number): boolean {
    const start = this.length
    const room = length - COMPRESS_GAIN_MIN
    this.#reserve(room + 19)
    this.byte(LENGTH_SPECIAL | STRING_LZF)
    // The compressed length stands before the bytes: its own size is that of the most there can be.
    const header = sizeOfSize(room) + sizeOfSize(length)
    const at = this.length + header
    const size = lzfCompress(source, offset, length, this.bytes, at, room)
    if (size === 0) {
      this.length = start
      return false
    }
    const end = at + size
    this.size(size)
    this.size(length)
    if (this.length !== at) this.bytes.copyWithin(this.length, at, end)
    this.length += size
    return true
  }

  /** Not in `#reserve`: what was just written may still be looked back at. */
  #spillIfFull(): void {
    if (this.length >= this.#spillSize) this.#onSpill()
  }

  #reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2))
    this.bytes.copy(grown, 0, 0, this.length)
    this.bytes = grown
  }
}

function sizeOfSize(value: number): number {
  if (value < 64) return 1
  if (value < 16384) return 2
  return value <= 0xffffffff ? 5 : 9
}

/** The 32-bit integer whose decimal text these bytes are, NaN when there is none. */
function integerOf(source: Buffer, offset: number, length: number): number {
  // What lies behind an empty text is not its own.
  if (length === 0) return Number.NaN
  const negative = source[offset] === 45
  let at = negative ? offset + 1 : offset
  const end = offset + length
  if (at === end) return Number.NaN
  if (source[at] === 48) return length === 1 ? 0 : Number.NaN
  let value = 0
  for (; at < end; at++) {
    const digit = source[at] - 48
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  if (negative) value = -value
  return value === (value | 0) ? value : Number.NaN
}
