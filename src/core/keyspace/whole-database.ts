/**
 * What happens to a database as a whole: FLUSHDB and FLUSHALL empty it, SWAPDB exchanges what two hold,
 * and data that were loaded aside take the place of others.
 *
 * Thread: core.
 * Owns: nothing: a database owns what it holds.
 * Never: looks at a single key, but to free it.
 */
import type { Db } from './db.ts'
import type { Keyspace } from './keyspace.ts'
import { KeyTable } from './table.ts'

/**
 * Removes every key and frees it, `lazily`: little by little. What a snapshot may still have to give
 * is freed after that. Gives how many there were.
 */
export function emptyDatabase(keyspace: Keyspace, db: Db, lazily: boolean): number {
  const count = db.size()
  const { arenas, epoch, lazyFree } = keyspace
  if (lazily || epoch !== 0) {
    lazyFree.takeTable(db.keys, epoch !== 0)
    db.hold(new KeyTable(arenas))
  } else {
    db.forEach((ref) => {
      db.discard(ref)
    })
    db.keys.free()
  }
  db.deadlines.free()
  db.elements.order.free()
  db.slots?.trees.free()
  keyspace.ready.signalAll(db.index)
  return count
}

/** Forgets what a database holds, after the arenas themselves were emptied. */
export function forgetDatabase({ keys, deadlines, elements, slots }: Db): void {
  keys.forget()
  slots?.trees.forget()
  deadlines.forget()
  elements.order.forget()
}

/** Exchanges what two databases hold. A node of a cluster has only one. */
export function swapDatabases(one: Db, other: Db): void {
  const { keys, deadlines } = one
  const { order } = one.elements
  one.hold(other.keys)
  one.deadlines = other.deadlines
  one.elements.order = other.elements.order
  other.hold(keys)
  other.deadlines = deadlines
  other.elements.order = order
}

/** Takes over what another holds, whose arenas are this one's from now on. */
export function adoptDatabase({ keys, deadlines, elements, slots }: Db, other: Db): void {
  keys.adopt(other.keys)
  if (other.slots !== undefined) slots?.trees.adopt(other.slots.trees)
  deadlines.adopt(other.deadlines)
  elements.order.adopt(other.elements.order)
}
