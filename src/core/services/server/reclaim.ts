/**
 * Giving back the memory of arenas and of Lua that was dropped: a collection frees their buffers, once nothing
 * on the stack looks like a reference to them any more. So it is done from the loop, where the stack
 * is short, and more than once.
 *
 * Thread: core.
 * Owns: when it is done.
 * Never: collects unless memory was dropped, the server has just started, or the process has grown much
 * beyond its data.
 */
import {
  DROPPED_SIZE_MAX,
  GARBAGE_SIZE_MAX,
  RECLAIM_PASS_COUNT,
  RECLAIM_PERIOD_MS,
} from '../../../config/limits.ts'
import { assert } from '../../../lib/assert.ts'
import { CommandError } from '../../engine/errors.ts'
import type { Timers } from '../../engine/timers.ts'

export class Reclaim {
  readonly #setPeriod: (periodMs: number) => void
  #passesLeft = 0
  #droppedBytes = 0
  /** The least that the process had beyond the data, since the last collection for that. */
  #beyondBytes = Number.POSITIVE_INFINITY

  constructor(timers: Timers) {
    this.#setPeriod = timers.every(Number.POSITIVE_INFINITY, () => this.#tick())
  }

  /**
   * The process is so large now, of which `usedBytes` are the data's. The engine does not count the
   * memory that buffers lie in, so where much of it was let go of nothing makes it collect.
   */
  watch(residentBytes: number, usedBytes: number): void {
    const beyondBytes = residentBytes - usedBytes
    if (beyondBytes < this.#beyondBytes) this.#beyondBytes = beyondBytes
    if (beyondBytes - this.#beyondBytes < GARBAGE_SIZE_MAX) return
    this.#beyondBytes = beyondBytes
    this.once()
  }

  /** There is garbage, if no memory that was dropped. */
  once(): void {
    this.#passesLeft = Math.max(this.#passesLeft, 1)
    this.#setPeriod(RECLAIM_PERIOD_MS)
  }

  /** Memory was dropped; `sizeBytes` of it will be wanted again: see `makeRoom`. */
  begin(sizeBytes = 0): void {
    this.#droppedBytes += sizeBytes
    this.#passesLeft = RECLAIM_PASS_COUNT
    this.#setPeriod(RECLAIM_PERIOD_MS)
  }

  /**
   * The like of what was dropped is about to be made: if that was much, it goes first. Otherwise
   * requests in a row that each drop memory and take some would take it all before the loop turns.
   */
  makeRoom(): void {
    if (this.#droppedBytes >= DROPPED_SIZE_MAX) this.#collect()
  }

  #tick(): void {
    if (this.#passesLeft === 0) {
      this.#setPeriod(Number.POSITIVE_INFINITY)
      return
    }
    this.#passesLeft--
    this.#collect()
  }

  #collect(): void {
    this.#droppedBytes = 0
    throwSomething()
    Bun.gc(true)
  }
}

const SOMETHING = new CommandError('')

/**
 * The engine keeps what was thrown last, with all functions that it passed through, and with a
 * function of an interpreter all of its memory. So something else is thrown last.
 */
function throwSomething(): void {
  try {
    throw SOMETHING
  } catch (thrown) {
    assert(thrown === SOMETHING, 'what is thrown is caught')
  }
}
