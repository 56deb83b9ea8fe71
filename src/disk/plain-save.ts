/**
 * Writes one file as it comes and puts it into its place when it is whole and on the disk: the base
 * of an append-only file that consists of commands.
 *
 * Thread: disk.
 * Owns: the temporary file.
 * Never: touches the file in place before the new one is synced.
 */
import { join } from 'node:path'
import type { ToDisk } from '../bridge/disk-control.ts'
import { toUnicode } from '../config/byte-text.ts'
import { RDB_SYNC_SIZE } from '../config/limits.ts'
import { assert } from '../lib/assert.ts'
import {
  closeFile,
  DiskError,
  openFile,
  removeFile,
  renameFile,
  syncDirectory,
  syncFile,
  writeAll,
} from './files.ts'
import type { Job, ToCore } from './job.ts'

export class PlainSaveJob implements Job {
  readonly #order: Extract<ToDisk, { type: 'plain-save' }>
  readonly #core: ToCore
  readonly #temporary: string
  #file: number
  #size = 0
  #syncedSize = 0
  #isPlaced = false

  constructor(order: Extract<ToDisk, { type: 'plain-save' }>, core: ToCore) {
    this.#order = order
    this.#core = core
    this.#temporary = join(toUnicode(order.directory), toUnicode(order.temporaryName))
    this.#file = openFile('rdb-open', this.#temporary, 'w')
  }

  told(message: ToDisk): void {
    if (message.type === 'abort') this.#core.tell({ type: 'done', size: 0 })
    else if (message.type === 'plain-end') this.#finish()
    else assert(false, `a plain file is told '${message.type}'`)
  }

  bytes(bytes: Buffer, _words: Int32Array, offset: number, size: number): void {
    writeAll('rdb-write', this.#file, bytes, offset, size)
    this.#size += size
    if (!this.#order.syncsAsItGoes || this.#size - this.#syncedSize < RDB_SYNC_SIZE) return
    syncFile('rdb-sync', this.#file)
    this.#syncedSize = this.#size
  }

  step(): boolean {
    return false
  }

  close(): void {
    if (this.#isPlaced) return
    try {
      if (this.#file >= 0) closeFile('rdb-close', this.#file)
      removeFile('rdb-remove', this.#temporary)
    } catch (error) {
      // What is left is a temporary file, and the failure that led here is told already.
      if (!(error instanceof DiskError)) throw error
    }
  }

  #finish(): void {
    const { directory, name } = this.#order
    syncFile('rdb-sync', this.#file)
    const file = this.#file
    this.#file = -1
    closeFile('rdb-close', file)
    const root = toUnicode(directory)
    renameFile('rdb-rename', this.#temporary, join(root, toUnicode(name)))
    this.#isPlaced = true
    syncDirectory('rdb-sync-directory', root)
    this.#core.tell({ type: 'done', size: this.#size })
  }
}
