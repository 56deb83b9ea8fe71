/**
 * The core's only clock.
 *
 * Thread: core.
 * Owns: the time of the call in progress, read once for many calls.
 * Never: goes back within one reading.
 */

export class Clock {
  /** Unix time in milliseconds, as of the last `tick`. */
  nowMs = Date.now()
  /** How far this clock is ahead of the machine's: tests pass time without waiting for it. */
  #aheadMs = 0
  #lapUs = 0

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
    this.#lapUs = performance.now() * 1000
  }

  /** Microseconds since the last lap ended, or since `startLap`. */
  lap(): number {
    const before = this.#lapUs
    this.#lapUs = performance.now() * 1000
    return this.#lapUs - before
  }

  /** Unix time in microseconds. */
  unixMicroseconds(): number {
    return Math.floor((performance.timeOrigin + performance.now() + this.#aheadMs) * 1000)
  }
}
