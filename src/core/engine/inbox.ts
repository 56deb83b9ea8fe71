/**
 * Records from io become calls: finds the session, opens the arguments where they lie in the ring,
 * joins the pieces of huge requests, and keeps aside what a session may not do yet.
 *
 * Thread: core. Hot path.
 * Owns: the argument cursor of the call in progress.
 * Never: keeps a view of ring bytes beyond one record.
 */
import { decode } from '@msgpack/msgpack'
import type { ToCore } from '../../bridge/control.ts'
import {
  type DialedInfo,
  HEADER_SIZE,
  HEADER_WORDS,
  KIND_BROKEN,
  KIND_CHUNK,
  KIND_CLOSED,
  KIND_CONTROL,
  KIND_DIALED,
  KIND_FRAGMENT,
  KIND_FRAGMENT_BEGIN,
  KIND_HOLD,
  KIND_LOGIN,
  KIND_LOGIN_DONE,
  KIND_OPENED,
  KIND_REQUESTS,
  type OpenedInfo,
  REQUEST_COMMAND,
  REQUEST_SIZE,
} from '../../bridge/message.ts'
import {
  READ_AHEAD_WORDS_MIN,
  SHOWN_REPLY_SIZE,
  WAITING_REQUESTS_SIZE,
} from '../../config/limits.ts'
import { assert } from '../../lib/assert.ts'
import type { Server } from '../server.ts'
import { type Call, timeRest } from './call.ts'
import { JoinedRequests } from './joined-requests.ts'
import type { CoreLink } from './link.ts'
import { ReadAhead } from './read-ahead.ts'
import type { Session, WaitingRequest } from './session.ts'
import { REPLY_ON, REPLY_SKIP, REPLY_SKIP_NEXT } from './session.ts'

/** The gates and what lies behind them. */
type Execute = (server: Server, call: Call) => void

const LEFT = -1

/** A record that has to wait until the script in progress is over. */
interface Deferred {
  readonly link: CoreLink
  readonly kind: number
  readonly connectionId: number
  readonly bytes: Buffer
  readonly size: number
}

/**
 * There are two of these: one for all requests, and one that takes its place while a script runs that
 * takes too long, when the first is in the middle of a call.
 */
export class Inbox {
  readonly #server: Server
  readonly #call: Call
  readonly #execute: Execute
  readonly #nobody: Session
  /** Whose call, which waited, runs again. */
  served: Session | undefined = undefined
  readonly #isWithinScript: boolean
  /** Where the record whose requests are being executed ends. */
  #end = 0
  /** The record has been left in the middle of a call: it is no longer there. */
  #leftRecord = false
  #deferred: Deferred[] = []
  readonly #joinedRequests = new JoinedRequests()
  readonly readAhead: ReadAhead
  /** Records of clients' requests so far: somebody waits for what comes of each. */
  askedCount = 0

  /** `isWithinScript`: whether it handles records in the middle of a script. */
  constructor(server: Server, call: Call, execute: Execute, isWithinScript: boolean) {
    this.#server = server
    this.#call = call
    this.#execute = execute
    this.#nobody = call.session
    this.#isWithinScript = isWithinScript
    this.readAhead = new ReadAhead(server.keyspace)
  }

  /** Whose call is being executed. */
  get current(): Session | undefined {
    if (this.served !== undefined) return this.served
    const { session } = this.#call
    return session === this.#nobody ? undefined : session
  }

  /** Handles the record at `offset`. Gives the number of requests that it held. */
  handle(link: CoreLink, offset: number): number {
    const words = link.requests.words
    const word = offset >> 2
    const connectionId = words[word + 2]
    const size = words[word + 3]
    if (words[word + 1] === KIND_REQUESTS) {
      const session = link.session(connectionId)
      if (session === undefined) return 0
      session.inputBytes += size
      this.askedCount++
      const { bytes } = link.requests
      const count = this.#requests(session, bytes, words, word + HEADER_WORDS, size)
      if (count === LEFT) this.#goOnElsewhere(session)
      return Math.abs(count)
    }
    const { bytes } = link.requests
    const kind = words[word + 1]
    if (this.#isWithinScript && this.#hasToWait(link, kind, connectionId)) {
      this.#defer(link, kind, connectionId, bytes, offset + HEADER_SIZE, size)
    } else {
      this.#rare(link, kind, connectionId, bytes, offset + HEADER_SIZE, size)
      this.startLap()
    }
    return 1
  }

  /** Calls follow, which are made at this moment; only within a script time stands still. */
  startLap(): void {
    const { clock } = this.#server
    if (this.#isWithinScript) clock.startLap()
    else clock.begin()
  }

  /**
   * Lets go of the record whose request is being executed, so that others can be handled meanwhile:
   * the request goes on in a copy, and those behind it wait as if they had come later. Cold.
   */
  leaveRecord(): void {
    const call = this.#call
    const { args, session } = call
    if (session === this.#nobody || this.#leftRecord) return
    this.#leftRecord = true
    const at = args.requestAt
    const waiting: WaitingRequest[] = []
    const { words, bytes } = args
    for (let word = at + args.requestWords; word < this.#end; ) {
      const next = word + words[word + REQUEST_SIZE]
      waiting.push(copyRequest(bytes, word, next))
      word = next
    }
    const copy = copyRequest(bytes, at, at + args.requestWords)
    args.open(copy.bytes, copy.words, 0)
    session.waiting = waiting
  }

  /** Whether a record is none that may be handled in the middle of a script. */
  #hasToWait(link: CoreLink, kind: number, connectionId: number): boolean {
    if (kind === KIND_OPENED) return false
    const session = link.session(connectionId)
    return session === undefined || this.#server.scripting.debugging.holdsBack(session, kind)
  }

  /** The call that outlasted its record is over: those that wait behind it follow. Cold. */
  #goOnElsewhere(session: Session): void {
    for (const held of this.#server.scripting.debugging.takeHeld()) this.resume(held)
    this.#server.innerInbox.replay(this)
    this.resume(session)
  }

  /** Lets `inbox` handle what had to wait for the end of a script. Cold. */
  replay(inbox: Inbox): void {
    const deferred = this.#deferred
    this.#deferred = []
    for (const { link, kind, connectionId, bytes, size } of deferred) {
      inbox.#rare(link, kind, connectionId, bytes, 0, size)
    }
  }

  // alloc: in the middle of slow scripts only
  #defer(
    link: CoreLink,
    kind: number,
    connectionId: number,
    bytes: Buffer,
    at: number,
    size: number,
  ): void {
    const copy = Buffer.from(bytes.subarray(at, at + size))
    this.#deferred.push({ link, kind, connectionId, bytes: copy, size })
    this.#server.scripting.debugging.putOff(kind, copy)
  }

  /** Goes on after the call that the session stopped at, which was answered meanwhile. */
  goOn(session: Session): void {
    session.waiting?.shift()
    this.resume(session)
  }

  /** Executes what a session could not do before. It may stop again. */
  resume(session: Session): void {
    const waiting = session.waiting
    if (waiting === undefined) return
    this.startLap()
    session.waiting = undefined
    session.waitingSize = 0
    if (session.held) {
      session.held = false
      this.#server.outbox.order(session, KIND_HOLD, 0)
    }
    for (let i = 0; i < waiting.length; i++) {
      const request = waiting[i]
      const size = request.bytes.length
      if (this.#requests(session, request.bytes, request.words, 0, size) === LEFT) {
        // What came meanwhile is last.
        if (session.waiting !== undefined) {
          session.waiting = [...waiting.slice(i + 1), ...(session.waiting as WaitingRequest[])] // alloc: after slow scripts
        }
        return this.#goOnElsewhere(session)
      }
      if (session.waiting === undefined) continue
      // It stopped again: what is left keeps its place behind what it stopped at.
      const stopped = session.waiting as WaitingRequest[]
      for (let rest = i + 1; rest < waiting.length; rest++) stopped.push(waiting[rest])
      return
    }
  }

  /**
   * Executes encoded requests from word `at` on, `size` bytes of them. Gives how many, or LEFT when
   * it stopped because the record was left.
   */
  #requests(session: Session, bytes: Buffer, words: Int32Array, at: number, size: number): number {
    const server = this.#server
    const call = this.#call
    const args = call.args
    const end = at + (size >> 2)
    let word = at
    let ahead = at
    let count = 0
    while (word < end) {
      if (word === ahead && end - word > READ_AHEAD_WORDS_MIN) {
        const db = server.keyspace.dbs[session.dbIndex]
        ahead = this.readAhead.requests(db, words, word, end)
      }
      const next = args.open(bytes, words, word)
      this.#end = end
      count++
      if (session.closing) break
      if (session.waiting !== undefined) {
        this.#wait(session, copyRequest(bytes, word, next))
      } else {
        server.outbox.select(session)
        call.session = session
        call.db = server.keyspace.dbs[session.dbIndex]
        if (server.log.debugging) this.#tell(call)
        call.likeFollows = next < end && words[next + REQUEST_COMMAND] === args.commandIndex
        if (session.replyMode === REPLY_ON) this.#execute(server, call)
        else this.#executeQuietly(session)
        if (server.log.debugging) this.#tellResponse(call)
        if (this.#leftRecord) return this.#leave()
        // The call stopped before it began, and will be made again.
        if (session.waiting !== undefined) {
          ;(session.waiting as WaitingRequest[]).unshift(copyRequest(bytes, word, next))
        }
        const isServing = server.keyspace.ready.pending && !this.#isWithinScript
        if (server.clock.untimedCalls > 0 && (isServing || !call.likeFollows)) timeRest(call)
        if (!this.#isWithinScript) server.clock.goOn()
        if (isServing) server.blocking.serve()
      }
      word = next
    }
    call.session = this.#nobody
    return count
  }

  /** The call is over for whose sake its record was left. Cold. */
  #leave(): number {
    this.#leftRecord = false
    this.#call.session = this.#nobody
    const { keyspace, blocking } = this.#server
    if (keyspace.ready.pending) blocking.serve()
    return LEFT
  }

  /** At debug level: the call that begins. Arguments are not shown, they may be secrets. */
  #tell(call: Call): void {
    const text = `Core got '${call.args.shown(0)}', client id=${call.session.id}` // alloc: debug level
    this.#server.log.debug(text)
    this.#server.outbox.select(call.session)
    call.reply.mark()
  }

  /** The reply is taken back and written again, so that this line comes before its sending. */
  #tellResponse(call: Call): void {
    const bytes = call.reply.takeBack()
    const shown = bytes?.latin1Slice(0, Math.min(bytes.length, SHOWN_REPLY_SIZE))
    const text = shown === undefined ? 'too long to be shown' : JSON.stringify(shown)
    this.#server.log.debug(`Core's response is ${text}, client id=${call.session.id}`) // alloc: debug
    this.#server.outbox.select(call.session)
    if (bytes !== undefined) call.reply.rawBytes(bytes)
  }

  /** Keeps a request for later. A session that waits with too many of them is not read from. */
  #wait(session: Session, request: WaitingRequest): void {
    session.waiting?.push(request)
    session.waitingSize += request.bytes.length
    if (session.held || session.waitingSize < WAITING_REQUESTS_SIZE) return
    session.held = true
    this.#server.outbox.order(session, KIND_HOLD, 1)
  }

  /** CLIENT REPLY OFF and SKIP: the call is made, its reply is taken back. */
  #executeQuietly(session: Session): void {
    const { outbox } = this.#server
    if (session.replyMode === REPLY_SKIP_NEXT) session.replyMode = REPLY_SKIP
    outbox.mute(session)
    const { reply } = this.#call
    const { position } = reply
    this.#execute(this.#server, this.#call)
    if (session.replica !== undefined && reply.position !== position) {
      this.#server.replication.replicas.answered(session, reply.bytes, position, reply.position)
    }
    outbox.unmute()
    if (session.replyMode === REPLY_SKIP) session.replyMode = REPLY_ON
  }

  // alloc: records that are rare
  #rare(
    link: CoreLink,
    kind: number,
    connectionId: number,
    bytes: Buffer,
    at: number,
    size: number,
  ): void {
    const server = this.#server
    if (kind === KIND_OPENED) {
      const info = decode(bytes.subarray(at, at + size)) as OpenedInfo
      server.clients.open(link, connectionId, info)
      return
    }
    if (kind === KIND_CONTROL) {
      server.control.receive(link, decode(bytes.subarray(at, at + size)) as ToCore)
      return
    }
    if (kind === KIND_CHUNK) {
      server.peers.received(connectionId, bytes, at, size)
      return
    }
    if (kind === KIND_DIALED) {
      const info = decode(bytes.subarray(at, at + size)) as DialedInfo
      server.peers.dialed(connectionId, info)
      return
    }
    const session = link.session(connectionId)
    if (session === undefined) {
      if (kind === KIND_CLOSED) server.peers.closedByPeer(connectionId)
      return
    }
    if (this.#isWithinScript && server.scripting.debugging.isBreach(session, kind)) return
    if (kind === KIND_LOGIN) {
      const allowed = session.authenticated || !server.users.passwordRequired
      server.outbox.order(session, KIND_LOGIN_DONE, allowed ? 1 : 0)
    } else if (kind === KIND_FRAGMENT_BEGIN) {
      session.joined = this.#joinedRequests.take(size)
      session.joinedSize = 0
    } else if (kind === KIND_FRAGMENT) {
      this.#join(session, bytes, at, size)
    } else if (kind === KIND_CLOSED) {
      server.clients.closedByPeer(session, size)
    } else if (kind === KIND_BROKEN) {
      server.clients.protocolError(session, bytes.latin1Slice(at, at + size))
    } else {
      assert(false, `record kind ${kind} from io`)
    }
  }

  #join(session: Session, bytes: Buffer, at: number, size: number): void {
    const { joined } = session
    if (joined === undefined) {
      assert(false, 'a fragment follows its beginning')
      return
    }
    bytes.copy(joined.bytes, session.joinedSize, at, at + size)
    session.joinedSize += size
    if (session.joinedSize < joined.size) return
    session.joined = undefined
    session.joinedSize = 0
    session.inputBytes += joined.size
    const count = this.#requests(session, joined.bytes, joined.words, 0, joined.size)
    this.#joinedRequests.give(joined)
    if (count === LEFT) this.#goOnElsewhere(session)
  }
}

/** A request of its own, cut out of a record that is about to be released. */
// alloc: only for a session that waits
function copyRequest(bytes: Buffer, word: number, next: number): WaitingRequest {
  const memory = new ArrayBuffer((next - word) * 4)
  const copy = Buffer.from(memory)
  bytes.copy(copy, 0, word << 2, next << 2)
  return { bytes: copy, words: new Int32Array(memory) }
}
