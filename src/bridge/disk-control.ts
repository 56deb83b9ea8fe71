/**
 * What core and disk thread say to each other beside bytes: rare and free-form, in MessagePack, each
 * about one job. A job begins with a message of the core and ends with one of the disk thread.
 *
 * Thread: any.
 * Owns: their shapes.
 * Never: carries a key's data.
 */
import type { AofFromDisk, AofToDisk } from './aof-control.ts'

/** From the core. */
export type ToDisk =
  | AofToDisk
  /** Begins an RDB file; bytes follow, as `bridge/rdb-record.ts` says. */
  | {
      readonly type: 'rdb-save'
      /** Absolute; bytes one a character, as all paths here. */
      readonly directory: string
      readonly name: string
      readonly temporaryName: string
      /** The directive rdbchecksum. */
      readonly checksum: boolean
      /** The directive rdb-save-incremental-fsync. */
      readonly syncsAsItGoes: boolean
    }
  /** That was all; the file gets its place. `version`: the RDB version that its values need. */
  | { readonly type: 'rdb-end'; readonly version: number }
  /**
   * Begins to read a file, answered by 'opened'. Its bytes come in records that each begin with the
   * checksum of all bytes before: high word, low word.
   */
  | { readonly type: 'read'; readonly path: string }
  /** Begins a file that a primary sends; its bytes follow as they come. */
  | {
      readonly type: 'receive'
      readonly directory: string
      readonly name: string
      readonly temporaryName: string
    }
  /** That was all; the file is synced and gets its place. */
  | { readonly type: 'received' }
  /** Begins to send a file to replicas, answered by 'opened'; nothing comes before 'more'. */
  | { readonly type: 'send'; readonly path: string }
  /** So many bytes more may come. */
  | { readonly type: 'more'; readonly size: number }
  /** Deletes a file; one that is not there is as good. */
  | { readonly type: 'remove'; readonly path: string }
  /** Nobody wants the file any more. Answered by 'done'. */
  | { readonly type: 'abort' }

/** From the disk thread. */
export type FromDisk =
  /** There is a file to read, of so many bytes. */
  | { readonly type: 'opened'; readonly size: number }
  | AofFromDisk
  /** The job is over. `size`: bytes of the file, where there is one. */
  | { readonly type: 'done'; readonly size: number }
  /** The job is over, and has failed. */
  | { readonly type: 'failed'; readonly problem: DiskProblem }

/** Before the bytes in a record of a file that is read. */
export const READ_HEAD_SIZE = 8

/** What the system said. */
export interface DiskProblem {
  /** What was tried, one of the fault points: 'rdb-write'. */
  readonly point: string
  /** The system's name for it: 'ENOSPC'; empty when the system is not to blame. */
  readonly code: string
  /** In words, as strerror has them. */
  readonly text: string
}
