/**
 * Connections that the core asked for: to a primary, to the target of MIGRATE.
 *
 * Thread: io.
 * Owns: nothing: a connection that stands belongs to the thread as any other.
 * Never: knows what is said on one.
 */
import { readFileSync } from 'node:fs'
import type { DialOrder, OpenedInfo } from '../bridge/message.ts'
import type { Settings } from '../config/settings.ts'
import type { Connection, ConnectionSocket } from './connection.ts'
import type { SocketHandlers } from './listener.ts'
import { openedInfo } from './peer.ts'

/** Who is told what became of a dial: one of the two, once. */
export interface DialOutcome {
  /** False when there is no room for the connection: then it is closed again. */
  opened(socket: ConnectionSocket, info: OpenedInfo): boolean
  failed(error: string, info: OpenedInfo): void
}

const NOWHERE: OpenedInfo = {
  address: '',
  localAddress: '',
  fd: -1,
  tls: false,
  unix: false,
  loopback: false,
}
const NO_ROOM = 'no free connection slot'

/**
 * Opens a connection, and then hands its events to `handlers`. From an address that this machine does
 * not have it calls from any.
 */
export function dial(
  order: DialOrder,
  settings: Settings,
  handlers: SocketHandlers,
  outcome: DialOutcome,
): void {
  dialFrom(order.source, order, settings, handlers, outcome)
}

/** `source`: empty for whichever the system takes. */
function dialFrom(
  source: string,
  order: DialOrder,
  settings: Settings,
  handlers: SocketHandlers,
  outcome: DialOutcome,
): void {
  let answered = false
  const fail = (error: string) => {
    if (answered) return
    answered = true
    outcome.failed(error, NOWHERE)
  }
  const cannotConnect = (error: Error) => {
    if (answered || source === '' || (error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL') {
      return fail(reason(error))
    }
    answered = true
    dialFrom('', order, settings, handlers, outcome)
  }
  const open = (socket: ConnectionSocket) => {
    answered = true
    if (outcome.opened(socket, openedInfo(socket, order.tls, ''))) return
    outcome.failed(NO_ROOM, NOWHERE)
    socket.terminate()
  }
  const shared = {
    binaryType: 'buffer' as const,
    data: (socket: ConnectionSocket, chunk: Buffer) => handlers.data(socket, chunk),
    drain: (socket: ConnectionSocket) => handlers.drain(socket),
    end: (socket: ConnectionSocket) => handlers.end(socket),
    close: (socket: ConnectionSocket) => {
      fail('connection closed')
      handlers.close(socket)
    },
    connectError: (_socket: ConnectionSocket, error: Error) => cannotConnect(error),
    error: () => {}, // A broken socket is closed next; that is all there is to know.
  }
  const from = source === '' ? {} : { localAddress: source }
  const address = { hostname: order.host, port: order.port, allowHalfOpen: true, ...from }
  try {
    const dialled = order.tls
      ? Bun.connect<Connection | undefined>({
          ...address,
          tls: clientTls(settings, order.host),
          socket: {
            ...shared,
            handshake: (socket, success, error) => {
              if (success && error === null) return open(socket)
              fail(error === null ? 'TLS handshake failed' : reason(error))
              socket.terminate()
            },
          },
        })
      : Bun.connect<Connection | undefined>({ ...address, socket: { ...shared, open } })
    dialled.catch(cannotConnect)
  } catch (error) {
    fail(reason(error as Error))
  }
}

/** As C's strerror says the frequent ones. */
function reason(error: Error): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return 'Connection refused'
  if (code === 'EHOSTUNREACH') return 'No route to host'
  if (code === 'ETIMEDOUT') return 'Connection timed out'
  return message
}

/**
 * Certificates for the side that dials: its own pair where one is set, else the server's.
 * Throws: an Error when a file cannot be read.
 */
function clientTls(settings: Settings, host: string) {
  const own = settings.text('tls-client-cert-file') !== ''
  const prefix = own ? 'tls-client' : 'tls'
  const file = (name: 'cert-file' | 'key-file') => {
    const path = settings.text(`${prefix}-${name}` as 'tls-cert-file')
    return path === '' ? undefined : readFileSync(path, 'utf8')
  }
  const authority = settings.text('tls-ca-cert-file')
  return {
    serverName: host,
    cert: file('cert-file'),
    key: file('key-file'),
    passphrase: settings.text(`${prefix}-key-file-pass` as 'tls-key-file-pass'),
    ca: authority === '' ? undefined : readFileSync(authority, 'utf8'),
    // A peer is known by its authority, not by its name: replicas are addressed by number.
    checkServerIdentity: () => undefined,
    rejectUnauthorized: true,
  }
}
