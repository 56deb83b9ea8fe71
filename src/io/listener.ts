/**
 * Listening sockets: TCP, TLS and unix, all feeding the same kind of connection.
 *
 * Thread: io.
 * Owns: the listeners of one io thread.
 * Never: reads a request.
 */
import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs'
import type { SocketListener } from 'bun'
import type { Connection, ConnectionSocket } from './connection.ts'

/** Whether the system spreads connections over the threads that listen on one port. */
export const SPREADS = process.platform === 'linux'

/** What happens on sockets. */
export interface SocketHandlers {
  open(socket: ConnectionSocket, tls: boolean): void
  data(socket: ConnectionSocket, chunk: Buffer): void
  drain(socket: ConnectionSocket): void
  end(socket: ConnectionSocket): void
  close(socket: ConnectionSocket): void
}

/** PEM texts and what is asked of clients. */
export interface TlsOptions {
  readonly key: string
  readonly cert: string
  readonly ca: readonly string[]
  readonly passphrase: string
  /** `tls-auth-clients`: 'no', 'optional', 'yes'. */
  readonly clientCertificates: string
}

export class Listeners {
  readonly #handlers: SocketHandlers
  readonly #reusePort: boolean
  #tcp: SocketListener<Connection | undefined>[] = []
  #unix: SocketListener<Connection | undefined> | undefined = undefined

  constructor(handlers: SocketHandlers, reusePort: boolean) {
    this.#handlers = handlers
    this.#reusePort = reusePort
  }

  /** Throws: what Bun.listen throws, for an address that is taken or not here. */
  tcp(host: string, port: number, tls: TlsOptions | undefined): void {
    const options = {
      hostname: host,
      port,
      allowHalfOpen: true,
      reusePort: this.#reusePort,
      ipv6Only: host.includes(':'),
      socket: this.#socketHandlers(tls),
    }
    const listener = Bun.listen<Connection | undefined>(
      tls === undefined ? options : { ...options, tls: tlsSettings(tls) },
    )
    this.#tcp.push(listener)
  }

  /** `mode`: file mode of the socket, 0 to leave it as the system makes it. */
  unix(path: string, mode: number): void {
    if (existsSync(path) && lstatSync(path).isSocket()) unlinkSync(path)
    this.#unix = Bun.listen<Connection | undefined>({
      unix: path,
      allowHalfOpen: true,
      socket: this.#socketHandlers(undefined),
    })
    if (mode !== 0) chmodSync(path, mode)
  }

  /** Stops accepting on TCP and TLS; open connections stay. */
  stopTcp(): void {
    for (const listener of this.#tcp) listener.stop(false)
    this.#tcp = []
  }

  stop(): void {
    this.stopTcp()
    this.#unix?.stop(false)
    this.#unix = undefined
  }

  #socketHandlers(tls: TlsOptions | undefined) {
    const handlers = this.#handlers
    const shared = {
      binaryType: 'buffer' as const,
      data: (socket: ConnectionSocket, chunk: Buffer) => handlers.data(socket, chunk),
      drain: (socket: ConnectionSocket) => handlers.drain(socket),
      end: (socket: ConnectionSocket) => handlers.end(socket),
      close: (socket: ConnectionSocket) => handlers.close(socket),
      error: () => {}, // A broken socket is closed next; that is all there is to know.
    }
    if (tls === undefined) {
      return { ...shared, open: (socket: ConnectionSocket) => handlers.open(socket, false) }
    }
    const strict = tls.clientCertificates === 'yes'
    return {
      ...shared,
      handshake: (socket: ConnectionSocket, success: boolean, error: Error | null) => {
        if (!success || (strict && error !== null)) socket.terminate()
        else handlers.open(socket, true)
      },
    }
  }
}

function tlsSettings(tls: TlsOptions) {
  const asks = tls.clientCertificates !== 'no'
  return {
    key: tls.key,
    cert: tls.cert,
    ca: [...tls.ca],
    passphrase: tls.passphrase,
    requestCert: asks,
    rejectUnauthorized: tls.clientCertificates === 'yes',
  }
}
