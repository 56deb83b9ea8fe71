/**
 * A walk over a byte map, entry by entry, that needs no callback. The map may not change meanwhile.
 *
 * Thread: core. Hot path.
 * Owns: the entries that were read ahead.
 * Never: allocates while it walks.
 */
import type { Arena, Ref } from './arena.ts'
import { byteMapScan } from './byte-map.ts'

const READ_AHEAD_COUNT = 64

export class MapCursor {
  readonly #entries: Ref[] = []
  #arena: Arena | undefined = undefined
  #map: Ref = 0
  #index = 0
  #cursor = 0
  #ended = true

  open(arena: Arena, map: Ref): void {
    this.#arena = arena
    this.#map = map
    this.#entries.length = 0
    this.#index = 0
    this.#cursor = 0
    this.#ended = false
  }

  /** The next entry, 0 after the last. */
  next(): Ref {
    const arena = this.#arena
    while (this.#index === this.#entries.length) {
      if (this.#ended || arena === undefined) return 0
      this.#entries.length = 0
      this.#index = 0
      this.#cursor = byteMapScan(arena, this.#map, this.#cursor, READ_AHEAD_COUNT, this.#entries)
      this.#ended = this.#cursor === 0
    }
    return this.#entries[this.#index++]
  }
}
