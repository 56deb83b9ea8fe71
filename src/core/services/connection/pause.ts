/**
 * CLIENT PAUSE: calls that wait until the pause is over.
 *
 * Thread: core.
 * Owns: until when, and what is paused; who waits.
 * Never: forgets a request: a session that waits keeps its requests in order. Never runs one of
 * them inside another call.
 */
import { PAUSE_PERIOD_MS } from '../../../config/limits.ts'
import { FLAG_MAY_REPLICATE, FLAG_WRITE } from '../../command/table.ts'
import type { Call } from '../../engine/call.ts'
import type { Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'

export class Pause {
  readonly #server: Server
  /** In the order of their coming. */
  readonly #waiting = new Set<Session>()
  #untilMs = 0
  #allCommands = false
  /** Duties that keep writes away until they are done: MIGRATE, FAILOVER. */
  #holdCount = 0
  readonly #setPeriod: (periodMs: number) => void

  constructor(server: Server) {
    this.#server = server
    this.#setPeriod = server.timers.every(Number.POSITIVE_INFINITY, () => this.tick())
  }

  get active(): boolean {
    return this.#untilMs > 0 || this.#holdCount > 0
  }

  /** Sessions that wait. */
  get waitingCount(): number {
    return this.#waiting.size
  }

  /** Pauses until `untilMs`; a pause in progress is never made shorter or weaker. */
  begin(untilMs: number, allCommands: boolean): void {
    if (untilMs <= this.#server.clock.nowMs && !this.active) return
    this.#allCommands = allCommands || (this.#untilMs > 0 && this.#allCommands)
    this.#untilMs = Math.max(this.#untilMs, untilMs)
    this.#began()
  }

  /** Keeps all writes away until `release`, whatever clients say of pauses. */
  hold(): void {
    this.#holdCount++
    this.#began()
  }

  release(): void {
    this.#holdCount--
    this.#ended()
  }

  /** Ends the pause; everybody who waited goes on at the next `tick`. */
  end(): void {
    if (this.#untilMs === 0) return
    this.#untilMs = 0
    this.#allCommands = false
    this.#ended()
  }

  /** Called by the clock. */
  tick(): void {
    if (this.#untilMs > 0 && this.#server.clock.nowMs >= this.#untilMs) this.end()
    if (this.active) return
    // An idle core is not woken for nothing.
    this.#setPeriod(Number.POSITIVE_INFINITY)
    this.#server.replication.link?.goOn()
    if (this.#waiting.size === 0) return
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const session of waiting) this.#server.inbox.resume(session)
  }

  /**
   * True when the call has to wait; then it is made again after the pause. `flags`: the command's,
   * or those of all that it executes.
   */
  holds(call: Call, flags: number): boolean {
    if (!this.active) return false
    if (!this.#allCommands && (flags & (FLAG_WRITE | FLAG_MAY_REPLICATE)) === 0) return false
    call.session.waiting = []
    this.#waiting.add(call.session)
    return true
  }

  #began(): void {
    this.#server.keyspace.setPaused(true)
    this.#setPeriod(PAUSE_PERIOD_MS)
    this.#server.updateGuard()
  }

  #ended(): void {
    if (this.active) return
    this.#server.keyspace.setPaused(false)
    this.#server.updateGuard()
  }

  /** The session is gone. */
  forget(session: Session): void {
    this.#waiting.delete(session)
  }
}
