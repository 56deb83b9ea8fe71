/**
 * What core and disk thread say about the append-only file. It is one job for as long as appendonly
 * is on; the bytes that the core sends for it are commands. Each request is answered, in order, by
 * 'aof-answer'.
 *
 * Thread: any.
 * Owns: the shapes.
 * Never: carries a key's data.
 */
export type AofPolicy = 'always' | 'everysec' | 'no'

/** What is told of when it lasts long; `write-while-syncing`: a sync was in progress. */
export type AofAct = 'write' | 'write-while-syncing' | 'sync'

/** From the core. */
export type AofToDisk =
  /** Begins the job: finds what files there are. Answered by 'aof-found'. */
  | {
      readonly type: 'aof-begin'
      /** Absolute, bytes one a character, as all paths here: the server's directory. */
      readonly root: string
      readonly directoryName: string
      readonly fileName: string
      /** A file of the time before manifests is taken over. */
      readonly migrates: boolean
      readonly policy: AofPolicy
    }
  /** Writes what there is, then answers as to 'aof-begin'. */
  | { readonly type: 'aof-find'; readonly migrates: boolean }
  /** Writes and syncs everything that has come. */
  | { readonly type: 'aof-sync' }
  /** Cuts a file off where its last whole command ends. */
  | { readonly type: 'aof-truncate'; readonly name: string; readonly size: number }
  /** Commands go to the last increment from now on. `base`: a file in `root` that becomes the base. */
  | {
      readonly type: 'aof-append'
      readonly base: AofBase | null
      readonly removesHistory: boolean
    }
  /** They go to a new increment; `temporary`: that is no part of the manifest yet. */
  | { readonly type: 'aof-rotate'; readonly temporary: boolean }
  /** The base is there: it takes the place of everything before the current increment. */
  | { readonly type: 'aof-rewritten'; readonly base: AofBase; readonly removesHistory: boolean }
  /** It will not be there. */
  | { readonly type: 'aof-rewrite-failed'; readonly base: string }
  | { readonly type: 'aof-policy'; readonly policy: AofPolicy; readonly maySync: boolean }
  /** Deletes the files that a rewrite has replaced. */
  | { readonly type: 'aof-remove-history' }
  /** Writes and syncs that last at least so long are told of; 0: none. */
  | { readonly type: 'aof-watch'; readonly leastMs: number }
  /** DEBUG AOF-FLUSH-SLEEP: before each write. */
  | { readonly type: 'aof-sleep'; readonly microseconds: number }
  /** Writes and syncs everything, and ends the job. */
  | { readonly type: 'aof-end' }

export interface AofBase {
  /** The file's name in the server's directory. */
  readonly temporaryName: string
  readonly isRdb: boolean
}

export interface AofFound {
  readonly name: string
  readonly type: 'b' | 'i'
  readonly size: number
}

/** From the disk thread. */
export type AofFromDisk =
  | { readonly type: 'aof-found'; readonly files: readonly AofFound[] }
  | {
      readonly type: 'aof-answer'
      /** What went wrong, in the system's words; empty for nothing. */
      readonly problem: string
      /** Bytes of the file that this was about. */
      readonly size: number
    }
  /** It lasted long. */
  | {
      readonly type: 'aof-lasted'
      readonly act: AofAct
      readonly ms: number
    }
  /** Writing, or syncing, fails or works again; the system's words, empty for none. */
  | {
      readonly type: 'aof-health'
      readonly writeProblem: string
      readonly syncProblem: string
      /** Writes that went on although a sync was in progress, since the job began. */
      readonly delayedCount: number
      /** A sync is in progress in the background. */
      readonly isSyncing: boolean
    }
