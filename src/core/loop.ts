/**
 * The core's life: drain the request rings, execute, flush the replies, look after what is due,
 * sleep until the next record or deadline.
 *
 * How long it spins before it sleeps follows how busy the server is. A sleeping thread takes tens of
 * microseconds to wake; with one or two clients in flight, whose next request depends on our reply,
 * spinning is the faster by far. With many, spinning only takes the processor from those who would
 * send the next request. Idle, it never spins.
 *
 * Thread: core. Hot path.
 * Owns: the order of things in a turn.
 * Never: runs a command itself.
 */
import { CORE_PARKED, IO_PARKED, SPACE_WANTED } from '../bridge/memory.ts'
import { park, sleep, takeFlag, unpark, wake } from '../bridge/wake.ts'
import {
  BATCH_REQUEST_COUNT,
  DISK_BUSY_REQUEST_COUNT,
  EXPIRE_SLICE_KEY_COUNT,
  REQUEST_RELEASE_SIZE,
  SLEEP_MS_MAX,
} from '../config/limits.ts'
import type { Inbox } from './engine/inbox.ts'
import { REPLY_ON } from './engine/session.ts'
import type { Server } from './server.ts'
import { Spin } from './spin.ts'

export class Loop {
  readonly #server: Server
  readonly #process: Int32Array
  readonly #spin: Spin

  constructor(server: Server) {
    this.#server = server
    this.#process = new Int32Array(server.start.memory.process)
    this.#spin = new Spin(server.links, this.#process, server.start.processorCount)
    server.scripting.serveOthers = () => this.#serveOthers()
    server.scripting.debugging.awaitRequests = () => this.#awaitRequests()
    server.scripting.debugging.takeRequests = () => this.#drain(server.innerInbox)
  }

  /** Returns when the server has ended; throws what is our own fault. */
  run(): void {
    const { inbox, outbox } = this.#server
    while (!this.#server.ended || outbox.withheld.count > 0) {
      const askedBefore = inbox.askedCount
      const requests = this.turn()
      if (inbox.askedCount !== askedBefore) this.#spin.worked(requests, outbox.broadcastCount)
      if (requests === 0 && !this.#hasWork() && !this.#spin.wait()) this.#sleep()
    }
    this.#spin.end()
  }

  /** True when there is something to do although nobody asks for anything. */
  #hasWork(): boolean {
    const { loading, snapshotPace } = this.#server
    return loading.isDriven || snapshotPace.waitMs === 0
  }

  /** One turn without sleeping. Gives the number of requests it executed. */
  turn(): number {
    const server = this.#server
    server.clock.tick()
    server.keyspace.tick()
    // First: where this thread woke late, requests find nothing whose time is over.
    if (server.keyspace.nextDeadlineMs <= server.clock.nowMs) this.#expire()
    const requests = this.#drain(server.inbox)
    server.timers.runDue()
    if (!server.disk.isEmpty()) server.disk.take()
    if (server.loading.isDriven) server.loading.turn()
    if (server.outbox.withheld.count > 0) server.outbox.withheld.release()
    if (server.keyspace.ready.pending) server.blocking.serve()
    if (!server.pause.active && server.pause.waitingCount > 0) server.pause.tick()
    if (server.tracking.prefixes.pending) server.tracking.broadcast()
    server.replication.flush()
    this.#publish(requests)
    server.outbox.flush()
    if (server.keyspace.epoch !== 0) {
      server.snapshotPace.turn(requests)
      // What the walk has sent to replicas.
      server.outbox.flush()
    }
    this.#publish(requests)
    server.stats.turnEnded(requests > 0)
    return requests
  }

  /**
   * In the middle of a script that takes long: looks at what other clients have sent, of which only
   * what may end the script is done. Time stands still meanwhile, and nothing else happens.
   */
  // alloc: slow scripts only
  #serveOthers(): void {
    const { inbox, innerInbox, outbox } = this.#server
    inbox.leaveRecord()
    this.#drain(innerInbox)
    outbox.flush()
    const session = inbox.current
    if (session === undefined) return
    if (session.replyMode === REPLY_ON) outbox.select(session)
    else outbox.mute(session)
    outbox.reply.mark()
  }

  /**
   * In the middle of a script that is debugged, which stands still: sleeps until somebody has sent
   * something, and has it handled.
   */
  #awaitRequests(): void {
    if (this.#drain(this.#server.innerInbox) > 0) return
    park(this.#process, CORE_PARKED)
    if (this.#hasRequests()) unpark(this.#process, CORE_PARKED)
    else sleep(this.#process, CORE_PARKED, SLEEP_MS_MAX)
  }

  #hasRequests(): boolean {
    const { links } = this.#server
    for (let i = 0; i < links.length; i++) if (!links[i].requests.isEmpty()) return true
    return false
  }

  #drain(inbox: Inbox): number {
    const server = this.#server
    const links = server.links
    let requests = 0
    for (let i = 0; i < links.length; i++) {
      const link = links[i]
      const ring = link.requests
      let offset = ring.peek()
      if (offset < 0) continue
      // Each link has a budget of its own, so that a busy one cannot starve another.
      const budget = requests + BATCH_REQUEST_COUNT
      let seen = 0
      inbox.startLap()
      while (offset >= 0 && requests < budget) {
        if (seen === 0) seen = inbox.readAhead.records(link, offset)
        seen--
        ring.advance(ring.words[offset >> 2])
        requests += inbox.handle(link, offset)
        if (ring.heldBytes() > REQUEST_RELEASE_SIZE) this.#release(i)
        offset = ring.peek()
      }
      this.#release(i)
    }
    return requests
  }

  /** Deletes keys whose time is over; how long that took is an event of LATENCY. */
  #expire(): void {
    const { clock, keyspace, latency } = this.#server
    const startUs = clock.microseconds()
    keyspace.expireDue(EXPIRE_SLICE_KEY_COUNT)
    latency.record('expire-cycle', Math.floor((clock.microseconds() - startUs) / 1000))
  }

  /** Gives ring space back, and tells an io thread that waits for it. */
  #release(index: number): void {
    const link = this.#server.links[index]
    link.requests.release()
    if (takeFlag(link.words, SPACE_WANTED)) wake(link.words, IO_PARKED)
  }

  /** To the disk thread. */
  #publish(requests: number): void {
    if (requests < DISK_BUSY_REQUEST_COUNT) this.#server.disk.publish()
    else this.#server.disk.offer()
  }

  // alloc: before a sleep there is time
  #sleep(): void {
    const server = this.#server
    park(this.#process, CORE_PARKED)
    const { disk, outbox } = server
    if (!disk.isEmpty() || outbox.withheld.isReleasable() || this.#hasRequests()) {
      unpark(this.#process, CORE_PARKED)
      return
    }
    const untilMs = Math.min(server.timers.nextMs, server.keyspace.nextDeadlineMs + 1)
    const waitMs = Math.min(server.snapshotPace.waitMs, SLEEP_MS_MAX)
    const timeoutMs = Math.min(Math.max(untilMs - server.clock.tick(), 0), waitMs)
    if (timeoutMs === 0) {
      unpark(this.#process, CORE_PARKED)
      return
    }
    server.stats.fellAsleep()
    this.#spin.sleeps(server.clock.nowMs)
    sleep(this.#process, CORE_PARKED, timeoutMs)
    server.stats.wokeUp()
  }
}
