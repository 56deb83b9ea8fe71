/**
 * The last part of the replication stream, for replicas whose link broke and those whose copy of the
 * data set is still on its way.
 *
 * Bytes lie in a ring at their offset modulo the capacity. An offset counts all bytes of the stream
 * since its beginning, so the first byte of a stream has offset 0 here; the protocol counts from 1.
 *
 * Thread: core.
 * Owns: the bytes from `startOffset` to `endOffset`.
 * Never: forgets what somebody retains: it grows instead.
 */

/** What is visited of the ring: `size` bytes of `bytes` from `at` on. */
export type VisitBytes = (bytes: Buffer, at: number, size: number) => void

export class Backlog {
  #bytes: Buffer
  #size: number
  /** Nothing from here on is forgotten; Infinity: nobody asks for that. */
  #retainedFrom = Number.POSITIVE_INFINITY
  startOffset: number
  endOffset: number

  /** `size`: bytes that are kept at least once there have been as many. */
  constructor(size: number, offset: number) {
    this.#size = size
    this.#bytes = Buffer.allocUnsafeSlow(size)
    this.startOffset = offset
    this.endOffset = offset
  }

  /** Bytes held now. */
  get heldSize(): number {
    return this.endOffset - this.startOffset
  }

  get capacity(): number {
    return this.#bytes.length
  }

  has(offset: number): boolean {
    return offset >= this.startOffset && offset <= this.endOffset
  }

  append(source: Buffer, at: number, size: number): void {
    const retained = Math.max(this.endOffset - this.#retainedFrom, 0)
    if (retained + size > this.#bytes.length) {
      this.#recreate(Math.max(2 * this.#bytes.length, retained + size))
    }
    const capacity = this.#bytes.length
    // Of more than fits, the end is what counts.
    const skipped = Math.max(size - capacity, 0)
    let from = at + skipped
    let left = size - skipped
    let to = (this.endOffset + skipped) % capacity
    while (left > 0) {
      const count = Math.min(left, capacity - to)
      source.copy(this.#bytes, to, from, from + count)
      from += count
      left -= count
      to = 0
    }
    this.endOffset += size
    this.startOffset = Math.max(this.startOffset, this.endOffset - capacity)
  }

  /** Visits the bytes from `from` up to `to`, in one or two pieces. Both lie in what is held. */
  visit(from: number, to: number, visit: VisitBytes): void {
    const capacity = this.#bytes.length
    for (let offset = from; offset < to; ) {
      const at = offset % capacity
      const size = Math.min(to - offset, capacity - at)
      visit(this.#bytes, at, size)
      offset += size
    }
  }

  /** Keeps everything from `offset` on, whatever the size; Infinity: no longer. */
  retain(offset: number): void {
    this.#retainedFrom = offset
    const isTooLarge = this.#bytes.length > this.#size
    if (isTooLarge && this.endOffset - offset <= this.#size) this.#recreate(this.#size)
  }

  /** Another size from now on; what no longer fits is forgotten. */
  resize(size: number): void {
    if (size === this.#size) return
    this.#size = size
    this.#recreate(Math.max(size, this.endOffset - this.#retainedFrom))
  }

  #recreate(capacity: number): void {
    const bytes = Buffer.allocUnsafeSlow(capacity)
    const from = Math.max(this.startOffset, this.endOffset - capacity)
    let offset = from
    this.visit(from, this.endOffset, (source, at, size) => {
      for (let done = 0; done < size; ) {
        const to = offset % capacity
        const count = Math.min(size - done, capacity - to)
        source.copy(bytes, to, at + done, at + done + count)
        done += count
        offset += count
      }
    })
    this.#bytes = bytes
    this.startOffset = from
  }
}
