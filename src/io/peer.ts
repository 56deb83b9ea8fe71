/**
 * What can be known of a peer from its socket.
 *
 * Thread: io.
 * Owns: how addresses are written.
 * Never: asks a name server.
 */
import type { OpenedInfo } from '../bridge/message.ts'
import type { ConnectionSocket } from './connection.ts'

export function openedInfo(socket: ConnectionSocket, tls: boolean, unixPath: string): OpenedInfo {
  const remote = socket.remoteAddress
  const fd = descriptor(socket)
  if (remote === undefined || remote === '') {
    const address = `${unixPath}:0`
    return { address, localAddress: address, fd, tls, unix: true, loopback: true }
  }
  const address = plain(remote)
  return {
    address: withPort(address, socket.remotePort),
    localAddress: withPort(plain(socket.localAddress), socket.localPort),
    fd,
    tls,
    unix: false,
    loopback: address.startsWith('127.') || address === '::1',
  }
}

/** An IPv4 address that came through an IPv6 socket, as IPv4. */
function plain(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address
}

function withPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function descriptor(socket: ConnectionSocket): number {
  const { fd } = socket as unknown as { readonly fd?: number }
  return typeof fd === 'number' ? fd : -1
}
