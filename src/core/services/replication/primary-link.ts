/**
 * The link to the primary, as its replica sees it: calling, introducing itself, getting the data set
 * where it cannot go on, then following the stream.
 *
 *     dial → PING → AUTH → REPLCONF ... → PSYNC ┬ +CONTINUE ────────────────┐
 *                                               └ +FULLRESYNC → snapshot ───┴→ stream
 *
 * Thread: core.
 * Owns: what was said last and what has to be answered; the session that the stream is applied as.
 * Never: gives up: a link that breaks is made again.
 */
import { WAITING_REQUESTS_SIZE } from '../../../config/limits.ts'
import { encodeArgv } from '../../../lib/resp/command-writer.ts'
import type { CommandEntry } from '../../command/table.ts'
import { HeldBytes } from '../../engine/held-bytes.ts'
import type { Peer, PeerOwner } from '../../engine/peers.ts'
import { Replay, type ReplayOwner } from '../../engine/replay.ts'
import type { Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'
import type { CopyOwner } from './copy.ts'
import { Handshake } from './handshake.ts'
import type { PrimaryAddress, Replication } from './replication.ts'
import { SyncedOffset } from './synced-offset.ts'
import { Transfer } from './transfer.ts'

const CONNECT = 0
const CONNECTING = 1
const HANDSHAKE = 2
const TRANSFER = 3
const ONLINE = 4
const STATE_NAMES = ['connect', 'connecting', 'handshake', 'sync', 'connected']
/** Sent while the snapshot is on its way, so that the primary does not lose patience. */
const NEWLINE = Buffer.from('\n')

const DISK_WARNING_PERIOD_MS = 10_000

export class PrimaryLink implements PeerOwner, ReplayOwner {
  readonly primary: PrimaryAddress
  readonly #server: Server
  readonly #replication: Replication
  #state = CONNECT
  #peer: Peer | undefined = undefined
  #handshake: Handshake | undefined = undefined
  #transfer: Transfer | undefined = undefined
  #replay: Replay | undefined = undefined
  /** Bytes applied, and where a transaction that is not whole yet began. */
  #applied = 0
  /** Bytes of the stream that have come and are not settled; how many were, since the link stands. */
  readonly #unsettled = new HeldBytes()
  #passedSize = 0
  /** What has come since writes are kept away; how much. */
  #paused: Buffer[] = []
  #pausedSize = 0
  #lastIoMs = 0
  #diskWarningMs = Number.NEGATIVE_INFINITY
  #downSinceMs: number
  /** What of the stream is on this server's disk. */
  #synced: SyncedOffset
  /** This server was the primary, and the other is to take over at its request, which it has not yet. */
  handsOver = false

  constructor(server: Server, replication: Replication, primary: PrimaryAddress) {
    this.#server = server
    this.#replication = replication
    this.primary = primary
    this.#downSinceMs = server.clock.nowMs
    this.#synced = new SyncedOffset(server.aof)
  }

  get isOnline(): boolean {
    return this.#state === ONLINE
  }

  get isTransferring(): boolean {
    return this.#state === TRANSFER
  }

  get stateName(): string {
    return STATE_NAMES[this.#state]
  }

  get transfer(): Transfer | undefined {
    return this.#transfer
  }

  /** The session that the primary's commands run as; undefined while there are none. */
  get session(): Session | undefined {
    return this.#replay?.session
  }

  /** Bytes of the stream applied here; -1 while nothing is. */
  get appliedOffset(): number {
    return this.#state === ONLINE ? this.#applied : -1
  }

  /** Bytes of the stream that have come. */
  get readOffset(): number {
    return this.#replication.offset + this.#unsettled.size + this.#pausedSize
  }

  get lastIoSeconds(): number {
    if (this.#state !== ONLINE) return -1
    return Math.floor((this.#server.clock.nowMs - this.#lastIoMs) / 1000)
  }

  get downSeconds(): number {
    return Math.floor((this.#server.clock.nowMs - this.#downSinceMs) / 1000)
  }

  /** Calls the primary. */
  begin(): void {
    const { settings, log, peers } = this.#server
    const { host, port } = this.primary
    log.notice(`Connecting to MASTER ${host}:${port}`)
    this.#state = CONNECTING
    this.#lastIoMs = this.#server.clock.nowMs
    const tls = settings.bool('tls-replication')
    const source = settings.raw('bind-source-addr')
    this.#peer = peers.dial({ host, port, tls, source }, this)
    log.notice('MASTER <-> REPLICA sync started')
  }

  /** Somebody wants the link to be made again. */
  cut(): void {
    this.closed()
  }

  /** Ends the link; it is not made again. */
  end(): void {
    this.#drop()
    this.#state = CONNECT
  }

  opened(): void {
    this.#server.log.notice('Non blocking connect for SYNC fired the event.')
    this.#lastIoMs = this.#server.clock.nowMs
    this.#state = HANDSHAKE
    this.#handshake = new Handshake(this.#server, this.#replication, {
      send: (...words) => this.#send(words),
      handsOver: this.handsOver,
      failed: () => this.#lost(),
      continues: (id) => this.#continue(id),
      begins: (id, offset) => this.#receive(id, offset),
    })
    this.#handshake.begin()
  }

  failed(reason: string): void {
    this.#server.log.warning(`Error condition on socket for SYNC: ${reason}`)
    this.#lost()
  }

  closed(): void {
    if (this.#state === ONLINE) this.#server.log.warning('Connection with master lost.')
    else this.#server.log.warning('I/O error reading from MASTER: connection lost')
    this.#lost()
  }

  received(bytes: Buffer, offset: number, size: number): void {
    this.#lastIoMs = this.#server.clock.nowMs
    if (this.#state === ONLINE) {
      // DIFFERS: in a pause of writes alone Redis goes on as far as to the next write.
      if (this.#server.pause.active || this.#pausedSize > 0) return this.#keep(bytes, offset, size)
      return this.#apply(bytes, offset, size)
    }
    if (this.#transfer !== undefined) return this.#transfer.take(bytes, offset, size)
    const rest = this.#handshake?.take(bytes, offset, size) ?? 0
    // What follows the answer to PSYNC is of the stream, or of the snapshot.
    if (rest > 0) this.received(bytes, offset + size - rest, rest)
  }

  /** A pause of writes is over. */
  goOn(): void {
    if (this.#pausedSize === 0) return
    const bytes = Buffer.concat(this.#paused)
    if (this.#pausedSize >= WAITING_REQUESTS_SIZE) this.#peer?.hold(false)
    this.#forgetPaused()
    this.#apply(bytes, 0, bytes.length)
  }

  /** Tells the primary how far this server is: it may ask in the middle of what came at once. */
  acknowledge(): void {
    const replay = this.#replay
    if (this.#state !== ONLINE || replay === undefined) return
    const applied = this.#applied + replay.settledSize - this.#passedSize
    this.#synced.applied(applied)
    const synced = this.#synced.offset
    const file = synced < 0 ? [] : ['FACK', String(synced)]
    this.#send(['REPLCONF', 'ACK', String(applied), ...file])
  }

  tick(): void {
    const { clock, settings, log } = this.#server
    const isLate = clock.nowMs - this.#lastIoMs > settings.int('repl-timeout') * 1000
    if (this.#state === CONNECT) {
      // What came over a link that broke is still on its way into memory.
      if (!this.#server.loading.isBusy) this.begin()
      return
    }
    if (this.#state === ONLINE) {
      if (!isLate) return this.acknowledge()
      log.warning('MASTER timeout: no data nor PING received...')
    } else if (this.#state === TRANSFER) {
      if (!isLate || this.#transfer?.isLoading === true) return this.#keepAlive()
      log.warning(
        "Timeout receiving bulk data from MASTER... If the problem persists try to set the 'repl-timeout' parameter in redis.conf to a larger value.",
      )
    } else {
      if (!isLate) return
      log.warning('Timeout connecting to the MASTER...')
    }
    this.#lost()
  }

  unknownCommand(name: string): void {
    this.#accuse(`ERR unknown command '${name}'`, '<unknown>')
  }

  commandFailed(entry: CommandEntry, error: string): void {
    this.#accuse(error, entry.name)
  }

  /** What the primary has written cannot be kept here. */
  writes(): void {
    const { settings, control, clock, log } = this.#server
    if (!settings.bool('replica-ignore-disk-write-errors')) {
      const text = 'Replica was unable to write command to disk.'
      return control.send({ type: 'fatal', text })
    }
    if (clock.nowMs - this.#diskWarningMs < DISK_WARNING_PERIOD_MS) return
    this.#diskWarningMs = clock.nowMs
    log.warning('Replica is applying a command even though it is unable to write to disk.')
  }

  /** What was right at the primary is not here: the two have come apart. */
  #accuse(error: string, name: string): void {
    const { settings, control } = this.#server
    this.#server.log.warning(
      `== CRITICAL == This replica is sending an error to its master: '${error}' after processing the command '${name}'`,
    )
    if (settings.text('propagation-error-behavior') === 'ignore') return
    if (!settings.bool('replica-read-only')) return
    control.send({
      type: 'fatal',
      text: `This replica panicked sending an error to its master after processing the command '${name}'`,
    })
  }

  /** The primary goes on where this server is. */
  #continue(id: string): void {
    this.#handshake = undefined
    this.handsOver = false
    if (id !== '') this.#replication.rename(id)
    if (this.#replication.backlog === undefined) this.#replication.open()
    this.#server.log.notice('MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.')
    this.#online()
    // The stream goes on in the database that it was in; nobody selects it again.
    if (this.#replay !== undefined) this.#replay.session.dbIndex = this.#replication.dbIndex
  }

  /** The primary sends its whole data set. */
  #receive(id: string, offset: number): void {
    this.#handshake = undefined
    this.handsOver = false
    this.#state = TRANSFER
    const isSameHistory = id === this.#replication.id
    const owner: CopyOwner = {
      failed: () => this.#lost(),
      emptied: () => this.#replication.forgetHistory(),
      received: () => this.#peer?.hold(true),
      loaded: (dbIndex, rest) => {
        this.#transfer = undefined
        this.#replication.adopt(id, offset)
        this.#server.log.notice('MASTER <-> REPLICA sync: Finished with success')
        this.#online()
        if (this.#replay !== undefined) this.#replay.session.dbIndex = dbIndex
        this.#replication.dbIndex = dbIndex
        this.acknowledge()
        this.#server.aof.restart()
        this.#peer?.hold(false)
        if (rest.length > 0) this.received(rest, 0, rest.length)
      },
    }
    this.#transfer = new Transfer(this.#server, owner, isSameHistory)
  }

  #online(): void {
    const server = this.#server
    const peer = this.#peer
    if (peer === undefined) return
    const { host, port } = this.primary
    const session = server.clients.addPrimary(peer.link, peer.connectionId, {
      address: `${host}:${port}`,
      localAddress: peer.localAddress,
      fd: peer.fd,
      tls: server.settings.bool('tls-replication'),
      unix: false,
      loopback: true,
    })
    this.#unsettled.drop(this.#unsettled.size)
    this.#passedSize = 0
    this.#replay = new Replay(server, session, server.makeCall(), this)
    this.#applied = this.#replication.offset
    this.#synced = new SyncedOffset(server.aof)
    this.#state = ONLINE
    this.#lastIoMs = server.clock.nowMs
    server.updateGuard()
  }

  /**
   * Passes on what is settled, and keeps the rest: half a command, or half a transaction, is gone with
   * the link, and asked for again.
   */
  #settle(replay: Replay, bytes: Buffer, offset: number, size: number): void {
    const settled = replay.settledSize - this.#passedSize
    this.#passedSize = replay.settledSize
    const unsettled = this.#unsettled
    if (unsettled.size === 0 && settled === size) {
      this.#replication.passOn(bytes, offset, size)
    } else {
      unsettled.append(bytes, offset, size)
      this.#replication.passOn(unsettled.bytes, 0, settled)
      unsettled.drop(settled)
    }
    this.#replication.dbIndex = replay.session.dbIndex
    this.#applied = this.#replication.offset
    this.#synced.applied(this.#applied)
  }

  /** Applies a piece of the stream, and passes it on to replicas of this server. */
  #apply(bytes: Buffer, offset: number, size: number): void {
    const replay = this.#replay
    if (replay === undefined) return
    const server = this.#server
    const { keyspace } = server
    replay.looksAtWrites = (server.saves.refusal ?? server.aof.refusal) !== undefined
    server.clock.startLap()
    // Keys that have expired here are there until the primary deletes them.
    keyspace.expires = false
    replay.take(bytes, offset, size)
    keyspace.expires = true
    this.#settle(replay, bytes, offset, size)
    if (replay.broken !== '') {
      server.log.warning(`Protocol error from the master: ${replay.broken}`)
      this.#lost()
    }
  }

  /** For when the pause is over; beyond some bytes the primary keeps the rest. */
  #keep(bytes: Buffer, offset: number, size: number): void {
    this.#paused.push(Buffer.from(bytes.subarray(offset, offset + size)))
    const wasBelow = this.#pausedSize < WAITING_REQUESTS_SIZE
    this.#pausedSize += size
    if (wasBelow && this.#pausedSize >= WAITING_REQUESTS_SIZE) this.#peer?.hold(true)
  }

  #forgetPaused(): void {
    this.#paused = []
    this.#pausedSize = 0
  }

  #keepAlive(): void {
    this.#peer?.send(NEWLINE)
  }

  #send(words: readonly (string | Uint8Array)[]): void {
    this.#peer?.send(encodeArgv(words))
  }

  /**
   * The link is broken. One that was of use is made again at once, before the primary's backlog has
   * moved on; else at the next tick, so that nobody is called without a pause.
   */
  #lost(): void {
    const { clock, loading, log } = this.#server
    const wasOnline = this.#state === ONLINE
    const wasOfUse = wasOnline || this.#state === TRANSFER
    this.#drop()
    this.#state = CONNECT
    if (wasOnline) this.#downSinceMs = clock.nowMs
    this.#server.updateGuard()
    if (!wasOfUse || loading.isBusy) return
    const { host, port } = this.primary
    log.notice(`Reconnecting to MASTER ${host}:${port}`)
    this.begin()
  }

  #drop(): void {
    this.#peer?.hangUp()
    this.#peer = undefined
    this.#handshake = undefined
    this.#transfer?.abort()
    this.#transfer = undefined
    if (this.#replay !== undefined) this.#server.clients.removePrimary(this.#replay.session)
    this.#replay = undefined
    this.#forgetPaused()
  }
}
