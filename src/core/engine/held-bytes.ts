/**
 * Bytes that have come and cannot be let go yet, such as the beginning of a long command: what comes
 * is added at the end, what is done with leaves at the front.
 *
 * Thread: core. Hot path.
 * Owns: its memory, which grows by doubling, so that a command of any length is copied about twice.
 * Never: keeps a large memory once it is empty.
 */

/** A larger memory is let go when nothing is held. */
const KEPT_SIZE = 1024 * 1024
const START_SIZE = 16 * 1024
const EMPTY = Buffer.alloc(0)

export class HeldBytes {
  /** Valid up to `size`; another buffer after `append`. */
  bytes: Buffer = EMPTY
  size = 0

  append(source: Buffer, at: number, count: number): void {
    const size = this.size + count
    if (size > this.bytes.length) this.#grow(size)
    source.copy(this.bytes, this.size, at, at + count)
    this.size = size
  }

  /** The first `count` bytes are done with. */
  drop(count: number): void {
    if (count > 0 && count < this.size) this.bytes.copyWithin(0, count, this.size)
    this.size -= count
    if (this.size === 0 && this.bytes.length > KEPT_SIZE) this.bytes = EMPTY
  }

  #grow(size: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, size, START_SIZE))
    this.bytes.copy(bytes, 0, 0, this.size)
    this.bytes = bytes
  }
}
