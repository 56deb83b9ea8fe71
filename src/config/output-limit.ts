/**
 * `client-output-buffer-limit`: how many bytes may wait for a client that does not read them.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: closes anything.
 *
 * @see https://redis.io/docs/latest/develop/reference/clients/
 */
import type { Settings } from './settings.ts'

export type OutputClass = 'normal' | 'slave' | 'pubsub'

export interface OutputLimit {
  /** Bytes at which it is closed at once; 0: never. */
  readonly hardSize: number
  /** Bytes at which it is closed after so many milliseconds; 0: never. */
  readonly softSize: number
  readonly softMs: number
}

/** A replica may always have as much to read as the backlog holds: it could ask for that anyway. */
export function outputLimit(settings: Settings, className: OutputClass): OutputLimit {
  // The value is 'normal 0 0 0 slave ... pubsub ...', in bytes and seconds.
  const words = settings.text('client-output-buffer-limit').split(' ')
  const [given, softSize, softSeconds] = words.slice(words.indexOf(className) + 1).map(Number)
  const leastSize = className === 'slave' ? settings.int('repl-backlog-size') : 0
  const hardSize = given === 0 ? 0 : Math.max(given, leastSize)
  return { hardSize, softSize, softMs: softSeconds * 1000 }
}
