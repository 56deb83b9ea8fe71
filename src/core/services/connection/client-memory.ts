/**
 * What clients cost, and evicting the costliest when all together pass `maxmemory-clients`.
 *
 * Thread: core.
 * Owns: the limit; what a session is taken to need beside its buffers.
 * Never: evicts a client that has asked not to be (CLIENT NO-EVICT), or a replica.
 */
import { CLASS_REPLICA } from '../../../bridge/message.ts'
import { CLIENT_MEMORY_PERIOD_MS } from '../../../config/limits.ts'
import type { Call } from '../../engine/call.ts'
import type { Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'

/**
 * What a session costs beside its buffers, in core and io together: by so much the process grew for
 * each of 3,000 idle connections.
 */
const SESSION_SIZE = 3072
/** About what a watched key or a subscription costs. */
const WATCHED_KEY_SIZE = 200
const SUBSCRIPTION_SIZE = 300
const PREFIX_SIZE = 300
/** Before a request of this size all is summed up anew. */
const LARGE_REQUEST_SIZE = 16 * 1024

/** Bytes that a session needs, the request in progress not counted. */
export function sessionBytes(session: Session): number {
  const { link, queue, watched, tracking } = session
  return (
    SESSION_SIZE +
    link.inputBytes(session) +
    link.spareBytes(session) +
    link.outputBytes(session) +
    session.joinedSize +
    session.waitingSize +
    (queue?.sizeBytes ?? 0) +
    (watched?.length ?? 0) * WATCHED_KEY_SIZE +
    session.subscriptionCount * SUBSCRIPTION_SIZE +
    (tracking?.prefixes.size ?? 0) * PREFIX_SIZE
  )
}

export class ClientMemory {
  readonly #server: Server
  readonly #setPeriod: (periodMs: number) => void
  /** `maxmemory-clients` in bytes; 0: none. */
  limitBytes = 0
  #dueMs = 0
  /** Those that may be evicted are gone, and the others are too many. */
  #isHopeless = false
  evictedCount = 0

  constructor(server: Server) {
    this.#server = server
    this.#setPeriod = server.timers.cron(Number.POSITIVE_INFINITY, () => this.#evict())
  }

  settingsChanged(): void {
    const { settings } = this.#server
    const limit = settings.int('maxmemory-clients')
    // Negative: percent of maxmemory.
    this.limitBytes = limit < 0 ? Math.floor((settings.int('maxmemory') * -limit) / 100) : limit
    this.#dueMs = 0
    this.#setPeriod(this.limitBytes > 0 ? CLIENT_MEMORY_PERIOD_MS : Number.POSITIVE_INFINITY)
  }

  /** Called before a call, whose own client may be among those that go. */
  check(call: Call): void {
    const { sizeBytes } = call.args
    const isDue = call.nowMs >= this.#dueMs || sizeBytes >= LARGE_REQUEST_SIZE
    if (!isDue && (this.#isHopeless || !this.#seemsExceeded())) return
    this.#dueMs = call.nowMs + CLIENT_MEMORY_PERIOD_MS
    this.#evict(call.session, sizeBytes < LARGE_REQUEST_SIZE ? 0 : sizeBytes)
  }

  /** Adds up what is known of all clients together. */
  #seemsExceeded(): boolean {
    const { clients, links, transactions } = this.#server
    let sum = clients.count * SESSION_SIZE + transactions.queuedBytes
    for (const link of links) sum += link.heldBytes
    return sum > this.limitBytes
  }

  /** `requestSize`: bytes of the request that `caller` is making, if it is a large one. */
  #evict(caller?: Session, requestSize = 0): void {
    if (this.limitBytes === 0) return
    const { clients } = this.#server
    const sizes = new Map<Session, number>()
    let sum = 0
    for (const session of clients.all()) {
      if (session.outputClass === CLASS_REPLICA) continue
      const size = sessionBytes(session) + (session === caller ? requestSize : 0)
      sum += size
      if (!session.noEvict) sizes.set(session, size)
    }
    this.#isHopeless = false
    if (sum <= this.limitBytes) return
    for (const [session, size] of [...sizes].sort(([, a], [, b]) => b - a)) {
      if (sum <= this.limitBytes) return
      const { id, info } = session
      this.#server.log.notice(
        `Evicting client id=${id} addr=${info.address}, which needs ${size} bytes`,
      )
      clients.kill(session)
      this.evictedCount++
      sum -= size
    }
    this.#isHopeless = sum > this.limitBytes
  }
}
