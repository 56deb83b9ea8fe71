/**
 * Buffers that connections keep: who has sent one large request in pieces will send more, and a new
 * buffer for each costs a system call and its page faults. What lies unused is halved twice a second
 * until it is not worth keeping.
 *
 * Thread: io.
 * Owns: who has such a buffer, and how long.
 * Never: keeps what a usual request needs; that arrives whole.
 */
import {
  SPARE_INPUT_PERIOD_MS,
  SPARE_INPUT_SIZE_MAX,
  SPARE_INPUT_SIZE_MIN,
} from '../config/limits.ts'
import type { Connection } from './connection.ts'

export class SpareInputs {
  /** Told of connections whose buffer was made smaller, or is gone. */
  changed: (connection: Connection) => void = () => undefined
  readonly #holders: Set<Connection> = new Set()
  #timer: ReturnType<typeof setInterval> | undefined = undefined

  /** `bytes` has served for a request of `usedSize`. */
  keep(connection: Connection, bytes: Buffer, usedSize: number): void {
    if (bytes.length < SPARE_INPUT_SIZE_MIN || bytes.length > SPARE_INPUT_SIZE_MAX) return
    connection.spareInput = bytes
    connection.spareInputPeak = Math.max(connection.spareInputPeak, usedSize)
    this.#holders.add(connection)
    if (this.#timer !== undefined) return
    this.#timer = setInterval(() => this.shrink(), SPARE_INPUT_PERIOD_MS)
    this.#timer.unref()
  }

  /** Halves what was not needed since the last time. */
  shrink(): void {
    for (const connection of this.#holders) {
      const size = connection.spareInput?.length ?? 0
      const isNeeded = connection.spareInputPeak > size >> 1
      connection.spareInputPeak = 0
      if (size > 0 && isNeeded) continue
      const halfSize = size >> 1
      const isWorthIt = halfSize >= SPARE_INPUT_SIZE_MIN
      connection.spareInput = isWorthIt ? Buffer.allocUnsafeSlow(halfSize) : undefined
      // Who has none is using it, and brings it back, or is gone.
      if (!isWorthIt) this.#holders.delete(connection)
      this.changed(connection)
    }
    if (this.#holders.size === 0) this.stop()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
