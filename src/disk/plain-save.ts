/**
 * Writes one file as it comes: the base of an append-only file that consists of commands, and the RDB
 * file that a primary sends.
 *
 * Thread: disk.
 * Owns: the file until it has its place.
 * Never: looks into it.
 */
import type { ToDisk } from '../bridge/disk-control.ts'
import { assert } from '../lib/assert.ts'
import type { Job, ToCore } from './job.ts'
import { TemporaryFile } from './temporary-file.ts'

export class PlainSaveJob implements Job {
  readonly isLasting = false
  readonly #core: ToCore
  readonly #file: TemporaryFile

  constructor(order: Extract<ToDisk, { type: 'plain-save' }>, core: ToCore) {
    this.#core = core
    this.#file = new TemporaryFile(order.points, order)
  }

  told(message: ToDisk): void {
    if (message.type === 'abort') {
      this.#core.tell({ type: 'done', size: 0 })
      return
    }
    assert(message.type === 'plain-end', `a plain file is told '${message.type}'`)
    this.#file.place()
    this.#core.tell({ type: 'done', size: this.#file.size })
  }

  bytes(bytes: Buffer, _words: Int32Array, offset: number, size: number): void {
    this.#file.write(bytes, offset, size)
  }

  step(): boolean {
    return false
  }

  close(): void {
    this.#file.discard()
  }
}
