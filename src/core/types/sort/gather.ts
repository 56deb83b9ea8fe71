/**
 * The elements that SORT sorts: of a list, a set or a sorted set.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: sorts.
 */

import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteListLeave,
  byteListNext,
  byteListPrevious,
  byteListRead,
  byteListSeek,
  ListPosition,
} from '../../../memory/byte-list-position.ts'
import { ListpackElement } from '../../../memory/listpack.ts'
import { entryType, TYPE_LIST, TYPE_SET } from '../../keyspace/entry.ts'
import { listCount, listStructure } from '../list/list.ts'
import { SetCursor, setCount } from '../set/set.ts'
import { SortedSetCursor } from '../sorted-set/cursor.ts'
import { sortedSetCount } from '../sorted-set/sorted-set.ts'
import { Texts } from './texts.ts'

/** Elements of the value at `ref`; 0: of none. */
export function elementCount(arena: Arena, ref: Ref): number {
  if (ref === 0) return 0
  const type = entryType(arena, ref)
  if (type === TYPE_LIST) return listCount(arena, ref)
  return type === TYPE_SET ? setCount(arena, ref) : sortedSetCount(arena, ref)
}

/**
 * `count` elements from number `start` on, in the order that they have; `backwards`: from the end,
 * but for a set, which has no order. All of them are there.
 */
export function gather(
  arena: Arena,
  ref: Ref,
  start: number,
  count: number,
  backwards: boolean,
): Texts {
  const texts = new Texts(count)
  if (count === 0) return texts
  const type = entryType(arena, ref)
  if (type === TYPE_LIST) gatherList(arena, ref, start, count, backwards, texts)
  else if (type === TYPE_SET) gatherSet(arena, ref, start, count, texts)
  else gatherSortedSet(arena, ref, start, count, backwards, texts)
  return texts
}

function gatherList(
  arena: Arena,
  ref: Ref,
  start: number,
  count: number,
  backwards: boolean,
  texts: Texts,
): void {
  const position = new ListPosition()
  const element = new ListpackElement()
  let more = byteListSeek(
    arena,
    listStructure(arena, ref),
    backwards ? -1 - start : start,
    position,
  )
  while (more && texts.count < count) {
    byteListRead(position, element)
    texts.add(element.bytes, element.offset, element.length)
    more = backwards ? byteListPrevious(arena, position) : byteListNext(arena, position)
  }
  byteListLeave(arena, position)
}

function gatherSet(arena: Arena, ref: Ref, start: number, count: number, texts: Texts): void {
  const cursor = new SetCursor()
  cursor.open(arena, ref)
  for (let i = 0; i < start; i++) cursor.next()
  while (texts.count < count && cursor.next()) {
    texts.add(cursor.bytes, cursor.offset, cursor.length)
  }
}

function gatherSortedSet(
  arena: Arena,
  ref: Ref,
  start: number,
  count: number,
  backwards: boolean,
  texts: Texts,
): void {
  const cursor = new SortedSetCursor()
  const rank = backwards ? sortedSetCount(arena, ref) - 1 - start : start
  cursor.openAt(arena, ref, rank, backwards)
  while (texts.count < count && cursor.next()) {
    texts.add(cursor.bytes, cursor.offset, cursor.length)
  }
}
