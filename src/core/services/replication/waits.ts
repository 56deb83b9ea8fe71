/**
 * WAIT and WAITAOF: clients that go on when enough replicas have what they wrote.
 *
 * Thread: core.
 * Owns: who waits for which offset.
 * Never: answers: whoever waits is unblocked, and its own end of waiting does.
 */
import { SYNC_LOOK_PERIOD_MS } from '../../../config/limits.ts'
import type { Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'

interface Wait {
  readonly session: Session
  readonly isOver: () => boolean
}

export class Waits {
  readonly #server: Server
  readonly #setPeriod: (periodMs: number) => void
  readonly #waiting = new Set<Wait>()

  constructor(server: Server) {
    this.#server = server
    this.#setPeriod = server.timers.every(Number.POSITIVE_INFINITY, () => this.acknowledged())
  }

  get count(): number {
    return this.#waiting.size
  }

  /** As `add`, for one who waits for the disk as well, which says nothing when it is done. */
  addForDisk(session: Session, isOver: () => boolean): void {
    this.add(session, isOver)
    this.#setPeriod(SYNC_LOOK_PERIOD_MS)
  }

  /** `isOver` is asked whenever somebody has acknowledged something. */
  add(session: Session, isOver: () => boolean): void {
    this.#waiting.add({ session, isOver })
  }

  /** Somebody has come further: a replica, or this server's own AOF. */
  acknowledged(): void {
    const { blocking } = this.#server
    for (const wait of this.#waiting) {
      if (!blocking.isBlocked(wait.session)) this.#waiting.delete(wait)
      else if (wait.isOver()) {
        this.#waiting.delete(wait)
        blocking.unblock(wait.session, false)
      }
    }
    if (this.#waiting.size === 0) this.#setPeriod(Number.POSITIVE_INFINITY)
  }
}
