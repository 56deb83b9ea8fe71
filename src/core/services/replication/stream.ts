/**
 * The replication stream: effects as commands, one after the other, with SELECT where the database
 * changes. What a batch adds is gathered, and handed on as a whole when the batch ends.
 *
 * Thread: core. Hot path.
 * Owns: the bytes gathered in this batch; which database the stream is in.
 * Never: knows who reads it.
 */
import { argvSize, commandSize, writeArgv, writeCommand } from '../../../lib/resp/command-writer.ts'
import type { Args } from '../../engine/args.ts'
import { AUDIENCE_REPLICAS, type EffectSink } from '../../engine/propagation.ts'

const START_SIZE = 64 * 1024
/** A longer buffer than this is let go once it is empty. */
const KEPT_SIZE = 1024 * 1024
const SELECT = Buffer.from('SELECT')

/** Where gathered bytes go. */
export type StreamReader = (bytes: Buffer, size: number) => void

export class ReplicationStream implements EffectSink {
  readonly audience = AUDIENCE_REPLICAS
  readonly #reader: StreamReader
  #bytes = Buffer.allocUnsafeSlow(START_SIZE)
  /** Bytes gathered and not handed on yet. */
  size = 0
  /** The database that readers are in; -1: the next effect begins with SELECT. */
  dbIndex = -1

  constructor(reader: StreamReader) {
    this.#reader = reader
  }

  call(dbIndex: number, args: Args): void {
    const { lengths, count } = args
    this.#select(dbIndex)
    this.#reserve(commandSize(lengths, count))
    this.size = writeCommand(this.#bytes, this.size, args.bytes, args.offsets, lengths, count)
  }

  effect(dbIndex: number, argv: readonly Uint8Array[]): void {
    this.#select(dbIndex)
    this.command(argv)
  }

  /** A command that belongs to no database: PING, REPLCONF. */
  command(argv: readonly Uint8Array[]): void {
    this.#reserve(argvSize(argv))
    this.size = writeArgv(this.#bytes, this.size, argv)
  }

  /** Bytes of the primary's stream, passed on as they are. */
  raw(bytes: Buffer, offset: number, size: number): void {
    this.#reserve(size)
    bytes.copy(this.#bytes, this.size, offset, offset + size)
    this.size += size
  }

  /** The next effect begins with SELECT: somebody new is going to read. */
  selectAgain(): void {
    this.dbIndex = -1
  }

  /** Hands on what was gathered. */
  flush(): void {
    if (this.size === 0) return
    const { size } = this
    this.size = 0
    this.#reader(this.#bytes, size)
    if (this.#bytes.length > KEPT_SIZE) this.#bytes = Buffer.allocUnsafeSlow(START_SIZE)
  }

  /** Forgets what was gathered. */
  discard(): void {
    this.size = 0
    this.dbIndex = -1
  }

  #select(dbIndex: number): void {
    if (dbIndex === this.dbIndex) return
    this.dbIndex = dbIndex
    this.command([SELECT, Buffer.from(String(dbIndex))]) // alloc: when the database changes
  }

  #reserve(size: number): void {
    if (this.size + size <= this.#bytes.length) return
    const bytes = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.size + size))
    this.#bytes.copy(bytes, 0, 0, this.size)
    this.#bytes = bytes
  }
}
