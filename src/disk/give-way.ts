/**
 * Leaving the processors to those who are waited for. A thread that always has work takes its share
 * from clients as soon as there are more busy threads than processors, and each of them then waits
 * for whole time slices of the system. Offering the processor shows whether somebody wanted it; where
 * that was so lately, this thread sleeps as long as it has worked, so that half the time there is one
 * busy thread less. Naps cost a save on a quiet machine nothing: there, nobody takes the offer.
 *
 * Thread: disk.
 * Owns: what it knows about others.
 * Never: sleeps longer than NAP_MS_MAX.
 */
import { stopThread } from '../bridge/wake.ts'
import { yieldProcessor } from '../bridge/yield.ts'

/** An offer that took so long was taken by somebody. */
const TAKEN_MS = 0.1
/** Pieces of work for which an offer that was taken counts. */
const MEMORY = 16
const NAP_MS_MAX = 1

/** What the system can do for it. */
export interface Processor {
  /** Milliseconds. */
  now(): number
  offer(): void
  sleep(durationMs: number): void
}

const system: Processor = {
  now: () => performance.now(),
  offer: yieldProcessor,
  sleep: stopThread,
}

export class GiveWay {
  readonly #processor: Processor
  #sinceMs: number
  #crowded = 0

  constructor(processor = system) {
    this.#processor = processor
    this.#sinceMs = processor.now()
  }

  /** A piece of work begins. */
  begin(): void {
    this.#sinceMs = this.#processor.now()
  }

  /** A piece of work is done, of some tenths of a millisecond. */
  end(): void {
    const processor = this.#processor
    const beforeMs = processor.now()
    processor.offer()
    if (processor.now() - beforeMs >= TAKEN_MS) this.#crowded = MEMORY
    if (this.#crowded === 0) return
    this.#crowded--
    processor.sleep(Math.min(beforeMs - this.#sinceMs, NAP_MS_MAX))
  }
}
