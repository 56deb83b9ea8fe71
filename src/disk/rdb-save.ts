/**
 * Writes one RDB file: compresses the strings that the core has left, and adds up the checksum.
 *
 * Thread: disk.
 * Owns: what is not written yet, and the file until it has its place.
 * Never: keeps more than a buffer and a string.
 */
import type { ToDisk } from '../bridge/disk-control.ts'
import { RDB_RECORD_HEAD_WORDS, rdbRecordHeadSize } from '../bridge/rdb-record.ts'
import { assert } from '../lib/assert.ts'
import { Crc64 } from '../lib/crc64.ts'
import { OPCODE_END, RDB_VERSION } from '../lib/rdb/format.ts'
import { RdbWriter } from '../lib/rdb/writer.ts'
import { GiveWay } from './give-way.ts'
import type { Job, ToCore } from './job.ts'
import { TemporaryFile } from './temporary-file.ts'

const BUFFER_SIZE = 256 * 1024
/** 'REDIS', then four digits. */
const VERSION_OFFSET = 5
const VERSION_DIGITS = 4
const ZEROS = Buffer.alloc(64 * 1024)

export class RdbSaveJob implements Job {
  readonly isLasting = false
  readonly #core: ToCore
  readonly #checksum: boolean
  readonly #file: TemporaryFile
  readonly #writer = new RdbWriter(BUFFER_SIZE * 2)
  readonly #sum = new Crc64()
  readonly #way: GiveWay | undefined
  /** A string whose bytes are still coming. */
  #string: Buffer | undefined = undefined
  #stringFilled = 0

  constructor(order: Extract<ToDisk, { type: 'rdb-save' }>, core: ToCore) {
    this.#core = core
    this.#checksum = order.checksum
    if (order.givesWay) this.#way = new GiveWay()
    this.#file = new TemporaryFile('rdb', order)
    this.#writer.spill(BUFFER_SIZE, () => this.#flush())
  }

  told(message: ToDisk): void {
    if (message.type === 'abort') this.#core.tell({ type: 'done', size: 0 })
    else if (message.type === 'rdb-end') this.#finish(message.version)
    else assert(false, `an RDB file is told '${message.type}'`)
  }

  bytes(bytes: Buffer, words: Int32Array, offset: number, size: number): void {
    this.#way?.begin()
    const word = offset >> 2
    const count = words[word]
    const start = offset + rdbRecordHeadSize(count)
    const end = offset + size
    let at = this.#goOn(bytes, start, end)
    for (let i = 0; i < count; i++) {
      const pair = word + RDB_RECORD_HEAD_WORDS + 2 * i
      const string = start + words[pair]
      const length = words[pair + 1]
      this.#writer.raw(bytes, at, string - at)
      at = Math.min(string + length, end)
      if (at === string + length) {
        this.#writer.string(bytes, string, length)
      } else {
        this.#string = Buffer.allocUnsafe(length)
        this.#stringFilled = bytes.copy(this.#string, 0, string, end)
      }
    }
    this.#writer.raw(bytes, at, end - at)
    this.#way?.end()
  }

  step(): boolean {
    return false
  }

  close(): void {
    this.#file.discard()
  }

  /** Takes what belongs to a string of an earlier record. Gives where the rest begins. */
  #goOn(bytes: Buffer, start: number, end: number): number {
    const string = this.#string
    if (string === undefined) return start
    const size = bytes.copy(string, this.#stringFilled, start, end)
    this.#stringFilled += size
    if (this.#stringFilled === string.length) {
      this.#string = undefined
      this.#writer.string(string, 0, string.length)
    }
    return start + size
  }

  #flush(): void {
    const { bytes, length } = this.#writer
    if (this.#checksum) this.#sum.update(bytes, 0, length)
    this.#file.write(bytes, 0, length)
    this.#writer.reset()
  }

  #finish(version: number): void {
    const file = this.#file
    this.#writer.byte(OPCODE_END)
    this.#flush()
    if (version !== RDB_VERSION) this.#changeVersion(version)
    if (this.#checksum) this.#writer.int64(this.#sum.high, this.#sum.low)
    else this.#writer.int64(0, 0)
    const { bytes, length } = this.#writer
    file.write(bytes, 0, length)
    file.place()
    this.#core.tell({ type: 'done', size: file.size })
  }

  /**
   * The header said RDB_VERSION, and some value needs a newer one. Without start or final value the
   * checksum is linear: that of the new file is that of the old one, xor that of what differs followed
   * by zeros. Going through the zeros takes time, but such files are rare, and it is only time.
   */
  #changeVersion(version: number): void {
    const digits = Buffer.from(String(version).padStart(VERSION_DIGITS, '0'))
    const before = Buffer.from(String(RDB_VERSION).padStart(VERSION_DIGITS, '0'))
    this.#file.writeAt(digits, VERSION_OFFSET)
    const sum = new Crc64()
    const difference = digits.map((digit, i) => digit ^ before[i])
    sum.update(difference, 0, VERSION_DIGITS)
    for (
      let left = this.#file.size - VERSION_OFFSET - VERSION_DIGITS;
      left > 0;
      left -= ZEROS.length
    ) {
      sum.update(ZEROS, 0, Math.min(left, ZEROS.length))
    }
    this.#sum.high ^= sum.high
    this.#sum.low ^= sum.low
  }
}
