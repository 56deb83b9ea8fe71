/**
 * What the core does by the clock rather than on request.
 *
 * Thread: core.
 * Owns: periodic duties and when each is due.
 * Never: sleeps.
 */
import type { Clock } from './clock.ts'

interface Timer {
  periodMs: number
  dueMs: number
  readonly run: () => void
  /** Stops while `cronPaused`. */
  readonly isCron: boolean
}

export class Timers {
  readonly #clock: Clock
  readonly #timers: Timer[] = []
  #nextMs = Number.POSITIVE_INFINITY
  /** DEBUG PAUSE-CRON. */
  cronPaused = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Runs `run` every `periodMs` from now on; Infinity: not for now. Gives a function that changes
   * the period.
   */
  every(periodMs: number, run: () => void): (periodMs: number) => void {
    return this.#add(periodMs, run, false)
  }

  /** As `every`, for what only looks after things now and then, so that a test may stop it. */
  cron(periodMs: number, run: () => void): (periodMs: number) => void {
    return this.#add(periodMs, run, true)
  }

  #add(periodMs: number, run: () => void, isCron: boolean): (periodMs: number) => void {
    const timer: Timer = { periodMs, dueMs: this.#clock.nowMs + periodMs, run, isCron }
    this.#timers.push(timer)
    this.#update()
    return (changedMs) => {
      timer.periodMs = changedMs
      timer.dueMs = Math.min(timer.dueMs, this.#clock.nowMs + changedMs)
      this.#update()
    }
  }

  /** When the next duty is due, Unix milliseconds. */
  get nextMs(): number {
    return this.#nextMs
  }

  /** Runs what is due. */
  runDue(): void {
    const nowMs = this.#clock.nowMs
    if (nowMs < this.#nextMs) return
    for (const timer of this.#timers) {
      if (timer.dueMs > nowMs) continue
      timer.dueMs = nowMs + timer.periodMs
      if (!(timer.isCron && this.cronPaused)) timer.run()
    }
    this.#update()
  }

  #update(): void {
    this.#nextMs = Number.POSITIVE_INFINITY
    for (const timer of this.#timers) this.#nextMs = Math.min(this.#nextMs, timer.dueMs)
  }
}
