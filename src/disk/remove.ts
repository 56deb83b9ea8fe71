/**
 * Deletes a file.
 *
 * Thread: disk.
 * Owns: nothing.
 * Never: anything else.
 */
import { toUnicode } from '../config/byte-text.ts'
import { removeFile } from './files.ts'
import type { ToCore } from './job.ts'

/** Throws: DiskError. */
export function remove(path: string, core: ToCore): void {
  removeFile('sync-remove', toUnicode(path))
  core.tell({ type: 'done', size: 0 })
}
