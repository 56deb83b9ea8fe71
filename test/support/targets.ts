/**
 * What rows run against: our server inside the test process, our server as a process, and a real
 * redis-server; or, with TARGET=host:port in the environment, that server alone.
 *
 * Thread: any.
 * Owns: one server of each kind for the whole run of tests, started when first wanted.
 * Never: compares with a Redis of another version than the one we answer as; empties a TARGET that
 * held keys when it was first met.
 */
import type { Address, Client } from './client.ts'
import { Client as SocketClient } from './client.ts'
import type { InProcessClient, InProcessServer } from './in-process.ts'
import type { Reply } from './reply.ts'
import { type RunningServer, redisServerPath, startRedbun, startRedis } from './server.ts'

/** One connection, whatever is at its other end. */
export interface Connected {
  readonly isEnded: boolean
  /** Replies that have come and were not asked for. */
  readonly unread: number
  write(bytes: Uint8Array): void
  /** Throws: an Error when none comes in `patienceMs`, or the connection has ended. */
  next(patienceMs: number): Promise<Reply>
  /** Lets what is on its way arrive. */
  settle(): Promise<void>
  close(): void
}

export interface Target {
  readonly name: string
  /** False for a real Redis. */
  readonly isRedbun: boolean
  connect(): Promise<Connected>
  /** Lets time pass. */
  advance(ms: number): Promise<void>
}

/** How long a socket is given to say something that it should not say. */
const SILENCE_MS = 25

class SocketConnection implements Connected {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  get isEnded(): boolean {
    return this.#client.isEnded
  }

  get unread(): number {
    return this.#client.unread
  }

  write(bytes: Uint8Array): void {
    this.#client.write(bytes)
  }

  next(patienceMs: number): Promise<Reply> {
    return this.#client.next(patienceMs)
  }

  settle(): Promise<void> {
    return Bun.sleep(SILENCE_MS)
  }

  close(): void {
    this.#client.terminate()
  }
}

class SocketTarget implements Target {
  readonly name: string
  readonly isRedbun: boolean
  readonly #address: Address

  constructor(name: string, isRedbun: boolean, address: Address) {
    this.name = name
    this.isRedbun = isRedbun
    this.#address = address
  }

  async connect(): Promise<Connected> {
    return new SocketConnection(await SocketClient.connect(this.#address))
  }

  advance(ms: number): Promise<void> {
    return Bun.sleep(ms)
  }
}

class InProcessConnection implements Connected {
  readonly #client: InProcessClient

  constructor(client: InProcessClient) {
    this.#client = client
  }

  get isEnded(): boolean {
    return this.#client.isEnded
  }

  get unread(): number {
    return this.#client.unread
  }

  write(bytes: Uint8Array): void {
    try {
      this.#client.write(bytes)
    } catch (error) {
      // Whatever the core throws, it is not to be trusted any more.
      local = undefined
      throw error
    }
  }

  async next(patienceMs: number): Promise<Reply> {
    return this.#client.next(patienceMs)
  }

  async settle(): Promise<void> {}

  close(): void {
    this.#client.close()
  }
}

class InProcessTarget implements Target {
  readonly name = 'in-process'
  readonly isRedbun = true
  readonly #server: InProcessServer

  constructor(server: InProcessServer) {
    this.#server = server
  }

  async connect(): Promise<Connected> {
    return new InProcessConnection(this.#server.connect())
  }

  async advance(ms: number): Promise<void> {
    this.#server.advance(ms)
  }
}

const only = process.env['TARGET']
let local: InProcessServer | undefined
let redbun: RunningServer | undefined
let redis: RunningServer | undefined
let redisIsMissing = redisServerPath === ''
let saidSo = false
let targetChecked = false

/** What a suite runs against. A server that died since the last suite is started again. */
export async function targets(): Promise<Target[]> {
  if (only !== undefined) return [await targetAt(only)]
  const found: Target[] = [await inProcess()]
  if (redbun === undefined || !redbun.isRunning) redbun = await startRedbun()
  found.push(new SocketTarget('socket', true, redbun.address))
  if (!redisIsMissing && (redis === undefined || !redis.isRunning)) redis = await fittingRedis()
  if (redis !== undefined && !redisIsMissing) {
    found.push(new SocketTarget('redis', false, redis.address))
  } else if (!saidSo) {
    saidSo = true
    console.log('No redis-server 7.0 on this machine: rows are not compared with a real Redis.')
  }
  return found
}

/** What our server process has logged: shown where a row failed because it died. */
export function redbunLog(): string {
  return redbun === undefined || redbun.isRunning ? '' : redbun.log
}

async function inProcess(): Promise<Target> {
  // Not at the top: a run against TARGET needs nothing of the server.
  const { InProcessServer } = await import('./in-process.ts')
  local ??= new InProcessServer()
  return new InProcessTarget(local)
}

async function fittingRedis(): Promise<RunningServer | undefined> {
  const server = await startRedis()
  const client = await server.connect()
  const info = await client.text('INFO server')
  if (info.includes('redis_version:7.0.')) return server
  redisIsMissing = true
  await server.stop('SIGKILL')
  return undefined
}

async function targetAt(place: string): Promise<Target> {
  const colon = place.lastIndexOf(':')
  const address = { host: place.slice(0, colon), port: Number(place.slice(colon + 1)) }
  const client = await SocketClient.connect(address)
  const info = await client.text('INFO everything')
  client.terminate()
  // Suites begin with FLUSHALL: somebody's data must never be at the other end.
  if (!targetChecked && /^db\d+:/m.test(info)) {
    throw new Error(`the server at ${place} holds keys; rows would delete them`)
  }
  targetChecked = true
  return new SocketTarget(place, info.includes('redbun'), address)
}
