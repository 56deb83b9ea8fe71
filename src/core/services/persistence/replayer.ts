/**
 * Runs commands that were run before: those of an append-only file. Nobody is answered, nothing is
 * propagated or counted, and no gate is asked.
 *
 * Thread: core.
 * Owns: the session that they are run for.
 * Never: waits, or runs a command of a transaction before its EXEC.
 */
import type { AofCommandReader } from '../../../lib/aof/command-reader.ts'
import { FLAG_EXECUTES_QUEUE, FLAG_NOT_QUEUED } from '../../command/table.ts'
import { Args } from '../../engine/args.ts'
import { Call, replay } from '../../engine/call.ts'
import { OUT_OF_MEMORY } from '../../engine/errors.ts'
import { OwnRequest } from '../../engine/own-request.ts'
import { Reply, type ReplySink } from '../../engine/reply.ts'
import { Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'

/** Why a command was not run, or not to its end. */
export type ReplayProblem = 'unknown' | 'arity' | 'memory' | 'failed'

const EMPTY = Buffer.alloc(0)
const NO_WORDS = new Int32Array(0)
const DISCARDED = Buffer.allocUnsafe(128 * 1024)
const NOBODY = { address: '', localAddress: '', fd: -1, tls: false, unix: false, loopback: true }

/** Where replies go that nobody wants. */
class Nowhere implements ReplySink {
  more(reply: Reply): void {
    reply.useSpace(DISCARDED, 0, DISCARDED.length)
  }
}

export class Replayer {
  readonly #server: Server
  readonly #reply = new Reply(new Nowhere())
  readonly #request: OwnRequest
  #call: Call

  constructor(server: Server) {
    this.#server = server
    this.#request = new OwnRequest(server.commands, server.start.hashSeed)
    this.#call = this.#makeCall()
  }

  /** A file begins: in database 0, outside of a transaction. */
  begin(): void {
    this.#server.transactions.discard(this.#call.session)
    this.#call = this.#makeCall()
  }

  get isInMulti(): boolean {
    return this.#call.session.queue !== undefined
  }

  /** Runs the command just read. Gives what was wrong; undefined for nothing. */
  run(reader: AofCommandReader): ReplayProblem | undefined {
    const call = this.#call
    const entry = this.#request.find(reader)
    if (entry === undefined) return 'unknown'
    const { args, session } = call
    this.#request.open(args, reader, entry)
    if (entry.arity >= 0 ? args.count !== entry.arity : args.count < -entry.arity) return 'arity'
    call.entry = entry
    call.db = this.#server.keyspace.dbs[session.dbIndex]
    const reply = this.#reply
    reply.useSpace(DISCARDED, 0, DISCARDED.length)
    const { queue } = session
    const isQueued = (entry.flagBits & (FLAG_NOT_QUEUED | FLAG_EXECUTES_QUEUE)) === 0
    if (queue !== undefined && isQueued) {
      this.#server.transactions.add(call, queue, entry.flagBits)
      return undefined
    }
    const errors = reply.errorCount
    replay(call)
    if (reply.errorCount === errors) return undefined
    if (reply.lastError === OUT_OF_MEMORY.text) return 'memory'
    const behavior = this.#server.settings.text('propagation-error-behavior')
    return behavior === 'panic' ? 'failed' : undefined
  }

  #makeCall(): Call {
    const server = this.#server
    const args = new Args(EMPTY, NO_WORDS, server.start.hashSeed)
    const session = new Session(0, server.links[0], -1, NOBODY, server.clock.nowMs)
    const call = new Call(server, args, this.#reply, session, server.commands.entries[0])
    call.mayBlock = false
    call.isReplay = true
    return call
  }
}
