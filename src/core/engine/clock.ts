/**
 * The core's only clock.
 *
 * Thread: core.
 * Owns: the time of the call in progress, read once for many calls.
 * Never: goes back within one reading.
 */

/** Further apart the two clocks of the machine never are by rounding alone. */
const CLOCK_DRIFT_MS = 2

export class Clock {
  /** Unix time in milliseconds, as of the last `tick`. */
  nowMs = Date.now()
  /** How far this clock is ahead of the machine's: tests pass time without waiting for it. */
  #aheadMs = 0
  #originMs = performance.timeOrigin
  /** When the present lap began; set it to an earlier moment to measure more than one lap. */
  lapStartUs = 0
  /** Calls of this lap that nobody has accounted for: all of the same command. */
  untimedCalls = 0

  tick(): number {
    this.nowMs = Date.now() + this.#aheadMs
    return this.nowMs
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

  /** Microseconds since the last lap ended, or since `startLap`. */
  lap(): number {
    const before = this.lapStartUs
    this.lapStartUs = performance.now() * 1000
    return this.lapStartUs - before
  }

  /** Unix time in microseconds. */
  unixMicroseconds(): number {
    const coarseMs = Date.now()
    let preciseMs = this.#originMs + performance.now()
    if (Math.abs(preciseMs - coarseMs) > CLOCK_DRIFT_MS) {
      // The world's clock was set, which the one for durations does not follow.
      this.#originMs += coarseMs - preciseMs
      preciseMs = coarseMs
    }
    return Math.floor((preciseMs + this.#aheadMs) * 1000)
  }
}
