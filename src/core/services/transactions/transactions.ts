/**
 * MULTI and EXEC: calls that are queued and then run in a row, with nothing in between.
 *
 * What a queued call answers goes straight to the client. Only where one of the calls can be answered
 * by another thread alone (CONFIG SET of a port), the answers of all are gathered first: the calls
 * are still run in a row, and the client waits for the missing answer.
 *
 * Thread: core.
 * Owns: the queues; running them.
 * Never: lets another call run between two of a transaction.
 */
import { AssertionError } from '../../../lib/assert.ts'
import { FLAG_ANSWERS_LATER } from '../../command/table.ts'
import { Args } from '../../engine/args.ts'
import { type Answer, answer, Call, replay, run } from '../../engine/call.ts'
import { CapturedReply } from '../../engine/captured-reply.ts'
import { CommandError } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { REPLY_OFF, type Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'
import { Queue } from './queue.ts'
import { Watches } from './watches.ts'

export class Transactions {
  readonly #server: Server
  readonly #args: Args
  readonly watches: Watches
  /** Bytes of all queues. */
  queuedBytes = 0

  constructor(server: Server) {
    this.#server = server
    this.watches = new Watches(server.keyspace)
    this.#args = new Args(Buffer.alloc(0), new Int32Array(0), server.start.hashSeed)
  }

  /** The session's calls are queued from now on. */
  begin(session: Session): void {
    session.queue = new Queue()
    session.updateSpecial()
  }

  /** Queues the call. `flags`: its command's, or what its script declares. */
  add(call: Call, queue: Queue, flags: number): void {
    // What will not be run needs no memory.
    if (!queue.broken && !call.session.stale) {
      const before = queue.sizeBytes
      queue.add(call.entry, call.args, flags)
      this.queuedBytes += queue.sizeBytes - before
    }
    call.reply.queued()
  }

  /** Forgets the queue and the watched keys. */
  discard(session: Session): void {
    if (session.queue !== undefined) {
      this.queuedBytes -= session.queue.sizeBytes
      session.queue = undefined
      session.updateSpecial()
    }
    this.unwatch(session)
  }

  /** As `discard`, for UNWATCH: the queue stays. */
  unwatch(session: Session): void {
    this.watches.unwatch(session)
    session.stale = false
  }

  /** Runs the queue of a session and forgets it. */
  execute(call: Call, queue: Queue): void {
    const { session, server } = call
    const { clock } = server
    const startUs = clock.lapStartUs
    const { errorCount } = call.reply
    this.watches.unwatch(session)
    if ((queue.flagBits & FLAG_ANSWERS_LATER) === 0) {
      call.reply.array(queue.count)
      this.#runAll(session, queue, this.#innerCall(call, call.reply))
    } else {
      this.#runGathering(call, queue)
    }
    this.discard(session)
    // The time of the calls is also that of EXEC; their errors are not.
    clock.lapStartUs = startUs
    call.reply.errorCount = errorCount
  }

  #runAll(session: Session, queue: Queue, inner: Call): void {
    const { keyspace, users, outbox } = this.#server
    const { dbs } = keyspace
    let lastIsDenied = false
    for (const entry of queue.entries) {
      queue.open(inner.args)
      // Between the queueing and now the user may have changed, also by one of the calls.
      const denial = users.check(session.user, entry, inner.args)
      lastIsDenied = denial !== undefined
      if (denial !== undefined) {
        users.deny(inner, denial, 'multi')
        const { text } = NO_LONGER[denial.reason]
        inner.reply.error(text)
        this.#server.stats.countError(text)
        continue
      }
      inner.args.hashIsOf(entry.firstKeyIndex)
      inner.entry = entry
      inner.db = dbs[session.dbIndex]
      if (inner.isReplay) replay(inner)
      else run(inner)
      if (session.replyMode === REPLY_OFF && inner.reply === outbox.reply) outbox.mute(session)
    }
    outbox.unmute()
    if (lastIsDenied && session.lastCommand !== undefined) session.lastCommand.failedCalls++
  }

  /** Sends the answers when the last of them is there. */
  #runGathering(call: Call, queue: Queue): void {
    const { session, server } = call
    const captured = new CapturedReply(call.reply.protocol)
    const parts: (Buffer | undefined)[] = []
    let missing = 0
    const inner = this.#innerCall(call, captured.reply)
    let send: Answer | undefined
    inner.answerInstead = () => {
      parts.push(captured.take())
      const index = parts.push(undefined) - 1
      missing++
      return (write) => {
        const late = new CapturedReply(session.protocol)
        write(late.reply)
        parts[index] = late.take()
        if (--missing === 0) send?.((reply) => writeParts(reply, parts))
      }
    }
    captured.reply.array(queue.count)
    this.#runAll(session, queue, inner)
    parts.push(captured.take())
    if (missing === 0) answer(server, session, (reply) => writeParts(reply, parts))
    else send = call.answerLater()
  }

  #innerCall(outer: Call, reply: Reply): Call {
    const { session, entry } = outer
    const inner = new Call(this.#server, this.#args, reply, session, entry)
    inner.mayBlock = false
    inner.isReplay = outer.isReplay
    inner.answerInstead = neverLater
    return inner
  }
}

const NO_LONGER = {
  command: noLonger('no permission to execute the command or subcommand'),
  key: noLonger('no permission to touch the specified keys'),
  channel: noLonger('no permission to access one of the channels used as arguments'),
}

function noLonger(reason: string): CommandError {
  return new CommandError(
    `NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: ${reason}`,
  )
}

function neverLater(): Answer {
  throw new AssertionError('whoever answers later says so in its definition')
}

function writeParts(reply: Reply, parts: readonly (Buffer | undefined)[]): void {
  for (const part of parts) if (part !== undefined) reply.rawBytes(part)
}
