/**
 * The core's log lines: sent to the main thread, which writes them.
 *
 * Thread: core.
 * Owns: the level.
 * Never: opens a file.
 */
import { encode } from '@msgpack/msgpack'
import { LOG_LEVELS, type LogLevel } from '../../../config/log-levels.ts'
import type { Server } from '../../server.ts'

export class Log {
  readonly #server: Server
  #level = 2
  /** True when the life of every command is logged. */
  debugging = false

  constructor(server: Server) {
    this.#server = server
  }

  /** `level`: a value of the `loglevel` directive. */
  setLevel(level: string): void {
    this.#level = LOG_LEVELS.indexOf(level as LogLevel)
    this.debugging = this.#level === 0
  }

  debug(text: string): void {
    this.write('debug', text)
  }

  verbose(text: string): void {
    this.write('verbose', text)
  }

  notice(text: string): void {
    this.write('notice', text)
  }

  warning(text: string): void {
    this.write('warning', text)
  }

  /** Writes a line of that level, if it is wanted. */
  write(level: LogLevel, text: string): void {
    if (LOG_LEVELS.indexOf(level) < this.#level) return
    const { outbox, links } = this.#server
    outbox.control(links[0], encode({ type: 'log', level, text }))
  }
}
