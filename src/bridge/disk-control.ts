/**
 * What core and disk thread say to each other beside bytes: rare and free-form, in MessagePack, each
 * about one job. A job begins with a message of the core and ends with one of the disk thread.
 *
 * Thread: any.
 * Owns: their shapes.
 * Never: carries a key's data.
 */
import type { AofFromDisk, AofToDisk } from './aof-control.ts'

/** How the names of a new file's fault points begin. */
export type FaultPoints = 'rdb' | 'sync'

/** A file that is to be written under another name until it is whole. */
export interface NewFile {
  /** Absolute; bytes one a character, as all paths here. */
  readonly directory: string
  readonly name: string
  readonly temporaryName: string
  /** Whether it is synced every few MB, and not only when it is whole. */
  readonly syncsAsItGoes: boolean
}

/** From the core. */
export type ToDisk =
  | AofToDisk
  /** Begins an RDB file; bytes follow, as `bridge/rdb-record.ts` says. */
  | ({
      readonly type: 'rdb-save'
      /** The directive rdbchecksum. */
      readonly checksum: boolean
      /** Whether clients are served meanwhile, who shall not wait for a processor. */
      readonly givesWay: boolean
    } & NewFile)
  /** That was all; the file gets its place. `version`: the RDB version that its values need. */
  | { readonly type: 'rdb-end'; readonly version: number }
  /**
   * Begins to read a file, answered by 'opened'. Its bytes come in records that each begin with the
   * checksum of all bytes before: high word, low word.
   */
  | { readonly type: 'read'; readonly path: string }
  /** Begins any other file; its bytes follow as they are. */
  | ({
      readonly type: 'plain-save'
      /** Whose fault points it passes. */
      readonly points: FaultPoints
    } & NewFile)
  /** That was all; the file gets its place. */
  | { readonly type: 'plain-end' }
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
