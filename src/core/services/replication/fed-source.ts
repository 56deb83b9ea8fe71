/**
 * Bytes that are brought as they come from the primary, as an RDB reader sees them. Nobody can wait
 * for more here, since that would stop the server: a value whose end has not come is given up, and
 * read again once as much more has come as it lacked, or as much again as there was.
 *
 * Thread: core.
 * Owns: the bytes that have come and were not read for good.
 * Never: holds more than the value in progress, and some.
 */
import { Crc64 } from '../../../lib/crc64.ts'
import { RDB_EARLY, RDB_SHORT, RdbReader, type RdbSource } from '../../../lib/rdb/reader.ts'
import type { RdbInput } from '../persistence/rdb-load.ts'

const WINDOW_SIZE = 1024 * 1024

export class FedSource implements RdbInput, RdbSource {
  readonly reader = new RdbReader()
  readonly problem = undefined
  /** Of everything that is going to come; 0: unknown. */
  readonly size: number
  #comeSize = 0
  #memory = new ArrayBuffer(WINDOW_SIZE)
  /** Where the value in progress begins in the window. */
  #markOffset = 0
  /** Of what was read before the mark, up to `#sumOffset`. */
  readonly #sum = new Crc64()
  #sumOffset = 0
  /** Bytes behind the mark that make another try worthwhile. */
  #wantedSize = 1

  constructor(size: number) {
    this.size = size
    this.reader.open(Buffer.from(this.#memory), new Int32Array(this.#memory), 0, 0)
    this.reader.source = this
  }

  get position(): number {
    return this.#comeSize - (this.reader.end - this.reader.offset)
  }

  get remaining(): number {
    return this.size === 0 ? Number.POSITIVE_INFINITY : this.size - this.#comeSize
  }

  /** True when there may be enough for what was given up. */
  get isWorthwhile(): boolean {
    return this.reader.end - this.#markOffset >= this.#wantedSize || this.remaining === 0
  }

  /** Takes bytes; the reader is where the value in progress begins. */
  push(bytes: Buffer, at: number, size: number): void {
    const { reader } = this
    if (reader.end + size > reader.bytes.length) this.#renew(size)
    bytes.copy(reader.bytes, reader.end, at, at + size)
    reader.end += size
    this.#comeSize += size
  }

  mark(): void {
    this.#markOffset = this.reader.offset
    this.#wantedSize = 1
  }

  /** Nobody reads on in the middle of a value: the next try begins where it does. */
  rewind(): void {
    this.reader.offset = this.#markOffset
  }

  refill(reader: RdbReader, count: number): void {
    if (this.remaining === 0) throw RDB_SHORT
    const held = reader.end - this.#markOffset
    const lacked = reader.offset + count - reader.end
    this.#wantedSize = held + Math.max(lacked, held < WINDOW_SIZE ? 0 : held)
    throw RDB_EARLY
  }

  checksum(): Crc64 {
    this.#add(this.reader.offset)
    return this.#sum
  }

  /** Bytes that have come and were not read, which are no longer the reader's. */
  rest(): Buffer {
    const { bytes, offset, end } = this.reader
    return Buffer.from(bytes.subarray(offset, end))
  }

  /** The last bytes that have come are `text`. */
  endsWith(text: string): boolean {
    const { bytes, end } = this.reader
    return end >= text.length && bytes.latin1Slice(end - text.length, end) === text
  }

  /** Begins a window anew with what is not read for good, and room for `count` bytes more. */
  #renew(count: number): void {
    const { reader } = this
    this.#add(this.#markOffset)
    const held = reader.end - this.#markOffset
    const size = Math.max(WINDOW_SIZE, held + count, this.#wantedSize)
    let { bytes } = reader
    let { words } = reader
    if (size > bytes.length || size < bytes.length / 4) {
      this.#memory = new ArrayBuffer((size + 7) & ~7)
      bytes = Buffer.from(this.#memory)
      words = new Int32Array(this.#memory)
    }
    reader.bytes.copy(bytes, 0, this.#markOffset, reader.end)
    reader.open(bytes, words, 0, held)
    this.#markOffset = 0
    this.#sumOffset = 0
  }

  #add(offset: number): void {
    this.#sum.update(this.reader.bytes, this.#sumOffset, offset)
    this.#sumOffset = offset
  }
}
