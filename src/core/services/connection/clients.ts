/**
 * All clients: their coming and going.
 *
 * Thread: core.
 * Owns: sessions by id.
 * Never: touches a socket: orders go to io as records.
 */
import {
  CLOSED_BY_OUTPUT_LIMIT,
  CLOSED_BY_PEER,
  CLOSED_BY_QUERY_LIMIT,
  KIND_CLOSE_AFTER,
  KIND_CLOSE_NOW,
  type OpenedInfo,
} from '../../../bridge/message.ts'
import type { CoreLink } from '../../engine/link.ts'
import { REPLY_ON, Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'

const DENIED =
  "DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. In this mode connections are only accepted from the loopback interface. If you want to connect from external computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the same host the server is running, however MAKE SURE Redis is not publicly accessible from internet if you do so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the protected mode by editing the Redis configuration file, and setting the protected mode option to 'no', and then restarting the server. 3) If you started the server manually just for testing, restart it with the '--protected-mode no' option. 4) Setup a an authentication password for the default user. NOTE: You only need to do one of the above things in order for the server to start accepting connections from the outside."

export class Clients {
  readonly #server: Server
  readonly #byId = new Map<number, Session>()
  #nextId = 1
  /** Connections that were let in since the start. */
  acceptedCount = 0
  queryLimitDisconnections = 0
  outputLimitDisconnections = 0

  constructor(server: Server) {
    this.#server = server
    server.outbox.onOverLimit = (session) => this.#overLimit(session)
  }

  get count(): number {
    return this.#byId.size
  }

  /** In the order of their coming. */
  all(): IterableIterator<Session> {
    return this.#byId.values()
  }

  /** The session that the primary's commands run as is told of as a client. */
  addPrimary(link: CoreLink, connectionId: number, info: OpenedInfo): Session {
    const { nowMs } = this.#server.clock
    const session = new Session(this.#nextId++, link, connectionId, info, nowMs)
    session.isPrimary = true
    session.authenticated = true
    this.#byId.set(session.id, session)
    return session
  }

  removePrimary(session: Session): void {
    session.closed = true
    this.#byId.delete(session.id)
    this.#server.transactions.discard(session)
  }

  byId(id: number): Session | undefined {
    return this.#byId.get(id)
  }

  open(link: CoreLink, connectionId: number, info: OpenedInfo): void {
    const server = this.#server
    const session = new Session(this.#nextId++, link, connectionId, info, server.clock.nowMs)
    link.add(session)
    this.#byId.set(session.id, session)
    this.acceptedCount++
    server.users.welcome(session)
    if (this.#mustStayOut(info)) {
      server.outbox.select(session)
      server.outbox.reply.error(DENIED)
      this.closeAfterReply(session)
    }
  }

  /** Protected mode: without a password, only local clients may come in. */
  #mustStayOut(info: OpenedInfo): boolean {
    const server = this.#server
    if (info.loopback || info.unix) return false
    return server.settings.bool('protected-mode') && server.users.default.nopass
  }

  /** The peer is gone, or has sent its last byte: as in Redis, that is the end of the session. */
  closedByPeer(session: Session, reason: number): void {
    if (reason === CLOSED_BY_OUTPUT_LIMIT) this.outputLimitDisconnections++
    if (reason === CLOSED_BY_QUERY_LIMIT) this.queryLimitDisconnections++
    if (reason === CLOSED_BY_PEER) {
      this.#server.outbox.order(session, KIND_CLOSE_AFTER, 0)
    }
    this.#forget(session)
  }

  /** The peer broke the protocol: it is told, and that was it. */
  protocolError(session: Session, text: string): void {
    const { outbox, stats } = this.#server
    outbox.select(session)
    outbox.reply.error(text)
    stats.countError(text)
    this.closeAfterReply(session)
  }

  /** Ends the session once everything it was answered has left. */
  closeAfterReply(session: Session): void {
    if (session.closed) return
    session.closing = true
    this.#server.outbox.order(session, KIND_CLOSE_AFTER, 0)
    this.#forget(session)
  }

  /** Ends the session at once; replies that have not left are lost. */
  kill(session: Session): void {
    if (session.closed) return
    if (session.isPrimary) return this.#server.replication.link?.cut()
    session.closing = true
    this.#server.outbox.order(session, KIND_CLOSE_NOW, 0)
    this.#forget(session)
  }

  /** RESET: the session is as a new one, but for its id and its age. */
  reset(session: Session): void {
    const server = this.#server
    server.monitors.remove(session)
    server.users.dismiss(session)
    session.dbIndex = 0
    session.protocol = 2
    session.name = ''
    session.noTouch = false
    server.pubsub.leave(session)
    server.tracking.disable(session)
    server.transactions.discard(session)
    session.updateSpecial()
    this.replyOn(session)
  }

  /** The session is answered again, the call in progress included. */
  replyOn(session: Session): void {
    session.replyMode = REPLY_ON
    this.#server.outbox.unmute()
    this.#server.outbox.select(session)
  }

  /**
   * Bytes of requests that have begun to arrive, of room set aside for them, and of replies that
   * peers have not taken: of replicas, or of all others.
   */
  bufferedBytes(ofReplicas = false): number {
    let sum = 0
    for (const session of this.#byId.values()) {
      if ((session.replica !== undefined) !== ofReplicas) continue
      const { link, joinedSize, waitingSize } = session
      sum += link.inputBytes(session) + link.spareBytes(session) + link.outputBytes(session)
      sum += joinedSize + waitingSize
    }
    return sum
  }

  /** Closes sessions that have been idle for longer than `timeout`. */
  closeIdle(): void {
    const server = this.#server
    const timeoutMs = server.settings.int('timeout') * 1000
    if (timeoutMs === 0) return
    for (const session of this.#byId.values()) {
      if (session.monitor || session.waiting !== undefined) continue
      if (session.isPrimary || session.replica !== undefined) continue
      if (session.subscriptionCount > 0) continue
      if (server.clock.nowMs - session.lastInteractionMs > timeoutMs) {
        server.log.verbose('Closing idle client')
        this.kill(session)
      }
    }
  }

  /** The session has more to get than `client-output-buffer-limit` allows. */
  #overLimit(session: Session): void {
    const { id, info } = session
    this.outputLimitDisconnections++
    this.#server.log.warning(
      `Client id=${id} addr=${info.address} closed for overcoming of output buffer limits.`,
    )
    if (!session.closed) this.kill(session)
  }

  #forget(session: Session): void {
    if (session.closed) return
    session.closed = true
    session.closing = true
    session.waiting = undefined
    session.joined = undefined
    session.link.remove(session)
    this.#byId.delete(session.id)
    const server = this.#server
    server.transactions.discard(session)
    server.monitors.remove(session)
    server.pubsub.leave(session)
    server.tracking.disable(session)
    server.pause.forget(session)
    server.blocking.forget(session)
    server.replication.forget(session)
  }
}
