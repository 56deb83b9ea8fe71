/**
 * DEBUG ARENA-CHECK: proves for every arena that each block in use is reachable exactly once from
 * the databases, and that what the databases count is there.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes a byte.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteMapCount, byteMapForEach, byteMapVisit } from '../../../memory/byte-map.ts'
import { byteTreeVisit } from '../../../memory/byte-tree.ts'
import { checkArena, type VisitBlock } from '../../../memory/check.ts'
import type { Db } from '../../keyspace/db.ts'
import { entryHasDeadline, entryHasElements, entryType } from '../../keyspace/entry.ts'
import type { Keyspace } from '../../keyspace/keyspace.ts'
import { valueType } from '../../keyspace/value.ts'

/** All faults, none when everything is sound. */
export function checkKeyspace(keyspace: Keyspace): string[] {
  const faults: string[] = []
  keyspace.arenas.forEach((arena, index) => {
    const found = checkArena(arena, (visit) => {
      for (const db of keyspace.dbs) visitDb(db, arena, index, visit)
      keyspace.lazyFree.visit(arena, visit)
    })
    faults.push(...found.map((fault) => `arena ${index}: ${fault}`))
    for (const db of keyspace.dbs) {
      checkDeadlines(db, arena, index, faults)
      checkSlots(db, arena, index, faults)
    }
  })
  return faults
}

/** Every block of a database in one arena. */
function visitDb(db: Db, arena: Arena, index: number, visit: VisitBlock): void {
  const table = db.keys.maps[index]
  for (const order of [db.deadlines, db.elements.order, db.slots]) {
    const tree = order?.trees.refs[index] ?? 0
    if (tree !== 0) byteTreeVisit(arena, tree, visit)
  }
  if (table === 0) return
  byteMapVisit(arena, table, visit)
  byteMapForEach(arena, table, (ref) => {
    visit(ref)
    valueType(entryType(arena, ref)).visit(arena, ref, visit)
  })
}

/** As many keys must have a deadline as the order of deadlines holds; of elements likewise. */
function checkDeadlines(db: Db, arena: Arena, index: number, faults: string[]): void {
  const table = db.keys.maps[index]
  const keysInOrder = db.deadlines.trees.countIn(index)
  const elementsInOrder = db.elements.order.trees.countIn(index)
  let timed = 0
  let listed = 0
  if (table !== 0) {
    byteMapForEach(arena, table, (ref) => {
      if (entryHasDeadline(arena, ref)) timed++
      if (isListed(arena, ref)) listed++
    })
  }
  const place = `arena ${index}: db ${db.index}`
  if (timed !== keysInOrder) {
    faults.push(`${place} has ${timed} timed keys, ${keysInOrder} are in order`)
  }
  if (listed !== elementsInOrder) {
    faults.push(`${place} has ${listed} keys with timed elements, ${elementsInOrder} are in order`)
  }
}

/** As many keys must be found by their slots as there are. */
function checkSlots(db: Db, arena: Arena, index: number, faults: string[]): void {
  if (db.slots === undefined) return
  const table = db.keys.maps[index]
  const inSlots = db.slots.trees.countIn(index)
  const keys = table === 0 ? 0 : byteMapCount(arena, table)
  if (inSlots === keys) return
  faults.push(`arena ${index}: db ${db.index} has ${keys} keys, ${inSlots} are in slots`)
}

function isListed(arena: Arena, ref: Ref): boolean {
  if (!entryHasElements(arena, ref)) return false
  const { elements } = valueType(entryType(arena, ref))
  return elements !== undefined && elements.listed(arena, ref) >= 0
}
