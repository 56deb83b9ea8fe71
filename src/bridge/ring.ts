/**
 * A ring of bytes with one writer and one reader, over shared memory. Records never wrap: where one
 * does not fit before the end, a pad mark sends the reader back to the start. Positions count bytes
 * for ever and wrap as 32-bit integers; an offset is a position masked by the capacity.
 *
 *      tail (released)        head (published)    write position (private to the writer)
 *        |  records to read     |  claimed, unseen  |  free ...
 *
 * Storage, claim and publish are here; waiting is in wake.ts; what the bytes mean is in message.ts.
 * After the LMAX Disruptor and ringbuf.js, with a mask instead of a division, and single bytes never
 * copied one by one.
 *
 * Thread: any. Hot path.
 * Owns: one direction of one link.
 * Never: knows what a record means.
 */
import { assert } from '../lib/assert.ts'

/** First word of the unused space at the end of the ring. */
const PAD = -1
export class RingWriter {
  readonly bytes: Buffer
  readonly words: Int32Array
  readonly capacity: number
  readonly #control: Int32Array
  readonly #headIndex: number
  readonly #tailIndex: number
  #position: number
  #published: number
  #tail: number

  /** `control`: shared words; the writer alone stores `headIndex`, the reader `tailIndex`. */
  constructor(
    memory: SharedArrayBuffer,
    control: Int32Array,
    headIndex: number,
    tailIndex: number,
  ) {
    assert((memory.byteLength & (memory.byteLength - 1)) === 0, 'ring size is a power of 2')
    this.bytes = Buffer.from(memory)
    this.words = new Int32Array(memory)
    this.capacity = memory.byteLength
    this.#control = control
    this.#headIndex = headIndex
    this.#tailIndex = tailIndex
    this.#position = Atomics.load(control, headIndex)
    this.#published = this.#position
    this.#tail = Atomics.load(control, tailIndex)
  }

  /**
   * Finds `size` contiguous bytes: their offset, or -1 when the reader has not made room. A claim
   * counts only once `commit` says how much of it was used; a later claim replaces an unused one.
   */
  claim(size: number): number {
    const offset = this.#position & (this.capacity - 1)
    const toEnd = this.capacity - offset
    const needed = size <= toEnd ? size : toEnd + size
    if (needed > this.capacity - ((this.#position - this.#tail) | 0)) {
      this.#tail = Atomics.load(this.#control, this.#tailIndex)
      if (needed > this.capacity - ((this.#position - this.#tail) | 0)) return -1
    }
    if (size <= toEnd) return offset
    this.words[offset >> 2] = PAD
    this.#position = (this.#position + toEnd) | 0
    return 0
  }

  /** Bytes that may be written at the claimed `offset` and after, without wrapping. */
  room(offset: number): number {
    const free = this.capacity - ((this.#position - this.#tail) | 0)
    const toEnd = this.capacity - offset
    return Math.min(free, toEnd)
  }

  /** Takes `size` bytes of the last claim into the record sequence; they are not visible yet. */
  commit(size: number): void {
    this.#position = (this.#position + ((size + 7) & ~7)) | 0
  }

  /** Makes all committed bytes visible to the reader. False when there was nothing new. */
  publish(): boolean {
    if (this.#published === this.#position) return false
    this.#published = this.#position
    Atomics.store(this.#control, this.#headIndex, this.#position)
    return true
  }

  /** Where committing has come to: for `publishTo`. */
  get committed(): number {
    return this.#position
  }

  /** As `publish`, for what was committed when `committed` was `position`, and before. */
  publishTo(position: number): boolean {
    if (((position - this.#published) | 0) <= 0) return false
    this.#published = position
    Atomics.store(this.#control, this.#headIndex, position)
    return true
  }

  /** True when the reader has made room since the writer last looked: a failed claim may succeed. */
  roomGrew(): boolean {
    return Atomics.load(this.#control, this.#tailIndex) !== this.#tail
  }

  /** Committed bytes that the reader has not released yet. */
  pendingBytes(): number {
    return (this.#position - Atomics.load(this.#control, this.#tailIndex)) | 0
  }
}

export class RingReader {
  readonly bytes: Buffer
  readonly words: Int32Array
  readonly capacity: number
  readonly #control: Int32Array
  readonly #headIndex: number
  readonly #tailIndex: number
  #position: number
  #released: number
  #head: number

  constructor(
    memory: SharedArrayBuffer,
    control: Int32Array,
    headIndex: number,
    tailIndex: number,
  ) {
    this.bytes = Buffer.from(memory)
    this.words = new Int32Array(memory)
    this.capacity = memory.byteLength
    this.#control = control
    this.#headIndex = headIndex
    this.#tailIndex = tailIndex
    this.#position = Atomics.load(control, tailIndex)
    this.#released = this.#position
    this.#head = this.#position
  }

  /** Offset of the next record, or -1 when none is published. */
  peek(): number {
    if (this.#position === this.#head) {
      this.#head = Atomics.load(this.#control, this.#headIndex)
      if (this.#position === this.#head) return -1
    }
    const offset = this.#position & (this.capacity - 1)
    if (this.words[offset >> 2] !== PAD) return offset
    this.#position = (this.#position + this.capacity - offset) | 0
    return this.peek()
  }

  /**
   * Offset of the record behind the one at `offset`, which has not been passed yet; -1: none that was
   * published when `peek` last looked. Nothing is passed.
   */
  following(offset: number): number {
    const mask = this.capacity - 1
    let next = (offset + ((this.words[offset >> 2] + 7) & ~7)) & mask
    const ahead = (this.#head - this.#position) | 0
    // Where the ring is full, its end is its beginning: what was passed is told apart by the way there.
    const start = this.#position & mask
    const way = ((next - start - 1) & mask) + 1
    if (way >= ahead) return -1
    if (this.words[next >> 2] !== PAD) return next
    next = 0
    return ((next - start - 1) & mask) + 1 < ahead ? next : -1
  }

  /** Goes past a record of `size` bytes. Its space stays until `release`. */
  advance(size: number): void {
    this.#position = (this.#position + ((size + 7) & ~7)) | 0
  }

  /** Gives the space of all records that were passed back to the writer. */
  release(): void {
    if (this.#released === this.#position) return
    this.#released = this.#position
    Atomics.store(this.#control, this.#tailIndex, this.#position)
  }

  /** True when nothing is published beyond what was passed. */
  isEmpty(): boolean {
    return Atomics.load(this.#control, this.#headIndex) === this.#position
  }

  /** Bytes published that have not been released yet. */
  pendingBytes(): number {
    return (Atomics.load(this.#control, this.#headIndex) - this.#released) | 0
  }

  /** Bytes passed and not yet released. */
  heldBytes(): number {
    return (this.#position - this.#released) | 0
  }
}
