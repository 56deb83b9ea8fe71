/**
 * Commands that lie one behind the other as RESP bytes become calls: a primary's stream. No gate is
 * passed: what a primary has done is done here too.
 *
 * Thread: core. Hot path.
 * Owns: bytes that are not a whole command yet.
 * Never: answers anybody: replies are written and forgotten.
 */
import { READ_AHEAD_COUNT } from '../../config/limits.ts'
import { BROKEN, COMPLETE, RequestParser } from '../../lib/resp/request-parser.ts'
import { type CommandEntry, FLAG_NOT_QUEUED, FLAG_WRITE } from '../command/table.ts'
import type { Server } from '../server.ts'
import { type Call, run } from './call.ts'
import { HeldBytes } from './held-bytes.ts'
import { OwnRequest } from './own-request.ts'
import type { Session } from './session.ts'

/** Words of commands that are laid out before they are called; one alone may have more. */
const LAID_OUT_SIZE = 16 * 1024
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
  readonly #served: Call
  readonly #owner: ReplayOwner
  readonly #parser = new RequestParser(BULK_SIZE_MAX)
  readonly #request: OwnRequest
  /** Commands laid out: what each is, where it begins there, and how many bytes it was. */
  #count = 0
  readonly #entries: (CommandEntry | undefined)[] = new Array(READ_AHEAD_COUNT).fill(undefined) // alloc: once
  readonly #starts = new Int32Array(READ_AHEAD_COUNT)
  readonly #sizes = new Float64Array(READ_AHEAD_COUNT)
  #unknownName = ''
  /** In the parser's window: behind the last command that was read. */
  #position = 0
  readonly #unfinished = new HeldBytes()
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
    this.#served = call
    this.#owner = owner
    this.#request = new OwnRequest(server.commands, server.start.hashSeed)
    this.#parser.reset(EMPTY, 0, 0)
  }

  /** Bytes that are not a whole command yet. */
  get unfinishedSize(): number {
    return this.#unfinished.size
  }

  /** Calls every command that is whole now. `size` bytes at `offset` are copied where they are not. */
  take(bytes: Buffer, offset: number, size: number): void {
    const parser = this.#parser
    const unfinished = this.#unfinished
    const isHeld = unfinished.size > 0
    let start = offset
    let end = offset + size
    if (isHeld) {
      unfinished.append(bytes, offset, size)
      start = 0
      end = unfinished.size
      parser.resume(unfinished.bytes, start, end)
    } else {
      parser.reset(bytes, start, end)
    }
    this.#position = start
    let outcome = COMPLETE
    while (outcome === COMPLETE) {
      outcome = this.#gather()
      this.#execute()
    }
    start = this.#position
    if (outcome === BROKEN) this.broken = parser.error
    if (isHeld) unfinished.drop(start)
    else if (start < end) unfinished.append(bytes, start, end - start)
    parser.resume(unfinished.bytes, 0, unfinished.size)
  }

  /** Lays the next commands out, so that their keys can be read ahead. Gives the parser's last word. */
  #gather(): number {
    const parser = this.#parser
    const request = this.#request
    request.clear()
    this.#count = 0
    while (this.#count < READ_AHEAD_COUNT && request.size < LAID_OUT_SIZE) {
      const outcome = parser.next()
      if (outcome !== COMPLETE) return outcome
      const i = this.#count++
      const entry = request.find(parser)
      this.#entries[i] = entry
      this.#sizes[i] = parser.position - this.#position
      this.#position = parser.position
      if (entry === undefined) {
        const { bytes, offsets } = parser
        this.#unknownName = bytes.latin1Slice(offsets[0], offsets[1]) // alloc: it should not be
        return COMPLETE
      }
      this.#starts[i] = request.append(parser, entry)
    }
    return COMPLETE
  }

  /** Calls what was laid out. */
  #execute(): void {
    const server = this.#server
    const { session } = this
    if (this.#count > 1) {
      this.#request.readAhead(server.inbox.readAhead, server.keyspace.dbs[session.dbIndex])
    }
    for (let i = 0; i < this.#count; i++) {
      const entry = this.#entries[i]
      if (entry === undefined) this.#owner.unknownCommand(this.#unknownName)
      else this.#call(entry, this.#starts[i])
      this.#executedSize += this.#sizes[i]
      // What is only queued has not been done: it is lost with the link.
      if (session.queue === undefined) this.settledSize = this.#executedSize
    }
  }

  #call(entry: CommandEntry, start: number): void {
    const server = this.#server
    if (this.looksAtWrites && (entry.flagBits & FLAG_WRITE) !== 0) this.#owner.writes()
    const call = this.#served
    const { session } = this
    this.#request.openAt(call.args, start, entry)
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
}
