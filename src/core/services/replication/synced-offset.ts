/**
 * How much of the primary's stream this replica's append-only file holds on the disk.
 *
 * The file counts bytes of its own. So places are noted where the two counts are known: the last one,
 * and an earlier one, which is reached sooner while the stream goes on.
 *
 * Thread: core.
 * Owns: those places.
 * Never: counts what a rewrite in progress has still to write.
 */
import type { Aof } from '../persistence/aof.ts'

export class SyncedOffset {
  readonly #aof: Aof
  #offset = -1
  #earlierOffset = -1
  #earlierPosition = 0
  #lastOffset = -1
  #lastPosition = 0

  constructor(aof: Aof) {
    this.#aof = aof
  }

  /** Everything of the stream up to `offset` has been applied, and appended if anything is. */
  applied(offset: number): void {
    const { state, writer } = this.#aof
    if (state !== 'on') {
      this.#earlierOffset = -1
      this.#lastOffset = -1
      return
    }
    this.#lastOffset = offset
    this.#lastPosition = writer.position
    if (this.#earlierOffset >= 0) return
    this.#earlierOffset = offset
    this.#earlierPosition = writer.position
  }

  /** -1 while there is no such file. */
  get offset(): number {
    const aof = this.#aof
    if (aof.state !== 'on') return -1
    if (this.#earlierOffset >= 0 && aof.holds(this.#earlierPosition)) {
      this.#offset = this.#earlierOffset
      this.#earlierOffset = this.#lastOffset
      this.#earlierPosition = this.#lastPosition
      if (aof.holds(this.#lastPosition)) {
        this.#offset = this.#lastOffset
        this.#earlierOffset = -1
      }
    }
    return this.#offset
  }
}
