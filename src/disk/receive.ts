/**
 * Writes the RDB file that a primary sends, under another name until it is whole.
 *
 * Thread: disk.
 * Owns: the temporary file.
 * Never: looks into it.
 */
import { join } from 'node:path'
import type { ToDisk } from '../bridge/disk-control.ts'
import { toUnicode } from '../config/byte-text.ts'
import { assert } from '../lib/assert.ts'
import {
  closeFile,
  openFile,
  removeFile,
  renameFile,
  syncDirectory,
  syncFile,
  writeAll,
} from './files.ts'
import type { Job, ToCore } from './job.ts'

export class ReceiveJob implements Job {
  readonly #order: Extract<ToDisk, { type: 'receive' }>
  readonly #core: ToCore
  readonly #temporary: string
  #file: number
  #size = 0

  constructor(order: Extract<ToDisk, { type: 'receive' }>, core: ToCore) {
    this.#order = order
    this.#core = core
    this.#temporary = join(toUnicode(order.directory), toUnicode(order.temporaryName))
    this.#file = openFile('sync-open', this.#temporary, 'w')
  }

  told(message: ToDisk): void {
    if (message.type === 'abort') this.#core.tell({ type: 'done', size: 0 })
    else if (message.type === 'received') this.#finish()
    else assert(false, `a file that comes in is told '${message.type}'`)
  }

  bytes(bytes: Buffer, _words: Int32Array, offset: number, size: number): void {
    writeAll('sync-write', this.#file, bytes, offset, size)
    this.#size += size
  }

  step(): boolean {
    return false
  }

  close(): void {
    if (this.#file < 0) return
    const file = this.#file
    this.#file = -1
    closeFile('sync-close', file)
    removeFile('sync-remove', this.#temporary)
  }

  #finish(): void {
    const directory = toUnicode(this.#order.directory)
    syncFile('sync-sync', this.#file)
    const file = this.#file
    this.#file = -1
    closeFile('sync-close', file)
    renameFile('sync-rename', this.#temporary, join(directory, toUnicode(this.#order.name)))
    syncDirectory('sync-sync-directory', directory)
    this.#core.tell({ type: 'done', size: this.#size })
  }
}
