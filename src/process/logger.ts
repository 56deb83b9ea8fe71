/**
 * The log: Redis's line format, written by the main thread alone.
 *
 *     12345:M 22 Nov 2026 21:14:49.123 * Ready to accept connections
 *
 * Thread: main.
 * Owns: the log file.
 * Never: truncates or rewrites it: every line is one append.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { LOG_LEVELS, type LogLevel } from '../config/log-levels.ts'

const MARKS: Readonly<Record<LogLevel, string>> = {
  debug: '.',
  verbose: '-',
  notice: '*',
  warning: '#',
}
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
const STANDARD_OUTPUT = 1

export class Logger {
  readonly #sink: ((text: string) => void) | undefined
  #path = ''
  #level: number = LOG_LEVELS.indexOf('notice')
  /** M for a primary, S for a replica. */
  role: 'M' | 'S' = 'M'

  /** `sink`: takes what no file is named for, instead of standard output. */
  constructor(sink?: (text: string) => void) {
    this.#sink = sink
  }

  get debugging(): boolean {
    return this.#level === 0
  }

  /** `path`: empty for standard output. Throws: what opening it throws. */
  configure(path: string, level: string): void {
    this.#level = LOG_LEVELS.indexOf(level as LogLevel)
    if (path !== '') closeSync(openSync(path, 'a'))
    this.#path = path
  }

  write(level: LogLevel, text: string): void {
    if (LOG_LEVELS.indexOf(level) < this.#level) return
    this.raw(`${process.pid}:${this.role} ${dateText(new Date())} ${MARKS[level]} ${text}\n`)
  }

  /** Text without a line head: the logo. */
  raw(text: string): void {
    if (this.#path === '' && this.#sink !== undefined) return this.#sink(text)
    // The file is opened for each line, as Redis does, so that it can be moved away meanwhile.
    const file = this.#path === '' ? STANDARD_OUTPUT : openSync(this.#path, 'a')
    try {
      writeSync(file, text)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error
      // A log that cannot be written must not stop the server.
    }
    if (file !== STANDARD_OUTPUT) closeSync(file)
  }

  debug(text: string): void {
    this.write('debug', text)
  }

  notice(text: string): void {
    this.write('notice', text)
  }

  warning(text: string): void {
    this.write('warning', text)
  }
}

function dateText(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${two(date.getDate())} ${MONTHS[date.getMonth()]} ${date.getFullYear()}`
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, '0')}`
}
