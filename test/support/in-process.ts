/**
 * Our server inside the test process: the core over bridge memory, with this file playing the io
 * thread and giving the disk thread its turns. Nothing here waits: time passes when the test says so, and a reply that has not come after
 * a turn comes only with time.
 *
 * Thread: any.
 * Owns: the memory of one server, its pretended sockets, a directory for its files.
 * Never: opens a socket or starts a thread.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FromCore } from '../../src/bridge/control.ts'
import {
  createBridgeMemory,
  REPLY_HEAD,
  REPLY_TAIL,
  REQUEST_HEAD,
  REQUEST_TAIL,
} from '../../src/bridge/memory.ts'
import { CLOSED_BY_PEER, type DialOrder } from '../../src/bridge/message.ts'
import { RingReader, RingWriter } from '../../src/bridge/ring.ts'
import { Settings } from '../../src/config/settings.ts'
import { Loop } from '../../src/core/loop.ts'
import { Server } from '../../src/core/server.ts'
import { DiskThread } from '../../src/disk/thread.ts'
import { Connection, type ConnectionSocket } from '../../src/io/connection.ts'
import { type ConnectionOwner, Connections } from '../../src/io/connections.ts'
import { Delivery, type DeliveryOwner } from '../../src/io/delivery.ts'
import { Intake } from '../../src/io/intake.ts'
import { CommandLookup } from '../../src/lib/command-lookup.ts'
import { type Reply, ReplyParser } from './reply.ts'

/** Small, so that values move between arenas and memory runs out within reach of a test. */
const ARENA_COUNT = 3
const ARENA_SIZE = 4 * 1024 * 1024
/** Large: nobody drains replies during a turn. Pages that are not touched cost nothing. */
const REQUEST_RING_SIZE = 16 * 1024 * 1024
const REPLY_RING_SIZE = 64 * 1024 * 1024
/** Files of all servers of this process. */
const DIRECTORY = join(tmpdir(), `redbun-in-process-${process.pid}`)
let instances = 0
process.on('exit', () => rmSync(DIRECTORY, { recursive: true, force: true }))
const HASH_SEED = 12345
const RANDOM_SEED = 54321
/** Turns after which a server that is still busy is taken to be stuck. */
const TURNS_MAX = 100_000

const NOWHERE = {
  address: '',
  localAddress: '',
  fd: -1,
  tls: false,
  unix: false,
  loopback: false,
}

export interface InProcessOptions {
  readonly arenaCount?: number
  readonly arenaSize?: number
  readonly hashSeed?: number
  /** Directives as CONFIG SET takes them. */
  readonly settings?: Readonly<Record<string, string>>
}

export class InProcessServer implements ConnectionOwner, DeliveryOwner {
  readonly server: Server
  /** What the core has told the main thread. */
  readonly messages: FromCore[] = []
  readonly #loop: Loop
  readonly #connections = new Connections(1024)
  readonly #intake: Intake
  readonly #delivery: Delivery
  readonly #disk: DiskThread

  constructor(options: InProcessOptions = {}) {
    const settings = new Settings()
    mkdirSync(DIRECTORY, { recursive: true })
    settings.adopt({
      dir: DIRECTORY,
      dbfilename: `${++instances}.rdb`,
      save: '',
      'enable-debug-command': 'yes',
      'enable-protected-configs': 'yes',
      ...options.settings,
    })
    const hashSeed = options.hashSeed ?? HASH_SEED
    const memory = createBridgeMemory(1, REQUEST_RING_SIZE, REPLY_RING_SIZE, 1024)
    this.server = new Server({
      memory,
      settings: settings.toPlain(),
      renames: [],
      users: [],
      secret: Buffer.from('secret'),
      hashSeed,
      randomSeed: RANDOM_SEED,
      processId: process.pid,
      runId: '0'.repeat(40),
      startedMs: Date.now(),
      executable: process.execPath,
      processorCount: 2,
      configFile: '',
      arenaSize: options.arenaSize ?? ARENA_SIZE,
      arenaCount: options.arenaCount ?? ARENA_COUNT,
    })
    this.#loop = new Loop(this.server)
    const link = memory.links[0]
    const words = new Int32Array(link.words)
    this.#intake = new Intake(
      new RingWriter(link.requests, words, REQUEST_HEAD, REQUEST_TAIL),
      words,
      new Int32Array(memory.process),
      hashSeed,
      settings.int('proto-max-bulk-len'),
    )
    const replies = new RingReader(link.replies, words, REPLY_HEAD, REPLY_TAIL)
    this.#delivery = new Delivery(replies, words, this.#connections, this)
    this.#disk = new DiskThread(memory, {
      log: (level, text) => this.messages.push({ type: 'log', level, text }),
      fatal: (text) => this.messages.push({ type: 'fatal', text }),
    })
    this.server.disk.idle = () => {
      if (!this.#disk.turn()) throw new Error('the core waits for a disk thread that has no work')
    }
    this.server.begin()
    this.settle()
  }

  connect(): InProcessClient {
    const socket = new PretendedSocket(this)
    const connection = this.#connections.open(
      socket as unknown as ConnectionSocket,
      (id, itself) => new Connection(this, id, itself),
    )
    if (connection === undefined) throw new Error('no free connection slot')
    connection.authenticated = !this.server.users.passwordRequired
    this.#intake.opened(connection, {
      address: `127.0.0.1:${10_000 + connection.id}`,
      localAddress: '127.0.0.1:6379',
      fd: 10 + connection.id,
      tls: false,
      unix: false,
      loopback: true,
    })
    this.settle()
    return new InProcessClient(this, connection, socket)
  }

  /** Lets the core work until it has nothing to do, and delivers its replies. */
  settle(): void {
    for (let turns = 0; turns < TURNS_MAX; turns++) {
      const requests = this.#loop.turn()
      const written = this.#disk.turn()
      const delivered = this.#delivery.deliver()
      const starved = this.#intake.hasStarved
      if (starved) this.#intake.pump()
      if (requests === 0 && !written && !delivered && !starved) return
    }
    throw new Error(`the core is still busy after ${TURNS_MAX} turns`)
  }

  /** Lets time pass. */
  advance(ms: number): void {
    this.server.clock.advance(ms)
    this.settle()
  }

  take(connection: Connection, bytes: Buffer): void {
    this.#intake.take(connection, bytes)
    this.settle()
  }

  closed(connection: Connection): void {
    connection.socketClosed()
    if (!connection.reported) {
      connection.reported = true
      this.#intake.closed(connection, CLOSED_BY_PEER)
    }
    this.#connections.close(connection)
  }

  control(message: FromCore): void {
    if (message.type === 'commands') this.#intake.useLookup(new CommandLookup(message.commands))
    else this.messages.push(message)
  }

  /** Nobody answers: there is no network. */
  dial({ number }: DialOrder): void {
    this.#intake.dialed(0, { number, error: 'Connection refused', info: NOWHERE })
  }

  held(connection: Connection, hold: boolean): void {
    connection.held = hold
    if (!hold) this.#intake.release(connection)
  }

  countWrite(): void {}
  countSent(): void {}
  outputGrew(): void {}
  outputShrank(): void {}
}

/** What a connection needs of a socket: it takes everything at once. */
class PretendedSocket {
  readonly #owner: InProcessServer
  readonly replies: Reply[] = []
  readonly #parser = new ReplyParser()
  connection: Connection | undefined = undefined
  isEnded = false

  constructor(owner: InProcessServer) {
    this.#owner = owner
  }

  write(bytes: Buffer, offset: number, length: number): number {
    this.replies.push(...this.#parser.feed(bytes.subarray(offset, offset + length)))
    return length
  }

  shutdown(): void {
    this.terminate()
  }

  end(): void {
    this.terminate()
  }

  close(): void {
    this.terminate()
  }

  terminate(): void {
    if (this.isEnded) return
    this.isEnded = true
    if (this.connection !== undefined) this.#owner.closed(this.connection)
  }

  pause(): void {}
  resume(): void {}
}

export class InProcessClient {
  readonly #server: InProcessServer
  readonly #connection: Connection
  readonly #socket: PretendedSocket

  constructor(server: InProcessServer, connection: Connection, socket: PretendedSocket) {
    this.#server = server
    this.#connection = connection
    this.#socket = socket
    socket.connection = connection
  }

  get isEnded(): boolean {
    return this.#socket.isEnded
  }

  /** Replies that have come and were not asked for. */
  get unread(): number {
    return this.#socket.replies.length
  }

  write(bytes: Uint8Array): void {
    if (!this.isEnded) this.#server.take(this.#connection, Buffer.from(bytes))
  }

  /** The next reply; lets up to `patienceMs` pass for it. Throws: an Error when there is none. */
  next(patienceMs: number): Reply {
    for (let waitedMs = 0; waitedMs <= patienceMs; waitedMs += 10) {
      const reply = this.#socket.replies.shift()
      if (reply !== undefined) return reply
      if (this.isEnded) throw new Error('the connection was closed')
      this.#server.advance(10)
    }
    throw new Error(`no reply within ${patienceMs} ms`)
  }

  close(): void {
    if (!this.isEnded) this.#socket.terminate()
    this.#server.settle()
  }
}

/** What the core has logged, for a test that looks. */
export function loggedLines(server: InProcessServer): string[] {
  return server.messages.flatMap((message) => (message.type === 'log' ? [message.text] : []))
}
