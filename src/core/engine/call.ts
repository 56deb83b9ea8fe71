/**
 * One call of one command: what a handler sees, and running it. No gates here: EXEC, scripts, AOF
 * loading and the replication stream enter at `run`, and everything that may forbid a call stands
 * in `core/execute.ts`.
 *
 * Thread: core. Hot path.
 * Owns: the call in progress.
 * Never: refuses a call.
 */
import { ArenaFullError } from '../../memory/arena.ts'
import { type CommandEntry, FLAG_WRITE } from '../command/table.ts'
import type { Db } from '../keyspace/db.ts'
import type { Keyspace } from '../keyspace/keyspace.ts'
import type { Server } from '../server.ts'
import type { Args } from './args.ts'
import type { BlockSpec } from './blocking.ts'
import { CommandError, OUT_OF_MEMORY } from './errors.ts'
import type { Propagation } from './propagation.ts'
import type { Reply } from './reply.ts'
import { REPLY_ON, type Session } from './session.ts'

/** Gives an answer when the call is over already. */
export type Answer = (write: (reply: Reply) => void) => void

/** Answers a session whose call is over, unless CLIENT REPLY silences it. */
export function answer(server: Server, session: Session, write: (reply: Reply) => void): void {
  const { outbox } = server
  if (session.replyMode === REPLY_ON) outbox.select(session)
  else outbox.mute(session)
  write(outbox.reply)
  outbox.unmute()
}

export class Call {
  readonly server: Server
  readonly keyspace: Keyspace
  readonly propagation: Propagation
  readonly args: Args
  readonly reply: Reply
  session: Session
  db: Db
  entry: CommandEntry
  /** False inside a transaction or a script: who would wait is answered as after a timeout. */
  mayBlock = true
  /** It was made before, and is made again from a file: whoever runs it uses `replay`. */
  isReplay = false
  /** When a call that waited runs again: the argument number of the key that is ready; else 0. */
  servedKey = 0
  /** What that call gave as its `state` when it began to wait. */
  servedState: unknown = undefined
  /** In a transaction: what `answerLater` does. */
  answerInstead: (() => Answer) | undefined = undefined
  /** The next request of the same record is one of the same command. Only for calls of clients. */
  likeFollows = false
  /** Arguments that MONITOR and the slow log must not show. */
  readonly redacted: number[] = []

  constructor(server: Server, args: Args, reply: Reply, session: Session, entry: CommandEntry) {
    this.server = server
    this.keyspace = server.keyspace
    this.propagation = server.propagation
    this.args = args
    this.reply = reply
    this.session = session
    this.db = server.keyspace.dbs[session.dbIndex]
    this.entry = entry
  }

  /** Unix milliseconds; the same throughout the call. */
  get nowMs(): number {
    return this.keyspace.clock.nowMs
  }

  /** Hides an argument from MONITOR and the slow log. */
  redact(index: number): void {
    this.redacted.push(index)
  }

  /** Lets the client wait until a key is ready; the handler returns and is run again then. */
  block(spec: BlockSpec): void {
    if (this.mayBlock) this.server.blocking.block(this, spec)
    else spec.onTimeout(this.reply)
  }

  /**
   * For what only another thread can answer: the session goes no further until the returned function
   * is called. The command's definition says `answersLater`.
   */
  // alloc: calls that only another thread can answer
  answerLater(): Answer {
    if (this.answerInstead !== undefined) return this.answerInstead()
    const { server, session } = this
    session.waiting = []
    return (write) => {
      if (session.closed) return
      answer(server, session, write)
      server.inbox.goOn(session)
    }
  }

  /** Propagates this instead of the call itself. Texts are bytes, one a character. */
  // alloc: for the AOF and replicas
  propagateAs(...argv: (string | Uint8Array)[]): void {
    if (!this.propagation.active) return
    const bytes = argv.map((part) =>
      typeof part === 'string' ? Buffer.from(part, 'latin1') : part,
    )
    this.propagation.as(this.db.index, bytes)
  }
}

/** A longer request may take its time. */
const BRIEF_WORDS_MAX = 64
/** Calls that may wait for the time of the one after them. */
const UNTIMED_MAX = 15

/**
 * Runs the call's command and accounts for it. Its time is that since the clock's last lap: whoever
 * makes calls begins with `clock.startLap`. Throws only what is our own fault.
 */
export function run(call: Call): void {
  const { entry, reply, keyspace, propagation, server } = call
  reply.mark()
  if (call.redacted.length > 0) call.redacted.length = 0
  const errors = reply.errorCount
  const dirty = keyspace.dirty
  const clock = keyspace.clock
  propagation.begin()
  try {
    entry.run(call)
  } catch (error) {
    reply.rollback()
    reply.error(mistake(error))
  }
  if (call.servedKey === 0) entry.calls++
  if (call.likeFollows && isBrief(call) && clock.untimedCalls < UNTIMED_MAX) clock.untimedCalls++
  else time(call)
  if (reply.errorCount !== errors) {
    entry.failedCalls++
    if (reply.lastError !== '') server.stats.countError(reply.lastError)
  }
  if (server.watched) tell(call)
  if (propagation.active && keyspace.dirty !== dirty) {
    propagateCall(call)
    propagation.end()
    const { session } = call
    session.writtenOffset = server.replication.offset
    session.writtenPosition = server.aof.writer.position
  } else {
    propagation.end()
  }
}

/**
 * Whether the call's time may be taken together with that of the one which follows. Reading the clock
 * takes as long as a good part of GET: 65 of 360 ns.
 */
function isBrief({ entry, args, server }: Call): boolean {
  return entry.isBrief && !server.latency.exact && args.requestWords <= BRIEF_WORDS_MAX
}

/** Accounts for the time of the call, and of those before it that were not timed. */
function time(call: Call): void {
  const { entry, server } = call
  const { clock } = call.keyspace
  const count = clock.untimedCalls + 1
  clock.untimedCalls = 0
  const durationUs = clock.lap()
  entry.microseconds += durationUs
  server.latency.track(entry, durationUs / count, count)
  if (server.latency.watches(durationUs)) server.latency.slowCall(call, durationUs)
}

/** Accounts for calls that were not timed, where the one after them was refused. */
export function timeRest(call: Call): void {
  const { entry, server } = call
  const { clock } = call.keyspace
  const count = clock.untimedCalls
  clock.untimedCalls = 0
  const durationUs = clock.lap()
  entry.microseconds += durationUs
  server.latency.track(entry, durationUs / count, count)
}

/** Shows the call to those who look at calls. */
function tell(call: Call): void {
  const { monitors, tracking } = call.server
  if (monitors.count > 0 && call.servedKey === 0) monitors.feed(call)
  tracking.called(call)
}

/** Runs the call's command without accounting for it: that was done when it was first made. */
export function replay(call: Call): void {
  const { entry, reply, propagation } = call
  reply.mark()
  propagation.begin()
  try {
    entry.run(call)
  } catch (error) {
    reply.rollback()
    reply.error(mistake(error))
  }
  propagation.end()
}

/** The error that a client gets for what a handler threw; what is not the client's is thrown on. */
function mistake(error: unknown): CommandError {
  if (error instanceof CommandError) return error
  if (error instanceof ArenaFullError) return OUT_OF_MEMORY
  throw error
}

function propagateCall(call: Call): void {
  if (call.propagation.rewritten || (call.entry.flagBits & FLAG_WRITE) === 0) return
  call.propagation.call(call.db.index, call.args)
}
