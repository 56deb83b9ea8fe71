/**
 * One member on its way from a set to others: as an integer, as text and as a hash, each worked out
 * when it is first asked for and only once.
 *
 * Thread: core. Hot path.
 * Owns: the text of an integer.
 * Never: outlives a change of the set that it is from.
 */
import {
  INTEGER_OK,
  integerHigh,
  integerLow,
  parseInteger,
  writeInteger64,
} from '../../../lib/bytes/integer.ts'
import { hashWords } from '../../../lib/hash.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { entryKeyLength, entryKeyOffset } from '../../../memory/entry.ts'

/** Where a member lies: its offset is a multiple of 4, the words are the same memory. */
export interface MemberBytes {
  readonly bytes: Buffer
  readonly words: Int32Array
}

/** The longest text of an integer, in whole words. */
const DIGITS_SIZE = 24
/** Longer text is no integer of 64 bits. */
export const DIGITS_MAX = 20

const UNKNOWN = 0
const YES = 1
const NO = 2

export class Member implements MemberBytes {
  /** The text, once `show` was called. */
  bytes: Buffer
  words: Int32Array
  offset = 0
  length = 0
  /** The integer, once `isInteger` has said that it is one. */
  high = 0
  low = 0
  readonly #digits: Buffer
  readonly #digitWords: Int32Array
  #shown = true
  #integer = NO
  #hashed = false
  #hash = 0

  constructor() {
    const memory = new ArrayBuffer(DIGITS_SIZE)
    this.#digits = Buffer.from(memory)
    this.#digitWords = new Int32Array(memory)
    this.bytes = this.#digits
    this.words = this.#digitWords
  }

  /** Takes the member of an entry of a map. */
  openEntry(arena: Arena, entry: Ref): void {
    this.bytes = arena.bytes
    this.words = arena.words
    this.offset = entryKeyOffset(entry)
    this.length = entryKeyLength(arena, entry)
    this.#shown = true
    this.#integer = UNKNOWN
    this.#hashed = false
  }

  /** As `openEntry`, when the hash is known. */
  openHashed(arena: Arena, entry: Ref, hash: number): void {
    this.openEntry(arena, entry)
    this.#hashed = true
    this.#hash = hash
  }

  openInteger(high: number, low: number): void {
    this.high = high
    this.low = low
    this.#shown = false
    this.#integer = YES
    this.#hashed = false
  }

  /** Sees to it that the text is there. */
  show(): void {
    if (this.#shown) return
    this.bytes = this.#digits
    this.words = this.#digitWords
    this.offset = 0
    this.length = writeInteger64(this.#digits, 0, this.high, this.low)
    this.#shown = true
  }

  isInteger(): boolean {
    if (this.#integer === UNKNOWN) {
      const is = isIntegerText(this.bytes, this.offset, this.length)
      this.#integer = is ? YES : NO
      if (is) {
        this.high = integerHigh()
        this.low = integerLow()
      }
    }
    return this.#integer === YES
  }

  /** `seed`: that of the arena's maps. */
  hash(seed: number): number {
    if (!this.#hashed) {
      this.show()
      this.#hash = hashWords(this.words, this.offset >> 2, this.length, seed)
      this.#hashed = true
    }
    return this.#hash
  }
}

/** Whether text is what an intset would write; the integer is then in the registers of the parser. */
export function isIntegerText(bytes: Buffer, offset: number, length: number): boolean {
  return length <= DIGITS_MAX && parseInteger(bytes, offset, offset + length) === INTEGER_OK
}
