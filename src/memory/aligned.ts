/**
 * A scratch whose bytes begin at a word: byte maps compare and hash keys by words.
 *
 * Thread: any. Hot path.
 * Owns: its buffer.
 * Never: shrinks.
 */
const START_SIZE = 256

export class AlignedBytes {
  bytes: Buffer
  /** The same memory. */
  words: Int32Array
  length = 0

  constructor() {
    const memory = new ArrayBuffer(START_SIZE)
    this.bytes = Buffer.from(memory)
    this.words = new Int32Array(memory)
  }

  /** Takes a copy of `length` bytes. */
  set(source: Buffer, offset: number, length: number): void {
    if (length > this.bytes.length) this.#grow(length)
    const bytes = this.bytes
    if (length <= 32) {
      for (let i = 0; i < length; i++) bytes[i] = source[offset + i]
    } else {
      source.copy(bytes, 0, offset, offset + length)
    }
    this.length = length
  }

  // alloc: only for something longer than all before
  #grow(length: number): void {
    const memory = new ArrayBuffer(((length >> 2) + 1) * 8)
    this.bytes = Buffer.from(memory)
    this.words = new Int32Array(memory)
  }
}
