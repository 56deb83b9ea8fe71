/**
 * What can be done to files. Each operation names its fault point, and what goes wrong, really or on
 * purpose, comes as a `DiskError`.
 *
 * Thread: disk.
 * Owns: the system calls on files.
 * Never: leaves a write half done without saying so.
 */
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import type { DiskProblem } from '../bridge/disk-control.ts'
import { systemErrorText } from '../lib/system-error.ts'
import { die, type FaultAction, type FaultPoint, faultAt } from './faults.ts'

/** Thrown when the system refuses an operation; whoever runs a job makes an answer of it. */
export class DiskError extends Error {
  readonly problem: DiskProblem

  constructor(point: string, code: string, text: string) {
    super(`${point}: ${text}`)
    this.problem = { point, code, text }
  }
}

/** 'r' to read, 'r+' also to change, 'w' to write from the beginning, 'a' to append, or the system's flags. Throws: DiskError. */
export function openFile(
  point: FaultPoint,
  path: string,
  how: 'r' | 'r+' | 'w' | 'a' | number,
  mode = 0o644,
): number {
  return guarded(point, () => openSync(path, how, mode))
}

/** Writes everything, however many calls it takes. Throws: DiskError, with part of it written. */
export function writeAll(
  point: FaultPoint,
  file: number,
  bytes: Uint8Array,
  offset: number,
  size: number,
): void {
  const end = offset + size
  for (let at = offset; at < end; ) {
    at += guarded(
      point,
      () => writeSync(file, bytes, at, end - at),
      (action) => writeFaulty(point, action, file, bytes, at, end - at),
    )
  }
}

/** As `writeAll`, over what is at `position`. */
export function writeAt(
  point: FaultPoint,
  file: number,
  bytes: Uint8Array,
  position: number,
): void {
  for (let at = 0; at < bytes.length; ) {
    at += guarded(point, () => writeSync(file, bytes, at, bytes.length - at, position + at))
  }
}

/** Reads up to `size` bytes, at `position` or where the last read ended; 0 at the end. Throws: DiskError. */
export function readSome(
  point: FaultPoint,
  file: number,
  bytes: Uint8Array,
  offset: number,
  size: number,
  position: number | null = null,
): number {
  return guarded(point, () => readSync(file, bytes, offset, size, position))
}

/** Makes what was written survive a power failure. Throws: DiskError. */
export function syncFile(point: FaultPoint, file: number): void {
  guarded(point, () => fdatasyncSync(file))
}

/** As `syncFile`, by another thread; `done` is called in this thread's event loop. */
export function syncFileLater(
  point: FaultPoint,
  file: number,
  done: (problem: DiskProblem | undefined) => void,
): void {
  const action = faultAt(point)
  if (action === 'die') die()
  if (action !== undefined) {
    setTimeout(() => done({ point, code: action, text: systemErrorText(action, action) }), 0)
    return
  }
  fdatasync(file, (error) => {
    if (error === null) return done(undefined)
    const { code = '', message } = error
    done({ point, code, text: systemErrorText(code, message) })
  })
}

/** Throws: DiskError. The file is closed in any case. */
export function closeFile(point: FaultPoint, file: number): void {
  guarded(
    point,
    () => closeSync(file),
    () => closeSync(file),
  )
}

/** Throws: DiskError. */
export function renameFile(point: FaultPoint, from: string, to: string): void {
  guarded(point, () => renameSync(from, to))
}

/** Throws: DiskError. */
export function truncateFile(point: FaultPoint, file: number, size: number): void {
  guarded(point, () => ftruncateSync(file, size))
}

/** Deletes a file; one that is not there is as good. Throws: DiskError. */
export function removeFile(point: FaultPoint, path: string): void {
  try {
    guarded(point, () => unlinkSync(path))
  } catch (error) {
    if (!(error instanceof DiskError) || error.problem.code !== 'ENOENT') throw error
  }
}

/** Makes a directory. False when it is there already. Throws: DiskError. */
export function makeDirectory(point: FaultPoint, path: string): boolean {
  return guarded(point, () => mkdirSync(path, { recursive: true, mode: 0o755 }) !== undefined)
}

/**
 * Makes what was renamed or created in a directory survive a power failure, as far as the system has
 * a way to. Throws: DiskError.
 */
export function syncDirectory(point: FaultPoint, path: string): void {
  try {
    guarded(point, () => fsyncDirectory(path))
  } catch (error) {
    if (!(error instanceof DiskError) || !isNoWayToSync(error.problem.code)) throw error
  }
}

/** As `syncDirectory`, for who is no disk thread. Throws: what the system says. */
export function syncDirectoryUnguarded(path: string): void {
  try {
    fsyncDirectory(path)
  } catch (error) {
    if (!isNoWayToSync((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

function fsyncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/**
 * Whether an error only says that directories cannot be synced here, as on several network file
 * systems; Redis takes these for no failure either. Windows can sync none at all, and says so in
 * several ways.
 */
export function isNoWayToSync(code: string, platform: string = process.platform): boolean {
  if (platform === 'win32') return true
  return code === 'EINVAL' || code === 'EBADF' || code === 'EISDIR'
}

/** Bytes of an open file. Throws: DiskError. */
export function fileSize(point: FaultPoint, file: number): number {
  return guarded(point, () => fstatSync(file).size)
}

/** Does it, or what the test wants instead. `faulty` does the part that is done before an error. */
function guarded<T>(point: FaultPoint, act: () => T, faulty?: (action: FaultAction) => T): T {
  const action = faultAt(point)
  try {
    if (action === undefined) return act()
    if (action === 'die') die()
    const partial = faulty?.(action)
    if (action === 'short' && partial !== undefined) return partial
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new DiskError(point, code, systemErrorText(code, message))
  }
  throw new DiskError(point, action, systemErrorText(action, action))
}

function writeFaulty(
  point: FaultPoint,
  action: FaultAction,
  file: number,
  bytes: Uint8Array,
  offset: number,
  size: number,
): number {
  if (size < 2 && action === 'short') return writeSync(file, bytes, offset, size)
  const written = size < 2 ? 0 : writeSync(file, bytes, offset, size >> 1)
  if (action === 'tear') die()
  if (action !== 'short') throw new DiskError(point, action, systemErrorText(action, action))
  return written
}
