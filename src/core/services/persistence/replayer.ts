/**
 * Runs commands that were run before: those of an append-only file. Nobody is answered, nothing is
 * propagated or counted, and no gate is asked.
 *
 * Thread: core.
 * Owns: the session that they are run for.
 * Never: waits, or runs a command of a transaction before its EXEC.
 */
import { REQUEST_HASH, REQUEST_HEADER_WORDS, REQUEST_SIZE } from '../../../bridge/message.ts'
import type { AofCommandReader } from '../../../lib/aof/command-reader.ts'
import { hashWords } from '../../../lib/hash.ts'
import { type CommandEntry, FLAG_EXECUTES_QUEUE, FLAG_NOT_QUEUED } from '../../command/table.ts'
import { Args } from '../../engine/args.ts'
import { Call, replay } from '../../engine/call.ts'
import { OUT_OF_MEMORY } from '../../engine/errors.ts'
import { Reply, type ReplySink } from '../../engine/reply.ts'
import { Session } from '../../engine/session.ts'
import type { Server } from '../../server.ts'

/** Why a command was not run, or not to its end. */
export type ReplayProblem = 'unknown' | 'arity' | 'memory' | 'failed'

const START_WORDS = 1024
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
  #bytes: Buffer
  #words: Int32Array
  #call: Call

  constructor(server: Server) {
    this.#server = server
    const memory = new ArrayBuffer(START_WORDS * 4)
    this.#bytes = Buffer.from(memory)
    this.#words = new Int32Array(memory)
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
    const entry = this.#find(reader)
    if (entry === undefined) return 'unknown'
    const { args, session } = call
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

  #find(reader: AofCommandReader): CommandEntry | undefined {
    const { commands } = this.#server
    const { bytes, offsets, lengths } = reader
    const entry = commands.find(bytes, offsets[0], offsets[0] + lengths[0])
    this.#lay(reader, entry)
    if (entry?.subcommands === undefined || reader.argc < 2) return entry
    const { args } = this.#call
    const end = args.offsets[1] + args.lengths[1]
    return commands.findSubcommand(entry, args.bytes, args.offsets[1], end)
  }

  /** Lays the command out as io does. */
  #lay({ bytes, offsets, lengths, argc }: AofCommandReader, entry: CommandEntry | undefined): void {
    let size = REQUEST_HEADER_WORDS
    for (let i = 0; i < argc; i++) size += 1 + ((lengths[i] + 3) >> 2)
    if (size > this.#words.length) {
      const memory = new ArrayBuffer(Math.max(size, this.#words.length * 2) * 4)
      this.#bytes = Buffer.from(memory)
      this.#words = new Int32Array(memory)
    }
    const words = this.#words
    words[0] = argc
    words[1] = entry?.index ?? -1
    words[REQUEST_HASH] = 0
    words[REQUEST_SIZE] = size
    const keyIndex = entry?.firstKeyIndex ?? 0
    const { hashSeed } = this.#server.start
    let word = REQUEST_HEADER_WORDS
    for (let i = 0; i < argc; i++) {
      words[word++] = lengths[i]
      bytes.copy(this.#bytes, word << 2, offsets[i], offsets[i] + lengths[i])
      if (i === keyIndex && i > 0) {
        words[REQUEST_HASH] = hashWords(words, word, lengths[i], hashSeed)
      }
      word += (lengths[i] + 3) >> 2
    }
    this.#call.args.open(this.#bytes, words, 0)
  }

  #makeCall(): Call {
    const server = this.#server
    const args = new Args(this.#bytes, this.#words, server.start.hashSeed)
    const session = new Session(0, server.links[0], -1, NOBODY, server.clock.nowMs)
    const call = new Call(server, args, this.#reply, session, server.commands.entries[0])
    call.mayBlock = false
    call.isReplay = true
    return call
  }
}
