/**
 * One client as the core sees it.
 *
 * Thread: core. Hot path.
 * Owns: what a client has said about itself, and what it is in the middle of.
 * Never: knows a socket: `link` and `connectionId` are all that leads back to it.
 */
import { CLASS_NORMAL, type OpenedInfo } from '../../bridge/message.ts'
import type { CommandEntry } from '../command/table.ts'
import type { User } from '../services/acl/user.ts'
import type { Subscriptions } from '../services/pubsub/topics.ts'
import type { Replica } from '../services/replication/replica.ts'
import type { TrackingState } from '../services/tracking/tracking.ts'
import type { Queue } from '../services/transactions/queue.ts'
import type { WatchedKey } from '../services/transactions/watches.ts'
import type { JoinedRequest } from './joined-requests.ts'
import type { CoreLink } from './link.ts'

export const REPLY_ON = 0
export const REPLY_OFF = 1
/** The next call is answered with nothing, then replies are on again. */
export const REPLY_SKIP_NEXT = 2
export const REPLY_SKIP = 3

/** A request that waits until its session may go on. */
export interface WaitingRequest {
  readonly bytes: Buffer
  readonly words: Int32Array
}

export class Session {
  readonly id: number
  readonly link: CoreLink
  readonly connectionId: number
  readonly info: OpenedInfo
  readonly createdMs: number
  dbIndex = 0
  /** 2 or 3. */
  protocol = 2
  /** Undefined: nobody's, that may do everything. */
  user: User | undefined = undefined
  authenticated = false
  name = ''
  libName = ''
  libVersion = ''
  replyMode = REPLY_ON
  /** True when the gates must look closer at every call of this session. */
  special = false
  monitor = false
  /** Its scripts run in the debugger. */
  debugsScripts = false
  /** This is no client: a script's calls are made in its name. */
  isScript = false
  /** Messages may come that the client has not asked for: it subscribes, tracks, or is redirected to. */
  listens = false
  /** Client-side caching, undefined when it is off. */
  tracking: TrackingState | undefined = undefined
  subscriptions: Subscriptions | undefined = undefined
  /** Channels, patterns and shard channels together. */
  subscriptionCount = 0
  /** What was asked for since MULTI. */
  queue: Queue | undefined = undefined
  watched: WatchedKey[] | undefined = undefined
  /** A watched key has changed. */
  stale = false
  noEvict = false
  noTouch = false
  /** No further request is read: the connection closes once replies have left. */
  closing = false
  closed = false
  /** It has passed its output limit: no reply reaches it any more. */
  vain = false
  lastInteractionMs: number
  lastCommand: CommandEntry | undefined = undefined
  outputClass = CLASS_NORMAL
  /** Requests that arrived while the session could not go on; undefined when it can. */
  waiting: WaitingRequest[] | undefined = undefined
  /** Bytes of `waiting`. */
  waitingSize = 0
  /** io does not read from the connection until the session goes on. */
  held = false
  /** A huge request whose pieces are still arriving. */
  joined: JoinedRequest | undefined = undefined
  /** Bytes of it that have come. */
  joinedSize = 0
  #isRedirectedTo = false
  /** What it has said of itself as a replica, or its place among the replicas. */
  replica: Replica | undefined = undefined
  /** It stands for the primary: what it asks is done. */
  isPrimary = false
  /** The end of the replication stream after its last write. */
  writtenOffset = 0
  /** The same in the append-only file. */
  writtenPosition = 0
  commandCount = 0
  inputBytes = 0

  constructor(id: number, link: CoreLink, connectionId: number, info: OpenedInfo, nowMs: number) {
    this.id = id
    this.link = link
    this.connectionId = connectionId
    this.info = info
    this.createdMs = nowMs
    this.lastInteractionMs = nowMs
  }

  /** Says again whether the gates must look closer; called after anything changed that they look at. */
  updateSpecial(): void {
    const { tracking } = this
    const subscribes = this.subscriptionCount > 0
    const chooses = tracking?.optIn === true || tracking?.optOut === true
    this.special =
      this.noTouch ||
      subscribes ||
      chooses ||
      this.queue !== undefined ||
      !this.authenticated ||
      this.user?.isLimited === true ||
      this.replica !== undefined
    this.listens = subscribes || tracking !== undefined || this.#isRedirectedTo
  }

  /** It gets the invalidation messages of another client, now or later. */
  redirectedTo(): void {
    this.#isRedirectedTo = true
    this.updateSpecial()
  }
}
