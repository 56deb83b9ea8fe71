/**
 * What the disk thread does for the core at one time: write this file, read that one, append.
 *
 * Thread: disk.
 * Owns: the shape of a job.
 * Never: knows which jobs there are.
 */
import type { FromDisk, ToDisk } from '../bridge/disk-control.ts'
import type { LogLevel } from '../config/log-levels.ts'

/** A job throws a DiskError when it has failed: the core is told, and the job is over. */
export interface Job {
  /** It goes on as long as the server does, and takes little time: the thread may be on the core's processor. */
  readonly isLasting: boolean
  /** The core says something about the job. */
  told(message: ToDisk): void
  /** `size` bytes from the core at `offset`, a multiple of 8; gone after the call. */
  bytes(bytes: Buffer, words: Int32Array, offset: number, size: number): void
  /** Goes on with what does not wait for the core: reading. True when there is more to do. */
  step(): boolean
  /** The job is over, by failure too: lets go of its files. */
  close(): void
}

/** The way to the log, past the core, which may be waiting for this thread. */
export interface Voice {
  log(level: LogLevel, text: string): void
  /** The process ends, after this line. */
  fatal(text: string): void
}

/** The way back to the core, for one job. */
export interface ToCore {
  readonly voice: Voice
  /** Tells the core something, now or as soon as there is room. 'done' and 'failed' end the job. */
  tell(message: FromDisk): void
  /**
   * Finds room for a record of up to `size` bytes of payload: where they may be written in `bytes`;
   * -1 when the core has to read first, and `step` is called again when it has.
   */
  claim(size: number): number
  /** What was written into the room found last is a record of `size` bytes. */
  commit(size: number): void
  /** So many bytes of the append-only file are on the disk: visible at once. */
  synced(position: number): void
  /** Makes it visible at once: for what ends outside a call of the job. */
  publish(): void
  readonly ringBytes: Buffer
  readonly ringWords: Int32Array
}
