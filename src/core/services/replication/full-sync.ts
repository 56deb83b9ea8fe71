/**
 * Whole data sets for replicas that cannot go on: a snapshot whose bytes go straight to those that
 * wait, without a file in between, or by way of the file that BGSAVE writes, as `repl-diskless-sync`
 * says. Those that ask within `repl-diskless-sync-delay` get the same snapshot.
 *
 * Thread: core.
 * Owns: who waits for a snapshot, and the one under way.
 * Never: makes one for each; fills memory for one that reads slowly: the walk waits.
 */
import { SYNC_LOOK_PERIOD_MS } from '../../../config/limits.ts'
import type { Server } from '../../server.ts'
import { FileSync } from './file-sync.ts'
import { REPLICA_RECEIVES, REPLICA_WAITS, type Replica } from './replica.ts'
import type { Replicas } from './replicas.ts'
import type { Replication } from './replication.ts'
import { StreamSync } from './stream-sync.ts'

/** A snapshot on its way to some replicas. */
export interface RunningSync {
  /** True until its first byte is sent. */
  readonly isPreparing: boolean
  /** When something was sent last. */
  readonly lastSentMs: number
  has(replica: Replica): boolean
  /** Called often: goes on where it had to wait. */
  look(): void
  /** The replica is gone. The snapshot is given up with the last one. */
  forget(replica: Replica): void
}

export class FullSync {
  readonly #server: Server
  readonly #replication: Replication
  readonly #replicas: Replicas
  #running: RunningSync | undefined = undefined
  readonly #setPeriod: (periodMs: number) => void

  constructor(server: Server, replication: Replication, replicas: Replicas) {
    this.#server = server
    this.#replication = replication
    this.#replicas = replicas
    this.#setPeriod = server.timers.every(Number.POSITIVE_INFINITY, () => this.#running?.look())
    const { saves } = server
    const isOtherWriting = saves.isOtherWriting
    saves.isOtherWriting = () => this.isStreaming || isOtherWriting()
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** A snapshot is being taken that goes straight to replicas. */
  get isStreaming(): boolean {
    return this.#running instanceof StreamSync
  }

  /** A replica that follows already, but has nothing to begin with, wants a snapshot. */
  request(replica: Replica): void {
    const { settings, clock } = this.#server
    replica.state = REPLICA_WAITS
    replica.sinceMs = clock.nowMs
    this.#replicas.fullCount++
    const isDiskless = settings.bool('repl-diskless-sync') && replica.understandsEof
    if (!isDiskless || settings.int('repl-diskless-sync-delay') === 0) this.#begin()
    else this.#server.log.notice('Delay next BGSAVE for diskless SYNC')
  }

  forget(replica: Replica): void {
    this.#running?.forget(replica)
  }

  /** A snapshot of what is about to go would be in vain: whoever gets it asks for another. */
  abandon(): void {
    if (!this.isStreaming) return
    for (const { session } of this.#replicas.in(REPLICA_RECEIVES)) {
      this.#server.clients.kill(session)
    }
  }

  tick(): void {
    if (this.#running !== undefined) return
    const { settings, clock } = this.#server
    const waiting = this.#replicas.in(REPLICA_WAITS)
    if (waiting.length === 0) return
    const enough = settings.int('repl-diskless-sync-max-replicas')
    const longestMs = Math.max(...waiting.map(({ sinceMs }) => clock.nowMs - sinceMs))
    const isTime = longestMs >= settings.int('repl-diskless-sync-delay') * 1000
    if (isTime || (enough > 0 && waiting.length >= enough)) this.#begin()
  }

  /** Its snapshot has begun, and no byte of it is on the way yet. */
  isPreparing(replica: Replica): boolean {
    return this.#running?.has(replica) === true && this.#running.isPreparing
  }

  /** Its snapshot is being taken. */
  isSaving(replica: Replica): boolean {
    return this.isPreparing(replica) || (this.isStreaming && this.#running?.has(replica) === true)
  }

  /** Nothing has been sent to it for too long. */
  isStuck(replica: Replica): boolean {
    const running = this.#running
    if (running === undefined || !running.has(replica)) return true
    const timeoutMs = this.#server.settings.int('repl-timeout') * 1000
    return this.#server.clock.nowMs - running.lastSentMs > timeoutMs
  }

  /** Begins a snapshot for all that wait and can take the same. */
  #begin(): void {
    const { keyspace, saves, settings, start, log } = this.#server
    if (this.#running !== undefined || keyspace.snapshot !== undefined || saves.isInBackground)
      return
    const waiting = this.#replicas.in(REPLICA_WAITS)
    if (waiting.length === 0) return
    const [{ understandsEof, withoutData, withoutFunctions }] = waiting
    const alike = waiting.filter(
      (replica) =>
        replica.understandsEof === understandsEof &&
        replica.withoutData === withoutData &&
        replica.withoutFunctions === withoutFunctions,
    )
    const isDiskless = (settings.bool('repl-diskless-sync') && understandsEof) || withoutData
    log.notice(`Starting BGSAVE for SYNC with target: ${isDiskless ? 'replicas sockets' : 'disk'}`)
    this.#introduce(alike)
    const done = () => this.#ended()
    if (isDiskless) log.notice(`Background RDB transfer started by pid ${start.processId}`)
    this.#setPeriod(SYNC_LOOK_PERIOD_MS)
    this.#running = isDiskless
      ? new StreamSync(this.#server, this.#replicas, alike, done)
      : new FileSync(this.#server, this.#replicas, alike, done)
  }

  /** Tells replicas where the stream goes on after the snapshot. */
  #introduce(replicas: readonly Replica[]): void {
    const replication = this.#replication
    replication.flush()
    const { id, offset } = replication
    const line = Buffer.from(`+FULLRESYNC ${id} ${offset}\r\n`)
    for (const replica of replicas) {
      if (replica.asksById) this.#server.outbox.transmit(replica.session, line, 0, line.length)
      this.#replicas.snapshotBegins(replica, offset)
    }
  }

  #ended(): void {
    this.#running = undefined
    this.#setPeriod(Number.POSITIVE_INFINITY)
    // Whoever was promised this snapshot and did not get it asks again.
    for (const { session } of this.#replicas.in(REPLICA_RECEIVES)) {
      this.#server.clients.kill(session)
    }
    this.tick()
  }
}
