/**
 * Reads a file for replicas, as much as the core asks for: they may be slow, and nothing is kept for
 * them in memory.
 *
 * Thread: disk.
 * Owns: the open file.
 * Never: reads ahead of what was asked for.
 */
import type { ToDisk } from '../bridge/disk-control.ts'
import { toUnicode } from '../config/byte-text.ts'
import { DISK_RECORD_SIZE } from '../config/limits.ts'
import { assert } from '../lib/assert.ts'
import { closeFile, DiskError, fileSize, openFile, readSome } from './files.ts'
import type { Job, ToCore } from './job.ts'

export class SendJob implements Job {
  readonly isLasting = false
  readonly #core: ToCore
  #file: number
  readonly #size: number
  #sent = 0
  #asked = 0

  constructor(path: string, core: ToCore) {
    this.#core = core
    this.#file = openFile('sync-open-to-read', toUnicode(path), 'r')
    this.#size = fileSize('sync-read', this.#file)
    core.tell({ type: 'opened', size: this.#size })
  }

  told(message: ToDisk): void {
    if (message.type === 'abort') this.#core.tell({ type: 'done', size: 0 })
    else if (message.type === 'more') this.#asked += message.size
    else assert(false, `a file that goes out is told '${message.type}'`)
  }

  bytes(): void {
    assert(false, 'a file that is read takes no bytes')
  }

  step(): boolean {
    const wanted = Math.min(this.#asked, this.#size - this.#sent, DISK_RECORD_SIZE)
    if (wanted > 0) {
      const offset = this.#core.claim(wanted)
      if (offset < 0) return false
      const size = readSome('sync-read', this.#file, this.#core.ringBytes, offset, wanted)
      if (size === 0) throw new DiskError('sync-read', '', 'the file has become shorter')
      this.#core.commit(size)
      this.#sent += size
      this.#asked -= size
    }
    if (this.#sent < this.#size) return this.#asked > 0
    this.#core.tell({ type: 'done', size: this.#sent })
    return false
  }

  close(): void {
    if (this.#file < 0) return
    const file = this.#file
    this.#file = -1
    closeFile('sync-close', file)
  }
}
