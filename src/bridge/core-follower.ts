/**
 * Keeps a thread where the core wants it: off the processor that it has for itself, or on the one on which
 * it has gathered the others. `core/placement.ts` says when.
 *
 * Thread: any but the core. Hot path.
 * Owns: where this thread runs.
 * Never: decides anything.
 */
import { affinity } from './affinity.ts'
import { CORE_PROCESSOR } from './memory.ts'
import { readNumber } from './wake.ts'

export class CoreFollower {
  readonly #process: Int32Array
  readonly #leaves: boolean
  #seen = 0

  /** `leaves`: this thread leaves the core a processor for itself. */
  constructor(process: Int32Array, leaves: boolean) {
    this.#process = process
    this.#leaves = leaves
  }

  /** To be called before each spell of work. `joins`: where the core gathers, this thread is to come. */
  follow(joins: boolean): void {
    let processor = readNumber(this.#process, CORE_PROCESSOR)
    if (processor < 0 ? !joins : !this.#leaves) processor = 0
    if (processor === this.#seen) return
    this.#seen = processor
    if (processor > 0) affinity?.without(processor - 1)
    else if (processor < 0) affinity?.only(-processor - 1)
    else affinity?.anywhere()
  }

  /** This thread may run anywhere again, until it follows the next time. */
  release(): void {
    this.#seen = 0
    affinity?.anywhere()
  }
}
