/**
 * One connection to a server: arguments go out, replies come in, in their order.
 *
 * Thread: the client's only one.
 * Owns: the socket; replies nobody has asked for yet.
 * Never: prints, connects again by itself.
 */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { encodeArgv } from '../lib/resp/command-writer.ts'
import { type Reply, ReplyParser } from '../lib/resp/reply-parser.ts'
import type { Options, TlsOptions } from './options.ts'

/** What the system says, where it is known by a code only. */
const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  ENOENT: 'No such file or directory',
  ENOTFOUND: 'Name or service not known',
  EAI_AGAIN: 'Temporary failure in name resolution',
  ETIMEDOUT: 'Connection timed out',
  EACCES: 'Permission denied',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
}

export class Connection {
  /** Why nothing more comes; undefined while the connection is open. */
  closed: string | undefined
  readonly #socket: Socket
  readonly #parser = new ReplyParser()
  #waiting: (() => void) | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#parser.feed(chunk)
      this.#wake()
    })
    socket.on('error', (error) => this.#end(systemText(error)))
    socket.on('close', () => this.#end('Server closed the connection'))
  }

  send(args: readonly (string | Uint8Array)[]): void {
    this.#socket.write(encodeArgv(args))
  }

  /** Sends bytes as they are. Resolves when the socket wants more. */
  async sendBytes(bytes: Uint8Array): Promise<void> {
    if (this.#socket.write(bytes) || this.closed !== undefined) return
    await new Promise<void>((resolve) => {
      this.#socket.once('drain', resolve)
      this.#socket.once('close', () => resolve())
    })
  }

  /** The next reply, pushes included; undefined once the connection is closed. */
  async read(): Promise<Reply | undefined> {
    for (;;) {
      const reply = this.#parser.next()
      if (reply !== undefined) return reply
      if (this.#parser.broken !== undefined) this.#end(this.#parser.broken)
      if (this.closed !== undefined) return undefined
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
  }

  close(): void {
    this.#end('Server closed the connection')
  }

  #end(reason: string): void {
    this.closed ??= reason
    this.#socket.destroy()
    this.#wake()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.()
  }
}

/** Connects. Gives the text of what went wrong. */
export function open(options: Options): Promise<Connection | string> {
  return new Promise((resolve) => {
    let socket: Socket
    try {
      socket = dial(options)
    } catch (error) {
      resolve(systemText(error))
      return
    }
    socket.once('error', (error) => resolve(systemText(error)))
    socket.once('close', () => resolve('Server closed the connection'))
    const ready = options.tls === undefined ? 'connect' : 'secureConnect'
    socket.once(ready, () => resolve(new Connection(socket)))
  })
}

function dial(options: Options): Socket {
  const { host, port, socket: path, tls } = options
  const address = path === undefined ? { host, port } : { path }
  if (tls === undefined) return connect(address)
  return connectTls({ ...address, ...tlsSettings(tls, host) })
}

function tlsSettings(tls: TlsOptions, host: string): Record<string, unknown> {
  const name = tls.serverName ?? (/[a-z]/i.test(host) && !host.includes(':') ? host : undefined)
  return {
    ...(tls.caFile === undefined ? {} : { ca: readFileSync(tls.caFile) }),
    ...(tls.certFile === undefined ? {} : { cert: readFileSync(tls.certFile) }),
    ...(tls.keyFile === undefined ? {} : { key: readFileSync(tls.keyFile) }),
    ...(name === undefined ? {} : { servername: name }),
    rejectUnauthorized: !tls.insecure,
    // As redis-cli: the chain is checked, the host name in the certificate is not.
    checkServerIdentity: () => undefined,
  }
}

/** What the system says of an error. */
export function systemText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? String(error.code) : ''
  return SYSTEM_ERRORS[code] ?? error.message
}
