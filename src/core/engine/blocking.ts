/**
 * Calls that wait until a key is ready: BLPOP and its kin.
 *
 * A call that cannot be answered says what it waits for. Its session goes no further; the request
 * stays first in `session.waiting`. When one of its keys is made (or, for a stream, grows), the same
 * handler runs again with the same arguments, in the order in which the calls began to wait. So there
 * is one way for a command to happen, and what it answers after waiting is what it answers at once.
 *
 * Thread: core.
 * Owns: who waits for which keys, until when.
 * Never: runs a call inside another one: keys become ready during a call and are served after it.
 */
import { isInfinityText, longDoubleToNumber, parseLongDouble } from '../../lib/bytes/long-double.ts'
import type { Server } from '../server.ts'
import type { Args } from './args.ts'
import { type Call, run } from './call.ts'
import { CommandError, NOT_AN_INTEGER_TIMEOUT } from './errors.ts'
import { keyOf } from './ready-keys.ts'
import type { Reply } from './reply.ts'
import { REPLY_ON, type Session } from './session.ts'

const TIMEOUT_NOT_A_FLOAT = new CommandError('ERR timeout is not a float or out of range')
const TIMEOUT_NEGATIVE = new CommandError('ERR timeout is negative')
const TIMEOUT_OUT_OF_RANGE = new CommandError('ERR timeout is out of range')
const UNBLOCKED = new CommandError('UNBLOCKED client unblocked via CLIENT UNBLOCK')

const EXPELLED = new CommandError(
  'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)',
)

const TIMEOUT_MS_MAX = 2 ** 63
/** The time of day is below this for thousands of years: the sum of both has to be a time. */
const NOW_MS_MAX = 2 ** 47

/** What a call waits for. */
export interface BlockSpec {
  /** The type that a key has to be of: a number of `keyspace/entry.ts`. */
  readonly type: number
  /** Argument number of the first key; the others follow it. */
  readonly firstKey: number
  readonly keyCount: number
  /** 0: for ever. */
  readonly timeoutMs: number
  /** The answer when the time is over. */
  readonly onTimeout: (reply: Reply) => void
  /** The call runs again also when its key goes away or becomes one of another type. */
  readonly wakeOnDelete?: boolean
  /** What the handler finds in `call.servedState` when it runs again. */
  readonly state?: unknown
}

interface Blocked {
  readonly session: Session
  readonly dbIndex: number
  readonly keys: readonly string[]
  readonly deadlineMs: number
  spec: BlockSpec
  done: boolean
}

export class Blocking {
  readonly #server: Server
  readonly #call: Call
  readonly #bySession = new Map<Session, Blocked>()
  readonly #byKey = new Map<string, Set<Blocked>>()
  readonly #setPeriod: (periodMs: number) => void
  #serving = false
  #ended: { readonly blocked: Blocked; readonly error: CommandError | undefined }[] = []
  /** The one whose handler runs again. */
  #served: Blocked | undefined = undefined

  /** `call`: an own call, for the one in progress may be in the middle of a batch. */
  constructor(server: Server, call: Call) {
    this.#server = server
    this.#call = call
    this.#setPeriod = server.timers.every(Number.POSITIVE_INFINITY, () => this.#tick())
  }

  /** Sessions that wait. */
  get count(): number {
    return this.#bySession.size
  }

  isBlocked(session: Session): boolean {
    return this.#bySession.has(session)
  }

  /** Lets the session of `call` wait; a call that waits already goes on waiting. */
  block(call: Call, spec: BlockSpec): void {
    const { session, args, keyspace } = call
    const served = this.#served
    if (served !== undefined && served.session === session) {
      served.spec = spec
      return
    }
    const dbIndex = call.db.index
    const names = new Set<string>()
    for (let i = 0; i < spec.keyCount; i++) names.add(args.text(spec.firstKey + i))
    const deadlineMs = spec.timeoutMs === 0 ? Number.POSITIVE_INFINITY : call.nowMs + spec.timeoutMs
    const keys = [...names]
    const blocked: Blocked = { session, dbIndex, keys, deadlineMs, spec, done: false }
    this.#bySession.set(session, blocked)
    for (const name of keys) {
      const key = keyOf(dbIndex, name)
      const waiting = this.#byKey.get(key)
      if (waiting === undefined) this.#byKey.set(key, new Set([blocked]))
      else waiting.add(blocked)
      keyspace.ready.add(dbIndex, name)
    }
    session.waiting = []
    if (deadlineMs !== Number.POSITIVE_INFINITY) this.#setPeriod(Math.max(spec.timeoutMs, 1))
  }

  /** Serves the calls whose keys became ready, and those that become ready meanwhile. */
  serve(): void {
    const { ready } = this.#server.keyspace
    if (this.#serving) return
    this.#serving = true
    // The call that made the key may have taken its time.
    this.#server.clock.tick()
    while (ready.pending) {
      for (const { blocked, error } of this.#ended.splice(0)) this.#end(blocked, error)
      for (const key of ready.take()) {
        const waiting = this.#byKey.get(key)
        if (waiting === undefined) continue
        for (const blocked of [...waiting]) this.#serveKey(blocked, key)
      }
    }
    this.#serving = false
  }

  /**
   * Ends the wait as a timeout does, or with an error, once the call in progress is over. False: the
   * session did not wait.
   */
  unblock(session: Session, withError: boolean): boolean {
    const blocked = this.#bySession.get(session)
    if (blocked === undefined) return false
    this.#endLater(blocked, withError ? UNBLOCKED : undefined)
    return true
  }

  /** Ends all waits with an error, and the sessions: the data are another server's from now on. */
  expelAll(): void {
    for (const blocked of this.#bySession.values()) this.#endLater(blocked, EXPELLED)
  }

  /** The session is gone. */
  forget(session: Session): void {
    const blocked = this.#bySession.get(session)
    if (blocked !== undefined) this.#remove(blocked)
  }

  #serveKey(blocked: Blocked, key: string): void {
    const { session, dbIndex, spec } = blocked
    const request = session.waiting?.[0]
    if (blocked.done || request === undefined) return
    const server = this.#server
    const call = this.#call
    const { args } = call
    args.open(request.bytes, request.words, 0)
    const db = server.keyspace.dbs[dbIndex]
    const index = this.#keyIndex(blocked, key)
    // A key whose time is over is gone by being looked at, as for any call.
    const found = db.find(args, index)
    const ref = found !== 0 && db.expireIfDue(found) ? 0 : db.peek(args, index)
    const fits = ref !== 0 && db.typeOf(ref) === spec.type
    if (!fits && spec.wakeOnDelete !== true) return
    const entry = session.lastCommand
    if (entry === undefined) return
    call.session = session
    call.db = db
    call.entry = entry
    args.hashIsOf(entry.firstKeyIndex)
    call.servedKey = index
    call.servedState = spec.state
    this.#served = blocked
    blocked.spec = NOT_WAITING
    this.#select(session)
    server.clock.startLap()
    server.inbox.served = session
    run(call)
    server.inbox.served = undefined
    server.outbox.unmute()
    this.#served = undefined
    if (blocked.spec === NOT_WAITING) this.#finish(blocked)
  }

  #keyIndex(blocked: Blocked, key: string): number {
    const { args } = this.#call
    const { firstKey, keyCount } = blocked.spec
    for (let i = firstKey; i < firstKey + keyCount; i++) {
      if (keyOf(blocked.dbIndex, args.text(i)) === key) return i
    }
    return firstKey
  }

  #endLater(blocked: Blocked, error: CommandError | undefined): void {
    this.#ended.push({ blocked, error })
    this.#server.keyspace.ready.pending = true
  }

  #end(blocked: Blocked, error: CommandError | undefined): void {
    if (blocked.done) return
    const { clients, outbox, stats } = this.#server
    const { session } = blocked
    this.#select(session)
    if (error === undefined) {
      blocked.spec.onTimeout(outbox.reply)
    } else {
      outbox.reply.error(error)
      stats.countError(error.text)
      const entry = session.lastCommand
      if (entry !== undefined) entry.failedCalls++
    }
    outbox.unmute()
    if (error === EXPELLED) clients.closeAfterReply(session)
    else this.#finish(blocked)
  }

  #select(session: Session): void {
    const { outbox } = this.#server
    if (session.replyMode === REPLY_ON) outbox.select(session)
    else outbox.mute(session)
  }

  /** The call is answered: what came after it goes on. */
  #finish(blocked: Blocked): void {
    if (blocked.done) return
    this.#remove(blocked)
    this.#server.inbox.goOn(blocked.session)
  }

  #remove(blocked: Blocked): void {
    blocked.done = true
    this.#bySession.delete(blocked.session)
    for (const name of blocked.keys) {
      const key = keyOf(blocked.dbIndex, name)
      const waiting = this.#byKey.get(key)
      waiting?.delete(blocked)
      if (waiting?.size === 0) this.#byKey.delete(key)
      this.#server.keyspace.ready.forget(blocked.dbIndex, name)
    }
  }

  /** Ends the waits whose time is over, and finds out when the next one's will be. */
  #tick(): void {
    const { nowMs } = this.#server.clock
    let nextMs = Number.POSITIVE_INFINITY
    for (const blocked of [...this.#bySession.values()]) {
      if (blocked.deadlineMs > nowMs) nextMs = Math.min(nextMs, blocked.deadlineMs)
      else this.unblock(blocked.session, false)
    }
    this.#setPeriod(nextMs - nowMs)
  }
}

const NOT_WAITING: BlockSpec = {
  type: -1,
  firstKey: 0,
  keyCount: 0,
  timeoutMs: 0,
  onTimeout: () => {},
}

/**
 * A timeout in seconds, with a fraction, as milliseconds. Throws: CommandError.
 * QUIRK: what 64 bits cannot hold counts as negative: BLPOP key 1e30 shows it.
 */
export function parseTimeout(args: Args, index: number): number {
  const text = args.text(index)
  if (isInfinityText(text)) throw TIMEOUT_NEGATIVE
  const seconds = parseLongDouble(text)
  if (seconds === undefined) throw TIMEOUT_NOT_A_FLOAT
  const timeoutMs = Math.ceil(longDoubleToNumber(seconds) * 1000)
  if (timeoutMs >= TIMEOUT_MS_MAX) throw TIMEOUT_NEGATIVE
  return checked(timeoutMs)
}

/** A timeout in milliseconds. Throws: CommandError. */
export function parseTimeoutMs(args: Args, index: number): number {
  if (!args.integer64(index)) throw NOT_AN_INTEGER_TIMEOUT
  return checked(args.high * 0x100000000 + (args.low >>> 0))
}

function checked(timeoutMs: number): number {
  if (timeoutMs > TIMEOUT_MS_MAX - NOW_MS_MAX) throw TIMEOUT_OUT_OF_RANGE
  if (timeoutMs < 0) throw TIMEOUT_NEGATIVE
  return timeoutMs
}
