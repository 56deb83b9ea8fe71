/**
 * A walk over a byte map, entry by entry or segment by segment, that needs no callback. The map may
 * not change meanwhile.
 *
 * Thread: core. Hot path.
 * Owns: how far the walk has come.
 * Never: allocates while it walks.
 */
import type { Arena, Ref } from './arena.ts'
import { itemOf, nextSegmentHash } from './byte-map-segments.ts'

/** From one ref of a segment to the next. */
export const MAP_SLOT_WORDS = 2

export class MapCursor {
  /** Of the key of the last entry. */
  hash = 0
  /** See `nextSegment`. */
  count = 0
  refsAt = 0
  #words: Int32Array = new Int32Array(0)
  /** Word index of the map. */
  #header = 0
  /** A hash of the segment, and how many bits all its hashes share. */
  #position = 0
  #depth = 0
  /** Word index of the next slot, and how many filled ones are left in the segment. */
  #slot = 0
  #left = 0

  open(arena: Arena, map: Ref): void {
    this.#words = arena.words
    this.#header = map << 1
    this.#enter(0)
  }

  /** The next entry, 0 after the last. */
  next(): Ref {
    while (this.#left === 0) {
      const position = nextSegmentHash(this.#position, this.#depth)
      if (position === 0) return 0
      this.#enter(position)
    }
    const words = this.#words
    let slot = this.#slot
    while (words[slot + 1] === 0) slot += 2
    this.#slot = slot + 2
    this.#left--
    this.hash = words[slot]
    return words[slot + 1]
  }

  /**
   * Goes to the entries of a segment that are still to come: `count` of them, whose refs stand
   * `MAP_SLOT_WORDS` apart from word `refsAt` on, among zeros. False after the last.
   */
  nextSegment(): boolean {
    while (this.#left === 0) {
      const position = nextSegmentHash(this.#position, this.#depth)
      if (position === 0) return false
      this.#enter(position)
    }
    this.count = this.#left
    this.refsAt = this.#slot + 1
    this.#left = 0
    return true
  }

  #enter(position: number): void {
    const words = this.#words
    const item = itemOf(words, this.#header, position)
    const segment = words[item] << 1
    this.#position = position
    this.#depth = words[item + 1] >>> 16
    this.#slot = segment + 2
    this.#left = words[segment]
  }
}
