/**
 * Effects on their way into the append-only file: each becomes RESP where it will be read, in the
 * ring to the disk thread. A call that is its own effect is copied there from where it lies.
 *
 *     #TS:1700000000\r\n                          when the second has changed, if that is wanted
 *     *2\r\n $6\r\n SELECT\r\n $1\r\n 3\r\n       when the database has changed
 *     *3\r\n $3\r\n SET\r\n ...                   the effect
 *
 * Thread: core. Hot path.
 * Owns: the record of the ring that is being filled.
 * Never: keeps a record open when somebody else wants to write into the ring.
 */
import { DISK_RECORD_SIZE } from '../../../config/limits.ts'
import {
  argvSize,
  commandSize,
  encodeArgv,
  writeArgv,
  writeCommand,
} from '../../../lib/resp/command-writer.ts'
import type { Args } from '../../engine/args.ts'
import type { Clock } from '../../engine/clock.ts'
import type { DiskLink } from '../../engine/disk-link.ts'
import type { EffectSink } from '../../engine/propagation.ts'

const SELECT = Buffer.from('SELECT')
const NO_RECORD = -1
/** What RESP puts around a command and around each argument, at most. */
const COMMAND_EXTRA = 16
const ARGUMENT_EXTRA = 16

export class AppendWriter implements EffectSink {
  readonly #disk: DiskLink
  readonly #clock: Clock
  /** The job that gets the bytes; 0: none, and effects are dropped. */
  job = 0
  /** The directive aof-timestamp-enabled. */
  stamps = false
  /** Bytes handed over since the job began. */
  position = 0
  #start = NO_RECORD
  #at = 0
  #limit = 0
  #dbIndex = -1
  #second = 0

  constructor(disk: DiskLink, clock: Clock) {
    this.#disk = disk
    this.#clock = clock
  }

  /** What comes next names its database. */
  forgetDatabase(): void {
    this.#dbIndex = -1
  }

  call(dbIndex: number, args: Args): void {
    if (this.job === 0) return
    if (dbIndex !== this.#dbIndex || this.stamps) this.#introduce(dbIndex)
    const { offsets, lengths, count } = args
    const most = COMMAND_EXTRA + count * ARGUMENT_EXTRA + args.sizeBytes
    if (most > this.#limit - this.#at && !this.#open(most)) return this.#sendLong(args)
    const at = this.#at
    const end = writeCommand(this.#disk.out.bytes, at, args.bytes, offsets, lengths, count)
    this.#at = end
    this.position += end - at
  }

  effect(dbIndex: number, argv: readonly Uint8Array[]): void {
    if (this.job === 0) return
    if (dbIndex !== this.#dbIndex || this.stamps) this.#introduce(dbIndex)
    this.#write(argv)
  }

  /** Ends the open record: what is in it will be seen when the ring is published. */
  close(): void {
    const start = this.#start
    if (start === NO_RECORD) return
    const size = this.#at - start
    this.#start = NO_RECORD
    this.#at = 0
    this.#limit = 0
    if (size > 0) this.#disk.commit(this.job, start, size)
  }

  #write(argv: readonly Uint8Array[]): void {
    const size = argvSize(argv)
    if (size > this.#limit - this.#at && !this.#open(size)) {
      this.#send(encodeArgv(argv))
      return
    }
    this.#at = writeArgv(this.#disk.out.bytes, this.#at, argv)
    this.position += size
  }

  /** Opens a record with room for `size` bytes. False when there is none so long. */
  #open(size: number): boolean {
    this.close()
    if (size > DISK_RECORD_SIZE) return false
    this.#start = this.#disk.claim(DISK_RECORD_SIZE)
    this.#at = this.#start
    this.#limit = this.#start + DISK_RECORD_SIZE
    return true
  }

  // alloc: a command longer than a record
  #sendLong(args: Args): void {
    const { offsets, lengths, count } = args
    const bytes = Buffer.allocUnsafe(commandSize(lengths, count))
    writeCommand(bytes, 0, args.bytes, offsets, lengths, count)
    this.#send(bytes)
  }

  #send(bytes: Buffer): void {
    this.position += bytes.length
    this.#disk.send(this.job, bytes, 0, bytes.length)
  }

  // alloc: when the database or the second changes
  #introduce(dbIndex: number): void {
    if (this.stamps) this.#stamp()
    if (dbIndex === this.#dbIndex) return
    this.#dbIndex = dbIndex
    this.#write([SELECT, Buffer.from(String(dbIndex))])
  }

  // alloc: once a second
  #stamp(): void {
    const second = Math.floor(this.#clock.nowMs / 1000)
    if (second <= this.#second) return
    this.#second = second
    const text = `#TS:${second}\r\n`
    if (text.length > this.#limit - this.#at) this.#open(text.length)
    this.#at += this.#disk.out.bytes.latin1Write(text, this.#at)
    this.position += text.length
  }
}
