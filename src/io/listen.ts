/**
 * Opening the doors that the settings name.
 *
 * Thread: main, io.
 * Owns: the order and what a closed door means.
 * Never: reads a request.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Settings } from '../config/settings.ts'
import { type Listeners, SPREADS, type TlsOptions } from './listener.ts'

export interface ListenOutcome {
  readonly warnings: readonly string[]
  /** Why the server cannot start. */
  readonly failure: string | undefined
}

/** True for a directive that says where and how to listen. */
export function isAboutListening(name: string): boolean {
  return name === 'port' || name === 'bind' || name.startsWith('tls-')
}

/** Listens on every address of `bind`, for plain and TLS connections, and on the unix socket. */
export function listen(
  listeners: Listeners,
  settings: Settings,
  doors: { readonly unix: boolean },
): ListenOutcome {
  const warnings: string[] = []
  const port = settings.int('port')
  const tlsPort = settings.int('tls-port')
  try {
    const tls = tlsPort === 0 ? undefined : tlsOptions(settings)
    const open = (tls: TlsOptions | undefined) => (host: string, port: number) =>
      listeners.tcp(host, port, tls)
    if (port !== 0) bindAll(settings, port, 'TCP', open(undefined), warnings)
    if (tls !== undefined) bindAll(settings, tlsPort, 'TLS', open(tls), warnings)
    const path = settings.text('unixsocket')
    if (doors.unix && path !== '') listeners.unix(path, settings.int('unixsocketperm'))
  } catch (error) {
    return { warnings, failure: (error as Error).message }
  }
  return { warnings, failure: undefined }
}

/** A port that is taken, until it is released or listeners that cannot share it want it. */
export interface ReservedPort {
  readonly number: number
  release(): void
}

/**
 * Finds a port that is free and keeps it so for listeners that share it. Where none can share one
 * (`spreads` is false) it is given back at once, for the one listener that there will be. Throws: what
 * Bun.listen throws.
 */
export function reservePort(settings: Settings, spreads = SPREADS): ReservedPort {
  const [first = '127.0.0.1'] = addressesOf(settings)
  const hostname = hostOf(first.replace(/^-/, ''))
  const options = { hostname, port: 0, reusePort: spreads, socket: { data() {} } }
  const listener = Bun.listen(options)
  const { port } = listener
  if (!spreads) listener.stop(true)
  return { number: port, release: () => listener.stop(true) }
}

function addressesOf(settings: Settings): string[] {
  return settings
    .text('bind')
    .split(' ')
    .filter((address) => address !== '')
}

function hostOf(name: string): string {
  return name === '*' ? '0.0.0.0' : name === '::*' ? '::' : name
}

/**
 * Opens a port at every address of `bind`; `kind` says which. Throws: an Error whose message ends the
 * start, when one could not be had that must be.
 */
export function bindAll(
  settings: Settings,
  port: number,
  kind: string,
  open: (host: string, port: number) => void,
  warnings: string[],
): void {
  for (const address of addressesOf(settings)) {
    const optional = address.startsWith('-')
    const name = optional ? address.slice(1) : address
    try {
      open(hostOf(name), port)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (optional && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')) continue
      const reason = code === 'EADDRINUSE' ? 'bind: Address already in use' : message
      warnings.push(`Could not create server TCP listening socket ${name}:${port}: ${reason}`)
      if (optional && code !== 'EADDRINUSE') continue
      throw new Error(`Failed listening on port ${port} (${kind}), aborting.`)
    }
  }
}

/** Throws: an Error with the reason, when a file cannot be read or is missing. */
function tlsOptions(settings: Settings): TlsOptions {
  const cert = settings.text('tls-cert-file')
  const key = settings.text('tls-key-file')
  if (cert === '') throw new Error('Failed to configure TLS: tls-cert-file is not set')
  if (key === '') throw new Error('Failed to configure TLS: tls-key-file is not set')
  const clientCertificates = settings.text('tls-auth-clients')
  const caFile = settings.text('tls-ca-cert-file')
  const caDirectory = settings.text('tls-ca-cert-dir')
  if (clientCertificates !== 'no' && caFile === '' && caDirectory === '') {
    throw new Error(
      'Failed to configure TLS: either tls-ca-cert-file or tls-ca-cert-dir must be set when tls-auth-clients is not no',
    )
  }
  const ca: string[] = []
  if (caFile !== '') ca.push(readFileSync(caFile, 'utf8'))
  if (caDirectory !== '') {
    for (const name of readdirSync(caDirectory))
      ca.push(readFileSync(join(caDirectory, name), 'utf8'))
  }
  return {
    cert: readFileSync(cert, 'utf8'),
    key: readFileSync(key, 'utf8'),
    ca,
    passphrase: settings.text('tls-key-file-pass'),
    clientCertificates,
  }
}
