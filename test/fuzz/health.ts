/**
 * Whether a server that was attacked is well: it lives, serves the next client, has not grown, and its
 * log knows of no error that nobody expected.
 *
 * Thread: any.
 * Owns: how much it may grow.
 * Never: changes anything.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '../support/client.ts'
import { notation } from '../support/reply.ts'
import type { RunningServer } from '../support/server.ts'

export const SERVED_WITHIN_MS = 20_000
const RSS_MAX = 1.5 * 2 ** 30
const LOG_LINES = 15
/** JavaScript's own errors, what is said when a thread is lost, and lines of a stack trace. */
const FAULT =
  /\b(Type|Range|Reference|Syntax|Assertion)Error\b|thread (failed|ended)|^\s+at \S.*:\d+:\d+\)?$/m

/** So that memory is bounded by what the server knows, not by luck. */
export const BOUNDED = ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-random']

/** Throws: an Error that says what is wrong. */
export async function expectHealth(server: RunningServer): Promise<void> {
  expectNoFault(server)
  if (!server.isRunning) throw new Error(`the server has ended:\n${said(server)}`)
  const reply = await greet(server)
  if (reply !== '+PONG') throw new Error(`the next client is told ${reply}:\n${said(server)}`)
  expectBounds(server)
}

/** What the next client is told. Throws: an Error when that is nothing. */
export async function greet(server: RunningServer): Promise<string> {
  try {
    const client = await Client.connect(server.address)
    const reply = notation(await client.call('PING', SERVED_WITHIN_MS))
    client.terminate()
    return reply
  } catch (error) {
    throw new Error(`the next client is not served, ${(error as Error).message}:\n${said(server)}`)
  }
}

/** Throws: an Error when the log holds an error that nobody expected. */
export function expectNoFault(server: RunningServer): void {
  const text = said(server, Number.POSITIVE_INFINITY)
  const fault = FAULT.exec(text)
  if (fault !== null) {
    const from = Math.max(0, fault.index - 500)
    throw new Error(`the log tells of an error:\n${text.slice(from, fault.index + 1500)}`)
  }
}

export function expectBounds(server: RunningServer): void {
  const status = `/proc/${server.pid}/status`
  if (!existsSync(status)) return
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(status, 'utf8'))?.[1]
  if (Number(kilobytes ?? 0) * 1024 > RSS_MAX) throw new Error(`the process takes ${kilobytes} kB`)
}

/** The end of the log, and of what went to standard error. */
export function said(server: RunningServer, lines = LOG_LINES): string {
  const errors = join(server.directory, 'errors')
  const text = existsSync(errors) ? readFileSync(errors, 'latin1') : ''
  return [server.log, text].map((part) => part.split('\n').slice(-lines).join('\n')).join('\n')
}
