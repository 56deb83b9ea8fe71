/**
 * The list: a byte list, whatever its size, as in Redis 7.0. How it is cut into nodes is settled when
 * it is made: a change of the settings is for lists to come.
 *
 * Thread: core. Hot path.
 * Owns: where an entry keeps its list.
 * Never: leaves a list without elements to anybody but its caller.
 */
import type { Settings } from '../../../config/settings.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteListCount, byteListCreate, byteListFree } from '../../../memory/byte-list.ts'
import { listOptions } from '../../../memory/byte-list-node.ts'
import {
  byteListLeave,
  byteListNext,
  byteListRead,
  byteListSeek,
  ListPosition,
} from '../../../memory/byte-list-position.ts'
import { ListpackElement } from '../../../memory/listpack.ts'
import type { Args } from '../../engine/args.ts'
import { type Db, NO_DEADLINE } from '../../keyspace/db.ts'
import { entryValueWord, TYPE_LIST } from '../../keyspace/entry.ts'

export const LIST_QUICKLIST = 0
export const LIST_VALUE_SIZE = 4
/** What Redis begins with. */
const DEFAULT_OPTIONS = listOptions(-2, 0)

export function listStructure(arena: Arena, ref: Ref): Ref {
  return arena.words[entryValueWord(arena, ref)]
}

export function listCount(arena: Arena, ref: Ref): number {
  return byteListCount(arena, listStructure(arena, ref))
}

/** An empty list, shaped as the settings say. Throws: ARENA_FULL. */
export function createStructure(arena: Arena, settings: Settings | undefined): Ref {
  if (settings === undefined) return byteListCreate(arena, DEFAULT_OPTIONS)
  const fill = settings.int('list-max-listpack-size')
  return byteListCreate(arena, listOptions(fill, settings.int('list-compress-depth')))
}

/** A key with an empty list. Throws: ARENA_FULL. */
export function makeList(db: Db, args: Args, index: number): Ref {
  const arena = db.arenaOf(args, index)
  const list = createStructure(arena, db.settings)
  let ref = 0
  try {
    ref = db.create(args, index, TYPE_LIST, LIST_QUICKLIST, LIST_VALUE_SIZE, NO_DEADLINE)
  } finally {
    if (ref === 0) byteListFree(arena, list)
  }
  arena.words[entryValueWord(arena, ref)] = list
  return ref
}

/** A walk over the elements, ended by `close` or by its end. The list may not change meanwhile. */
export class ListCursor {
  readonly element = new ListpackElement()
  readonly #position = new ListPosition()
  #arena: Arena | undefined = undefined
  #list: Ref = 0
  #started = false

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
    this.openStructure(arena, listStructure(arena, ref))
  }

  /** As `open`, for a list that no entry holds. */
  openStructure(arena: Arena, list: Ref): void {
    this.#arena = arena
    this.#list = list
    this.#started = false
  }

  next(): boolean {
    const arena = this.#arena
    if (arena === undefined) return false
    const more = this.#started
      ? byteListNext(arena, this.#position)
      : byteListSeek(arena, this.#list, 0, this.#position)
    this.#started = true
    if (more) byteListRead(this.#position, this.element)
    else this.close()
    return more
  }

  close(): void {
    if (this.#arena !== undefined) byteListLeave(this.#arena, this.#position)
    this.#arena = undefined
  }
}
