/**
 * MONITOR: sessions that are shown every call.
 *
 * Thread: core.
 * Owns: who watches.
 * Never: shows a command that carries a password (its flags say so).
 */
import type { Call } from '../../engine/call.ts'
import type { Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'

export class Monitors {
  readonly #server: Server
  readonly #sessions = new Set<Session>()

  constructor(server: Server) {
    this.#server = server
  }

  get count(): number {
    return this.#sessions.size
  }

  add(session: Session): void {
    session.monitor = true
    this.#sessions.add(session)
    this.#server.updateGuard()
  }

  remove(session: Session): void {
    session.monitor = false
    if (this.#sessions.delete(session)) this.#server.updateGuard()
  }

  /** Shows the call to everybody who watches. */
  feed(call: Call): void {
    const { outbox, clock } = this.#server
    const line = monitorLine(call, clock.unixMicroseconds())
    for (const session of this.#sessions) {
      outbox.select(session)
      outbox.reply.raw(line)
    }
    outbox.select(call.session)
  }
}

function monitorLine(call: Call, unixUs: number): string {
  const seconds = Math.floor(unixUs / 1e6)
  const fraction = String(unixUs % 1e6).padStart(6, '0')
  const { session, args } = call
  let line = `+${seconds}.${fraction} [${session.dbIndex} ${session.info.address}]`
  for (let i = 0; i < args.count; i++) line += ` ${quoted(args.copy(i))}`
  return `${line}\r\n`
}

const NAMED_ESCAPES: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
}

/** The bytes in quotes, with what is not printable escaped, as Redis shows them. */
export function quoted(bytes: Uint8Array): string {
  let text = '"'
  for (const byte of bytes) {
    const escape = NAMED_ESCAPES[byte]
    if (escape !== undefined) text += escape
    else if (byte >= 32 && byte < 127) text += String.fromCharCode(byte)
    else text += `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return `${text}"`
}
