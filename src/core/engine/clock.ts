/**
 * The core's only clock.
 *
 * Thread: core.
 * Owns: the time of the call in progress, read once for many calls.
 * Never: goes back within one reading.
 */

/** How often the clock for durations is compared with the one that the world sets, in milliseconds. */
const ALIGN_PERIOD_MS = 100
const ALIGN_WITHIN_MS = 0.2
/** Calls are made at the same moment, as far as they can tell, within so much. */
const MOMENT_US = 1000

export class Clock {
  /** Unix time in milliseconds, as of the last `tick`, or about when the call began. */
  nowMs = Date.now()
  /** How far this clock is ahead of the machine's: tests pass time without waiting for it. */
  #aheadMs = 0
  /** Unix time of the moment from which durations count. */
  #originMs = performance.timeOrigin
  /** From here on, in microseconds as those of laps, `nowMs` is no longer the present. */
  #staleAtUs = 0
  #alignedAtMs = Number.NEGATIVE_INFINITY
  /** When the present lap began; set it to an earlier moment to measure more than one lap. */
  lapStartUs = 0
  /** Calls of this lap that nobody has accounted for: all of the same command. */
  untimedCalls = 0

  tick(): number {
    return this.#set(performance.now())
  }

  /** Lets `ms` milliseconds pass at once. */
  advance(ms: number): void {
    this.#aheadMs += ms
    this.tick()
  }

  /** Microseconds since an arbitrary moment, with a fraction: for durations only. */
  microseconds(): number {
    return performance.now() * 1000
  }

  /** Begins to measure laps: calls that follow each other need one reading each. */
  startLap(): void {
    this.lapStartUs = performance.now() * 1000
    this.untimedCalls = 0
  }

  /**
   * The same for calls that are made at this moment: what lies before them in a turn may have taken
   * long, and what has expired meanwhile must not be answered.
   */
  begin(): void {
    const elapsedMs = performance.now()
    this.lapStartUs = elapsedMs * 1000
    this.untimedCalls = 0
    this.#set(elapsedMs)
  }

  /** Microseconds since the last lap ended, or since `startLap`. */
  lap(): number {
    const before = this.lapStartUs
    this.lapStartUs = performance.now() * 1000
    return this.lapStartUs - before
  }

  /** Unix time in microseconds. */
  unixMicroseconds(): number {
    const elapsedMs = performance.now()
    this.#align(elapsedMs)
    return Math.floor((this.#originMs + elapsedMs + this.#aheadMs) * 1000)
  }

  /** Between two calls: the last one may have taken long. Reads nothing. */
  goOn(): void {
    if (this.lapStartUs > this.#staleAtUs) this.#set(this.lapStartUs / 1000)
  }

  #set(elapsedMs: number): number {
    this.#staleAtUs = elapsedMs * 1000 + MOMENT_US
    if (elapsedMs - this.#alignedAtMs > ALIGN_PERIOD_MS) this.#align(elapsedMs)
    this.nowMs = Math.floor(this.#originMs + elapsedMs) + this.#aheadMs
    return this.nowMs
  }

  /** The world's clock may have been set, which the one for durations does not follow. */
  #align(elapsedMs: number): void {
    this.#alignedAtMs = elapsedMs
    const wholeMs = Date.now()
    const aheadMs = this.#originMs + elapsedMs - wholeMs
    if (aheadMs >= 0 && aheadMs < 1) return
    // Where this thread was interrupted between the readings, they say nothing about each other.
    if (performance.now() - elapsedMs > ALIGN_WITHIN_MS) return
    this.#originMs -= aheadMs < 0 ? aheadMs : Math.floor(aheadMs)
  }
}
