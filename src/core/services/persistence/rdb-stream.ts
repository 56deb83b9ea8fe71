/**
 * An RDB file on its way to the disk thread: what is written here goes there piece by piece, so that
 * no value is ever held twice as a whole. Strings worth compressing are left to that thread.
 *
 * Thread: core.
 * Owns: the piece that is being filled.
 * Never: knows what a value is.
 */
import type { ToDisk } from '../../../bridge/disk-control.ts'
import { RDB_RECORD_HEAD_WORDS, rdbRecordHeadSize } from '../../../bridge/rdb-record.ts'
import { DISK_RECORD_SIZE } from '../../../config/limits.ts'
import { RdbWriter } from '../../../lib/rdb/writer.ts'
import type { DiskLink, JobOwner } from '../../engine/disk-link.ts'

/** A piece is sent when it is so long; it may get longer by one item. */
const PIECE_SIZE = DISK_RECORD_SIZE >> 1

export class RdbStream {
  readonly writer = new RdbWriter(DISK_RECORD_SIZE)
  readonly #disk: DiskLink
  readonly #strings: number[] = []
  /** 0: none. */
  #job = 0
  /** Bytes sent, as long as they were before compressing. */
  sentSize = 0

  constructor(disk: DiskLink) {
    this.#disk = disk
    this.writer.left = this.#strings
    this.writer.spill(PIECE_SIZE, () => this.flush())
  }

  /** Begins a file. `compress`: the directive rdbcompression. */
  begin(order: Extract<ToDisk, { type: 'rdb-save' }>, compress: boolean, owner: JobOwner): number {
    this.writer.reset()
    this.writer.compress = compress
    this.#strings.length = 0
    this.sentSize = 0
    this.#job = this.#disk.begin(order, owner)
    return this.#job
  }

  /** Sends what is there. */
  flush(): void {
    const { writer } = this
    if (writer.length === 0) return
    const strings = this.#strings
    const headSize = rdbRecordHeadSize(strings.length >> 1)
    const size = headSize + writer.length
    const offset = this.#disk.claim(size)
    const { bytes, words } = this.#disk.out
    const word = offset >> 2
    words[word] = strings.length >> 1
    for (let i = 0; i < strings.length; i++) words[word + RDB_RECORD_HEAD_WORDS + i] = strings[i]
    writer.bytes.copy(bytes, offset + headSize, 0, writer.length)
    this.#disk.commit(this.#job, offset, size)
    this.sentSize += writer.length
    strings.length = 0
    writer.reset()
  }

  /** Says that the file is whole. */
  end(version: number): void {
    this.flush()
    this.#disk.tell(this.#job, { type: 'rdb-end', version })
  }

  /** Gives the file up. */
  abort(): void {
    this.writer.reset()
    this.#strings.length = 0
    this.#disk.tell(this.#job, { type: 'abort' })
  }
}
