/**
 * Texts one after the other: the elements that are sorted, or their weights. They are copies, for what
 * is looked up meanwhile may expire.
 *
 * Thread: core.
 * Owns: the copies.
 * Never: knows where they came from.
 */
const START_SIZE = 4096
const MISSING = -1
/** What is longer is copied by the system. */
const COPIED_SIZE_MAX = 32

export class Texts {
  bytes = Buffer.allocUnsafe(START_SIZE)
  readonly offsets: Float64Array
  readonly lengths: Int32Array
  count = 0
  #size = 0

  /** `capacity`: the most there will be. */
  constructor(capacity: number) {
    this.offsets = new Float64Array(capacity)
    this.lengths = new Int32Array(capacity)
  }

  add(source: Buffer, offset: number, length: number): void {
    const end = this.#size + length
    if (end > this.bytes.length) this.#grow(end)
    if (length <= COPIED_SIZE_MAX) {
      for (let i = 0, to = this.#size; i < length; i++) this.bytes[to + i] = source[offset + i]
    } else {
      source.copy(this.bytes, this.#size, offset, offset + length)
    }
    this.offsets[this.count] = this.#size
    this.lengths[this.count++] = length
    this.#size = end
  }

  addMissing(): void {
    this.lengths[this.count++] = MISSING
  }

  isMissing(index: number): boolean {
    return this.lengths[index] === MISSING
  }

  /** Below 0, 0, above 0, as bytes. */
  compare(a: number, b: number): number {
    const { offsets, lengths } = this
    return this.#compareBytes(offsets[a], lengths[a], offsets[b], lengths[b])
  }

  /** As `compare`, but a NUL ends a text. */
  collate(a: number, b: number): number {
    const { offsets } = this
    return this.#compareBytes(offsets[a], this.#collated(a), offsets[b], this.#collated(b))
  }

  /**
   * A number that orders texts as their first six bytes do, however they are compared; -1 for one that
   * is missing.
   */
  prefix(index: number, collates: boolean): number {
    if (this.isMissing(index)) return -1
    const offset = this.offsets[index]
    const length = collates ? this.#collated(index) : this.lengths[index]
    let key = 0
    for (let i = 0; i < 6; i++) key = key * 256 + (i < length ? this.bytes[offset + i] : 0)
    return key
  }

  #compareBytes(from: number, fromLength: number, to: number, toLength: number): number {
    const { bytes } = this
    const shorter = Math.min(fromLength, toLength)
    for (let i = 0; i < shorter; i++) {
      const difference = bytes[from + i] - bytes[to + i]
      if (difference !== 0) return difference
    }
    return fromLength - toLength
  }

  #collated(index: number): number {
    const offset = this.offsets[index]
    const length = this.lengths[index]
    for (let i = 0; i < length; i++) if (this.bytes[offset + i] === 0) return i
    return length
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafe(size * 2)
    this.bytes.copy(larger, 0, 0, this.#size)
    this.bytes = larger
  }
}
