/**
 * A failover at this server's own request: writes wait until a replica has everything, then the two
 * exchange their parts.
 *
 * Thread: core.
 * Owns: how far a failover in progress is.
 * Never: lets a write through before it is over.
 */
import type { Server } from '../../server.ts'
import { REPLICA_ONLINE, type Replica } from './replica.ts'
import type { PrimaryAddress } from './replication.ts'

const NONE = 0
const WAITS_FOR_SYNC = 1
const IN_PROGRESS = 2
const STATE_NAMES = ['no-failover', 'waiting-for-sync', 'failover-in-progress']
const PERIOD_MS = 10

export interface FailoverOrder {
  /** Undefined: any replica. */
  readonly target: PrimaryAddress | undefined
  /** Undefined: as long as it takes. */
  readonly timeoutMs: number | undefined
  /** When the time is over the target takes over, whatever it lacks. */
  readonly force: boolean
}

export class Failover {
  readonly #server: Server
  #state = NONE
  #order: FailoverOrder | undefined = undefined
  #deadlineMs = Number.POSITIVE_INFINITY
  readonly #setPeriod: (periodMs: number) => void

  constructor(server: Server) {
    this.#server = server
    this.#setPeriod = server.timers.every(Number.POSITIVE_INFINITY, () => this.#tick())
  }

  get isActive(): boolean {
    return this.#state !== NONE
  }

  /** True while a replica is to catch up: nothing may be added to the stream. */
  get isPausing(): boolean {
    return this.#state === WAITS_FOR_SYNC
  }

  get stateName(): string {
    return STATE_NAMES[this.#state]
  }

  begin(order: FailoverOrder): void {
    const { clock, pause, replication, log } = this.#server
    const { target, timeoutMs } = order
    log.notice(
      target === undefined
        ? 'FAILOVER requested.'
        : `FAILOVER requested to ${target.host}:${target.port}.`,
    )
    this.#order = order
    this.#state = WAITS_FOR_SYNC
    this.#deadlineMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : clock.nowMs + timeoutMs
    pause.hold()
    replication.replicas.ask()
    this.#setPeriod(PERIOD_MS)
  }

  abort(reason: string): void {
    if (this.#state === NONE) return
    const { log, replication } = this.#server
    const target = this.#order?.target
    const to = target === undefined ? '' : ` to ${target.host}:${target.port}`
    log.notice(`Aborting failover${to} while in state ${this.stateName}: ${reason}`)
    const wasInProgress = this.#state === IN_PROGRESS
    this.#end()
    if (wasInProgress) replication.promote()
  }

  /** The target has taken over. */
  succeeded(): void {
    if (this.#state === IN_PROGRESS) this.#end()
  }

  /** The target does not want to. */
  refused(reason: string): void {
    if (this.#state === IN_PROGRESS) this.abort(reason)
  }

  #end(): void {
    this.#state = NONE
    this.#order = undefined
    this.#setPeriod(Number.POSITIVE_INFINITY)
    this.#server.pause.release()
  }

  #tick(): void {
    const order = this.#order
    if (this.#state !== WAITS_FOR_SYNC || order === undefined) return
    const { clock, log, replication } = this.#server
    const { replicas, offset } = replication
    const { target } = order
    const candidates = target === undefined ? replicas.in(REPLICA_ONLINE) : this.#named(target)
    const synced = candidates.find(({ ackOffset }) => ackOffset >= offset)
    if (synced !== undefined) {
      const address = { host: synced.ip, port: synced.port }
      log.notice(`Failover target ${address.host}:${address.port} is synced, failing over.`)
      return this.#proceed(address)
    }
    if (clock.nowMs < this.#deadlineMs) return
    if (!order.force || target === undefined) {
      return this.abort('Replica never caught up before timeout')
    }
    log.notice(`Failover to ${target.host}:${target.port} time out exceeded, failing over.`)
    this.#proceed(target)
  }

  #proceed(primary: PrimaryAddress): void {
    this.#state = IN_PROGRESS
    this.#server.replication.handOver(primary)
  }

  #named({ host, port }: PrimaryAddress): Replica[] {
    const { replicas } = this.#server.replication
    return [...replicas.all()].filter((replica) => replica.ip === host && replica.port === port)
  }
}
