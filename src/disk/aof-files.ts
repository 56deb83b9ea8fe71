/**
 * The directory of the append-only file: which files there are, and how one manifest follows another.
 * A change is made to files that no manifest names, then the manifest is exchanged: so at every
 * moment the manifest on the disk names whole files.
 *
 * Thread: disk.
 * Owns: the manifest in force.
 * Never: writes a command.
 */
import { constants, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { AofBase, AofFound } from '../bridge/aof-control.ts'
import { fromBytes, toBytes, toUnicode } from '../config/byte-text.ts'
import type { LogLevel } from '../config/log-levels.ts'
import { systemErrorText } from '../lib/system-error.ts'
import {
  closeFile,
  DiskError,
  fileSize,
  makeDirectory,
  openFile,
  readSome,
  removeFile,
  renameFile,
  syncDirectory,
  syncFile,
  truncateFile,
  writeAll,
} from './files.ts'
import type { Voice } from './job.ts'
import {
  formatManifest,
  loadedFiles,
  type Manifest,
  manifestName,
  NO_FILES,
  parseManifest,
  temporaryIncrementName,
  temporaryName,
  withIncrementsRewritten,
  withNewBase,
  withNewIncrement,
  withOldBase,
  withoutHistory,
} from './manifest.ts'

/** Thrown when the server cannot go on; its text is the line to log. */
export class AofFatalError {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

interface Place {
  readonly root: string
  readonly directoryName: string
  readonly fileName: string
}

/** An increment open for appending. */
export interface OpenIncrement {
  readonly file: number
  readonly size: number
}

/** From the beginning, and always at the end: a write that was taken back leaves no hole behind. */
const ANEW = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND
const MANIFEST_SIZE_MAX = 64 * 1024 * 1024
const MIGRATION_FAILED = 'Error trying to move the old AOF file'

export class AofFiles {
  readonly #place: Place
  readonly #voice: Voice
  #manifest: Manifest = NO_FILES
  /** The manifest in force would survive a power failure. */
  #isSettled = true

  constructor(place: Place, voice: Voice) {
    this.#place = place
    this.#voice = voice
  }

  get names(): readonly string[] {
    return loadedFiles(this.#manifest).map(({ name }) => name)
  }

  /** Reads the manifest, if there is one. Throws: AofFatalError. */
  load(migrates: boolean): void {
    const name = manifestName(this.#place.fileName)
    if (!existsSync(this.#path(''))) {
      this.#log('debug', `The AOF directory ${this.#place.directoryName} doesn't exist`)
    } else if (!existsSync(this.#path(name))) {
      this.#log('debug', `The AOF manifest file ${name} doesn't exist`)
    } else {
      this.#manifest = this.#read(name)
    }
    if (migrates && this.#isOld()) this.#migrate()
  }

  /** What is to be loaded. Throws: AofFatalError when a file is not there. */
  found(): AofFound[] {
    return loadedFiles(this.#manifest).map(({ name, type }) => {
      try {
        return { name, type: type === 'b' ? 'b' : 'i', size: statSync(this.#path(name)).size }
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException
        if (code === undefined) throw error
        const text = systemErrorText(code, message)
        throw new AofFatalError(`Unable to obtain the AOF file ${name} length. stat: ${text}`)
      }
    })
  }

  /** Cuts a file. Throws: DiskError. */
  truncate(name: string, size: number): void {
    const file = openFile('aof-open', this.#path(name), 'r+')
    try {
      truncateFile('aof-truncate', file, size)
    } finally {
      closeFile('aof-close', file)
    }
  }

  /** At the start: the last increment, made if there is none. Throws: AofFatalError. */
  openLast(base: AofBase | undefined): OpenIncrement {
    this.#makeDirectory((text) => {
      throw new AofFatalError(text)
    })
    let manifest = this.#manifest
    if (base !== undefined) {
      manifest = withNewBase(manifest, this.#place.fileName, base.isRdb)
      const name = manifest.base?.name ?? ''
      this.#orFatal(
        () => renameFile('aof-rename', this.#rootPath(base.temporaryName), this.#path(name)),
        (problem) => `Error moving temp append only file on the final destination: ${problem}`,
      )
      this.#log('notice', `Creating AOF base file ${name} on server start`)
    }
    const isNew = manifest.increments.length === 0
    if (isNew) manifest = withNewIncrement(manifest, this.#place.fileName)
    const name = manifest.increments[manifest.increments.length - 1].name
    const opened = this.#orFatal(
      () => this.#open(name, 'a'),
      (problem) => `Can't open the append-only file ${name}: ${problem}`,
    )
    if (manifest !== this.#manifest && !(this.#persist(manifest) && this.#isSettled)) {
      throw new AofFatalError('The AOF manifest could not be written')
    }
    this.#log('notice', `${isNew ? 'Creating' : 'Opening'} AOF incr file ${name} on server start`)
    return opened
  }

  /** A new increment; undefined when that was not possible, and why was logged. */
  openNew(isTemporary: boolean): OpenIncrement | undefined {
    const { fileName } = this.#place
    let name = temporaryIncrementName(fileName)
    let manifest = this.#manifest
    if (!isTemporary) {
      manifest = withNewIncrement(manifest, fileName)
      name = manifest.increments[manifest.increments.length - 1].name
    }
    let isPossible = true
    this.#makeDirectory((text) => {
      isPossible = false
      this.#log('warning', text)
    })
    if (!isPossible) return undefined
    const opened = this.#orLog(
      () => this.#open(name, 'w'),
      (problem) => `Can't open the append-only file ${name}: ${problem}`,
    )
    if (opened === undefined) return undefined
    if (!isTemporary && !(this.#persist(manifest) && this.#isSettled)) {
      closeFile('aof-close', opened.file)
      return undefined
    }
    this.#log('notice', `Creating AOF incr file ${name} on background rewrite`)
    return opened
  }

  /**
   * The base takes its place, and everything before the increment being written becomes history.
   * `isTemporary`: that increment gets its place too. Gives the base's size, -1 when that was not
   * possible, and why was logged.
   */
  rewritten(base: AofBase, isTemporary: boolean, isAppending: boolean): number {
    const { fileName } = this.#place
    let manifest = withNewBase(this.#manifest, fileName, base.isRdb)
    const baseName = manifest.base?.name ?? ''
    const basePath = this.#path(baseName)
    const temporaryBase = this.#rootPath(base.temporaryName)
    const made: string[] = []
    const move = (from: string, to: string, kind: string, shown: [string, string]) => {
      const done = this.#orLog(
        () => {
          renameFile('aof-rename', from, to)
          return true
        },
        (problem) =>
          `Error trying to rename the temporary AOF ${kind} file ${shown[0]} into ${shown[1]}: ${problem}`,
      )
      if (done === true) {
        made.push(to)
        this.#log(
          'notice',
          `Successfully renamed the temporary AOF ${kind} file ${shown[0]} into ${shown[1]}`,
        )
      }
      return done === true
    }
    let hasDirectory = true
    // While appendonly is off nothing else has made it.
    this.#makeDirectory((text) => {
      hasDirectory = false
      this.#log('warning', text)
    })
    if (!hasDirectory) return -1
    if (!move(temporaryBase, basePath, 'base', [base.temporaryName, baseName])) return -1
    if (isTemporary) {
      const from = temporaryIncrementName(fileName)
      manifest = withNewIncrement(manifest, fileName)
      const to = manifest.increments[manifest.increments.length - 1].name
      if (!move(this.#path(from), this.#path(to), 'incr', [from, to])) return this.#undo(made)
    }
    manifest = withIncrementsRewritten(manifest, isAppending)
    if (!this.#persist(manifest)) return this.#undo(made)
    try {
      return statSync(basePath).size
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error
      return 0
    }
  }

  /** Deletes what no start needs any more. That it cannot be deleted is no trouble. */
  removeHistory(): void {
    const { history } = this.#manifest
    if (history.length === 0 || !this.#settle()) return
    for (const { name } of history) {
      this.#log('notice', `Removing the history file ${name} in the background`)
      this.#removeQuietly(this.#path(name))
    }
    this.#persist(withoutHistory(this.#manifest))
  }

  /** Nobody needs the increment that was to be part of a rewrite. */
  removeTemporaryIncrement(): void {
    const name = temporaryIncrementName(this.#place.fileName)
    this.#log('notice', `Removing the temp incr aof file ${name} in the background`)
    this.#removeQuietly(this.#path(name))
  }

  removeTemporaryBase(name: string): void {
    this.#removeQuietly(this.#rootPath(name))
  }

  #log(level: LogLevel, text: string): void {
    this.#voice.log(level, text)
  }

  #undo(paths: readonly string[]): -1 {
    for (const path of paths) this.#removeQuietly(path)
    return -1
  }

  #read(name: string): Manifest {
    const text = this.#orFatal(
      () => {
        const file = openFile('manifest-open-to-read', this.#path(name), 'r')
        try {
          const size = Math.min(fileSize('manifest-read', file), MANIFEST_SIZE_MAX)
          const bytes = Buffer.alloc(size)
          return fromBytes(bytes.subarray(0, readSome('manifest-read', file, bytes, 0, size)))
        } finally {
          closeFile('manifest-close', file)
        }
      },
      (problem) => `Fatal error: can't open the AOF manifest file ${name} for reading: ${problem}`,
    )
    const manifest = parseManifest(text)
    if (!('problem' in manifest)) return manifest
    this.#log('warning', '*** FATAL AOF MANIFEST FILE ERROR ***')
    if (manifest.at !== undefined) {
      this.#log('warning', `Reading the manifest file, at line ${manifest.at.line}`)
      this.#log('warning', `>>> '${manifest.at.text}'`)
    }
    throw new AofFatalError(manifest.problem)
  }

  /** Whether there is a file of the time before manifests, which nothing newer has replaced. */
  #isOld(): boolean {
    const { fileName } = this.#place
    if (!existsSync(this.#rootPath(fileName))) return false
    const { base, increments } = this.#manifest
    if (increments.length > 0) return false
    return base === undefined || (base.name === fileName && !existsSync(this.#path(fileName)))
  }

  #migrate(): void {
    const { fileName, directoryName } = this.#place
    this.#makeDirectory((text) => {
      throw new AofFatalError(text)
    })
    if (!this.#persist(withOldBase(this.#manifest, fileName))) {
      throw new AofFatalError('The AOF manifest could not be written')
    }
    this.#orFatal(
      () => {
        renameFile('aof-rename', this.#rootPath(fileName), this.#path(fileName))
        syncDirectory('aof-sync-directory', this.#path(''))
      },
      (problem) => `${MIGRATION_FAILED} ${fileName} into dir ${directoryName}: ${problem}`,
    )
    this.#log(
      'notice',
      `Successfully migrated an old-style AOF file (${fileName}) into the AOF directory (${directoryName}).`,
    )
  }

  #makeDirectory(failed: (text: string) => void): void {
    try {
      if (makeDirectory('aof-make-directory', this.#path(''))) {
        syncDirectory('aof-sync-directory', this.#rootPath(''))
      }
    } catch (error) {
      const { directoryName } = this.#place
      failed(`Can't open or create append-only dir ${directoryName}: ${textOf(error)}`)
    }
  }

  #open(name: string, how: 'a' | 'w'): OpenIncrement {
    const file = openFile('aof-open', this.#path(name), how === 'w' ? ANEW : how)
    return { file, size: how === 'w' ? 0 : fileSize('aof-size', file) }
  }

  /**
   * Puts a manifest into force. False when that was not possible, and why was logged. True says nothing
   * of power failures: `#isSettled` does.
   */
  #persist(manifest: Manifest): boolean {
    const name = manifestName(this.#place.fileName)
    const temporary = temporaryName(name)
    const path = this.#path(temporary)
    const bytes = toBytes(formatManifest(manifest))
    let file = -1
    const steps: [act: () => void, words: string][] = [
      [
        () => {
          file = openFile('manifest-open', path, 'w')
        },
        `Can't open the AOF manifest file ${temporary}`,
      ],
      [
        () => writeAll('manifest-write', file, bytes, 0, bytes.length),
        `Error trying to write the temporary AOF manifest file ${temporary}`,
      ],
      [() => syncFile('manifest-sync', file), `Fail to fsync the temp AOF file ${temporary}`],
    ]
    const isWritten = steps.every(([act, words]) =>
      this.#orLog(act, (text) => `${words}: ${text}`, true),
    )
    // Before it is renamed: not every system renames an open file.
    if (file >= 0)
      this.#orLog(
        () => closeFile('manifest-close', file),
        (text) => text,
        true,
      )
    const isPlaced =
      isWritten &&
      this.#orLog(
        () => renameFile('manifest-rename', path, this.#path(name)),
        (text) =>
          `Error trying to rename the temporary AOF manifest file ${temporary} into ${name}: ${text}`,
        true,
      )
    if (!isPlaced) return false
    // DIFFERS: for Redis the old manifest is in force when the directory cannot be synced, and it
    // deletes files that the new one names.
    this.#manifest = manifest
    this.#isSettled = false
    this.#settle()
    return true
  }

  /** Makes the manifest survive a power failure. False when that fails, and why was logged. */
  #settle(): boolean {
    if (this.#isSettled) return true
    this.#isSettled = this.#orLog(
      () => syncDirectory('manifest-sync-directory', this.#path('')),
      (text) => `Fail to fsync AOF directory ${this.#place.directoryName}: ${text}`,
      true,
    )
    return this.#isSettled
  }

  #removeQuietly(path: string): void {
    try {
      removeFile('aof-remove', path)
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
    }
  }

  /** What `act` gives; undefined, or with `flag` false, when it fails: then `words` are logged. */
  #orLog(act: () => void, words: (problem: string) => string, flag: true): boolean
  #orLog<T>(act: () => T, words: (problem: string) => string): T | undefined
  #orLog<T>(act: () => T, words: (problem: string) => string, flag = false): unknown {
    try {
      const result = act()
      return flag ? true : result
    } catch (error) {
      this.#log('warning', words(textOf(error)))
      return flag ? false : undefined
    }
  }

  #orFatal<T>(act: () => T, words: (problem: string) => string): T {
    try {
      return act()
    } catch (error) {
      throw new AofFatalError(words(textOf(error)))
    }
  }

  #path(name: string): string {
    return join(this.#rootPath(this.#place.directoryName), toUnicode(name))
  }

  #rootPath(name: string): string {
    return join(toUnicode(this.#place.root), toUnicode(name))
  }
}

/** What the system said. */
function textOf(error: unknown): string {
  if (error instanceof DiskError) return error.problem.text
  throw error
}
