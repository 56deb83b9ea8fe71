/**
 * Proves that a keyspace is whole: every block of every arena is somebody's once, every key is where
 * its hash says, and the deadline trees hold the deadlines of the keys and nothing else.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: changes a byte.
 */
import type { Db } from '../../../src/core/keyspace/db.ts'
import { entryDeadline, entryHasElements, entryType } from '../../../src/core/keyspace/entry.ts'
import type { Keyspace } from '../../../src/core/keyspace/keyspace.ts'
import { valueType } from '../../../src/core/keyspace/value.ts'
import { hashWords } from '../../../src/lib/hash.ts'
import type { Arena, Ref } from '../../../src/memory/arena.ts'
import {
  byteMapCount,
  byteMapFind,
  byteMapForEach,
  byteMapVisit,
} from '../../../src/memory/byte-map.ts'
import {
  byteTreeCount,
  byteTreeFirst,
  byteTreeItemKey,
  byteTreeItemValue,
  byteTreeNext,
  byteTreeVisit,
  TreePosition,
} from '../../../src/memory/byte-tree.ts'
import { checkArena, type VisitBlock } from '../../../src/memory/check.ts'
import { entryKeyLength, entryKeyOffset } from '../../../src/memory/entry.ts'

/** All that is wrong, nothing when all is well. */
export function keyspaceFaults(keyspace: Keyspace): string[] {
  const faults: string[] = []
  keyspace.arenas.forEach((arena, index) => {
    const blocks = checkArena(arena, (visit) => {
      for (const db of keyspace.dbs) visitDb(db, arena, index, visit)
      keyspace.lazyFree.visit(arena, visit)
    })
    for (const fault of blocks) faults.push(`arena ${index}: ${fault}`)
    for (const db of keyspace.dbs) {
      for (const fault of dbFaults(keyspace, db, arena, index)) {
        faults.push(`db ${db.index}, arena ${index}: ${fault}`)
      }
    }
  })
  return faults
}

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

function dbFaults(keyspace: Keyspace, db: Db, arena: Arena, index: number): string[] {
  const faults: string[] = []
  const table = db.keys.maps[index]
  const wanted: string[] = []
  const wantedElements: string[] = []
  let count = 0
  if (table !== 0) {
    byteMapForEach(arena, table, (ref) => {
      count++
      const deadline = entryDeadline(arena, ref)
      if (deadline !== -1) wanted.push(`${deadline} ${ref}`)
      const { elements } = valueType(entryType(arena, ref))
      if (elements !== undefined && entryHasElements(arena, ref)) {
        const listed = elements.listed(arena, ref)
        if (listed !== -1) wantedElements.push(`${listed} ${ref}`)
        if (listed > elements.firstEnd(arena, ref)) faults.push(`entry ${ref} is listed too late`)
      }
      const problem = placeFault(keyspace, arena, table, index, ref)
      if (problem !== '') faults.push(problem)
    })
    if (byteMapCount(arena, table) !== count) faults.push(`${count} keys, another count`)
  }
  for (const [order, expected] of [
    [db.deadlines, wanted],
    [db.elements.order, wantedElements],
  ] as const) {
    const found = deadlines(arena, order.trees.refs[index])
    if (found.toSorted().join() !== expected.toSorted().join()) {
      faults.push(`deadlines [${found}] should be [${expected}]`)
    }
  }
  return faults
}

function placeFault(keyspace: Keyspace, arena: Arena, table: Ref, index: number, ref: Ref): string {
  const at = entryKeyOffset(ref)
  const length = entryKeyLength(arena, ref)
  const hash = hashWords(arena.words, at >> 2, length, keyspace.hashSeed)
  if (keyspace.arenaIndex(hash) !== index) return `entry ${ref} is in the wrong arena`
  const found = byteMapFind(arena, table, hash, arena.words, at, length)
  return found === ref ? '' : `looking for entry ${ref} finds ${found}`
}

/** Items of a deadline tree; throws when they are not in order. */
function deadlines(arena: Arena, tree: Ref): string[] {
  const items: string[] = []
  if (tree === 0) return items
  const position = new TreePosition()
  let last = 0
  for (
    let more = byteTreeFirst(arena, tree, position);
    more;
    more = byteTreeNext(arena, position)
  ) {
    const high = byteTreeItemKey(arena, tree, position, 0)
    const ms = high * 2 ** 32 + (byteTreeItemKey(arena, tree, position, 1) >>> 0)
    if (ms < last) throw new Error(`deadline ${ms} follows ${last}`)
    last = ms
    items.push(`${ms} ${byteTreeItemValue(arena, tree, position)}`)
  }
  if (items.length !== byteTreeCount(arena, tree)) throw new Error('a tree miscounts its items')
  return items
}
