/**
 * Where the core wants the other threads, and how they follow: off the processor that it has for itself, or
 * on the one on which it has gathered them. `core/placement.ts` decides it.
 *
 * Thread: any. Hot path.
 * Owns: what the word about it means, and where a thread that follows runs.
 * Never: decides anything.
 */
import { affinity } from './affinity.ts'
import { CORE_PROCESSOR } from './memory.ts'
import { publishNumber, readNumber } from './wake.ts'

/** The core has settled on a processor: the others keep off it, or join it there. */
export function publishPlace(process: Int32Array, processor: number, isJoined: boolean): void {
  publishNumber(process, CORE_PROCESSOR, isJoined ? -processor - 1 : processor + 1)
}

/** The core has settled nowhere: all may run anywhere. */
export function publishNoPlace(process: Int32Array): void {
  publishNumber(process, CORE_PROCESSOR, 0)
}

/** A thread that is not the core. */
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
