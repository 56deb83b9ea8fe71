/**
 * One io thread: sockets on one side, a pair of rings on the other. The main thread is the first of
 * them; `io-threads N` makes N-1 Workers more, which listen on the same port.
 *
 * A turn is one round of the event loop in which something arrived: requests are written and
 * published as they come, replies are delivered whenever there are any, and at the end of the turn
 * the thread parks, so that the core wakes it for what comes later.
 *
 * Thread: io. Hot path.
 * Owns: its connections, its ends of the rings, the turn.
 * Never: knows a key, a user or a database.
 */
import { encode } from '@msgpack/msgpack'
import type { FromCore, ToCore } from '../bridge/control.ts'
import { CoreFollower } from '../bridge/core-follower.ts'
import {
  ACTIVE_CONNECTIONS,
  type BridgeMemory,
  BYTES_IN,
  BYTES_OUT,
  CONNECTED,
  HELD_BYTES,
  IO_PARKED,
  READS,
  REJECTED,
  REPLY_HEAD,
  REPLY_TAIL,
  REQUEST_HEAD,
  REQUEST_TAIL,
  SLOT_INPUT_BYTES,
  SLOT_OUTPUT_BYTES,
  SLOT_SPARE_BYTES,
  SLOT_UNREAD_BYTES,
  SLOT_WORDS,
  WRITES,
} from '../bridge/memory.ts'
import {
  CLASS_REPLICA,
  CLOSED_BY_OUTPUT_LIMIT,
  CLOSED_BY_PEER,
  CLOSED_BY_QUERY_LIMIT,
  connectionSlot,
  type DialOrder,
  KIND_CONTROL,
} from '../bridge/message.ts'
import { RingReader, RingWriter } from '../bridge/ring.ts'
import {
  addShared,
  fewConnectionsMax,
  isRoomy,
  LoopWaiter,
  publishNumber,
  unpark,
} from '../bridge/wake.ts'
import { yieldProcessor } from '../bridge/yield.ts'
import {
  ACTIVITY_WINDOW_MS,
  BROADCAST_WAIT_MS_MAX,
  CONNECTION_SLOTS,
  IO_LINGER_ROUNDS_FEW,
  IO_LINGER_ROUNDS_MANY,
  IO_SPIN_TURNS,
  IO_SPIN_TURNS_TIGHT,
  OUTPUT_LIMIT_PERIOD_MS,
  SPIN_YIELD_PERIOD,
} from '../config/limits.ts'
import type { Settings } from '../config/settings.ts'
import { CommandLookup, type LookupItem } from '../lib/command-lookup.ts'
import { Connection, type ConnectionSocket } from './connection.ts'
import { type ConnectionOwner, Connections } from './connections.ts'
import { Delivery, type DeliveryOwner } from './delivery.ts'
import { dial } from './dialer.ts'
import { Intake } from './intake.ts'
import { Listeners, type SocketHandlers, SPREADS } from './listener.ts'
import { OutputLimits } from './output-limits.ts'
import { openedInfo } from './peer.ts'

export interface IoThreadOptions {
  readonly memory: BridgeMemory
  /** Which link of `memory` is this thread's. */
  readonly index: number
  readonly settings: Settings
  /** Other threads listen on the same port. */
  readonly sharesPort: boolean
  readonly hashSeed: number
  /** Processors that this process may use. */
  readonly processorCount: number
  /** Receives control messages that are for the main thread. */
  readonly onControl: (message: FromCore) => void
  /** Log line at debug level; undefined when that level is off. */
  readonly debug: ((text: string) => void) | undefined
  readonly warn: (text: string) => void
}

const TOO_MANY_CLIENTS = Buffer.from('-ERR max number of clients reached\r\n')

export class IoThread implements ConnectionOwner, DeliveryOwner, SocketHandlers {
  readonly listeners: Listeners
  #debug: ((text: string) => void) | undefined = undefined
  readonly #options: IoThreadOptions
  readonly #settings: Settings
  readonly #link: Int32Array
  readonly #process: Int32Array
  readonly #counters: Float64Array
  readonly #slots: Int32Array
  readonly #connections = new Connections(CONNECTION_SLOTS)
  readonly #intake: Intake
  readonly #delivery: Delivery
  readonly #waiter: LoopWaiter
  readonly #limits: OutputLimits
  readonly #follower: CoreFollower
  readonly #make = (id: number, socket: ConnectionSocket) => new Connection(this, id, socket)
  readonly #makeRaw = (id: number, socket: ConnectionSocket) =>
    new Connection(this, id, socket, true)
  readonly #endTurn = () => this.#turnEnds()
  #inTurn = false
  #stopped = false
  #window = 1
  #windowStartMs = 0
  #windowCount = 0
  #activeCount = 0
  #idleRounds = 0
  /** Since when messages to many wait; 0: none do. */
  #broadcastSinceMs = 0
  readonly #roomy: boolean
  /** With more connections active than this, nobody looks for what may come. */
  readonly #fewMax: number
  /** Rounds of the event loop before sleeping in it, with few and many connections active. */
  readonly #lingerFew: number
  readonly #lingerMany: number
  readonly #spinTurns: number
  #outputTimer: ReturnType<typeof setInterval> | undefined = undefined
  #queryLimit: number
  #keepAliveMs: number
  #passwordRequired: boolean

  constructor(options: IoThreadOptions) {
    const memory = options.memory.links[options.index]
    this.#options = options
    this.#settings = options.settings
    this.#link = new Int32Array(memory.words)
    this.#process = new Int32Array(options.memory.process)
    this.#counters = new Float64Array(memory.counters)
    this.#follower = new CoreFollower(this.#process, true)
    this.#slots = new Int32Array(memory.slots)
    const requests = new RingWriter(memory.requests, this.#link, REQUEST_HEAD, REQUEST_TAIL)
    const replies = new RingReader(memory.replies, this.#link, REPLY_HEAD, REPLY_TAIL)
    this.#intake = new Intake(
      requests,
      this.#link,
      this.#process,
      options.hashSeed,
      options.settings.int('proto-max-bulk-len'),
    )
    this.#intake.spares.changed = (connection) => this.#noteInput(connection)
    this.#delivery = new Delivery(replies, this.#link, this.#connections, this)
    this.#waiter = new LoopWaiter(this.#link, IO_PARKED, () => this.#turnEnds())
    this.#limits = new OutputLimits(options.settings)
    this.listeners = new Listeners(
      this,
      SPREADS && (options.sharesPort || options.settings.int('io-threads') > 1),
    )
    const roomy = isRoomy(options.processorCount, options.memory.links.length)
    this.#roomy = roomy
    this.#fewMax = fewConnectionsMax(roomy)
    this.#lingerFew = roomy ? IO_LINGER_ROUNDS_FEW : 0
    this.#lingerMany = roomy ? IO_LINGER_ROUNDS_MANY : 0
    this.#spinTurns = roomy ? IO_SPIN_TURNS : IO_SPIN_TURNS_TIGHT
    this.#queryLimit = options.settings.int('client-query-buffer-limit')
    this.#keepAliveMs = options.settings.int('tcp-keepalive') * 1000
    this.#passwordRequired = options.settings.text('requirepass') !== ''
    this.debug = options.debug
    this.#turnEnds()
  }

  /** Who writes the debug log; undefined when that level is off. */
  set debug(write: ((text: string) => void) | undefined) {
    this.#debug = write
    this.#intake.debug = write
    this.#delivery.debug = write
  }

  /** The commands by name; until they are known nobody may be let in. */
  // alloc: at start
  useCommands(commands: readonly LookupItem[]): void {
    this.#intake.useLookup(new CommandLookup(commands))
  }

  /** Closes everything, and does nothing any more: the core has ended. */
  // alloc: once
  stop(): void {
    this.#stopped = true
    this.#delivery.writeBroadcasts()
    this.#waiter.stop()
    this.#follower.release()
    clearInterval(this.#outputTimer)
    this.#intake.spares.stop()
    this.listeners.stop()
    this.#connections.forEach(({ socket }) => {
      socket.end()
    })
  }

  /** Lets this thread run anywhere until its next turn: a thread begins where the one that begins it may run. */
  roam(): void {
    this.#follower.release()
  }

  /** Sends a control message to the core. */
  tellCore(message: ToCore): void {
    const payload = encode(message)
    this.#intake.control(KIND_CONTROL, payload)
    this.#turn()
    this.#intake.wakeCore()
  }

  // alloc: once a connection, and only at debug level
  open(socket: ConnectionSocket, tls: boolean): void {
    if (addShared(this.#process, CONNECTED, 1) >= this.#settings.int('maxclients')) {
      this.#refuse(socket)
      return
    }
    const connection = this.#connections.open(socket, this.#make)
    if (connection === undefined) {
      this.#refuse(socket)
      return
    }
    socket.data = connection
    connection.authenticated = !this.#passwordRequired
    connection.encrypted = tls
    if (this.#keepAliveMs > 0) socket.setKeepAlive(true, this.#keepAliveMs)
    const info = openedInfo(socket, tls, this.#settings.text('unixsocket'))
    this.#intake.opened(connection, info)
    this.#debug?.(`Connection received from ${info.address}, id ${connection.id}`)
    this.#turn()
  }

  data(socket: ConnectionSocket, chunk: Buffer): void {
    const connection = socket.data
    if (connection === undefined || connection.deaf || this.#stopped) return
    this.#delivery.deliverReplies()
    this.#counters[BYTES_IN] += chunk.length
    this.#counters[READS]++
    this.#idleRounds = 0
    if (connection.activeWindow !== this.#window) {
      connection.activeWindow = this.#window
      this.#windowCount++
    }
    if (this.#debug !== undefined)
      this.#debug(`Message of ${chunk.length} bytes, id ${connection.id}`) // alloc: debug level
    if (connection.raw) {
      this.#intake.takeRaw(connection, chunk)
      this.#turn()
      return
    }
    const isSign = connection.outputClass === CLASS_REPLICA && isEmptyLine(chunk)
    this.#intake.take(connection, isSign ? signOfLife() : chunk)
    if (connection.unfinished !== undefined || this.#slots[this.#slot(connection)] !== 0) {
      this.#inputChanged(connection)
    }
    if (!this.#inTurn) this.#turn()
  }

  drain(socket: ConnectionSocket): void {
    socket.data?.drain()
  }

  end(socket: ConnectionSocket): void {
    const connection = socket.data
    if (connection === undefined) {
      socket.end()
      return
    }
    connection.peerEnded()
    this.#report(connection, CLOSED_BY_PEER)
  }

  // alloc: once a connection, and only at debug level
  close(socket: ConnectionSocket): void {
    const connection = socket.data
    socket.data = undefined
    if (connection === undefined) return
    if (!connection.raw) addShared(this.#process, CONNECTED, -1)
    this.#debug?.(`Connection closed, id ${connection.id}`)
    connection.socketClosed()
    this.#report(connection, CLOSED_BY_PEER)
    this.#note(connection, SLOT_INPUT_BYTES, 0)
    this.#note(connection, SLOT_OUTPUT_BYTES, 0)
    this.#note(connection, SLOT_SPARE_BYTES, 0)
    this.#slots[this.#slot(connection) + SLOT_UNREAD_BYTES] = 0
    this.#connections.close(connection)
  }

  countWrite(): void {
    this.#counters[WRITES]++
  }

  countSent(size: number): void {
    this.#counters[BYTES_OUT] += size
  }

  // alloc: a connection's end
  outputGrew(connection: Connection): void {
    this.#note(connection, SLOT_OUTPUT_BYTES, connection.outputSize)
    this.#watchOutputs()
    if (!this.#limits.exceeded(connection, performance.now())) return
    this.#options.warn(`Client id=${connection.id} closed for overcoming of output buffer limits.`)
    this.#report(connection, CLOSED_BY_OUTPUT_LIMIT)
    connection.closeNow()
  }

  /** Soft output limits are a matter of time: looked at as long as anybody's output waits. */
  // alloc: while a peer does not read
  #watchOutputs(): void {
    if (this.#outputTimer !== undefined) return
    this.#outputTimer = setInterval(() => {
      let waiting = 0
      this.#connections.forEach((connection) => {
        if (connection.outputSize === 0) return
        waiting++
        this.outputGrew(connection)
      })
      if (waiting > 0) return
      clearInterval(this.#outputTimer)
      this.#outputTimer = undefined
    }, OUTPUT_LIMIT_PERIOD_MS)
    this.#outputTimer.unref()
  }

  outputShrank(connection: Connection): void {
    this.#note(connection, SLOT_OUTPUT_BYTES, connection.outputSize)
    this.#limits.exceeded(connection, performance.now())
  }

  held(connection: Connection, hold: boolean): void {
    connection.held = hold
    if (hold) connection.pauseIfBusy()
    else this.#intake.release(connection)
  }

  control(message: FromCore): void {
    if (message.type === 'settings') this.#settingsChanged(message.changed)
    if (message.type === 'login') this.#passwordRequired = message.required
    this.#options.onControl(message)
  }

  #settingsChanged(changed: readonly (readonly [string, string])[]): void {
    const settings = this.#settings
    settings.adopt(Object.fromEntries(changed))
    this.#limits.adopt(settings)
    this.#queryLimit = settings.int('client-query-buffer-limit')
    this.#keepAliveMs = settings.int('tcp-keepalive') * 1000
    this.#intake.bulkSizeMax = settings.int('proto-max-bulk-len')
  }

  #refuse(socket: ConnectionSocket): void {
    this.#counters[REJECTED]++
    socket.write(TOO_MANY_CLIENTS)
    socket.end()
    addShared(this.#process, CONNECTED, -1)
  }

  /** Opens a connection to another server. It counts for no limit: the server itself wants it. */
  // alloc: once a dial
  dial(order: DialOrder): void {
    dial(order, this.#settings, this, {
      opened: (socket, info) => {
        if (this.#stopped) return false
        const connection = this.#connections.open(socket, this.#makeRaw)
        if (connection === undefined) return false
        socket.data = connection
        connection.encrypted = order.tls
        socket.setKeepAlive(true, this.#keepAliveMs)
        this.#intake.dialed(connection.id, { number: order.number, error: '', info })
        this.#turn()
        return true
      },
      failed: (error, info) => {
        if (this.#stopped) return
        this.#intake.dialed(0, { number: order.number, error, info })
        this.#turn()
      },
    })
  }

  /** The connection's last record: whatever follows from the core cannot reach it any more. */
  #report(connection: Connection, reason: number): void {
    if (connection.reported || this.#stopped) return
    if (connection.starved && !connection.gone && reason === CLOSED_BY_PEER) {
      connection.endsWhenFed = true
      return
    }
    connection.reported = true
    connection.deaf = true
    this.#intake.closed(connection, reason)
    this.#turn()
  }

  #slot(connection: Connection): number {
    return connectionSlot(connection.id) * SLOT_WORDS
  }

  /** Tells the core how many bytes are held for a connection, and for all together. */
  #note(connection: Connection, which: number, size: number): void {
    const at = this.#slot(connection) + which
    this.#counters[HELD_BYTES] += size - this.#slots[at]
    this.#slots[at] = size
  }

  #noteInput(connection: Connection): void {
    const { unfinished, spareInput } = connection
    const size = unfinished?.size ?? 0
    const room = unfinished?.bytes.length ?? 0
    this.#note(connection, SLOT_INPUT_BYTES, size)
    this.#note(connection, SLOT_SPARE_BYTES, room - size + (spareInput?.length ?? 0))
    this.#slots[this.#slot(connection) + SLOT_UNREAD_BYTES] = unfinished?.unreadSize ?? 0
  }

  // alloc: a connection's end
  #inputChanged(connection: Connection): void {
    const size = connection.unfinished?.size ?? 0
    this.#noteInput(connection)
    if (size <= this.#queryLimit) return
    this.#options.warn(`Closing client that reached max query buffer length: id=${connection.id}`)
    this.#report(connection, CLOSED_BY_QUERY_LIMIT)
    connection.closeNow()
  }

  /** Something happened: the turn will end after everything else that is ready now. */
  #turn(): void {
    if (this.#inTurn) return
    this.#inTurn = true
    unpark(this.#link, IO_PARKED)
    setImmediate(this.#endTurn)
  }

  #turnEnds(): void {
    this.#inTurn = false
    if (this.#stopped) return
    const nowMs = this.#advanceWindow()
    if (!this.#roomy) this.#follower.follow(true)
    do {
      // Writing to many takes a while, in which the core may work.
      if (this.#delivery.hasBroadcasts) this.#intake.wakeCore()
      this.#delivery.deliver()
      if (this.#intake.hasStarved) this.#pump()
      const asked = this.#intake.hasUnwoken
      this.#intake.wakeCore()
      if (asked && this.#activeCount <= this.#fewMax) this.#awaitReplies()
      if (this.#writesByParts(nowMs)) return this.#goRound()
      if (this.#lingers()) return
    } while (!this.#waiter.park() || !this.#delivery.isEmpty() || this.#intake.mayPump)
  }

  /**
   * Goes round the event loop for a moment instead of sleeping in it: the next request, or a reply,
   * is on its way, and sleeping and waking cost more. With few connections active that moment is
   * longer, because a sleeping processor is slow to wake. True while it goes round.
   */
  #lingers(): boolean {
    const few = this.#activeCount <= this.#fewMax
    if (this.#idleRounds++ >= (few ? this.#lingerFew : this.#lingerMany)) return false
    if (!few && this.#idleRounds > 1) yieldProcessor()
    this.#goRound()
    return true
  }

  /** True while messages to many wait for their next part. */
  #writesByParts(nowMs: number): boolean {
    if (!this.#delivery.hasBroadcasts) {
      this.#broadcastSinceMs = 0
      return false
    }
    if (this.#broadcastSinceMs === 0) this.#broadcastSinceMs = nowMs
    if (nowMs - this.#broadcastSinceMs < BROADCAST_WAIT_MS_MAX) return true
    this.#broadcastSinceMs = 0
    this.#delivery.writeBroadcasts()
    return false
  }

  /** Another turn, after what is ready by then. */
  #goRound(): void {
    this.#inTurn = true
    setImmediate(this.#endTurn)
  }

  /** Delivers what the core answers within a moment: that is cheaper than sleeping and waking. */
  #awaitReplies(): void {
    for (let turns = this.#spinTurns; turns > 0; turns--) {
      if (!this.#delivery.isEmpty()) {
        this.#delivery.deliver()
        return
      }
      if (this.#roomy && turns % SPIN_YIELD_PERIOD === 0) yieldProcessor()
    }
  }

  // alloc: only while connections wait for room
  #pump(): void {
    this.#intake.pump()
    this.#connections.forEach((connection) => {
      this.#noteInput(connection)
      if (connection.endsWhenFed && !connection.starved) {
        connection.endsWhenFed = false
        this.#report(connection, CLOSED_BY_PEER)
      }
    })
  }

  /** Gives the time. */
  #advanceWindow(): number {
    const nowMs = performance.now()
    if (nowMs - this.#windowStartMs < ACTIVITY_WINDOW_MS) return nowMs
    this.#windowStartMs = nowMs
    this.#window++
    if (this.#activeCount !== this.#windowCount) {
      this.#activeCount = this.#windowCount
      publishNumber(this.#link, ACTIVE_CONNECTIONS, this.#activeCount)
    }
    this.#windowCount = 0
    return nowMs
  }
}

const LF = 10

/** A replica that loads what it got says so: it is there, and has nothing to tell. */
function isEmptyLine(chunk: Buffer): boolean {
  for (let i = 0; i < chunk.length; i++) if (chunk[i] !== LF) return false
  return true
}

/** What the core gets for an empty line, of which it would hear nothing: the acknowledgement of nothing. */
// alloc: once a second while a replica loads
function signOfLife(): Buffer {
  return Buffer.from('REPLCONF ACK -1\r\n')
}
