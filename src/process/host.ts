/**
 * What a server lives in: a process of its own, or a Worker inside of somebody else's process.
 *
 * Thread: main.
 * Owns: the line between the two.
 * Never: knows which of the two it is.
 */

export type ThreadKind = 'core' | 'io' | 'disk'

export interface Host {
  /** Whether the process is the server's own: its signals and its directory are there to be used. */
  readonly isOwn: boolean
  /** A port was reserved by a socket that shares it. */
  readonly sharesPort: boolean
  /** Said at debug level at the start; empty: nothing. */
  readonly note: string
  /** A thread that waits for its first message. */
  thread(kind: ThreadKind): Worker
  /** The doors are open and the data are there. */
  ready(): void
  /** A shutdown that was asked for has failed: the server goes on. */
  shutdownFailed(): void
  /** It has ended. `reason`: what went wrong, empty when nothing did. */
  exit(status: number, reason: string): void
}
