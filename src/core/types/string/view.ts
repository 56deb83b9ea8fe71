/**
 * Reading a string value: its bytes, wherever they lie. One way for all encodings, without
 * allocation: the digits of an integer are written into the view's own few bytes.
 *
 *     view.open(arena, ref)
 *     reply.bulk(view.bytes, view.offset, view.length)
 *
 * Thread: core. Hot path.
 * Owns: the numbers of the encodings; the digits of the integer, or the short bytes, it holds.
 * Never: outlives the next change of a key, unless kept.
 */

import { writeInteger64 } from '../../../lib/bytes/integer.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { blobBytesOffset, blobLength } from '../../../memory/blob.ts'
import { entryEncoding, entryValueWord } from '../../keyspace/entry.ts'

export const STRING_INT = 0
export const STRING_EMBSTR = 1
export const STRING_RAW = 2

/** A view's own bytes, in whole words: more than any integer's digits. */
const KEPT_SIZE = 64

export class StringView {
  /** The memory that the bytes are in; not only theirs. */
  bytes: Buffer
  /** The same memory in words. */
  words: Int32Array
  /** Byte offset of the first byte, a multiple of 4. */
  offset = 0
  length = 0
  readonly #own: Buffer
  readonly #ownWords: Int32Array

  constructor() {
    const memory = new ArrayBuffer(KEPT_SIZE)
    this.#own = Buffer.from(memory)
    this.#ownWords = new Int32Array(memory)
    this.bytes = this.#own
    this.words = this.#ownWords
  }

  /** Looks at the string in an entry. */
  open(arena: Arena, ref: Ref): void {
    const word = entryValueWord(arena, ref)
    const encoding = entryEncoding(arena, ref)
    if (encoding === STRING_INT) return this.#openInteger(arena.words[word + 1], arena.words[word])
    this.bytes = arena.bytes
    this.words = arena.words
    if (encoding === STRING_EMBSTR) {
      this.offset = (word + 1) << 2
      this.length = arena.words[word]
    } else {
      const blob = arena.words[word]
      this.offset = blobBytesOffset(blob)
      this.length = blobLength(arena, blob)
    }
  }

  /** Looks at no bytes at all: what a missing key often counts as. */
  openEmpty(): void {
    this.bytes = this.#own
    this.words = this.#ownWords
    this.offset = 0
    this.length = 0
  }

  /**
   * Moves the bytes to where no change of a key reaches them, so that a reply can follow the change.
   */
  keep(): void {
    if (this.bytes === this.#own) return
    const { offset, length } = this
    if (length <= KEPT_SIZE) {
      this.bytes.copy(this.#own, 0, offset, offset + length)
      this.bytes = this.#own
      this.words = this.#ownWords
    } else {
      const memory = new ArrayBuffer((length + 3) & ~3) // alloc: a long value that goes away
      const copy = Buffer.from(memory)
      this.bytes.copy(copy, 0, offset, offset + length)
      this.bytes = copy
      this.words = new Int32Array(memory) // alloc: as above
    }
    this.offset = 0
  }

  #openInteger(high: number, low: number): void {
    this.bytes = this.#own
    this.words = this.#ownWords
    this.offset = 0
    this.length = writeInteger64(this.#own, 0, high, low)
  }
}
