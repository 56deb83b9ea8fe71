/**
 * The end of the append-only file: what arrives is gathered, written in one go, and synced as the
 * policy says.
 *
 *     always      each batch is on the disk before anybody hears of it
 *     everysec    once a second, by another thread; what arrives meanwhile waits, two seconds at most
 *     no          when the system likes
 *
 * After a failed write the file is cut back to where it was whole, and everything is kept and tried
 * again, until it succeeds. Where `always` was promised there is no way on: the server ends.
 *
 * Thread: disk.
 * Owns: the bytes that are not written yet, and the file they go to.
 * Never: leaves half a command in the file when the system lets it be cut.
 */
import type { AofAct, AofPolicy } from '../bridge/aof-control.ts'
import { stopThread } from '../bridge/wake.ts'
import {
  AOF_RETRY_MS,
  AOF_SYNC_PERIOD_MS,
  AOF_WRITE_POSTPONED_MS,
  AOF_WRITE_SIZE,
} from '../config/limits.ts'
import {
  closeFile,
  DiskError,
  fileSize,
  syncFile,
  syncFileLater,
  truncateFile,
  writeAll,
} from './files.ts'

/** Who is told what becomes of the file. */
export interface AppendListener {
  /** Everything up to `position` is on the disk. */
  synced(position: number): void
  /** Everything up to `position` is written. */
  written(position: number): void
  /** Writing fails, or works again: then `problem` is empty. */
  writeFailed(problem: string): void
  syncFailed(problem: string): void
  /** A sync in the background begins or ends. */
  syncing(isSyncing: boolean): void
  /** It was done, well or not, in so many milliseconds. */
  lasted(act: AofAct, ms: number): void
  /** A write went on although the sync before was not done. */
  delayed(): void
  warn(text: string): void
  /** There is no way on. */
  fatal(text: string): void
}

const FIRST_CAPACITY = 256 * 1024
/** Seconds between two lines about the same trouble. */
const LOG_PERIOD_MS = 30_000
const NOT_POSSIBLE = 'the server is about to end'
const NO_SPACE = 'No space left on device'

export class AppendFile {
  readonly #listener: AppendListener
  /** Before each write: for tests. */
  sleepUs = 0
  #file: number
  /** Bytes of the file that are known to be whole. */
  #size: number
  #buffer = Buffer.allocUnsafe(FIRST_CAPACITY)
  #used = 0
  /** Bytes taken since the job began: positions count them. */
  #position: number
  #syncedSize: number
  #policy: AofPolicy
  /** False while no-appendfsync-on-rewrite forbids it. */
  #maySync = true
  #syncing = false
  #lastSyncMs = performance.now()
  #postponedMs = 0
  #writeProblem = ''
  #syncProblem = ''
  #lastLogMs = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined = undefined
  #isClosed = false
  /** The server is about to end: nothing may be promised any more. */
  #isDead = false

  /** `file`: open for appending, `size` bytes long. `position`: bytes taken before. */
  constructor(
    listener: AppendListener,
    file: number,
    size: number,
    position: number,
    policy: AofPolicy,
  ) {
    this.#listener = listener
    this.#file = file
    this.#size = size
    this.#syncedSize = size
    this.#position = position
    this.#policy = policy
  }

  get size(): number {
    return this.#size
  }

  get position(): number {
    return this.#position
  }

  /** Takes bytes; they are written when the turn ends, or when there are many. */
  add(bytes: Buffer, offset: number, size: number): void {
    if (this.#used + size > this.#buffer.length) this.#grow(this.#used + size)
    bytes.copy(this.#buffer, this.#used, offset, offset + size)
    this.#used += size
    this.#position += size
    if (this.#used >= AOF_WRITE_SIZE && this.#writeProblem === '' && !this.#isDead) {
      this.#write(false)
    }
  }

  /** The turn ends: writes and syncs what the policy wants. */
  commit(): void {
    if (this.#isDead) return
    if (this.#used > 0) this.#write(false)
    this.#sync()
  }

  /** Writes everything, whatever is in progress. */
  flush(): void {
    if (this.#used > 0 && !this.#isDead) this.#write(true)
    this.commit()
  }

  setPolicy(policy: AofPolicy, maySync: boolean): void {
    // What was promised until now is kept.
    this.commit()
    this.#policy = policy
    this.#maySync = maySync
    this.commit()
  }

  /** Writes and syncs everything. Gives what went wrong, empty for nothing. */
  syncAll(): string {
    if (this.#isDead) return NOT_POSSIBLE
    if (this.#used > 0) this.#write(true)
    if (this.#used > 0) return this.#writeProblem
    try {
      syncFile('aof-sync', this.#file)
      this.#synced(this.#size)
      return ''
    } catch (error) {
      return textOf(error)
    }
  }

  /** As `syncAll`, and closes the file. */
  finish(): string {
    const problem = this.syncAll()
    this.#close()
    return problem
  }

  /** Lets go of the file. What was not written is lost. */
  abandon(): void {
    this.#used = 0
    this.#close()
  }

  #grow(needed: number): void {
    let capacity = this.#buffer.length
    while (capacity < needed) capacity *= 2
    const buffer = Buffer.allocUnsafe(capacity)
    this.#buffer.copy(buffer, 0, 0, this.#used)
    this.#buffer = buffer
  }

  /** `force`: also while a sync is in progress. */
  #write(force: boolean): void {
    if (this.#policy === 'everysec' && this.#syncing && !force && this.#postpone()) return
    this.#postponedMs = 0
    const startedMs = performance.now()
    if (this.sleepUs > 0) stopThread(this.sleepUs / 1000)
    const used = this.#used
    try {
      writeAll('aof-write', this.#file, this.#buffer, 0, used)
    } catch (error) {
      this.#writeFailed(textOf(error))
      return
    } finally {
      const act = this.#syncing ? 'write-while-syncing' : 'write'
      this.#listener.lasted(act, performance.now() - startedMs)
    }
    this.#size += used
    this.#used = 0
    if (this.#buffer.length > AOF_WRITE_SIZE * 4) this.#buffer = Buffer.allocUnsafe(FIRST_CAPACITY)
    this.#listener.written(this.#position)
    if (this.#writeProblem === '') return
    this.#writeProblem = ''
    this.#listener.warn('AOF write error looks solved, Redis can write again.')
    this.#listener.writeFailed('')
  }

  /** True while it is better to wait for the sync in progress. */
  #postpone(): boolean {
    const nowMs = performance.now()
    if (this.#postponedMs === 0) this.#postponedMs = nowMs
    if (nowMs - this.#postponedMs < AOF_WRITE_POSTPONED_MS) {
      this.#wakeIn(AOF_RETRY_MS)
      return true
    }
    this.#listener.delayed()
    return false
  }

  #writeFailed(problem: string): void {
    const expected = this.#used
    const written = this.#writtenBeyond()
    const nowMs = performance.now()
    const maySay = nowMs - this.#lastLogMs > LOG_PERIOD_MS
    if (maySay) this.#lastLogMs = nowMs
    const say = (text: string) => maySay && this.#listener.warn(text)
    if (written === 0) {
      say(`Error writing to the AOF file: ${problem}`)
    } else {
      say(`Short write while writing to the AOF file: (nwritten=${written}, expected=${expected})`)
      this.#cutBack(written, say)
    }
    if (this.#policy === 'always') {
      return this.#die(
        "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...",
      )
    }
    this.#writeProblem = written === 0 ? problem : NO_SPACE
    this.#listener.writeFailed(this.#writeProblem)
    this.#wakeIn(AOF_RETRY_MS)
  }

  /** Bytes that the failed write has left in the file. */
  #writtenBeyond(): number {
    try {
      return Math.max(0, fileSize('aof-size', this.#file) - this.#size)
    } catch (error) {
      if (error instanceof DiskError) return 0
      throw error
    }
  }

  #cutBack(written: number, say: (text: string) => void): void {
    try {
      truncateFile('aof-truncate', this.#file, this.#size)
    } catch (error) {
      const problem = textOf(error)
      say(
        `Could not remove short write from the append-only file.  Redis may refuse to load the AOF the next time it starts.  ftruncate: ${problem}`,
      )
      // What is there stays; the rest follows it.
      this.#buffer.copy(this.#buffer, 0, written, this.#used)
      this.#used -= written
      this.#size += written
    }
  }

  #sync(): void {
    if (this.#size === this.#syncedSize) return
    if (this.#policy === 'no') return
    if (!this.#maySync) {
      // Nobody is to wait for what is not promised now.
      if (this.#policy === 'always') this.#listener.synced(this.#position - this.#used)
      return
    }
    if (this.#policy === 'always') return this.#syncNow()
    const dueMs = this.#lastSyncMs + AOF_SYNC_PERIOD_MS - performance.now()
    if (dueMs > 0) return this.#wakeIn(dueMs)
    if (!this.#syncing) this.#syncLater()
  }

  #syncNow(): void {
    const startedMs = performance.now()
    try {
      syncFile('aof-sync', this.#file)
    } catch (error) {
      return this.#die(
        `Can't persist AOF for fsync error when the AOF fsync policy is 'always': ${textOf(error)}. Exiting...`,
      )
    }
    this.#lastSyncMs = performance.now()
    this.#listener.lasted('sync', this.#lastSyncMs - startedMs)
    this.#synced(this.#size)
  }

  #syncLater(): void {
    const size = this.#size
    const position = this.#position - this.#used
    this.#syncing = true
    this.#listener.syncing(true)
    this.#lastSyncMs = performance.now()
    syncFileLater('aof-sync', this.#file, (problem) => {
      this.#syncing = false
      this.#listener.syncing(false)
      if (this.#isClosed) return closeQuietly(this.#file)
      if (problem !== undefined) {
        // Tried again after a second.
        this.#tellSync(problem.text)
        this.#wakeIn(AOF_SYNC_PERIOD_MS)
        return
      }
      this.#syncedSize = Math.max(this.#syncedSize, size)
      this.#tellSync('')
      this.#listener.synced(position)
      this.commit()
    })
  }

  #die(text: string): void {
    this.#isDead = true
    this.#listener.fatal(text)
  }

  #synced(size: number): void {
    this.#syncedSize = size
    this.#tellSync('')
    this.#listener.synced(this.#position - this.#used)
  }

  #tellSync(problem: string): void {
    if (problem === this.#syncProblem) return
    this.#syncProblem = problem
    this.#listener.syncFailed(problem)
  }

  /** Looks again after so long, if nothing comes before. */
  #wakeIn(ms: number): void {
    if (this.#timer !== undefined || this.#isClosed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (!this.#isClosed) this.commit()
    }, ms)
  }

  #close(): void {
    if (this.#isClosed) return
    clearTimeout(this.#timer)
    this.#isClosed = true
    // A sync in progress closes the file when it is done.
    if (!this.#syncing) closeQuietly(this.#file)
  }
}

function closeQuietly(file: number): void {
  try {
    closeFile('aof-close', file)
  } catch (error) {
    // Everything was synced before, or is not wanted.
    if (!(error instanceof DiskError)) throw error
  }
}

/** What the system said. */
function textOf(error: unknown): string {
  if (error instanceof DiskError) return error.problem.text
  throw error
}
