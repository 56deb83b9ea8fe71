/**
 * A file that has another name until it is whole and on the disk, so that at every moment the file
 * before it or the new one is there.
 *
 * Thread: disk.
 * Owns: the file, and its removal if it never gets its place.
 * Never: touches the file in place before the new one is synced.
 */
import { join } from 'node:path'
import type { FaultPoints, NewFile } from '../bridge/disk-control.ts'
import { toUnicode } from '../config/byte-text.ts'
import { NEW_FILE_SYNC_SIZE } from '../config/limits.ts'
import {
  closeFile,
  DiskError,
  openFile,
  removeFile,
  renameFile,
  syncDirectory,
  syncFile,
  writeAll,
  writeAt,
} from './files.ts'

export class TemporaryFile {
  /** Bytes written. */
  size = 0
  readonly #points: FaultPoints
  readonly #directory: string
  readonly #temporary: string
  readonly #path: string
  readonly #syncsAsItGoes: boolean
  #file: number
  #syncedSize = 0
  #isPlaced = false

  /** Throws: DiskError. */
  constructor(points: FaultPoints, { directory, name, temporaryName, syncsAsItGoes }: NewFile) {
    this.#points = points
    this.#directory = toUnicode(directory)
    this.#temporary = join(this.#directory, toUnicode(temporaryName))
    this.#path = join(this.#directory, toUnicode(name))
    this.#syncsAsItGoes = syncsAsItGoes
    this.#file = openFile(`${points}-open`, this.#temporary, 'w')
  }

  /** Throws: DiskError. */
  write(bytes: Uint8Array, offset: number, size: number): void {
    writeAll(`${this.#points}-write`, this.#file, bytes, offset, size)
    this.size += size
    if (!this.#syncsAsItGoes || this.size - this.#syncedSize < NEW_FILE_SYNC_SIZE) return
    syncFile(`${this.#points}-sync`, this.#file)
    this.#syncedSize = this.size
  }

  /** Writes over what is there. Throws: DiskError. */
  writeAt(bytes: Uint8Array, position: number): void {
    writeAt(`${this.#points}-write`, this.#file, bytes, position)
  }

  /** That was all: the file gets its place. Throws: DiskError. */
  place(): void {
    const points = this.#points
    syncFile(`${points}-sync`, this.#file)
    this.#close()
    renameFile(`${points}-rename`, this.#temporary, this.#path)
    this.#isPlaced = true
    syncDirectory(`${points}-sync-directory`, this.#directory)
  }

  /** Removes the file if it has not got its place. */
  discard(): void {
    if (this.#isPlaced) return
    try {
      if (this.#file >= 0) this.#close()
      removeFile(`${this.#points}-remove`, this.#temporary)
    } catch (error) {
      // What is left is a temporary file, and the failure that led here is told already.
      if (!(error instanceof DiskError)) throw error
    }
  }

  #close(): void {
    const file = this.#file
    this.#file = -1
    closeFile(`${this.#points}-close`, file)
  }
}
