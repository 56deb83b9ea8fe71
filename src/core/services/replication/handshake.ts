/**
 * What a replica and its primary say to each other before anything is copied: lines that are asked
 * and answered in order.
 *
 * Thread: core.
 * Owns: which answer is awaited.
 * Never: takes a byte that comes after the answer to PSYNC.
 */
import { HANDSHAKE_LINE_SIZE_MAX } from '../../../config/limits.ts'
import type { Server } from '../../server.ts'
import type { Replication } from './replication.ts'

export interface HandshakeOwner {
  send(...words: (string | Uint8Array)[]): void
  /** The primary is asked to become a replica of this server meanwhile. */
  readonly handsOver: boolean
  /** The link is of no use. */
  failed(): void
  /** The stream goes on; `id`: its name from now on, empty for the same. */
  continues(id: string): void
  /** A snapshot follows, and then the stream from `offset` on. */
  begins(id: string, offset: number): void
}

type Step = 'ping' | 'auth' | 'port' | 'address' | 'capabilities' | 'psync'

const LF = 10

export class Handshake {
  readonly #server: Server
  readonly #replication: Replication
  readonly #owner: HandshakeOwner
  readonly #awaited: Step[] = []
  #line = ''
  #over = false

  constructor(server: Server, replication: Replication, owner: HandshakeOwner) {
    this.#server = server
    this.#replication = replication
    this.#owner = owner
  }

  begin(): void {
    this.#awaited.push('ping')
    this.#owner.send('PING')
  }

  /** Takes bytes. Gives how many of them come after the last answer. */
  take(bytes: Buffer, offset: number, size: number): number {
    const end = offset + size
    for (let at = offset; at < end; ) {
      const found = bytes.indexOf(LF, at)
      const lineEnd = found < 0 || found >= end ? end : found
      this.#line += bytes.latin1Slice(at, lineEnd)
      if (this.#line.length > HANDSHAKE_LINE_SIZE_MAX) {
        this.#fail('Master replied with a line that is too long')
        return 0
      }
      if (lineEnd === end) return 0
      at = lineEnd + 1
      const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line
      this.#line = ''
      // An empty line only says that the primary is there.
      if (line !== '') this.#answer(line)
      if (this.#over) return end - at
    }
    return 0
  }

  #answer(line: string): void {
    const step = this.#awaited.shift()
    if (step === 'ping') this.#pong(line)
    else if (step === 'psync') this.#synced(line)
    else if (step === 'auth') {
      if (line.startsWith('-')) this.#fail(`Unable to AUTH to MASTER: ${line}`)
    } else if (line.startsWith('-')) {
      this.#server.log.notice(`(Non critical) Master does not understand REPLCONF ${step}: ${line}`)
    }
    if (step === 'capabilities' && !this.#over) this.#synchronize()
  }

  /** The primary is there: this server says what it is. */
  #pong(line: string): void {
    const { log, settings } = this.#server
    const mayGoOn = /^\+|^-(NOAUTH|NOPERM|ERR operation not permitted)/.test(line)
    if (!mayGoOn) return this.#fail(`Error reply to PING from master: '${line}'`)
    log.notice('Master replied to PING, replication can continue...')
    const password = settings.bytes('masterauth')
    if (password.length > 0) {
      const user = settings.text('masteruser')
      const login = user === '' ? [password] : [Buffer.from(user, 'latin1'), password]
      this.#ask('auth', 'AUTH', ...login)
    }
    const port = settings.int('replica-announce-port') || this.#ownPort()
    this.#ask('port', 'REPLCONF', 'listening-port', String(port))
    const ip = settings.text('replica-announce-ip')
    if (ip !== '') this.#ask('address', 'REPLCONF', 'ip-address', ip)
    this.#ask('capabilities', 'REPLCONF', 'capa', 'eof', 'capa', 'psync2')
  }

  #ownPort(): number {
    const { settings } = this.#server
    const tlsPort = settings.int('tls-port')
    return settings.bool('tls-replication') && tlsPort > 0 ? tlsPort : settings.int('port')
  }

  #synchronize(): void {
    const { id, offset, hasHistory } = this.#replication
    const { log } = this.#server
    const extra = this.#owner.handsOver ? ['FAILOVER'] : []
    if (hasHistory) {
      log.notice(`Trying a partial resynchronization (request ${id}:${offset + 1}).`)
      this.#ask('psync', 'PSYNC', id, String(offset + 1), ...extra)
    } else {
      log.notice('Partial resynchronization not possible (no cached master)')
      this.#ask('psync', 'PSYNC', '?', '-1', ...extra)
    }
  }

  #synced(line: string): void {
    const { log, failover } = this.#server
    const [word, id = '', offset = ''] = line.split(' ')
    if (word === '+CONTINUE') {
      log.notice('Successful partial resynchronization with master.')
      failover.succeeded()
      this.#over = true
      this.#owner.continues(id)
    } else if (word === '+FULLRESYNC' && id !== '' && /^\d+$/.test(offset)) {
      log.notice(`Full resync from master: ${id}:${offset}`)
      failover.succeeded()
      this.#over = true
      this.#owner.begins(id, Number(offset))
    } else {
      failover.refused('Failover target rejected psync request')
      const isLater = word === '-NOMASTERLINK' || word === '-LOADING'
      this.#fail(
        isLater
          ? `Master is currently unable to PSYNC but should be in the future: ${line}`
          : `Unexpected reply to PSYNC from master: ${line}`,
      )
    }
  }

  #ask(step: Step, ...words: (string | Uint8Array)[]): void {
    this.#awaited.push(step)
    this.#owner.send(...words)
  }

  #fail(text: string): void {
    this.#over = true
    this.#server.log.warning(text)
    this.#owner.failed()
  }
}
