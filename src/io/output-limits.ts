/**
 * How many reply bytes may wait for a peer that does not read: `client-output-buffer-limit`. A replica
 * may always have as much to read as the backlog holds: it could ask for that anyway.
 *
 * Thread: io.
 * Owns: the limits of each class.
 * Never: closes anything itself.
 */
import type { Settings } from '../config/settings.ts'
import type { Connection } from './connection.ts'

interface Limit {
  readonly hardSize: number
  readonly softSize: number
  readonly softMs: number
}

const CLASS_NAMES = ['normal', 'slave', 'pubsub']
const NO_LIMIT: Limit = { hardSize: 0, softSize: 0, softMs: 0 }

export class OutputLimits {
  /** By `CLASS_…` of bridge/message.ts. */
  #limits: Limit[] = [NO_LIMIT, NO_LIMIT, NO_LIMIT]

  constructor(settings: Settings) {
    this.adopt(settings)
  }

  /** The directive is 'normal 0 0 0 slave ... pubsub ...', in bytes. */
  adopt(settings: Settings): void {
    const words = settings.text('client-output-buffer-limit').split(' ')
    const backlogSize = settings.int('repl-backlog-size')
    this.#limits = CLASS_NAMES.map((name) => {
      const at = words.indexOf(name)
      if (at < 0) return NO_LIMIT
      const hardSize = Number(words[at + 1])
      return {
        hardSize: name === 'slave' && hardSize > 0 ? Math.max(hardSize, backlogSize) : hardSize,
        softSize: Number(words[at + 2]),
        softMs: Number(words[at + 3]) * 1000,
      }
    })
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
