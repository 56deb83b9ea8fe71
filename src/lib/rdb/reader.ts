/**
 * Reads the pieces that RDB values are made of from bytes that nobody vouches for.
 *
 * Thread: any.
 * Owns: the place reached, and a buffer for strings that have to be unpacked.
 * Never: reads beyond the range it was given, reserves more memory than the bytes can explain.
 *
 * @see https://rdb.fnordig.de/file_format.html
 */
import { lzfDecompress } from '../lzf.ts'
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

/** Thrown when the bytes cannot be what they claim to be; always a fixed object. */
export class RdbCorruptError {
  /** For the log. */
  readonly message: string

  constructor(message = 'corrupt RDB data') {
    this.message = message
  }
}

/** What is thrown for `what`, a packed structure that is none. */
export function unsound(what: string): RdbCorruptError {
  return new RdbCorruptError(`${what} integrity check failed.`)
}

export const RDB_CORRUPT = new RdbCorruptError()
/** Thrown for a collection without elements, when all of it was read. */
export const RDB_EMPTY = new RdbCorruptError()
/** Thrown when bytes that are yet to come do not come. */
export const RDB_SHORT = new RdbCorruptError()
/** Thrown when bytes that are yet to come have not come: what was begun has to be read again. */
export const RDB_EARLY = new RdbCorruptError()

/** Where a reader gets more bytes when it has none left. */
export interface RdbSource {
  /** Bytes beyond those that the reader has, as far as anybody knows. */
  readonly remaining: number
  /**
   * Lets the reader have `count` bytes, in memory other than before if need be: what was there stays as
   * it is. Throws: RDB_SHORT, RDB_EARLY.
   */
  refill(reader: RdbReader, count: number): void
}

/** No LZF instruction makes more bytes of one: 264 of 3. */
const LZF_EXPANSION_MAX = 88
/** No arena could hold more. */
const STRING_SIZE_MAX = 0x7fff0000
const SCRATCH_SIZE = 64
/** Scratch that grew beyond this is not kept for the next value. */
const KEPT_SCRATCH_SIZE_MAX = 1024 * 1024
const NO_BYTES = Buffer.alloc(0)
const NO_WORDS = new Int32Array(0)

export class RdbReader {
  bytes: Buffer = NO_BYTES
  /** The same memory as `bytes`. */
  words: Int32Array = NO_WORDS
  offset = 0
  end = 0
  /** The string read last: `stringLength` bytes at `stringOffset` of `stringBytes`. */
  stringBytes: Buffer = NO_BYTES
  /** The same memory as `stringBytes`. */
  stringWords: Int32Array = NO_WORDS
  stringOffset = 0
  stringLength = 0
  /** undefined: there is no more than `end` says. */
  source: RdbSource | undefined = undefined
  /** Halves of the last `size64` or `int64`. */
  high = 0
  low = 0
  #scratch: Buffer = NO_BYTES
  #scratchWords: Int32Array = NO_WORDS
  readonly #view = new DataView(new ArrayBuffer(8))

  /** Begins to read at `offset`; `words` is a view of the memory of `bytes`. */
  open(bytes: Buffer, words: Int32Array, offset: number, end: number): void {
    this.bytes = bytes
    this.words = words
    this.offset = offset
    this.end = end
  }

  /** Lets go of the bytes; huge scratch goes. */
  close(): void {
    this.open(NO_BYTES, NO_WORDS, 0, 0)
    this.stringBytes = NO_BYTES
    this.stringWords = NO_WORDS
    this.stringLength = 0
    if (this.#scratch.length > KEPT_SCRATCH_SIZE_MAX) {
      this.#scratch = NO_BYTES
      this.#scratchWords = NO_WORDS
    }
  }

  /** Bytes that are left, at most. */
  get left(): number {
    return this.end - this.offset + (this.source === undefined ? 0 : this.source.remaining)
  }

  byte(): number {
    const at = this.#take(1)
    return this.bytes[at]
  }

  uint16(): number {
    const at = this.#take(2)
    return this.bytes.readUInt16LE(at)
  }

  uint32(): number {
    const at = this.#take(4)
    return this.bytes.readUInt32LE(at)
  }

  /** 64 bits, low byte first, into `high` and `low`. */
  int64(): void {
    this.low = this.uint32() | 0
    this.high = this.uint32() | 0
  }

  /** Signed 64 bits, low byte first, as the double next to it. */
  milliseconds(): number {
    this.int64()
    return this.high * 0x100000000 + (this.low >>> 0)
  }

  double(): number {
    this.#view.setUint32(0, this.uint32(), true)
    this.#view.setUint32(4, this.uint32(), true)
    return this.#view.getFloat64(0, true)
  }

  /** Passes over `count` bytes and gives where they begin in `bytes`. */
  raw(count: number): number {
    return this.#take(count)
  }

  /** A length or count, a safe integer. */
  size(): number {
    const first = this.byte()
    if (first < LENGTH_14) return first
    if (first < LENGTH_32) return ((first & 0x3f) << 8) | this.byte()
    if (first === LENGTH_32) return this.#bigEndian()
    if (first !== LENGTH_64) throw RDB_CORRUPT
    const high = this.#bigEndian()
    const low = this.#bigEndian()
    if (high > 0x1fffff) throw RDB_CORRUPT
    return high * 0x100000000 + low
  }

  /** As `size`, for numbers of all 64 bits, into `high` and `low`. */
  size64(): void {
    if (this.#peek() === LENGTH_64) {
      this.offset++
      this.high = this.#bigEndian() | 0
      this.low = this.#bigEndian() | 0
      return
    }
    this.high = 0
    this.low = this.size() | 0
  }

  /**
   * A count of things that take `sizeMin` bytes each, at least: what the bytes left cannot hold is
   * refused, so that nobody reserves memory for it.
   */
  count(sizeMin: number): number {
    const count = this.size()
    if (count * sizeMin > this.left) throw this.#lack()
    return count
  }

  /** A string in any of its forms; where it is, the fields say until the next call. */
  string(): void {
    if (this.#peek() >= LENGTH_SPECIAL) return this.#specialString()
    const length = this.size()
    this.stringOffset = this.#take(length)
    this.stringLength = length
    this.stringBytes = this.bytes
    this.stringWords = this.words
  }

  #specialString(): void {
    const form = this.byte() & 0x3f
    switch (form) {
      case STRING_INT_8:
        return this.#integerString((this.byte() << 24) >> 24)
      case STRING_INT_16:
        return this.#integerString((this.uint16() << 16) >> 16)
      case STRING_INT_32:
        return this.#integerString(this.uint32() | 0)
      case STRING_LZF:
        return this.#packedString()
      default:
        throw RDB_CORRUPT
    }
  }

  #integerString(value: number): void {
    const text = String(value)
    this.#useScratch(text.length)
    this.#scratch.latin1Write(text, 0)
  }

  #packedString(): void {
    const packedLength = this.size()
    const length = this.size()
    const at = this.#take(packedLength)
    if (length === 0 || length > packedLength * LZF_EXPANSION_MAX) throw RDB_CORRUPT
    if (length > STRING_SIZE_MAX) throw RDB_CORRUPT
    this.#useScratch(length)
    const size = lzfDecompress(this.bytes, at, packedLength, this.#scratch, 0, length)
    if (size !== length) throw RDB_CORRUPT
  }

  #useScratch(length: number): void {
    if (length > this.#scratch.length) {
      const memory = new ArrayBuffer(Math.max((length + 3) & ~3, SCRATCH_SIZE))
      this.#scratch = Buffer.from(memory)
      this.#scratchWords = new Int32Array(memory)
    }
    this.stringBytes = this.#scratch
    this.stringWords = this.#scratchWords
    this.stringOffset = 0
    this.stringLength = length
  }

  /** Passes over `count` bytes and gives where they begin. */
  #take(count: number): number {
    if (count > this.end - this.offset) this.#refill(count)
    const at = this.offset
    this.offset = at + count
    return at
  }

  #refill(count: number): void {
    if (count > this.left) throw this.#lack()
    this.source?.refill(this, count)
  }

  #lack(): RdbCorruptError {
    return this.source === undefined ? RDB_CORRUPT : RDB_SHORT
  }

  /** The next byte, which stays; -1 at the end. */
  #peek(): number {
    if (this.offset === this.end) {
      if (this.left === 0) return -1
      this.#refill(1)
    }
    return this.bytes[this.offset]
  }

  #bigEndian(): number {
    const at = this.#take(4)
    return this.bytes.readUInt32BE(at)
  }
}
