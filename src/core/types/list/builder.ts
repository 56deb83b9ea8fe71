/**
 * Makes a list that no key has yet: SORT STORE, values from files.
 *
 * Thread: core.
 * Owns: the list until somebody takes it.
 * Never: keeps a block when it throws and is then freed.
 */
import type { Settings } from '../../../config/settings.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteListCount, byteListFree, byteListPush } from '../../../memory/byte-list.ts'
import { entryValueWord, TYPE_LIST } from '../../keyspace/entry.ts'
import type { CopyTarget } from '../../keyspace/value.ts'
import { createStructure, LIST_QUICKLIST, LIST_VALUE_SIZE } from './list.ts'

export class ListBuilder {
  readonly arena: Arena
  /** The byte list; 0: somebody else's by now. */
  structure: Ref

  /** `arena`: that of the key to be. Throws: ARENA_FULL. */
  constructor(arena: Arena, settings: Settings | undefined) {
    this.arena = arena
    this.structure = createStructure(arena, settings)
  }

  /** Elements so far. */
  get count(): number {
    return byteListCount(this.arena, this.structure)
  }

  /** Adds an element at the end. Throws: ARENA_FULL. */
  push(bytes: Buffer, offset: number, length: number): void {
    byteListPush(this.arena, this.structure, true, bytes, offset, length)
  }

  /** Lets `target` make an entry for the list. Throws: ARENA_FULL, with the list freed. */
  create(target: CopyTarget): Ref {
    const { arena, structure } = this
    let ref = 0
    try {
      ref = target.create(TYPE_LIST, LIST_QUICKLIST, LIST_VALUE_SIZE)
    } finally {
      if (ref === 0) this.free()
    }
    arena.words[entryValueWord(arena, ref)] = structure
    this.structure = 0
    return ref
  }

  /** Frees what nobody has taken. */
  free(): void {
    if (this.structure === 0) return
    byteListFree(this.arena, this.structure)
    this.structure = 0
  }
}
