/**
 * The replicas of this server: those that follow the stream, and those that have to get the whole
 * data set first.
 *
 * Thread: core.
 * Owns: who they are and how far each is.
 * Never: waits for one: what a slow one does not take, its connection keeps, up to its limit.
 */
import { CLASS_REPLICA, KIND_CLASS } from '../../../bridge/message.ts'
import { outputLimit } from '../../../config/output-limit.ts'
import { REPLY_OFF, type Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'
import { FullSync } from './full-sync.ts'
import {
  REPLICA_INTRODUCES,
  REPLICA_LOADS,
  REPLICA_ONLINE,
  REPLICA_RECEIVES,
  REPLICA_WAITS,
  Replica,
} from './replica.ts'
import type { Replication } from './replication.ts'

/** Bytes of an answer that the log shows. */
const SHOWN_SIZE = 256
const PING = [Buffer.from('PING')]
const GETACK = [Buffer.from('REPLCONF'), Buffer.from('GETACK'), Buffer.from('*')]
/** Sent to those that wait for a snapshot, so that they do not lose patience. */
const NEWLINE = Buffer.from('\n')

export class Replicas {
  readonly #server: Server
  readonly #replication: Replication
  readonly #all = new Set<Replica>()
  readonly fullSync: FullSync
  #lastPingMs = 0
  /** Bytes of the stream that may wait for one that has no use for them yet; 0: no limit. */
  #pendingLimit = 0
  /** Replicas that are near enough, as `min-replicas-max-lag` says. */
  goodCount = 0
  /** The next batch's end asks all how far they are. */
  asks = false
  fullCount = 0
  partialCount = 0
  refusedCount = 0

  constructor(server: Server, replication: Replication) {
    this.#server = server
    this.#replication = replication
    this.fullSync = new FullSync(server, replication, this)
  }

  /** CONFIG RESETSTAT. */
  resetCounters(): void {
    this.fullCount = 0
    this.partialCount = 0
    this.refusedCount = 0
  }

  /** Those that have asked for the stream. */
  get count(): number {
    return this.#all.size
  }

  all(): Iterable<Replica> {
    return this.#all
  }

  in(state: number): Replica[] {
    return [...this.#all].filter((replica) => replica.state === state)
  }

  settingsChanged(): void {
    const { settings } = this.#server
    this.#pendingLimit = outputLimit(settings, 'slave').hardSize
    this.#countGood()
  }

  /** What REPLCONF says is about this. */
  of(session: Session): Replica {
    if (session.replica === undefined) {
      session.replica = new Replica(session)
      session.updateSpecial()
    }
    return session.replica
  }

  /** The session is one of a replica from now on, and is answered no more. */
  add(replica: Replica): void {
    const { session } = replica
    if (this.#all.size === 0) this.#lastPingMs = this.#server.clock.nowMs
    this.#all.add(replica)
    session.outputClass = CLASS_REPLICA
    session.replyMode = REPLY_OFF
    this.#server.outbox.order(session, KIND_CLASS, CLASS_REPLICA)
    replica.ackMs = this.#server.clock.nowMs
  }

  remove(replica: Replica): void {
    if (!this.#all.delete(replica)) return
    this.fullSync.forget(replica)
    this.#retain()
    this.#countGood()
    replica.state = REPLICA_INTRODUCES
    this.#server.log.notice(`Connection with replica ${replica.name} lost.`)
  }

  /** A replica goes on at `offset`, which the backlog holds. */
  goOn(replica: Replica, offset: number): void {
    this.add(replica)
    replica.sentOffset = offset
    this.#online(replica)
    this.partialCount++
  }

  /** Its snapshot begins now, at the stream's present end. */
  snapshotBegins(replica: Replica, offset: number): void {
    replica.state = REPLICA_RECEIVES
    replica.sentOffset = offset
    replica.sinceMs = this.#server.clock.nowMs
    this.#replication.stream.selectAgain()
    this.#retain()
  }

  /** Its snapshot has left as a whole. `waits`: it says when it has loaded it. */
  snapshotSent(replica: Replica, waits: boolean): void {
    replica.ackMs = this.#server.clock.nowMs
    if (replica.snapshotOnly) {
      this.#server.log.notice(
        'RDB transfer completed, rdb only replica (%s) should be disconnected asap'.replace(
          '%s',
          replica.name,
        ),
      )
      replica.state = REPLICA_LOADS
    } else if (waits) {
      replica.state = REPLICA_LOADS
      this.#server.log.notice(
        `Streamed replica synchronization with replica ${replica.name} succeeded (socket). Waiting for REPLCONF ACK from replica to enable streaming`,
      )
    } else {
      this.#online(replica)
    }
  }

  acknowledged(replica: Replica, offset: number, aofOffset: number): void {
    replica.ackOffset = Math.max(replica.ackOffset, offset)
    replica.ackAofOffset = Math.max(replica.ackAofOffset, aofOffset)
    replica.ackMs = this.#server.clock.nowMs
    if (replica.state === REPLICA_LOADS && !replica.snapshotOnly) {
      this.#online(replica)
    }
    if (this.#server.waits.count > 0) this.#server.waits.acknowledged()
  }

  /** Replicas that have applied everything up to `offset`. */
  appliedCount(offset: number): number {
    let count = 0
    for (const { state, ackOffset } of this.#all) {
      if (state === REPLICA_ONLINE && ackOffset >= offset) count++
    }
    return count
  }

  /** As above, and synced it to their AOF. */
  syncedCount(offset: number): number {
    let count = 0
    for (const { state, ackAofOffset } of this.#all) {
      if (state === REPLICA_ONLINE && ackAofOffset >= offset) count++
    }
    return count
  }

  /** Asks all how far they are. */
  ask(): void {
    this.asks = false
    this.#replication.stream.command(GETACK)
  }

  /** Sends what the stream has got to those that follow it. */
  feed(): void {
    const limit = this.#pendingLimit
    const end = this.#replication.offset
    for (const replica of this.#all) {
      if (replica.state === REPLICA_ONLINE) {
        this.#send(replica)
      } else if (limit > 0 && replica.state >= REPLICA_RECEIVES) {
        if (end - replica.sentOffset > limit) this.#overflowed(replica)
      }
    }
  }

  /** A replica asks what only clients ask: it is answered by the end of its connection. */
  answered(session: Session, bytes: Buffer, from: number, to: number): void {
    const { log, clients } = this.#server
    if (session.replica === undefined || session.replica.state === REPLICA_INTRODUCES) return
    const [text] = bytes.latin1Slice(from, Math.min(to, from + SHOWN_SIZE)).split('\r\n')
    const name = session.lastCommand?.name ?? ''
    log.warning(`Replica generated a reply to command '${name}', disconnecting it: ${text}`)
    if (text.startsWith('-')) {
      log.warning(
        `== CRITICAL == This master is sending an error to its replica: '${text.replace(/^-(ERR )?/, '')}' after processing the command '${name}'`,
      )
    }
    clients.kill(session)
  }

  /** This server's history has changed: replicas have to ask again. */
  closeAll(): void {
    for (const { session } of [...this.#all]) this.#server.clients.kill(session)
  }

  tick(): void {
    if (this.#all.size === 0) return
    this.#ping()
    for (const replica of [...this.#all]) this.#look(replica)
    this.fullSync.tick()
    this.#countGood()
  }

  #ping(): void {
    const { clock, settings, failover } = this.#server
    const periodMs = settings.int('repl-ping-replica-period') * 1000
    if (this.#replication.isReplica || clock.nowMs - this.#lastPingMs < periodMs) return
    this.#lastPingMs = clock.nowMs
    // While everything waits for a failover, the replica has to be able to catch up.
    if (failover.isPausing) return
    this.#replication.stream.command(PING)
  }

  #look(replica: Replica): void {
    const { clock, log, outbox, settings, clients } = this.#server
    if (
      replica.state === REPLICA_WAITS ||
      (replica.state === REPLICA_RECEIVES && this.fullSync.isPreparing(replica))
    ) {
      outbox.transmit(replica.session, NEWLINE, 0, NEWLINE.length)
      return
    }
    if (clock.nowMs - replica.ackMs <= settings.int('repl-timeout') * 1000) return
    if (replica.state === REPLICA_ONLINE) {
      log.warning(`Disconnecting timedout replica (streaming sync): ${replica.name}`)
    } else if (replica.state === REPLICA_RECEIVES && this.fullSync.isStuck(replica)) {
      log.warning(`Disconnecting timedout replica (full sync): ${replica.name}`)
    } else return
    clients.kill(replica.session)
  }

  #online(replica: Replica): void {
    replica.state = REPLICA_ONLINE
    replica.ackMs = this.#server.clock.nowMs
    // What was kept for it leaves before the backlog lets go of it.
    this.#send(replica)
    this.#retain()
    this.#countGood()
    this.#server.log.notice(`Synchronization with replica ${replica.name} succeeded`)
  }

  /** Sends what of the backlog it has not got. */
  #send(replica: Replica): void {
    const { backlog } = this.#replication
    if (backlog === undefined) return
    const { outbox } = this.#server
    const { session } = replica
    backlog.visit(replica.sentOffset, backlog.endOffset, (bytes, at, size) =>
      outbox.transmit(session, bytes, at, size),
    )
    replica.sentOffset = backlog.endOffset
  }

  #overflowed(replica: Replica): void {
    this.#server.log.warning(
      `Client ${replica.name} scheduled to be closed ASAP for overcoming of output buffer limits.`,
    )
    this.#server.clients.outputLimitDisconnections++
    this.#server.clients.kill(replica.session)
  }

  /** The backlog keeps what those that have no use for it yet are going to need. */
  #retain(): void {
    let offset = Number.POSITIVE_INFINITY
    for (const { state, sentOffset } of this.#all) {
      if (state === REPLICA_RECEIVES || state === REPLICA_LOADS)
        offset = Math.min(offset, sentOffset)
    }
    this.#replication.backlog?.retain(offset)
  }

  #countGood(): void {
    const { clock, settings } = this.#server
    const lagMs = settings.int('min-replicas-max-lag') * 1000
    this.goodCount = 0
    for (const { state, ackMs } of this.#all) {
      if (state === REPLICA_ONLINE && clock.nowMs - ackMs <= lagMs) this.goodCount++
    }
  }
}
