/**
 * Reads one file for the core, as fast as the core makes room for it.
 *
 * Thread: disk.
 * Owns: the open file, and the checksum of what was read.
 * Never: looks at what it reads.
 */
import { READ_HEAD_SIZE, type ToDisk } from '../bridge/disk-control.ts'
import { toUnicode } from '../config/byte-text.ts'
import { DISK_RECORD_SIZE } from '../config/limits.ts'
import { assert } from '../lib/assert.ts'
import { Crc64 } from '../lib/crc64.ts'
import { closeFile, DiskError, fileSize, openFile, readSome } from './files.ts'
import type { Job, ToCore } from './job.ts'

export class ReadJob implements Job {
  readonly isLasting = false
  readonly #core: ToCore
  readonly #file: number
  readonly #sum = new Crc64()
  #size = 0

  constructor(path: string, core: ToCore) {
    this.#core = core
    this.#file = openFile('rdb-open-to-read', toUnicode(path), 'r')
    core.tell({ type: 'opened', size: fileSize('rdb-open-to-read', this.#file) })
  }

  told(message: ToDisk): void {
    assert(message.type === 'abort', `a file that is read is told '${message.type}'`)
    this.#core.tell({ type: 'done', size: this.#size })
  }

  bytes(): void {
    assert(false, 'a file that is read gets no bytes')
  }

  step(): boolean {
    const core = this.#core
    const at = core.claim(READ_HEAD_SIZE + DISK_RECORD_SIZE)
    if (at < 0) return false
    const { ringBytes, ringWords } = core
    const start = at + READ_HEAD_SIZE
    const size = readSome('rdb-read', this.#file, ringBytes, start, DISK_RECORD_SIZE)
    if (size === 0) {
      core.tell({ type: 'done', size: this.#size })
      return false
    }
    ringWords[at >> 2] = this.#sum.high
    ringWords[(at >> 2) + 1] = this.#sum.low
    this.#sum.update(ringBytes, start, start + size)
    this.#size += size
    core.commit(READ_HEAD_SIZE + size)
    return true
  }

  close(): void {
    try {
      closeFile('rdb-close', this.#file)
    } catch (error) {
      // What was read was read.
      if (!(error instanceof DiskError)) throw error
    }
  }
}
