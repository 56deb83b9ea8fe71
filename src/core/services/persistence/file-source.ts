/**
 * A file that the disk thread reads, as an RDB reader sees it: whoever asks for bytes that have not
 * come yet waits for them.
 *
 * A reader holds on to bytes while it asks for more, so the memory that they lie in is never written
 * to again: when it is full, fresh memory begins with a copy of what was not read yet.
 *
 * The disk thread has added up the checksum of all bytes before each record. From there on it is
 * added up here: to where the RDB file ends, which that thread cannot know, and over the few bytes
 * that are let go of in the middle of a record.
 *
 * Thread: core.
 * Owns: the bytes that have come and were not read.
 * Never: holds more of a file than one string, and some.
 */
import { type DiskProblem, type FromDisk, READ_HEAD_SIZE } from '../../../bridge/disk-control.ts'
import { Crc64 } from '../../../lib/crc64.ts'
import { RDB_SHORT, RdbReader, type RdbSource } from '../../../lib/rdb/reader.ts'
import type { DiskLink, JobOwner } from '../../engine/disk-link.ts'

const WINDOW_SIZE = 1024 * 1024

/** The checksum of the bytes before a place in the file. */
interface Mark {
  readonly position: number
  readonly high: number
  readonly low: number
}

export class FileSource implements RdbSource, JobOwner {
  readonly reader = new RdbReader()
  /** Bytes of the whole file; 0 until it is open. */
  size = 0
  /** Why it cannot be read, or not further. */
  problem: DiskProblem | undefined = undefined
  readonly #disk: DiskLink
  readonly #job: number
  /** Bytes that have come, in all: the reader has all of them that it has not passed. */
  #comeSize = 0
  #wantedSize = 1
  #isOpen = false
  #isOver = false
  #marks: Mark[] = [{ position: 0, high: 0, low: 0 }]

  constructor(disk: DiskLink, path: string) {
    this.#disk = disk
    this.#renew(0)
    this.reader.source = this
    this.#job = disk.begin({ type: 'read', path }, this)
  }

  /** Bytes that were read. */
  get position(): number {
    return this.#comeSize - (this.reader.end - this.reader.offset)
  }

  get remaining(): number {
    if (this.#isOver) return 0
    return this.#isOpen ? this.size - this.#comeSize : Number.POSITIVE_INFINITY
  }

  refill(reader: RdbReader, count: number): void {
    this.#wantedSize = count
    while (reader.end - reader.offset < count) {
      if (this.#isOver) throw RDB_SHORT
      this.#disk.wait()
    }
    this.#wantedSize = 1
  }

  /** Nothing is read twice here: who asks for more waits for it. */
  mark(): void {}

  /** The checksum of all bytes that were read so far. */
  checksum(): Crc64 {
    const sum = new Crc64()
    const { position } = this
    const mark = this.#marks.findLast((one) => one.position <= position) ?? this.#marks[0]
    sum.high = mark.high
    sum.low = mark.low
    const { bytes, offset } = this.reader
    sum.update(bytes, offset - (position - mark.position), offset)
    return sum
  }

  /** Lets go of the file. */
  close(): void {
    this.reader.source = undefined
    this.reader.close()
    if (this.#disk.isOpen(this.#job)) this.#disk.tell(this.#job, { type: 'abort' })
    this.#isOver = true
  }

  told(message: FromDisk): void {
    if (message.type === 'opened') {
      this.size = message.size
      this.#isOpen = true
      return
    }
    if (message.type === 'failed') this.problem = message.problem
    this.#isOver = true
  }

  isFull(): boolean {
    const { reader } = this
    return reader.end - reader.offset >= Math.max(WINDOW_SIZE, this.#wantedSize)
  }

  bytes(bytes: Buffer, words: Int32Array, offset: number, size: number): void {
    if (this.#isOver) return
    const { reader } = this
    const count = size - READ_HEAD_SIZE
    const word = offset >> 2
    const { position } = this
    while (this.#marks.length > 1 && this.#marks[1].position <= position) this.#marks.shift()
    if (reader.end + count > reader.bytes.length) this.#renew(count)
    this.#marks.push({ position: this.#comeSize, high: words[word], low: words[word + 1] })
    bytes.copy(reader.bytes, reader.end, offset + READ_HEAD_SIZE, offset + size)
    reader.end += count
    this.#comeSize += count
  }

  /** Goes on in fresh memory, with room for `count` bytes. */
  #renew(count: number): void {
    const { reader } = this
    // What lies before is let go of.
    if (reader.bytes.length > 0) {
      const { high, low } = this.checksum()
      this.#marks = this.#marks.filter(({ position }) => position > this.position)
      this.#marks.unshift({ position: this.position, high, low })
    }
    const left = reader.end - reader.offset
    const needed = Math.max(left + count, this.#wantedSize)
    const memory = new ArrayBuffer(Math.max(WINDOW_SIZE, (needed + 7) & ~7))
    const bytes = Buffer.from(memory)
    reader.bytes.copy(bytes, 0, reader.offset, reader.end)
    reader.open(bytes, new Int32Array(memory), 0, left)
  }
}
