/**
 * The list: a byte list, whatever its size, as in Redis 7.0.
 *
 * Thread: core. Hot path.
 * Owns: where an entry keeps its list.
 * Never: leaves a list without elements to anybody but its caller.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteListCount,
  byteListCreate,
  byteListFree,
  byteListNext,
  byteListSeek,
  ListPosition,
} from '../../../memory/byte-list.ts'
import { ListpackElement, listpackRead } from '../../../memory/listpack.ts'
import type { Args } from '../../engine/args.ts'
import { type Db, NO_DEADLINE } from '../../keyspace/db.ts'
import { entryValueWord, TYPE_LIST } from '../../keyspace/entry.ts'

export const LIST_QUICKLIST = 0
export const LIST_VALUE_SIZE = 4

export function listStructure(arena: Arena, ref: Ref): Ref {
  return arena.words[entryValueWord(arena, ref)]
}

export function listCount(arena: Arena, ref: Ref): number {
  return byteListCount(arena, listStructure(arena, ref))
}

/** A key with an empty list. Throws: ARENA_FULL. */
export function makeList(db: Db, args: Args, index: number): Ref {
  const arena = db.arenaOf(args, index)
  const list = byteListCreate(arena)
  let ref = 0
  try {
    ref = db.create(args, index, TYPE_LIST, LIST_QUICKLIST, LIST_VALUE_SIZE, NO_DEADLINE)
  } finally {
    if (ref === 0) byteListFree(arena, list)
  }
  arena.words[entryValueWord(arena, ref)] = list
  return ref
}

/** A walk over the elements. The list may not change meanwhile. */
export class ListCursor {
  readonly element = new ListpackElement()
  readonly #position = new ListPosition()
  #arena: Arena | undefined = undefined
  #more = false

  get bytes(): Buffer {
    return this.element.bytes
  }

  get offset(): number {
    return this.element.offset
  }

  get length(): number {
    return this.element.length
  }

  open(arena: Arena, ref: Ref): void {
    this.#arena = arena
    this.#more = byteListSeek(arena, listStructure(arena, ref), 0, this.#position)
  }

  next(): boolean {
    const arena = this.#arena
    if (arena === undefined || !this.#more) return false
    listpackRead(arena, this.#position.at, this.element)
    this.#more = byteListNext(arena, this.#position)
    return true
  }
}
