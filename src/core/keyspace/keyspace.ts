/**
 * All databases together: the arenas they share, the clock and the counters that go with keys.
 *
 * Thread: core.
 * Owns: arenas, databases, what INFO says about the keyspace.
 * Never: answers a client.
 */
import type { Settings } from '../../config/settings.ts'
import { assert } from '../../lib/assert.ts'
import { Arena, type Ref } from '../../memory/arena.ts'
import { ENTRY_OWNER_SHIFT } from '../../memory/entry.ts'
import type { Clock } from '../engine/clock.ts'
import type { Propagation } from '../engine/propagation.ts'
import { ReadyKeys } from '../engine/ready-keys.ts'
import { Frequencies } from './age.ts'
import { Db } from './db.ts'
import { AGE_SHIFT, setEntryEpoch } from './entry.ts'
import { KeyEvents } from './events.ts'
import { LazyFree } from './lazy-free.ts'
import { Epochs, Snapshot, type SnapshotSink } from './snapshot.ts'
import { adoptDatabase, forgetDatabase, swapDatabases } from './whole-database.ts'

export interface KeyspaceOptions {
  readonly databaseCount: number
  readonly arenaCount: number
  /** Bytes of each arena; undefined: the largest there can be. */
  readonly arenaSize?: number
  readonly hashSeed: number
  /** Keys are found by their hash slots as well. */
  readonly hasSlots?: boolean
}

export class Keyspace {
  readonly hashSeed: number
  readonly hasSlots: boolean
  readonly arenas: Arena[] = []
  /** Bytes of memory that are needed without any key. */
  readonly fixedBytes: number
  readonly dbs: Db[] = []
  readonly clock: Clock
  readonly propagation: Propagation
  readonly ready = new ReadyKeys()
  readonly events = new KeyEvents()
  readonly lazyFree = new LazyFree(this.arenas)
  /** Where loaded values find the limits of their small encodings; whoever makes the keyspace sets it. */
  settings: Settings | undefined = undefined
  /** Changes since the start; persistence and replication count by it. */
  dirty = 0
  hits = 0
  misses = 0
  expiredCount = 0
  /** Elements of values, not keys. */
  expiredElementCount = 0
  /** 24 bits, seconds: ages are told in it. */
  lruClock = 0
  /** True when the ages of keys count uses; then `touchesUse`, else `touchesTime` may be true. */
  countsUses = false
  readonly frequencies: Frequencies
  /** Whether an access writes the time, or counts a use; neither while CLIENT NO-TOUCH is on. */
  touchesTime = true
  touchesUse = false
  /** No deadline of any key lies before this; Infinity when there is none. */
  nextDeadlineMs = Number.POSITIVE_INFINITY
  /** The snapshot being taken, and what marks the entries that it has passed; 0: none is taken. */
  snapshot: Snapshot | undefined = undefined
  epoch = 0
  /** Snapshots since the start. */
  snapshotCount = 0
  readonly #epochs = new Epochs()
  /** DEBUG SET-ACTIVE-EXPIRE. */
  activeExpire = true
  /** RESTORE refuses a wrong checksum, unless DEBUG SET-SKIP-CHECKSUM-VALIDATION. */
  checksPayloads = true
  /** On a writable replica: who deletes what its own clients made. */
  ownKeys: { note(db: Db, ref: Ref): void } | undefined = undefined
  #isPaused = false
  #isReplica = false
  /** False while a file is loaded: its commands meet the keys that they met when they were written. */
  expires = true

  readonly #options: KeyspaceOptions

  constructor(options: KeyspaceOptions, clock: Clock, propagation: Propagation) {
    this.#options = options
    this.clock = clock
    this.propagation = propagation
    this.hashSeed = options.hashSeed
    this.hasSlots = options.hasSlots ?? false
    this.frequencies = new Frequencies(options.hashSeed)
    for (let i = 0; i < options.arenaCount; i++) {
      const arena = options.arenaSize === undefined ? new Arena() : new Arena(options.arenaSize)
      arena.hashSeed = options.hashSeed
      this.arenas.push(arena)
    }
    this.fixedBytes = this.arenas.reduce((sum, arena) => sum + arena.fixedBytes, 0)
    for (let i = 0; i < options.databaseCount; i++) this.dbs.push(new Db(this, i))
    this.tick()
  }

  /** Begins a snapshot; one at a time. */
  takeSnapshot(sink: SnapshotSink): Snapshot {
    assert(this.snapshot === undefined, 'one snapshot at a time')
    this.snapshot = new Snapshot(this, this.#epochs.next(this), sink)
    this.epoch = this.snapshot.epoch
    this.snapshotCount++
    return this.snapshot
  }

  /** For `Snapshot`: it is whole, or given up. */
  snapshotEnded(whole: boolean): void {
    this.#epochs.ended(whole)
    this.snapshot = undefined
    this.epoch = 0
    this.lazyFree.release()
  }

  /** An entry is about to change while a snapshot is taken. */
  changing(db: Db, ref: Ref): void {
    if (db.arena.words[(ref << 1) + 1] >>> ENTRY_OWNER_SHIFT !== this.epoch) {
      this.snapshot?.before(db, ref)
    }
  }

  /** An entry was made while a snapshot is taken, which it does not belong to. */
  created(arena: Arena, ref: Ref): void {
    setEntryEpoch(arena, ref, this.epoch)
  }

  /** CLIENT PAUSE and a replica's role keep expired keys in place, unseen. */
  get expireByDeletion(): boolean {
    return !this.#isPaused && !this.#isReplica
  }

  /** Nothing changes until the pause is over. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** What changes is the primary's to say. */
  get isReplica(): boolean {
    return this.#isReplica
  }

  setPaused(paused: boolean): void {
    this.#isPaused = paused
    if (!paused) this.findNextDeadline()
  }

  setReplica(replica: boolean): void {
    this.#isReplica = replica
    if (!replica) this.findNextDeadline()
  }

  /** Takes over the clock's time where ages are told. */
  tick(): void {
    this.lruClock = Math.floor(this.clock.nowMs / 1000) & 0xffffff
    this.frequencies.tick(this.clock.nowMs)
  }

  /** Lets accesses count as uses of a key, or not. */
  setTouching(touching: boolean): void {
    this.touchesTime = touching && !this.countsUses
    this.touchesUse = touching && this.countsUses
  }

  /** Counts a use in the entry whose header word is at `word`. */
  countUse(words: Int32Array, word: number): void {
    const header = words[word]
    const age = this.frequencies.used(header >>> AGE_SHIFT)
    words[word] = (header & 0xff) | (age << AGE_SHIFT)
  }

  /** The age that a new key begins with. */
  newAge(): number {
    return this.countsUses ? this.frequencies.fresh() : this.lruClock
  }

  /** A key got this deadline: the core must not sleep beyond it. */
  deadlineAdded(deadlineMs: number, db?: Db, ref: Ref = 0): void {
    if (deadlineMs < this.nextDeadlineMs) this.nextDeadlineMs = deadlineMs
    // What the primary sends is applied while nothing expires.
    if (this.ownKeys !== undefined && db !== undefined && this.expires) this.ownKeys.note(db, ref)
  }

  /** Whether a key with this deadline is not to be seen any more. */
  isPast(deadlineMs: number): boolean {
    return this.clock.nowMs > deadlineMs && this.expires
  }

  /** Elements that end before this moment are not to be seen any more. */
  get pastMs(): number {
    return this.expires ? this.clock.nowMs : 0
  }

  /** Whether a key is deleted at once that is given this deadline. */
  isOver(deadlineMs: number): boolean {
    return deadlineMs <= this.clock.nowMs && this.expireByDeletion && this.expires
  }

  /** Deletes up to `limit` keys whose time is over, and finds out when the next one's will be. */
  expireDue(limit: number): void {
    if (!this.activeExpire || !this.expireByDeletion || !this.expires) {
      // Not now; looked at again when that changes.
      this.nextDeadlineMs = Number.POSITIVE_INFINITY
      return
    }
    let left = limit
    for (const db of this.dbs) {
      left -= db.expireDue(left)
      if (left <= 0) return
    }
    this.findNextDeadline()
  }

  /** Looks at all deadlines again, after expiry was off. */
  findNextDeadline(): void {
    this.nextDeadlineMs = Number.POSITIVE_INFINITY
    for (const db of this.dbs) {
      this.nextDeadlineMs = Math.min(this.nextDeadlineMs, db.firstDeadlineMs())
    }
  }

  /** The arena that everything of a key with this hash lives in. */
  arenaIndex(hash: number): number {
    const count = this.arenas.length
    return count === 1 ? 0 : ((hash & 0xffff) * count) >>> 16
  }

  /** Exact bytes of all blocks handed out. */
  usedBytes(): number {
    let used = 0
    for (const arena of this.arenas) used += arena.usedBytes
    return used
  }

  /** Elements of some value have ends: what is saved of it only later versions of Redis can read. */
  hasElementEnds(): boolean {
    return this.dbs.some(({ elements }) => elements.order.count() > 0)
  }

  keyCount(): number {
    let count = 0
    for (const db of this.dbs) count += db.size()
    return count
  }

  /** Empties every database and gives the memory back to the system. Gives the key count. */
  flushAll(): number {
    const count = this.keyCount()
    this.snapshot?.finish()
    for (const arena of this.arenas) arena.reset()
    this.lazyFree.forget()
    for (const db of this.dbs) forgetDatabase(db)
    this.nextDeadlineMs = Number.POSITIVE_INFINITY
    this.ready.signalAll(-1)
    return count
  }

  /** An empty one of the same measures, for data that nobody is to see before they are whole. */
  sibling(): Keyspace {
    const other = new Keyspace(this.#options, this.clock, this.propagation)
    other.settings = this.settings
    other.countsUses = this.countsUses
    other.setReplica(this.#isReplica)
    return other
  }

  /** Takes over all data of a sibling, which is of no use then. What was here is gone. */
  takeOver(sibling: Keyspace): void {
    this.snapshot?.finish()
    this.lazyFree.forget()
    for (let i = 0; i < this.arenas.length; i++) this.arenas[i].takeOver(sibling.arenas[i])
    for (let i = 0; i < this.dbs.length; i++) adoptDatabase(this.dbs[i], sibling.dbs[i])
    this.findNextDeadline()
    this.ready.signalAll(-1)
  }

  /** Exchanges the contents of two databases. */
  swap(a: number, b: number): void {
    swapDatabases(this.dbs[a], this.dbs[b])
    this.ready.signalAll(a)
    this.ready.signalAll(b)
  }
}
