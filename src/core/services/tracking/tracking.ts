/**
 * Client-side caching: clients that keep what they read are told when it changes. By default the
 * server remembers what each of them has read; a client in broadcasting mode is told of all keys
 * with certain prefixes instead, once a turn.
 *
 * What a client's own call changes it is told after the reply, for a message may not stand inside
 * one; others are told at once.
 *
 * Thread: core.
 * Owns: who tracks; what the client whose call is in progress has yet to be told.
 * Never: is looked at by a call as long as nobody tracks.
 *
 * @see https://redis.io/docs/latest/develop/reference/client-side-caching/
 */
import { TRACKING_EFFORT, TRACKING_LIMIT_PERIOD_MS } from '../../../config/limits.ts'
import { ArenaFullError } from '../../../memory/arena.ts'
import { findKeys } from '../../command/key-specs.ts'
import {
  type CommandEntry,
  FLAG_MOVABLE_KEYS,
  FLAG_PUBSUB,
  FLAG_READONLY,
} from '../../command/table.ts'
import type { Call } from '../../engine/call.ts'
import type { Session } from '../../engine/session.ts'
import type { ChangeListener, EventName } from '../../keyspace/events.ts'
import type { Server } from '../../server.ts'
import { allKeys, manyKeys, oneKey, Receivers, sendBrokenRedirect } from './invalidation.ts'
import { Prefixes } from './prefixes.ts'
import { TrackingTable } from './tracking-table.ts'

export interface TrackingOptions {
  /** Who gets the messages; 0: the client itself. */
  readonly redirectId: number
  readonly broadcast: boolean
  /** Only what CLIENT CACHING YES precedes is tracked; or all but what CACHING NO precedes. */
  readonly optIn: boolean
  readonly optOut: boolean
  /** Its own changes are no news to the client. */
  readonly noLoop: boolean
}

/** What a session that tracks has asked for. */
export interface TrackingState extends TrackingOptions {
  /** CLIENT CACHING was called: the next call is the exception. */
  caching: boolean
  /** Somebody could not be reached. */
  brokenRedirect: boolean
  /** In broadcasting mode, one character a byte. */
  readonly prefixes: Set<string>
}

/** What the client whose call is in progress will be told after the reply. */
interface Pending {
  readonly session: Session
  readonly redirectId: number
  readonly keys: Buffer
}

export class Tracking implements ChangeListener {
  readonly #server: Server
  readonly table: TrackingTable
  readonly prefixes = new Prefixes()
  /** Sessions that track, by the low half of their ids. */
  readonly #sessions = new Map<number, Session>()
  #pending: Pending[] = []
  /** `tracking-table-max-keys`; 0: none. */
  #keyCountMax = 0
  /** The table holds more keys than it may. */
  isOverfull = false
  /** How many times in a row making room was not enough. */
  #rounds = 0
  readonly #setPeriod: (periodMs: number) => void

  constructor(server: Server) {
    this.#server = server
    this.table = new TrackingTable(server.keyspace.hashSeed)
    this.#setPeriod = server.timers.cron(Number.POSITIVE_INFINITY, () => this.makeRoom())
    server.keyspace.events.attachChanges(this)
  }

  get clientCount(): number {
    return this.#sessions.size
  }

  get active(): boolean {
    return this.#sessions.size > 0 || this.table.itemCount > 0
  }

  settingsChanged(): void {
    this.#keyCountMax = this.#server.settings.int('tracking-table-max-keys')
    this.#lookAtSize()
  }

  /** The session tracks from now on, or otherwise than before; prefixes add up. */
  enable(session: Session, options: TrackingOptions, prefixes: readonly string[]): void {
    const before = session.tracking
    const state: TrackingState = {
      ...options,
      caching: before?.caching ?? false,
      brokenRedirect: false,
      prefixes: before?.prefixes ?? new Set(),
    }
    session.tracking = state
    session.updateSpecial()
    this.#sessions.set(session.id | 0, session)
    const receiver = this.#server.clients.byId(options.redirectId)
    if (receiver !== undefined) receiver.redirectedTo()
    if (options.broadcast) {
      for (const text of prefixes.length === 0 ? [''] : prefixes) {
        if (this.prefixes.add(session, text)) state.prefixes.add(text)
      }
    }
    this.#activate()
  }

  /** The session tracks no longer. What was remembered for it goes when the keys change. */
  disable(session: Session): void {
    const state = session.tracking
    if (state === undefined) return
    session.tracking = undefined
    session.updateSpecial()
    this.#sessions.delete(session.id | 0)
    for (const text of state.prefixes) this.prefixes.remove(session, text)
    if (!this.#server.propagation.isWithinCall) this.#activate()
  }

  /** A call has run; called while somebody tracks or did so during the call. */
  called(call: Call): void {
    this.#remember(call)
    if (this.#server.propagation.depth > 1) return
    if (this.#pending.length > 0) this.#sendPending()
    if (!this.active) this.#activate()
  }

  /** A call is over, whether it ran or not: CLIENT CACHING was for one call, or one transaction. */
  ended(session: Session, entry: CommandEntry | undefined): void {
    const state = session.tracking
    if (state === undefined || !state.caching || session.queue !== undefined) return
    if (entry?.parent?.definition.keepsCaching !== true) state.caching = false
  }

  keyChanged(
    _dbIndex: number,
    bytes: Buffer,
    offset: number,
    length: number,
    event: EventName,
  ): void {
    if (this.prefixes.count > 0) {
      // QUIRK: what a script changes nobody has changed, as NOLOOP in broadcasting mode shows.
      const isScript = this.#server.scripting.run.caller !== undefined
      const isUnasked = isScript || event === 'expired' || event === 'evicted'
      const changedBy = isUnasked ? undefined : this.#server.inbox.current
      this.prefixes.note(bytes, offset, length, changedBy)
    }
    const clients = this.table.take(bytes, offset, length)
    if (clients !== undefined) this.#invalidate(clients, oneKey(bytes, offset, length), true)
  }

  /** Databases were emptied: nothing that anybody has cached holds any longer. */
  flushed(): void {
    const current = this.#server.inbox.current
    for (const session of this.#sessions.values()) {
      // QUIRK: as the tracking client would read it, whatever the one speaks that gets it.
      const keys = allKeys(session.protocol)
      const redirectId = session.tracking?.redirectId ?? 0
      if (session === current) this.#pending.push({ session, redirectId, keys })
      else this.#send([session], keys)
    }
    if (this.table.clear()) this.#server.reclaim.begin()
    this.#lookAtSize()
  }

  /** Sends what has been gathered for clients in broadcasting mode. */
  broadcast(): void {
    this.prefixes.takeChanged((prefix, changed) => {
      const keys = [...changed.keys()].sort()
      const everybody = new Receivers()
      for (const session of prefix.sessions) {
        const { tracking } = session
        if (tracking === undefined) continue
        if (!tracking.noLoop) {
          this.#addReceiver(everybody, session, tracking.redirectId)
          continue
        }
        const news = keys.filter((key) => changed.get(key) !== session)
        if (news.length > 0) this.#send([session], manyKeys(news))
      }
      everybody.send(this.#server.outbox, manyKeys(keys))
    })
  }

  /**
   * Forgets keys, and tells so, until the table has its size again, or for now: the more often that
   * was not enough, the more of them.
   */
  makeRoom(): void {
    const { random } = this.#server
    for (
      let left = TRACKING_EFFORT * (this.#rounds + 1);
      left > 0 && this.#exceedsLimit();
      left--
    ) {
      const key = this.table.randomKey(() => random.fraction())
      if (key === undefined) break
      const clients = this.table.take(key, 0, key.length)
      // DIFFERS: told also to a client that wants no news of its own calls, for this is none; Redis
      // does not tell it when its call comes first after the table was full.
      if (clients !== undefined) this.#invalidate(clients, oneKey(key, 0, key.length), false)
    }
    this.#rounds = this.#exceedsLimit() ? this.#rounds + 1 : 0
    this.#lookAtSize()
  }

  /** Remembers the keys that the call has read; of a script that reads, those it was called with. */
  #remember(call: Call): void {
    const flags = call.entry.flagBits
    // A call that waited was remembered when it began to.
    if ((flags & FLAG_READONLY) === 0 || (flags & FLAG_PUBSUB) !== 0 || call.servedKey !== 0) return
    const session = this.#server.inbox.current
    const state = session?.tracking
    if (session === undefined || state === undefined || state.broadcast) return
    if (state.optIn ? !state.caching : state.optOut && state.caching) return
    const source = call.session.isScript ? this.#server.scripting.run.caller : call
    if (source === undefined || call.entry.definition.callFlags !== undefined) return
    const { entry, args } = source
    if (entry.firstKey > 0 && (entry.flagBits & FLAG_MOVABLE_KEYS) === 0) {
      const last = entry.lastKey < 0 ? args.count + entry.lastKey : entry.lastKey
      for (let i = entry.firstKey; i <= last; i += entry.keyStep) this.#add(session, source, i)
    } else {
      const found = findKeys(entry.definition, entry.keySpecs, args) ?? []
      for (const { index } of found) this.#add(session, source, index)
    }
    this.#lookAtSize()
  }

  #add(session: Session, { args }: Call, index: number): void {
    try {
      this.table.add(args, index, session.id | 0)
    } catch (error) {
      if (!(error instanceof ArenaFullError)) throw error
      // What cannot be remembered may not be cached.
      const keys = oneKey(args.bytes, args.offsets[index], args.lengths[index])
      this.#pending.push({ session, redirectId: session.tracking?.redirectId ?? 0, keys })
    }
  }

  /** `isChange`: not only forgotten. */
  #invalidate(clients: Int32Array, keys: Buffer, isChange: boolean): void {
    const { inbox, propagation } = this.#server
    const told: Session[] = []
    for (const client of clients) {
      const session = this.#sessions.get(client)
      const state = session?.tracking
      if (session === undefined || state === undefined || state.broadcast) continue
      if (session !== inbox.current) {
        told.push(session)
        continue
      }
      if (state.noLoop && isChange) continue
      if (!propagation.isWithinCall) told.push(session)
      else this.#pending.push({ session, redirectId: state.redirectId, keys })
    }
    this.#send(told, keys)
  }

  #sendPending(): void {
    const pending = this.#pending
    this.#pending = []
    for (const { session, redirectId, keys } of pending) {
      if (session.closed) continue
      const receivers = new Receivers()
      this.#addReceiver(receivers, session, redirectId)
      receivers.send(this.#server.outbox, keys)
    }
  }

  #send(sessions: readonly Session[], keys: Buffer): void {
    if (sessions.length === 0) return
    const receivers = new Receivers()
    for (const session of sessions) {
      this.#addReceiver(receivers, session, session.tracking?.redirectId ?? 0)
    }
    receivers.send(this.#server.outbox, keys)
  }

  #addReceiver(receivers: Receivers, session: Session, redirectId: number): void {
    if (redirectId === 0) return receivers.add(session, false)
    const { clients, outbox } = this.#server
    const receiver = clients.byId(redirectId)
    if (receiver !== undefined) return receivers.add(receiver, true)
    if (session.tracking !== undefined) session.tracking.brokenRedirect = true
    sendBrokenRedirect(outbox, session, redirectId)
  }

  #exceedsLimit(): boolean {
    return this.#keyCountMax > 0 && this.table.keyCount > this.#keyCountMax
  }

  #lookAtSize(): void {
    const isOverfull = this.#exceedsLimit()
    if (isOverfull === this.isOverfull) return
    this.isOverfull = isOverfull
    this.#setPeriod(isOverfull ? TRACKING_LIMIT_PERIOD_MS : Number.POSITIVE_INFINITY)
    this.#server.updateGuard()
  }

  #activate(): void {
    this.#server.keyspace.events.refresh()
    this.#server.updateWatch()
  }
}
