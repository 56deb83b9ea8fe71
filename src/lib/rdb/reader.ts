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

  /** Bytes that are left. */
  get left(): number {
    return this.end - this.offset
  }

  byte(): number {
    return this.bytes[this.#take(1)]
  }

  uint16(): number {
    return this.bytes.readUInt16LE(this.#take(2))
  }

  uint32(): number {
    return this.bytes.readUInt32LE(this.#take(4))
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
    if (first === LENGTH_32) return this.bytes.readUInt32BE(this.#take(4))
    if (first !== LENGTH_64) throw RDB_CORRUPT
    const high = this.bytes.readUInt32BE(this.#take(4))
    const low = this.bytes.readUInt32BE(this.#take(4))
    if (high > 0x1fffff) throw RDB_CORRUPT
    return high * 0x100000000 + low
  }

  /** As `size`, for numbers of all 64 bits, into `high` and `low`. */
  size64(): void {
    if (this.offset < this.end && this.bytes[this.offset] === LENGTH_64) {
      this.offset++
      this.high = this.bytes.readUInt32BE(this.#take(4)) | 0
      this.low = this.bytes.readUInt32BE(this.#take(4)) | 0
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
    if (count * sizeMin > this.end - this.offset) throw RDB_CORRUPT
    return count
  }

  /** A string in any of its forms; where it is, the fields say until the next call. */
  string(): void {
    const special = this.offset < this.end && this.bytes[this.offset] >= LENGTH_SPECIAL
    if (special) return this.#specialString()
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
    const at = this.offset
    if (count > this.end - at) throw RDB_CORRUPT
    this.offset = at + count
    return at
  }
}
