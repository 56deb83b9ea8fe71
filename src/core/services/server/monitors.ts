/**
 * MONITOR: sessions that are shown every call.
 *
 * Thread: core.
 * Owns: who watches.
 * Never: shows an administrative command, or an argument that a handler has redacted.
 */
import { FLAG_ADMIN, FLAG_SKIP_MONITOR } from '../../command/table.ts'
import type { Call } from '../../engine/call.ts'
import type { Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'

export class Monitors {
  readonly #server: Server
  readonly #sessions = new Set<Session>()
  /** Sessions that watch. */
  count = 0

  constructor(server: Server) {
    this.#server = server
  }

  add(session: Session): void {
    session.monitor = true
    this.#sessions.add(session)
    this.#counted()
  }

  remove(session: Session): void {
    session.monitor = false
    if (this.#sessions.delete(session)) this.#counted()
  }

  #counted(): void {
    this.count = this.#sessions.size
    this.#server.updateWatch()
  }

  /** Shows the call, which is over, to everybody who watches. */
  feed(call: Call): void {
    if ((call.entry.flagBits & (FLAG_SKIP_MONITOR | FLAG_ADMIN)) === 0) this.show(call)
  }

  /** Shows the call, whatever its command. */
  show(call: Call): void {
    const { outbox, clock, scripting } = this.#server
    const line = monitorLine(call, clock.unixMicroseconds())
    for (const session of this.#sessions) {
      outbox.select(session)
      outbox.reply.raw(line)
    }
    outbox.select(scripting.run.caller?.session ?? call.session)
    // A call that is shown before it runs can still take back what it answers.
    outbox.reply.mark()
  }
}

function monitorLine(call: Call, unixUs: number): string {
  const seconds = Math.floor(unixUs / 1e6)
  const fraction = String(unixUs % 1e6).padStart(6, '0')
  const { session, args } = call
  let line = `+${seconds}.${fraction} [${session.dbIndex} ${shownAddress(session)}]`
  for (let i = 0; i < args.count; i++) {
    line += ` ${call.redacted.includes(i) ? REDACTED : quoted(args.copy(i))}`
  }
  return `${line}\r\n`
}

/** 'ip:port', or for a unix socket its path. */
function shownAddress(session: Session): string {
  const { address, unix } = session.info
  if (session.isScript) return 'lua'
  return unix ? `unix:${address.slice(0, address.lastIndexOf(':'))}` : address
}

const REDACTED = '"(redacted)"'

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
    const named = NAMED_ESCAPES[byte]
    if (named !== undefined) text += named
    else if (byte >= 32 && byte < 127) text += String.fromCharCode(byte)
    else text += `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return `${text}"`
}
