/**
 * One database: the only door to its keys. Reading goes through `read`, writing through `write`,
 * `create`, `resize` and `remove`; expiry acts here, and whatever else has to see every access
 * (watched keys, notifications, snapshots, replicas) hangs at the same few places.
 *
 * A key is found as (arena, ref). `arena` is the arena of the key that was looked up or made last.
 *
 * Thread: core. Hot path.
 * Owns: for every arena, a byte map of the keys and a byte tree of their deadlines.
 * Never: knows what a value looks like inside.
 */
import type { Settings } from '../../config/settings.ts'
import { hashWords } from '../../lib/hash.ts'
import type { Arena, Ref } from '../../memory/arena.ts'
import {
  byteMapFind,
  byteMapInsert,
  byteMapRemove,
  byteMapReplace,
  byteMapReserve,
  byteMapTouch,
  type EntryCollector,
} from '../../memory/byte-map.ts'
import { entryCreateAligned, entryKeyLength, entryKeyOffset } from '../../memory/entry.ts'
import type { Args } from '../engine/args.ts'
import { WRONG_TYPE } from '../engine/errors.ts'
import { Deadlines } from './deadlines.ts'
import { ElementExpiry } from './element-expiry.ts'
import {
  AGE_SHIFT,
  DEADLINE_SIZE,
  ELEMENTS_FLAG,
  EXPIRE_FLAG,
  entryDeadline,
  entryHasElements,
  entryHeader,
  entryValueWord,
  setEntryDeadline,
  TYPE_MASK,
} from './entry.ts'
import { CLASS_MISS, CLASS_NEW, type EventName } from './events.ts'
import type { Keyspace } from './keyspace.ts'
import { SlotKeys } from './slot-keys.ts'
import { KeyTable } from './table.ts'
import { valueType } from './value.ts'

/** For `create`: the key lives until it is deleted. */
export const NO_DEADLINE = -1
/** Of entries that somebody has to look at closer. */
const TIMED_FLAGS = EXPIRE_FLAG | ELEMENTS_FLAG

export class Db {
  readonly index: number
  readonly #keyspace: Keyspace
  /** Written here only; eviction chooses among the keys and the deadlines. */
  keys: KeyTable
  /** The table's maps by arena, 0 where there is none. */
  #maps: Int32Array
  deadlines: Deadlines
  readonly elements: ElementExpiry
  /** Kept by a node of a cluster only. */
  readonly slots: SlotKeys | undefined
  /** The arena of the last key. */
  arena: Arena
  arenaIndex = 0

  constructor(keyspace: Keyspace, index: number) {
    this.index = index
    this.#keyspace = keyspace
    this.keys = new KeyTable(keyspace.arenas)
    this.#maps = this.keys.maps
    this.deadlines = new Deadlines(keyspace.arenas)
    this.elements = new ElementExpiry(keyspace, this)
    this.slots = keyspace.hasSlots ? new SlotKeys(keyspace.arenas) : undefined
    this.arena = keyspace.arenas[0]
  }

  get settings(): Settings | undefined {
    return this.#keyspace.settings
  }

  /** The key's entry, 0 if there is none; expiry, statistics and ages are not touched. */
  find(args: Args, index: number): Ref {
    const hash = args.hash(index)
    this.#choose(hash)
    const table = this.#maps[this.arenaIndex]
    if (table === 0) return 0
    return byteMapFind(
      this.arena,
      table,
      hash,
      args.words,
      args.offsets[index],
      args.lengths[index],
    )
  }

  /** Reads ahead what looking up a key of this hash will read; gives a number without meaning. */
  touch(hash: number): number {
    const index = this.#keyspace.arenaIndex(hash)
    const table = this.#maps[index]
    return table === 0 ? 0 : byteMapTouch(this.#keyspace.arenas[index], table, hash)
  }

  /** The key's entry for a command that reads it, 0 if there is none. Counts a hit or a miss. */
  read(args: Args, index: number): Ref {
    const keyspace = this.#keyspace
    const ref = this.find(args, index)
    if (ref !== 0) {
      const word = ref << 1
      const { words } = this.arena
      if ((words[word] & TIMED_FLAGS) === 0 || !this.#expireIfDue(ref)) {
        keyspace.hits++
        if (keyspace.touchesTime) {
          words[word] = (words[word] & 0xff) | (keyspace.lruClock << AGE_SHIFT)
        } else if (keyspace.touchesUse) {
          keyspace.countUse(words, word)
        }
        return ref
      }
    }
    this.#missed(args, index)
    return 0
  }

  /** As `read`, for a command that wants one type. Throws: CommandError WRONG_TYPE. */
  readTyped(args: Args, index: number, type: number): Ref {
    const ref = this.read(args, index)
    if (ref !== 0 && (this.arena.words[ref << 1] & TYPE_MASK) !== type) throw WRONG_TYPE
    return ref
  }

  /**
   * As `read`, but the key does not count as used: TTL, TYPE, EXISTS. Not `tells`: nobody is told that
   * the key is not there.
   */
  readUntouched(args: Args, index: number, tells = true): Ref {
    const ref = this.find(args, index)
    if (ref !== 0 && !this.#expireIfDue(ref)) {
      this.#keyspace.hits++
      return ref
    }
    if (tells) this.#missed(args, index)
    else this.#keyspace.misses++
    return 0
  }

  /** The key's entry for a command that is about to change it, 0 if there is none. */
  write(args: Args, index: number): Ref {
    const ref = this.find(args, index)
    if (ref === 0) return 0
    const keyspace = this.#keyspace
    const word = ref << 1
    const { words } = this.arena
    if ((words[word] & TIMED_FLAGS) !== 0 && this.#expireIfDue(ref, true)) return 0
    if (keyspace.epoch !== 0) keyspace.changing(this, ref)
    if (keyspace.touchesTime) {
      words[word] = (words[word] & 0xff) | (keyspace.lruClock << AGE_SHIFT)
    } else if (keyspace.touchesUse) {
      keyspace.countUse(words, word)
    }
    return ref
  }

  /** As `write`, for a command that wants one type. Throws: CommandError WRONG_TYPE. */
  writeTyped(args: Args, index: number, type: number): Ref {
    const ref = this.write(args, index)
    if (ref !== 0 && (this.arena.words[ref << 1] & TYPE_MASK) !== type) throw WRONG_TYPE
    return ref
  }

  /** The entry if it is there and not expired; nothing is counted, touched or deleted. */
  peek(args: Args, index: number): Ref {
    const ref = this.find(args, index)
    return ref !== 0 && this.isExpired(ref) ? 0 : ref
  }

  /**
   * Adds a key that is not there, with `valueSize` bytes of value to be filled by the caller.
   * `deadlineMs`: Unix milliseconds or NO_DEADLINE. Throws: ARENA_FULL, with nothing changed.
   */
  create(
    args: Args,
    index: number,
    type: number,
    encoding: number,
    valueSize: number,
    deadlineMs: number,
  ): Ref {
    const hash = args.hash(index)
    this.#choose(hash)
    const arena = this.arena
    const table = this.keys.mapIn(this.arenaIndex)
    byteMapReserve(arena, table, hash)
    const timed = deadlineMs !== NO_DEADLINE
    const ref = entryCreateAligned(
      arena,
      args.words,
      args.offsets[index],
      args.lengths[index],
      timed ? valueSize + DEADLINE_SIZE : valueSize,
    )
    arena.words[ref << 1] = entryHeader(type, encoding, timed, this.#keyspace.newAge())
    this.made(ref)
    if (timed) setEntryDeadline(arena, ref, deadlineMs)
    if (timed || this.slots !== undefined) this.#listOrFree(ref)
    byteMapInsert(arena, table, hash, ref)
    if (this.#keyspace.ready.awaitedCount > 0) this.signalReady(args, index)
    if ((this.#keyspace.events.wanted & CLASS_NEW) !== 0) this.alsoNotify(args, index, 'new')
    return ref
  }

  /**
   * Makes another entry in the key's place, with `valueSize` bytes of value to be filled by the
   * caller, and frees the value that was there. Throws: ARENA_FULL, with nothing changed.
   */
  replace(ref: Ref, type: number, encoding: number, valueSize: number, deadlineMs: number): Ref {
    const arena = this.arena
    const words = arena.words
    this.changing(ref)
    const timed = deadlineMs !== NO_DEADLINE
    const keyLength = entryKeyLength(arena, ref)
    const payload = timed ? valueSize + DEADLINE_SIZE : valueSize
    const made = entryCreateAligned(arena, words, entryKeyOffset(ref), keyLength, payload)
    if (this.#keyspace.ready.awaitedCount > 0) this.#signal(ref)
    words[made << 1] = entryHeader(type, encoding, timed, words[ref << 1] >>> AGE_SHIFT)
    words[(made << 1) + 1] = words[(ref << 1) + 1]
    if (timed) setEntryDeadline(arena, made, deadlineMs)
    if (timed || this.slots !== undefined) this.#listOrFree(made)
    byteMapReplace(arena, this.#maps[this.arenaIndex], this.#hashOf(made), ref, made)
    this.#unlist(ref)
    this.#release(ref, this.#keyspace.lazyFree.ofReplaced)
    return made
  }

  /** Gives the key a deadline, or another one. Its ref may change. Throws: ARENA_FULL. */
  setDeadline(ref: Ref, deadlineMs: number, valueSize: number): Ref {
    const arena = this.arena
    this.changing(ref)
    const before = entryDeadline(arena, ref)
    if (before === NO_DEADLINE) return this.#move(ref, valueSize, valueSize, deadlineMs)
    if (before === deadlineMs) return ref
    this.deadlines.add(this.arenaIndex, ref, deadlineMs)
    this.deadlines.remove(this.arenaIndex, ref, before)
    setEntryDeadline(arena, ref, deadlineMs)
    this.#keyspace.deadlineAdded(deadlineMs, this, ref)
    return ref
  }

  /** Lets the key live until it is deleted. False when it did already. */
  clearDeadline(ref: Ref): boolean {
    const arena = this.arena
    const before = entryDeadline(arena, ref)
    if (before === NO_DEADLINE) return false
    this.changing(ref)
    this.deadlines.remove(this.arenaIndex, ref, before)
    const value = entryValueWord(arena, ref)
    const end = (ref << 1) + (arena.blockSizeBytes(ref) >> 2)
    arena.words.copyWithin(value - 2, value, end)
    arena.words[ref << 1] &= ~EXPIRE_FLAG
    return true
  }

  /** Takes the key out and frees its value, `lazily`: later if that takes a while. */
  remove(ref: Ref, lazily = this.#keyspace.lazyFree.ofReplaced): void {
    this.#unlink(ref, this.#hashOf(ref))
    this.#release(ref, lazily)
  }

  /** The arena that the key of an argument lives in or would live in. */
  arenaOf(args: Args, index: number): Arena {
    this.#choose(args.hash(index))
    return this.arena
  }

  /** The age that a new key begins with. */
  newAge(): number {
    return this.#keyspace.newAge()
  }

  /** An entry of `arena` was made, or is about to change: a snapshot has to know. */
  made(ref: Ref): void {
    if (this.#keyspace.epoch !== 0) this.#keyspace.created(this.arena, ref)
  }

  changing(ref: Ref): void {
    if (this.#keyspace.epoch !== 0) this.#keyspace.changing(this, ref)
  }

  /**
   * Puts an entry of the argument's key into the database, in place of `replaced`, which is freed
   * with its value; 0: the key is not there. Throws: ARENA_FULL, with nothing changed.
   */
  adopt(args: Args, index: number, entry: Ref, replaced: Ref): void {
    const hash = args.hash(index)
    this.#choose(hash)
    const arena = this.arena
    const table = this.keys.mapIn(this.arenaIndex)
    if (replaced === 0) byteMapReserve(arena, table, hash)
    if (this.#keyspace.ready.awaitedCount > 0) this.signalReady(args, index)
    this.#list(entry)
    if (replaced === 0) {
      byteMapInsert(arena, table, hash, entry)
      if ((this.#keyspace.events.wanted & CLASS_NEW) !== 0) this.alsoNotify(args, index, 'new')
      return
    }
    byteMapReplace(arena, table, hash, replaced, entry)
    this.#unlist(replaced)
    this.#release(replaced, this.#keyspace.lazyFree.ofReplaced)
  }

  /** Takes the argument's key out but frees nothing: its entry, or what it holds, lives on. */
  detach(args: Args, index: number, ref: Ref): void {
    const hash = args.hash(index)
    this.#choose(hash)
    this.#unlink(ref, hash)
  }

  /** Frees an entry of `arena` that is in no database, with its value. */
  discard(ref: Ref): void {
    this.#free(ref)
  }

  /** Deletes an entry of `arena` whose time is over. False when it is not, or may not be deleted. */
  expireIfDue(ref: Ref): boolean {
    return this.#keyspace.expireByDeletion && this.#expireIfDue(ref)
  }

  /**
   * Called by every handler after it changed the key of an argument, once for each change.
   * `event` is the notification's name.
   */
  changed(args: Args, index: number, event: EventName): void {
    this.#keyspace.dirty++
    if (this.#keyspace.events.wanted !== 0) this.alsoChanged(args, index, event)
  }

  /** As `changed`, for a second key that the same change has touched: it counts once. */
  alsoChanged(args: Args, index: number, event: EventName): void {
    const { events } = this.#keyspace
    if (events.wanted === 0) return
    events.changed(event, this.index, args.bytes, args.offsets[index], args.lengths[index])
  }

  /** A further notification of a change that `changed` counted: 'expire' after 'set'. */
  alsoNotify(args: Args, index: number, event: EventName): void {
    const { events } = this.#keyspace
    if (events.wanted === 0) return
    events.notify(event, this.index, args.bytes, args.offsets[index], args.lengths[index])
  }

  /**
   * Deletes a key that nobody asked to delete: its time is over, or its memory is needed. Everybody
   * who has to know is told.
   */
  // alloc: a key's last act
  removeUnasked(ref: Ref, event: 'expired' | 'evicted'): void {
    const { events, propagation, lazyFree } = this.#keyspace
    const lazily = event === 'expired' ? lazyFree.ofExpired : lazyFree.ofEvicted
    if (events.wanted === 0 && !propagation.active) return this.remove(ref, lazily)
    const name = this.keyName(ref)
    if (propagation.active) propagation.emitDeletion(this.index, name, lazily)
    this.remove(ref, lazily)
    if (events.wanted !== 0) events.changed(event, this.index, name, 0, name.length)
  }

  /** The key of an argument has grown: calls that wait for more of it go on. */
  signalReady(args: Args, index: number): void {
    const { ready } = this.#keyspace
    if (ready.awaitedCount > 0) ready.signal(this.index, args.text(index))
  }

  /** A number of `entry.ts`. */
  typeOf(ref: Ref): number {
    return this.arena.words[ref << 1] & TYPE_MASK
  }

  /** A copy of the key's name. */
  // alloc: for events and propagation
  keyName(ref: Ref): Buffer {
    const at = entryKeyOffset(ref)
    return Buffer.from(this.arena.bytes.subarray(at, at + entryKeyLength(this.arena, ref)))
  }

  isExpired(ref: Ref): boolean {
    const deadline = entryDeadline(this.arena, ref)
    return deadline !== NO_DEADLINE && this.#keyspace.isPast(deadline)
  }

  size(): number {
    return this.keys.size()
  }

  /** The earliest deadline in this database, Infinity when there is none; of elements as well. */
  firstDeadlineMs(): number {
    return Math.min(this.deadlines.firstMs(), this.elements.order.firstMs())
  }

  /** Deletes up to `limit` keys and elements whose deadline has passed. Gives how many it found. */
  expireDue(limit: number): number {
    const nowMs = this.#keyspace.clock.nowMs
    let count = 0
    while (count < limit) {
      const ref = this.deadlines.takeDue(nowMs)
      if (ref === 0) break
      this.selectArena(this.deadlines.arenaIndex)
      this.#expire(ref)
      count++
    }
    return count + this.elements.expireDue(limit - count)
  }

  /**
   * Visits about `wantedCount` keys from `cursor` on. 0 begins and ends. Refs in `out` belong to
   * `arena`. What is there throughout a whole scan is visited.
   */
  scan(cursor: number, wantedCount: number, out: EntryCollector): number {
    const next = this.keys.scan(cursor, wantedCount, out)
    this.selectArena(this.keys.arenaIndex)
    return next
  }

  /**
   * A key chosen evenly; 0 when the database is empty. Its arena is then `arena`. `random` answers
   * numbers in [0, 1).
   */
  random(random: () => number): Ref {
    const ref = this.keys.random(random)
    this.selectArena(this.keys.arenaIndex)
    return ref
  }

  /** Every key, arena by arena. `visit` may not add or remove keys. */
  // alloc: once for a whole database
  forEach(visit: (ref: Ref) => void): void {
    this.keys.forEach((ref) => {
      this.selectArena(this.keys.arenaIndex)
      visit(ref)
    })
  }

  /** These are its keys from now on; of those before, somebody else takes care. */
  hold(keys: KeyTable): void {
    this.keys = keys
    this.#maps = keys.maps
  }

  /** The arena that the next ref belongs to. */
  selectArena(index: number): void {
    this.arenaIndex = index
    this.arena = this.#keyspace.arenas[index]
  }

  #choose(hash: number): void {
    const index = this.#keyspace.arenaIndex(hash)
    this.arenaIndex = index
    this.arena = this.#keyspace.arenas[index]
  }

  #signal(ref: Ref): void {
    this.#keyspace.ready.signal(this.index, this.keyName(ref).toString('latin1'))
  }

  #unlink(ref: Ref, hash: number): void {
    this.changing(ref)
    if (this.#keyspace.ready.awaitedCount > 0) this.#signal(ref)
    this.#unlist(ref)
    byteMapRemove(this.arena, this.#maps[this.arenaIndex], hash, ref)
  }

  /** The entry is no longer found by anything but its name. */
  #unlist(ref: Ref): void {
    if (this.slots !== undefined) this.slots.remove(this.arenaIndex, ref)
    if ((this.arena.words[ref << 1] & TIMED_FLAGS) === 0) return
    const deadlineMs = entryDeadline(this.arena, ref)
    if (deadlineMs !== NO_DEADLINE) this.deadlines.remove(this.arenaIndex, ref, deadlineMs)
    if (entryHasElements(this.arena, ref)) this.elements.forget(ref)
  }

  /**
   * The entry is found by its slot and its deadlines as well. Throws: ARENA_FULL, with nothing
   * changed.
   */
  #list(ref: Ref): void {
    const { slots } = this
    if (slots !== undefined) slots.add(this.arenaIndex, ref)
    let done = false
    try {
      this.#listDeadlines(ref)
      done = true
    } finally {
      if (!done && slots !== undefined) slots.remove(this.arenaIndex, ref)
    }
  }

  /** As `#list`, for an entry that nobody knows yet: without room it is freed. */
  #listOrFree(ref: Ref): void {
    let done = false
    try {
      this.#list(ref)
      done = true
    } finally {
      if (!done) this.arena.free(ref)
    }
  }

  /** Throws: ARENA_FULL, with nothing changed. */
  #listDeadlines(ref: Ref): void {
    if (entryHasElements(this.arena, ref)) this.elements.adopt(ref)
    const deadlineMs = entryDeadline(this.arena, ref)
    if (deadlineMs === NO_DEADLINE) return
    let done = false
    try {
      this.deadlines.add(this.arenaIndex, ref, deadlineMs)
      done = true
    } finally {
      if (!done && entryHasElements(this.arena, ref)) this.elements.forget(ref)
    }
    this.#keyspace.deadlineAdded(deadlineMs, this, ref)
  }

  #release(ref: Ref, lazily: boolean): void {
    if (!lazily || !this.#keyspace.lazyFree.take(this.arena, ref)) this.#free(ref)
  }

  #free(ref: Ref): void {
    const arena = this.arena
    valueType(arena.words[ref << 1] & TYPE_MASK).free(arena, ref)
    arena.free(ref)
  }

  #hashOf(ref: Ref): number {
    const arena = this.arena
    return hashWords(
      arena.words,
      entryKeyOffset(ref) >> 2,
      entryKeyLength(arena, ref),
      this.#keyspace.hashSeed,
    )
  }

  /** Puts the entry into a block for `valueSize` bytes of value, with or without a deadline. */
  #move(ref: Ref, valueSize: number, keptSize: number, deadlineMs: number): Ref {
    const arena = this.arena
    const words = arena.words
    const timed = deadlineMs !== NO_DEADLINE
    const keyLength = entryKeyLength(arena, ref)
    const payload = timed ? valueSize + DEADLINE_SIZE : valueSize
    const moved = entryCreateAligned(arena, words, entryKeyOffset(ref), keyLength, payload)
    const header = words[ref << 1]
    words[moved << 1] = timed ? header | EXPIRE_FLAG : header & ~EXPIRE_FLAG
    words[(moved << 1) + 1] = words[(ref << 1) + 1]
    if (timed) setEntryDeadline(arena, moved, deadlineMs)
    const from = entryValueWord(arena, ref)
    words.copyWithin(entryValueWord(arena, moved), from, from + ((keptSize + 3) >> 2))
    this.#listOrFree(moved)
    byteMapReplace(arena, this.#maps[this.arenaIndex], this.#hashOf(moved), ref, moved)
    this.#unlist(ref)
    arena.free(ref)
    return moved
  }

  /** True when its time, or its last element's, is over: it is gone, or hidden unless `makesWay`. */
  #expireIfDue(ref: Ref, makesWay = false): boolean {
    if (!this.isExpired(ref)) return entryHasElements(this.arena, ref) && this.elements.look(ref)
    if (makesWay || this.#keyspace.expireByDeletion) this.#expire(ref)
    return true
  }

  #expire(ref: Ref): void {
    this.removeUnasked(ref, 'expired')
    this.#keyspace.expiredCount++
  }

  #missed(args: Args, index: number): void {
    const keyspace = this.#keyspace
    keyspace.misses++
    if ((keyspace.events.wanted & CLASS_MISS) !== 0) this.alsoNotify(args, index, 'keymiss')
  }
}
