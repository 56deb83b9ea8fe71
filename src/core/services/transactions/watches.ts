/**
 * Watched keys: who has to be told at EXEC that something changed.
 *
 * A key whose time was over already when WATCH came counts as absent: that it is deleted later is no
 * change.
 *
 * Thread: core.
 * Owns: the watched keys and who watches each.
 * Never: looks at a change while nobody watches.
 *
 * @see https://redis.io/docs/latest/develop/interact/transactions/
 */
import { Args } from '../../engine/args.ts'
import type { Session } from '../../engine/session.ts'
import type { Db } from '../../keyspace/db.ts'
import type { ChangeListener } from '../../keyspace/events.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'

/** One key that one session watches. */
export interface WatchedKey {
  readonly session: Session
  readonly dbIndex: number
  /** One character a byte. */
  readonly name: string
  /** Its time was over when WATCH came, and it is still there. */
  expired: boolean
}

export class Watches implements ChangeListener {
  readonly #keyspace: Keyspace
  readonly #byKey = new Map<string, Set<WatchedKey>>()
  /** To look up keys whose names are kept here. */
  readonly #args: Args
  /** Somebody watches. */
  active = false

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace
    this.#args = new Args(Buffer.alloc(0), new Int32Array(0), keyspace.hashSeed)
    keyspace.events.attachChanges(this)
  }

  /** Watches a key for the session; twice is once. */
  watch(session: Session, db: Db, name: string): void {
    const dbIndex = db.index
    session.watched ??= []
    if (session.watched.some((key) => key.dbIndex === dbIndex && key.name === name)) return
    const key: WatchedKey = { session, dbIndex, name, expired: this.#isExpired(db, name) }
    session.watched.push(key)
    const id = idOf(dbIndex, name)
    const known = this.#byKey.get(id)
    if (known === undefined) this.#byKey.set(id, new Set([key]))
    else known.add(key)
    this.#activate()
  }

  /** The session watches nothing any more; what it was told stays. */
  unwatch(session: Session): void {
    const { watched } = session
    if (watched === undefined) return
    session.watched = undefined
    for (const key of watched) {
      const id = idOf(key.dbIndex, key.name)
      const known = this.#byKey.get(id)
      known?.delete(key)
      if (known?.size === 0) this.#byKey.delete(id)
    }
    this.#activate()
  }

  /** True when the time of a watched key has run out since, though it is still there. */
  hasExpired(session: Session): boolean {
    for (const { expired, dbIndex, name } of session.watched ?? []) {
      if (!expired && this.#isExpired(this.#keyspace.dbs[dbIndex], name)) return true
    }
    return false
  }

  keyChanged(dbIndex: number, bytes: Buffer, offset: number, length: number): void {
    const name = bytes.latin1Slice(offset, offset + length)
    const known = this.#byKey.get(idOf(dbIndex, name))
    if (known === undefined) return
    const isGone = this.#find(this.#keyspace.dbs[dbIndex], name) === 0
    for (const key of [...known]) {
      if (!key.expired) this.#tell(key.session)
      else if (isGone) key.expired = false
    }
  }

  /**
   * A database is about to lose all its keys, and to get those of another one if `replacement` is
   * given.
   */
  emptying(db: Db, replacement?: Db): void {
    if (!this.active) return
    const told = new Set<Session>()
    for (const known of this.#byKey.values()) {
      for (const key of known) {
        if (key.dbIndex === db.index && this.#changes(key, db, replacement)) told.add(key.session)
      }
    }
    for (const session of told) this.#tell(session)
  }

  /** True when it makes a difference to whoever watches the key. */
  #changes(key: WatchedKey, db: Db, replacement: Db | undefined): boolean {
    const { name } = key
    const wasThere = this.#find(db, name) !== 0
    const comes = replacement !== undefined && this.#find(replacement, name) !== 0
    if (!wasThere && !comes) return false
    const comesExpired = comes && this.#isExpired(replacement, name)
    if (key.expired) {
      if (comes) return !comesExpired
      key.expired = false
      return false
    }
    if (!wasThere && comesExpired) {
      key.expired = true
      return false
    }
    return true
  }

  /** Its transaction will not be run; nothing more can happen to it. */
  #tell(session: Session): void {
    session.stale = true
    this.unwatch(session)
  }

  #find(db: Db, name: string): number {
    this.#args.set([Buffer.from(name, 'latin1')])
    return db.find(this.#args, 0)
  }

  #isExpired(db: Db, name: string): boolean {
    const ref = this.#find(db, name)
    return ref !== 0 && db.isExpired(ref)
  }

  #activate(): void {
    const active = this.#byKey.size > 0
    if (active === this.active) return
    this.active = active
    this.#keyspace.events.refresh()
  }
}

function idOf(dbIndex: number, name: string): string {
  return `${dbIndex} ${name}`
}
