/**
 * Commands that lie one behind the other as RESP bytes become calls: a primary's stream. No gate is
 * passed: what a primary has done is done here too.
 *
 * Thread: core. Hot path.
 * Owns: bytes that are not a whole command yet; the arguments of the call in progress.
 * Never: answers anybody: replies are written and forgotten.
 */
import { REQUEST_HASH, REQUEST_HEADER_WORDS, REQUEST_SIZE } from '../../bridge/message.ts'
import { hashWords } from '../../lib/hash.ts'
import { BROKEN, COMPLETE, RequestParser } from '../../lib/resp/request-parser.ts'
import { type CommandEntry, FLAG_NOT_QUEUED, FLAG_WRITE } from '../command/table.ts'
import type { Server } from '../server.ts'
import { type Call, run } from './call.ts'
import type { Session } from './session.ts'

const START_WORDS = 1024
/** A command may be as long as the primary's `proto-max-bulk-len` let it be. */
const BULK_SIZE_MAX = 4 * 1024 * 1024 * 1024
const EMPTY = Buffer.alloc(0)

/** Who is told what was made of a command. */
export interface ReplayOwner {
  /** There is no such command; nothing was called. */
  unknownCommand(name: string): void
  /** A call was answered with an error. */
  commandFailed(entry: CommandEntry, error: string): void
  /** A write is about to be called although `looksAtWrites`. */
  writes(): void
}

export class Replay {
  readonly session: Session
  readonly #server: Server
  readonly #call: Call
  readonly #owner: ReplayOwner
  readonly #parser = new RequestParser(BULK_SIZE_MAX)
  #words = new Int32Array(START_WORDS)
  #bytes = Buffer.from(this.#words.buffer)
  #unfinished = EMPTY
  /** Bytes of all commands that were called, those in a transaction that is not whole yet included. */
  #executedSize = 0
  /** Bytes, from the first on, of which nothing more is to be done. */
  settledSize = 0
  /** The owner wants to know of each write before it is called. */
  looksAtWrites = false
  /** What is wrong with the bytes; then nothing more is taken. */
  broken = ''

  /** `call`: nobody else's. */
  constructor(server: Server, session: Session, call: Call, owner: ReplayOwner) {
    this.#server = server
    this.session = session
    this.#call = call
    this.#owner = owner
    this.#parser.reset(EMPTY, 0, 0)
  }

  /** Bytes that are not a whole command yet. */
  get unfinishedSize(): number {
    return this.#unfinished.length
  }

  /** Calls every command that is whole now. `size` bytes at `offset` are copied where they are not. */
  // alloc: once a chunk
  take(bytes: Buffer, offset: number, size: number): void {
    const parser = this.#parser
    let window = bytes
    let start = offset
    let end = offset + size
    if (this.#unfinished.length > 0) {
      window = Buffer.concat([this.#unfinished, bytes.subarray(offset, end)])
      start = 0
      end = window.length
      parser.resume(window, start, end)
    } else {
      parser.reset(window, start, end)
    }
    let outcome = parser.next()
    while (outcome === COMPLETE) {
      this.#execute()
      this.#executedSize += parser.position - start
      start = parser.position
      // What is only queued has not been done: it is lost with the link.
      if (this.session.queue === undefined) this.settledSize = this.#executedSize
      outcome = parser.next()
    }
    if (outcome === BROKEN) this.broken = parser.error
    this.#unfinished = start === end ? EMPTY : Buffer.from(window.subarray(start, end))
    parser.resume(this.#unfinished, 0, this.#unfinished.length)
  }

  #execute(): void {
    const server = this.#server
    const { bytes, offsets, argc } = this.#parser
    const container = server.commands.find(bytes, offsets[0], offsets[1])
    let entry = container
    if (container?.subcommands !== undefined && argc > 1) {
      entry = server.commands.findSubcommand(container, bytes, offsets[2], offsets[3])
    }
    if (entry === undefined) {
      return this.#owner.unknownCommand(bytes.latin1Slice(offsets[0], offsets[1])) // alloc: it should not be
    }
    if (this.looksAtWrites && (entry.flagBits & FLAG_WRITE) !== 0) this.#owner.writes()
    this.#copyArguments(entry)
    const call = this.#call
    const { session } = this
    call.args.open(this.#bytes, this.#words, 0)
    call.args.hashIsOf(entry.firstKeyIndex)
    call.session = session
    call.db = server.keyspace.dbs[session.dbIndex]
    call.entry = entry
    call.servedKey = 0
    server.outbox.mute(session)
    session.lastCommand = entry
    if (session.queue !== undefined && (entry.flagBits & FLAG_NOT_QUEUED) === 0) {
      server.transactions.add(call, session.queue, entry.flagBits)
    } else {
      const errors = call.reply.errorCount
      run(call)
      if (call.reply.errorCount !== errors) this.#owner.commandFailed(entry, call.reply.lastError)
    }
    server.outbox.unmute()
  }

  /** Lays the parser's request as calls expect it: every argument at a whole word. */
  #copyArguments({ index, firstKeyIndex }: CommandEntry): void {
    const { bytes, offsets, argc } = this.#parser
    let size = REQUEST_HEADER_WORDS
    for (let i = 0; i < argc; i++) size += 1 + ((offsets[2 * i + 1] - offsets[2 * i] + 3) >> 2)
    if (size > this.#words.length) {
      this.#words = new Int32Array(Math.max(size, this.#words.length * 2)) // alloc: the longest yet
      this.#bytes = Buffer.from(this.#words.buffer)
    }
    const words = this.#words
    words[0] = argc
    words[1] = index
    words[REQUEST_HASH] = 0
    words[REQUEST_SIZE] = size
    let word = REQUEST_HEADER_WORDS
    for (let i = 0; i < argc; i++) {
      const length = offsets[2 * i + 1] - offsets[2 * i]
      words[word] = length
      const wordCount = (length + 3) >> 2
      if (wordCount > 0) words[word + wordCount] = 0
      bytes.copy(this.#bytes, (word + 1) << 2, offsets[2 * i], offsets[2 * i + 1])
      if (i === firstKeyIndex && i !== 0) {
        words[REQUEST_HASH] = hashWords(words, word + 1, length, this.#server.start.hashSeed)
      }
      word += 1 + wordCount
    }
  }
}
