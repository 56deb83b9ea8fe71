/**
 * What becomes of a snapshot's bytes as they come, whichever way they go into memory.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: knows how the bytes come.
 */
export interface Copy {
  /** Bytes of the snapshot that have come. */
  readonly readSize: number
  /** True when everything has come and is being loaded: the primary need not send anything. */
  readonly isLoading: boolean
  /** Takes the bytes from `at` up to `end`. What comes behind the snapshot is kept for `loaded`. */
  take(bytes: Buffer, at: number, end: number): void
  /** The link is gone, or the bytes make no sense: nothing of this is of use. */
  abort(): void
}

/** Who is told. After `failed` or `loaded` nothing more comes. */
export interface CopyOwner {
  failed(): void
  /** The data that were here are gone, and with them their history. */
  emptied(): void
  /** Everything has come: what the primary sends next has to wait. */
  received(): void
  /** The data are the primary's, whose stream goes on in database `dbIndex`, with `rest` first. */
  loaded(dbIndex: number, rest: Buffer): void
}

/** How a snapshot ends: after `size` bytes, or where `mark` comes, which is empty where not. */
export interface Framing {
  readonly size: number
  readonly mark: string
}

export const MARK_SIZE = 40
