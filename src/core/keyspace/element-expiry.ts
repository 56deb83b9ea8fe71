/**
 * The ends that elements of values have, apart from the ends of keys: those of a hash's fields. For
 * each database the keys that have such elements are in the order of the first end in each, so that
 * the next element to take out is always known.
 *
 * A key may stand in the order too early, after its first element went another way; it is put right
 * when its time comes. It never stands too late.
 *
 * Thread: core.
 * Owns: that order.
 * Never: is asked about a value whose encoding does not say that elements may end.
 */
import { type Arena, ArenaFullError, type Ref } from '../../memory/arena.ts'
import type { Db } from './db.ts'
import { Deadlines } from './deadlines.ts'
import { entryHasElements, entryType } from './entry.ts'
import type { Keyspace } from './keyspace.ts'
import { type SeeElement, type TimedElements, valueType } from './value.ts'

/** Elements that one access takes out, at most; what is left is hidden until its turn comes. */
const EXPIRE_ON_ACCESS_COUNT_MAX = 1000
const NOT_LISTED = -1
const NO_NAME = Buffer.alloc(0)

export class ElementExpiry {
  /** Of keys, by the ends of their first elements. */
  order: Deadlines
  readonly #keyspace: Keyspace
  readonly #db: Db

  constructor(keyspace: Keyspace, db: Db) {
    this.#keyspace = keyspace
    this.#db = db
    this.order = new Deadlines(keyspace.arenas)
  }

  /**
   * Whoever is about to look at the value learns what is hidden; elements whose time is over go.
   * True when the key has gone with them.
   */
  look(ref: Ref): boolean {
    const { pastMs, expireByDeletion, activeExpire } = this.#keyspace
    const { arena } = this.#db
    const elements = elementsOf(arena, ref)
    elements.hideBefore(pastMs)
    if (!expireByDeletion || !activeExpire) return false
    if (elements.firstEnd(arena, ref) >= pastMs) return false
    return this.expire(ref, EXPIRE_ON_ACCESS_COUNT_MAX) < 0
  }

  /** An element is about to get an end. Throws: ARENA_FULL. */
  willEnd(ref: Ref, endMs: number): void {
    const { arena, arenaIndex } = this.#db
    const elements = elementsOf(arena, ref)
    const listed = elements.listed(arena, ref)
    if (listed !== NOT_LISTED && listed <= endMs) return
    this.order.add(arenaIndex, ref, endMs)
    if (listed !== NOT_LISTED) this.order.remove(arenaIndex, ref, listed)
    elements.setListed(arena, ref, endMs)
    this.#keyspace.deadlineAdded(endMs)
  }

  /** Elements have changed, or their ends: puts the key where it belongs. */
  changed(ref: Ref): void {
    const { arena, arenaIndex } = this.#db
    const elements = elementsOf(arena, ref)
    const listed = elements.listed(arena, ref)
    const first = elements.firstEnd(arena, ref)
    if (first !== listed) {
      if (listed !== NOT_LISTED) this.order.remove(arenaIndex, ref, listed)
      elements.setListed(arena, ref, NOT_LISTED)
      if (first !== Number.POSITIVE_INFINITY) this.#list(elements, ref, first)
    }
    elements.settle(arena, ref)
  }

  /** An entry comes into the database, perhaps from another. Throws: ARENA_FULL. */
  adopt(ref: Ref): void {
    const { arena, arenaIndex } = this.#db
    const elements = elementsOf(arena, ref)
    const listed = elements.listed(arena, ref)
    const ms = listed === NOT_LISTED ? elements.firstEnd(arena, ref) : listed
    if (ms === Number.POSITIVE_INFINITY) return
    this.order.add(arenaIndex, ref, ms)
    elements.setListed(arena, ref, ms)
    this.#keyspace.deadlineAdded(ms)
  }

  /** An entry leaves the database; its value may live on. */
  forget(ref: Ref): void {
    const { arena, arenaIndex } = this.#db
    const listed = elementsOf(arena, ref).listed(arena, ref)
    if (listed !== NOT_LISTED) this.order.remove(arenaIndex, ref, listed)
  }

  /** Takes out up to `limit` elements whose time is over. Gives how many it looked at. */
  expireDue(limit: number): number {
    const { nowMs } = this.#keyspace.clock
    let count = 0
    while (count < limit) {
      const ref = this.order.takeDue(nowMs)
      if (ref === 0) break
      this.#db.selectArena(this.order.arenaIndex)
      count += Math.max(1, Math.abs(this.expire(ref, limit - count)))
    }
    return count
  }

  /**
   * Takes out up to `limit` elements of a value whose time is over, and tells everybody. Gives how
   * many, negative when the key has gone with them.
   */
  expire(ref: Ref, limit: number): number {
    const { pastMs, events, propagation } = this.#keyspace
    const { arena, index } = this.#db
    const elements = elementsOf(arena, ref)
    const name = events.wanted !== 0 || propagation.active ? this.#db.keyName(ref) : NO_NAME
    const see: SeeElement | undefined = propagation.active
      ? (bytes, offset, length) => {
          const element = Buffer.from(bytes.subarray(offset, offset + length))
          propagation.emit(index, [elements.removal, name, element])
        }
      : undefined
    this.#db.changing(ref)
    const count = elements.expire(arena, ref, pastMs, limit, see)
    return this.expired(ref, name, count) ? -count : count
  }

  /**
   * `count` elements were taken out because their time is over, and this was propagated. True when the
   * key has gone with them. `name`: of the key, if anybody wants to know.
   */
  expired(ref: Ref, name: Buffer, count: number): boolean {
    const { events } = this.#keyspace
    const { arena, index } = this.#db
    const elements = elementsOf(arena, ref)
    const isEmpty = elements.count(arena, ref) === 0
    this.#keyspace.expiredElementCount += count
    if (isEmpty) this.#db.remove(ref)
    else this.changed(ref)
    if (events.wanted !== 0 && count > 0) {
      events.changed(elements.expiredEvent, index, name, 0, name.length)
      if (isEmpty) events.notify('del', index, name, 0, name.length)
    }
    return isEmpty
  }

  /** Without memory the key is in no order; its elements then go when somebody looks at them. */
  #list(elements: TimedElements, ref: Ref, ms: number): void {
    const { arena, arenaIndex } = this.#db
    try {
      this.order.add(arenaIndex, ref, ms)
    } catch (error) {
      if (error instanceof ArenaFullError) return
      throw error
    }
    elements.setListed(arena, ref, ms)
    this.#keyspace.deadlineAdded(ms)
  }
}

function elementsOf(arena: Arena, ref: Ref): TimedElements {
  const { elements } = valueType(entryType(arena, ref))
  if (elements === undefined || !entryHasElements(arena, ref)) {
    throw new Error(`no ends in a value of type ${entryType(arena, ref)}`)
  }
  return elements
}
