/**
 * The best candidates for eviction among all that were drawn, in order.
 *
 * Thread: core.
 * Owns: 16 candidates: entry, where it lives, how well it would go.
 * Never: knows whether a candidate is still there.
 */
import type { Ref } from '../../memory/arena.ts'

const POOL_SIZE = 16

export class EvictionPool {
  /** In rising order; a higher score goes sooner. */
  readonly #scores = new Float64Array(POOL_SIZE)
  readonly #refs = new Int32Array(POOL_SIZE)
  readonly #hashes = new Int32Array(POOL_SIZE)
  readonly #dbs = new Int32Array(POOL_SIZE)
  readonly #arenas = new Int32Array(POOL_SIZE)
  #count = 0
  /** The candidate that `takeBest` took. */
  ref: Ref = 0
  hash = 0
  dbIndex = 0
  arenaIndex = 0
  score = 0

  clear(): void {
    this.#count = 0
  }

  /** True when a candidate of this score would be kept. */
  wants(score: number): boolean {
    return this.#count < POOL_SIZE || score > this.#scores[0]
  }

  /** Adds a candidate, in place of the worst if need be. One that is there already stays as it is. */
  add(score: number, ref: Ref, hash: number, dbIndex: number, arenaIndex: number): void {
    for (let i = 0; i < this.#count; i++) {
      if (this.#refs[i] === ref && this.#arenas[i] === arenaIndex) return
    }
    let at = 0
    while (at < this.#count && this.#scores[at] < score) at++
    if (this.#count < POOL_SIZE) {
      this.#shift(at, at + 1, this.#count)
      this.#count++
    } else {
      at--
      this.#shift(1, 0, at + 1)
    }
    this.#scores[at] = score
    this.#refs[at] = ref
    this.#hashes[at] = hash
    this.#dbs[at] = dbIndex
    this.#arenas[at] = arenaIndex
  }

  /** Takes the best candidate out; it is then in `ref` and its kin. False: there is none. */
  takeBest(): boolean {
    if (this.#count === 0) return false
    const at = --this.#count
    this.ref = this.#refs[at]
    this.hash = this.#hashes[at]
    this.dbIndex = this.#dbs[at]
    this.arenaIndex = this.#arenas[at]
    this.score = this.#scores[at]
    return true
  }

  /** Moves the candidates from `from` up to `end` to `to`. */
  #shift(from: number, to: number, end: number): void {
    this.#scores.copyWithin(to, from, end)
    this.#refs.copyWithin(to, from, end)
    this.#hashes.copyWithin(to, from, end)
    this.#dbs.copyWithin(to, from, end)
    this.#arenas.copyWithin(to, from, end)
  }
}
