/**
 * The arguments of one call, as ranges of a buffer that somebody else owns: usually the request
 * ring itself. Numbers follow Redis: 0 is the command's name.
 *
 * Thread: core. Hot path.
 * Owns: where each argument begins and how long it is.
 * Never: outlives the call: whatever is kept is copied out.
 */
import { REQUEST_HASH, REQUEST_HEADER_WORDS, REQUEST_SIZE } from '../../bridge/message.ts'
import {
  INTEGER_OK,
  integerHigh,
  integerLow,
  integerNumber,
  parseInteger,
} from '../../lib/bytes/integer.ts'
import { hashWords } from '../../lib/hash.ts'
import { NOT_AN_INTEGER } from './errors.ts'

const START_CAPACITY = 64

export class Args {
  bytes: Buffer
  words: Int32Array
  /** Byte offset of each argument, always a multiple of 4. */
  offsets: Int32Array
  lengths: Int32Array
  count = 0
  /** Index in the command table, -1 when there is no such command. */
  commandIndex = -1
  /** The io thread's hash of the first key; valid for argument `hashedIndex` only. */
  #hash = 0
  #hashedIndex = 0
  readonly #seed: number
  /** High half of the last `integer64`; the low half. */
  high = 0
  low = 0

  constructor(bytes: Buffer, words: Int32Array, hashSeed: number) {
    this.bytes = bytes
    this.words = words
    this.offsets = new Int32Array(START_CAPACITY)
    this.lengths = new Int32Array(START_CAPACITY)
    this.#seed = hashSeed
  }

  /** Reads the request encoded at word `at` of `bytes`/`words`. Gives the word after it. */
  open(bytes: Buffer, words: Int32Array, at: number): number {
    this.bytes = bytes
    this.words = words
    const count = words[at]
    this.count = count
    this.commandIndex = words[at + 1]
    this.#hash = words[at + REQUEST_HASH]
    this.#hashedIndex = 0
    if (count > this.offsets.length) this.#grow(count)
    const offsets = this.offsets
    const lengths = this.lengths
    let word = at + REQUEST_HEADER_WORDS
    for (let i = 0; i < count; i++) {
      const length = words[word]
      lengths[i] = length
      offsets[i] = (word + 1) << 2
      word += 1 + ((length + 3) >> 2)
    }
    return word
  }

  /** Makes room to say where `count` arguments lie, before `openApart`. */
  reserve(count: number): void {
    if (count > this.offsets.length) this.#grow(count)
  }

  /**
   * Opens `count` arguments that lie apart in `bytes`, where `offsets` and `lengths` say: each begins
   * at a word, and the word that holds its last byte can be read whole.
   */
  openApart(bytes: Buffer, words: Int32Array, count: number): void {
    this.bytes = bytes
    this.words = words
    this.count = count
    this.commandIndex = -1
    this.#hashedIndex = 0
  }

  /** Says which argument the hash that came with the request belongs to (0: none). */
  hashIsOf(index: number): void {
    this.#hashedIndex = index
  }

  /** Hash of an argument as a key. */
  hash(index: number): number {
    if (index === this.#hashedIndex && index !== 0) return this.#hash
    return hashWords(this.words, this.offsets[index] >> 2, this.lengths[index], this.#seed)
  }

  /** Replaces all arguments by copies of `values`: for calls that no client wrote. */
  // alloc: for calls that no client wrote
  set(values: readonly Uint8Array[]): void {
    let words = REQUEST_HEADER_WORDS
    for (const value of values) words += 1 + ((value.length + 3) >> 2)
    const memory = new ArrayBuffer(words * 4)
    const bytes = Buffer.from(memory)
    const into = new Int32Array(memory)
    into[0] = values.length
    into[1] = -1
    into[REQUEST_SIZE] = words
    let word = REQUEST_HEADER_WORDS
    for (const value of values) {
      into[word] = value.length
      bytes.set(value, (word + 1) << 2)
      word += 1 + ((value.length + 3) >> 2)
    }
    this.open(bytes, into, 0)
  }

  /** Where in `words` the encoded request begins, and how many words it has: for copying it. */
  get requestAt(): number {
    return (this.offsets[0] >> 2) - 1 - REQUEST_HEADER_WORDS
  }

  get requestWords(): number {
    return this.words[this.requestAt + REQUEST_SIZE]
  }

  /** Bytes of all arguments together, about. */
  get sizeBytes(): number {
    const last = this.count - 1
    return this.offsets[last] + this.lengths[last] - this.offsets[0]
  }

  /** The argument's bytes as text, one character a byte. Cold paths only. */
  text(index: number): string {
    const at = this.offsets[index]
    return this.bytes.latin1Slice(at, at + this.lengths[index])
  }

  /**
   * The argument as an error shows it. Cold paths only.
   * QUIRK: a NUL byte ends it, as it ends a text in C.
   */
  shown(index: number): string {
    const text = this.text(index)
    const end = text.indexOf('\0')
    return end < 0 ? text : text.slice(0, end)
  }

  /** The argument's bytes as UTF-8 text. Cold paths only. */
  utf8(index: number): string {
    const at = this.offsets[index]
    return this.bytes.utf8Slice(at, at + this.lengths[index])
  }

  /** A copy of the argument's bytes. Cold paths only. */
  copy(index: number): Buffer {
    const at = this.offsets[index]
    return Buffer.from(this.bytes.subarray(at, at + this.lengths[index]))
  }

  /** True when the argument is `token` whatever its case. `token`: capitals and other ASCII. */
  is(index: number, token: string): boolean {
    const length = this.lengths[index]
    if (length !== token.length) return false
    const at = this.offsets[index]
    for (let i = 0; i < length; i++) {
      let byte = this.bytes[at + i]
      if (byte >= 97 && byte <= 122) byte -= 32
      if (byte !== token.charCodeAt(i)) return false
    }
    return true
  }

  /**
   * The argument as a signed 64-bit integer that a double can hold.
   * Throws: CommandError NOT_AN_INTEGER, also for what lies beyond 2^53 in magnitude, where callers
   * that care use `integer64`.
   */
  integer(index: number): number {
    const at = this.offsets[index]
    if (parseInteger(this.bytes, at, at + this.lengths[index]) !== INTEGER_OK) {
      throw NOT_AN_INTEGER
    }
    return integerNumber()
  }

  /** True when the argument is a signed 64-bit integer, then in `high` and `low`. */
  integer64(index: number): boolean {
    const at = this.offsets[index]
    if (parseInteger(this.bytes, at, at + this.lengths[index]) !== INTEGER_OK) return false
    this.high = integerHigh()
    this.low = integerLow()
    return true
  }

  #grow(count: number): void {
    const capacity = Math.max(count, this.offsets.length * 2)
    this.offsets = new Int32Array(capacity) // alloc: only for requests longer than all before
    this.lengths = new Int32Array(capacity) // alloc: as above
  }
}
