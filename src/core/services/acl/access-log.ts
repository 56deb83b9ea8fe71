/**
 * The log of what was denied: the newest first, the same thing within a minute counted together.
 *
 * Thread: core.
 * Owns: its entries and the counters of INFO.
 * Never: shows a password.
 */
import type { Call } from '../../engine/call.ts'
import type { Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'
import { clientLine } from '../connection/client-list.ts'

export type DenialReason = 'auth' | 'command' | 'key' | 'channel'
/** Where a call came from. */
export type DenialContext = 'toplevel' | 'multi' | 'lua' | 'module'

export interface AccessLogEntry {
  count: number
  readonly reason: DenialReason
  readonly context: DenialContext
  /** The command, key or channel. */
  readonly object: string
  readonly userName: string
  /** As CLIENT INFO describes the connection. */
  client: string
  atMs: number
}

/** Later than this, the same thing is an entry of its own. */
const GROUPING_MS = 60_000
/** Among so many of the newest entries the same thing is looked for. */
const GROUPING_COUNT = 10

export class AccessLog {
  readonly #server: Server
  readonly entries: AccessLogEntry[] = []
  /** What was denied since the start, by reason. */
  readonly counts: Record<DenialReason, number> = { auth: 0, command: 0, key: 0, channel: 0 }

  constructor(server: Server) {
    this.#server = server
  }

  /** `call`: what the client asked for, though it may be a call within it that was denied. */
  add(
    call: Call,
    reason: DenialReason,
    context: DenialContext,
    object: string,
    userName: string,
  ): void {
    const { nowMs } = call
    this.counts[reason]++
    const client = clientLine(call, call.session).trimEnd()
    const index = this.entries.findIndex(
      (entry, place) =>
        place < GROUPING_COUNT &&
        entry.reason === reason &&
        entry.context === context &&
        entry.object === object &&
        entry.userName === userName &&
        nowMs - entry.atMs <= GROUPING_MS,
    )
    if (index >= 0) {
      const [entry] = this.entries.splice(index, 1)
      this.entries.unshift({ ...entry, client, atMs: nowMs, count: entry.count + 1 })
      return
    }
    this.entries.unshift({ count: 1, reason, context, object, userName, client, atMs: nowMs })
    const countMax = this.#server.settings.int('acllog-max-len')
    if (this.entries.length > countMax) this.entries.length = countMax
  }

  /** Somebody tried to come in and may not. `userName`: who he says he is. */
  addFailedLogin(call: Call, userName: string): void {
    this.add(call, 'auth', contextOf(call.session), call.args.text(0), userName)
  }

  clear(): void {
    this.entries.length = 0
  }

  resetCounts(): void {
    Object.assign(this.counts, { auth: 0, command: 0, key: 0, channel: 0 })
  }
}

/** Whether the session's calls are those of a transaction. */
export function contextOf(session: Session): DenialContext {
  return session.queue === undefined ? 'toplevel' : 'multi'
}
