/**
 * The bytes of something long, one after the other, with little of it in memory at a time.
 *
 * Thread: any.
 * Owns: the window of what was read and not taken yet.
 * Never: knows where the bytes come from.
 */
import type { Crc64 } from '../crc64.ts'

const WINDOW_SIZE = 256 * 1024
const LF = 10

/** Puts the next bytes into `into`; gives how many, 0 at the end. */
export type Refill = (into: Uint8Array) => number

export class ByteSource {
  readonly #refill: Refill
  #window = Buffer.allocUnsafe(WINDOW_SIZE)
  #at = 0
  #end = 0
  #isAtEnd = false
  /** Bytes taken so far. */
  position = 0
  /** Sums up what is taken, as long as it is there. */
  sum: Crc64 | undefined = undefined

  constructor(refill: Refill) {
    this.#refill = refill
  }

  /** True when the end was reached: somebody has asked for more than there is. */
  get isAtEnd(): boolean {
    return this.#isAtEnd && this.#at === this.#end
  }

  /** The next byte without taking it; -1 at the end. */
  peek(): number {
    return this.#fill(1) ? this.#window[this.#at] : -1
  }

  /** The next byte; -1 at the end. */
  byte(): number {
    const byte = this.peek()
    if (byte >= 0) this.#pass(1)
    return byte
  }

  /** The next `size` bytes, valid until the next call; undefined when there are not so many. */
  take(size: number): Buffer | undefined {
    if (!this.#fill(size)) return undefined
    const at = this.#at
    this.#pass(size)
    return this.#window.subarray(at, at + size)
  }

  /** Passes over so many bytes. Gives how many there were. */
  skip(size: number): number {
    for (let left = size; left > 0; ) {
      if (this.#at === this.#end && !this.#fill(1)) return size - left
      const step = Math.min(left, this.#end - this.#at)
      this.#pass(step)
      left -= step
    }
    return size
  }

  /**
   * The next line with its end, or `sizeMax` bytes of it, as C's fgets gives them; undefined at the
   * end. Valid until the next call.
   */
  line(sizeMax: number): Buffer | undefined {
    this.#fill(sizeMax)
    const at = this.#at
    const end = Math.min(this.#end, at + sizeMax)
    if (at === end) return undefined
    const found = this.#window.subarray(at, end).indexOf(LF)
    const size = found < 0 ? end - at : found + 1
    if (found < 0 && end < at + sizeMax) this.#isAtEnd = true
    this.#pass(size)
    return this.#window.subarray(at, at + size)
  }

  #pass(size: number): void {
    this.sum?.update(this.#window, this.#at, this.#at + size)
    this.#at += size
    this.position += size
  }

  /** Lets the window hold `size` bytes. False when there are not so many. */
  #fill(size: number): boolean {
    if (this.#end - this.#at >= size) return true
    const kept = this.#end - this.#at
    const capacity = Math.max(WINDOW_SIZE, size)
    const into = capacity > this.#window.length ? Buffer.allocUnsafe(capacity) : this.#window
    this.#window.copy(into, 0, this.#at, this.#end)
    this.#window = into
    this.#at = 0
    this.#end = kept
    while (this.#end < size) {
      const got = this.#refill(into.subarray(this.#end))
      if (got === 0) {
        this.#isAtEnd = true
        return false
      }
      this.#end += got
    }
    return true
  }
}
