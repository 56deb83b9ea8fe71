/**
 * A request too long for one record, encoded piece by piece into as many as it takes.
 *
 * Thread: io.
 * Owns: how much of one huge request has been encoded.
 * Never: copies the request as a whole.
 */
import { REQUEST_HASH, REQUEST_HEADER_WORDS, REQUEST_SIZE, requestSize } from '../bridge/message.ts'

export class Fragments {
  /** Bytes of the encoded request. */
  readonly encodedSize: number
  /** Bytes of the request as it came. */
  readonly sourceSize: number
  /** The arguments, where they do not lie in the source. */
  readonly #words: Buffer | undefined
  readonly #command: number
  readonly #keyHash: number
  readonly #argc: number
  /** [start, end) of each argument, counted from the request's first byte. */
  readonly #offsets: Int32Array
  /** Encoded bytes already handed out. */
  position = 0
  began = false
  #argument = 0
  /** Bytes of the argument already encoded; -1: not even its length. */
  #argumentPosition = -1

  /** `offsets` are absolute in the source, or in `words`; `start` is the request's first byte. */
  constructor(
    offsets: Int32Array,
    argc: number,
    start: number,
    sourceSize: number,
    command: number,
    keyHash: number,
    words: Buffer | undefined,
  ) {
    this.#words = words

    this.encodedSize = requestSize(offsets, argc)
    this.sourceSize = sourceSize
    this.#command = command
    this.#keyHash = keyHash
    this.#argc = argc
    this.#offsets = offsets.slice(0, 2 * argc)
    for (let i = 0; i < this.#offsets.length; i++) this.#offsets[i] -= start
  }

  get done(): boolean {
    return this.position === this.encodedSize
  }

  /**
   * Encodes the next `size` bytes into `target` at `at`; `size` is a multiple of 4, and at least a
   * request header the first time. `start`: where the request begins in `source` now.
   */
  fill(source: Buffer, start: number, target: Buffer, words: Int32Array, at: number, size: number) {
    const from = this.#words ?? source
    const base = this.#words === undefined ? start : 0
    let to = at
    const end = at + size
    if (this.position === 0) {
      words[to >> 2] = this.#argc
      words[(to >> 2) + 1] = this.#command
      words[(to >> 2) + REQUEST_HASH] = this.#keyHash
      words[(to >> 2) + REQUEST_SIZE] = this.encodedSize >> 2
      to += REQUEST_HEADER_WORDS * 4
    }
    while (to < end) {
      const first = base + this.#offsets[2 * this.#argument]
      const length = base + this.#offsets[2 * this.#argument + 1] - first
      if (this.#argumentPosition < 0) {
        words[to >> 2] = length
        to += 4
        this.#argumentPosition = 0
      } else {
        const count = Math.min(length - this.#argumentPosition, end - to)
        const piece = first + this.#argumentPosition
        from.copy(target, to, piece, piece + count)
        to += count
        this.#argumentPosition += count
      }
      if (this.#argumentPosition === length) {
        while ((to & 3) !== 0) target[to++] = 0
        this.#argument++
        this.#argumentPosition = -1
      }
    }
    this.position += size
  }
}
