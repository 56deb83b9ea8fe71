/**
 * Makes a sorted set that no key has yet: the results of STORE commands and of set algebra, values
 * from files. Members come in any order; the tree is made last, and given up when the set is small.
 *
 * Thread: core.
 * Owns: the map, and later the finished value, until somebody takes it.
 * Never: keeps a block when it throws and is then freed.
 */
import { AlignedBytes } from '../../../memory/aligned.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteMapCount, byteMapCreate } from '../../../memory/byte-map.ts'
import {
  byteTreeFirst,
  byteTreeItemValue,
  byteTreeNext,
  TreePosition,
} from '../../../memory/byte-tree.ts'
import { entryKeyLength, entryKeyOffset } from '../../../memory/entry.ts'
import { listpackCreate } from '../../../memory/listpack.ts'
import type { CopyTarget } from '../../keyspace/value.ts'
import type { ListpackLimits } from '../listpack-limits.ts'
import { SORTED_SET_LISTPACK, SORTED_SET_TREE } from './encodings.ts'
import { packAppend, packMoved } from './pack.ts'
import { createEntry, freeSortedSet } from './sorted-set.ts'
import { entryScore, mapAdd, mapSetScore, treeFind, treeFree, treeOfMap } from './tree.ts'

const member = new AlignedBytes()
const position = new TreePosition()

export class SortedSetBuilder {
  readonly arena: Arena
  /** The map, or when finished the listpack; 0: none, or somebody else's by now. */
  structure: Ref = 0
  tree: Ref = 0
  encoding = SORTED_SET_TREE
  /** Bytes of the longest member. */
  #longest = 0

  /** `arena`: that of the key to be. Throws: ARENA_FULL. */
  constructor(arena: Arena) {
    this.arena = arena
    this.structure = byteMapCreate(arena)
  }

  /** Members so far. */
  get count(): number {
    return byteMapCount(this.arena, this.structure)
  }

  /** Adds a member. False when it is there already; it keeps its score then. Throws: ARENA_FULL. */
  add(bytes: Buffer, offset: number, length: number, score: number): boolean {
    if (this.#find(bytes, offset, length) !== 0) return false
    this.#add(length, score)
    return true
  }

  /** Adds a member, or gives it the score that `merge` makes of its own and this one. */
  combine(
    bytes: Buffer,
    offset: number,
    length: number,
    score: number,
    merge: (before: number, score: number) => number,
  ): void {
    const { arena } = this
    const entry = this.#find(bytes, offset, length)
    if (entry === 0) this.#add(length, score)
    else mapSetScore(arena, entry, merge(entryScore(arena, entry), score))
  }

  /** Orders the members; without `limits` the set stays a large one. Throws: ARENA_FULL. */
  finish(limits: Pick<ListpackLimits, 'entries' | 'valueSize'> | undefined): void {
    const { arena } = this
    this.tree = treeOfMap(arena, this.structure)
    if (limits === undefined) return
    if (this.count > limits.entries || this.#longest > limits.valueSize) return
    const pack = packOfTree(arena, this.tree)
    treeFree(arena, this.structure, this.tree)
    this.structure = pack
    this.tree = 0
    this.encoding = SORTED_SET_LISTPACK
  }

  /** Lets `target` make an entry for the finished set. Throws: ARENA_FULL, with the set freed. */
  create(target: CopyTarget): Ref {
    const { arena, encoding, structure, tree } = this
    this.structure = 0
    return createEntry(arena, target, encoding, structure, tree)
  }

  /** Frees what nobody has taken. */
  free(): void {
    if (this.structure === 0) return
    freeSortedSet(this.arena, this.encoding, this.structure, this.tree)
    this.structure = 0
  }

  #find(bytes: Buffer, offset: number, length: number): Ref {
    member.set(bytes, offset, length)
    return treeFind(this.arena, this.structure, member.words, 0, length)
  }

  #add(length: number, score: number): void {
    if (length > this.#longest) this.#longest = length
    mapAdd(this.arena, this.structure, member.words, 0, length, score)
  }
}

/** A listpack of what is in a tree. Throws: ARENA_FULL, having freed the pack. */
function packOfTree(arena: Arena, tree: Ref): Ref {
  let pack = listpackCreate(arena, 0)
  let done = false
  try {
    for (let more = byteTreeFirst(arena, tree, position); more; ) {
      const entry = byteTreeItemValue(arena, tree, position)
      const length = entryKeyLength(arena, entry)
      try {
        packAppend(
          arena,
          pack,
          arena.bytes,
          entryKeyOffset(entry),
          length,
          entryScore(arena, entry),
        )
      } finally {
        pack = packMoved()
      }
      more = byteTreeNext(arena, position)
    }
    done = true
  } finally {
    if (!done) arena.free(pack)
  }
  return pack
}
