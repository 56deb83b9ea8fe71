/**
 * Whether too many reply bytes wait for a peer that does not read: `client-output-buffer-limit`.
 *
 * Thread: io.
 * Owns: the limits of each class.
 * Never: closes anything itself.
 */
import { type OutputClass, type OutputLimit, outputLimit } from '../config/output-limit.ts'
import type { Settings } from '../config/settings.ts'
import type { Connection } from './connection.ts'

/** By `CLASS_…` of bridge/message.ts. */
const CLASSES: readonly OutputClass[] = ['normal', 'slave', 'pubsub']

export class OutputLimits {
  /** As above. */
  #limits: readonly OutputLimit[] = []

  constructor(settings: Settings) {
    this.adopt(settings)
  }

  adopt(settings: Settings): void {
    this.#limits = CLASSES.map((name) => outputLimit(settings, name))
  }

  /** True when the connection must go; remembers since when the soft limit is exceeded. */
  exceeded(connection: Connection, nowMs: number): boolean {
    const limit = this.#limits[connection.outputClass]
    const size = connection.outputSize
    if (limit.hardSize > 0 && size >= limit.hardSize) return true
    if (limit.softSize === 0 || size < limit.softSize) {
      connection.softLimitSinceMs = 0
      return false
    }
    if (connection.softLimitSinceMs === 0) connection.softLimitSinceMs = nowMs
    return nowMs - connection.softLimitSinceMs > limit.softMs
  }
}
