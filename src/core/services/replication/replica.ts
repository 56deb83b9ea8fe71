/**
 * One replica of this server, as its primary sees it.
 *
 * Thread: core.
 * Owns: how far it is.
 * Never: sends anything.
 */
import type { Session } from '../../engine/session.ts'

/** It has said something of itself, and not asked for the stream yet. */
export const REPLICA_INTRODUCES = 0
/** It waits for a snapshot to begin. */
export const REPLICA_WAITS = 1
/** Its snapshot is on the way. */
export const REPLICA_RECEIVES = 2
/** The snapshot has left; the stream begins when it says that it has loaded it. */
export const REPLICA_LOADS = 3
/** It follows the stream. */
export const REPLICA_ONLINE = 4

export class Replica {
  readonly session: Session
  state = REPLICA_INTRODUCES
  /** REPLCONF listening-port; 0: not told. */
  port = 0
  /** REPLCONF ip-address; empty: the peer's. */
  announcedIp = ''
  /** It has asked by PSYNC, not by SYNC: it is told the history's name. */
  asksById = true
  /** It can find the end of a snapshot of unknown size. */
  understandsEof = false
  /** It follows a change of the replication id. */
  understandsPsync2 = false
  /** It wants a snapshot and no stream. */
  snapshotOnly = false
  /** What it wants of the snapshot. */
  withoutData = false
  withoutFunctions = false
  /** Stream bytes up to here were sent. */
  sentOffset = 0
  /** It says that it has applied this much. */
  ackOffset = 0
  /** As above, synced to its AOF. */
  ackAofOffset = 0
  ackMs = 0
  /** When it began to wait for a snapshot. */
  sinceMs = 0

  constructor(session: Session) {
    this.session = session
  }

  get ip(): string {
    if (this.announcedIp !== '') return this.announcedIp
    const { address } = this.session.info
    return address.slice(0, address.lastIndexOf(':')).replace(/[[\]]/g, '')
  }

  /** As logs name it. */
  get name(): string {
    return `${this.ip}:${this.port === 0 ? `<unknown-replica-port>` : this.port}`
  }
}
