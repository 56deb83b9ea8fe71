/**
 * The keys of a database by their hash slots, kept by a node of a cluster only: for each arena a byte
 * tree of (slot, entry ref), which also knows how many keys a slot has.
 *
 * Redis chains the entries of a slot instead, with two words in each.
 *
 * Thread: core. Hot path.
 * Owns: that order.
 * Never: knows which slots are served.
 */
import { keySlot } from '../../lib/crc16.ts'
import type { Arena, Ref } from '../../memory/arena.ts'
import {
  byteTreeCountBelow,
  byteTreeCountUpTo,
  byteTreeItemKey,
  byteTreeItemValue,
  byteTreeNext,
  byteTreeSeek,
  TreePosition,
} from '../../memory/byte-tree.ts'
import { entryKeyLength, entryKeyOffset } from '../../memory/entry.ts'
import { ArenaTrees } from './arena-trees.ts'

export class SlotKeys {
  readonly trees: ArenaTrees
  readonly #position = new TreePosition()

  constructor(arenas: readonly Arena[]) {
    this.trees = new ArenaTrees(arenas)
  }

  /** Throws: ARENA_FULL, with nothing changed. */
  add(arenaIndex: number, ref: Ref): void {
    this.trees.insert(arenaIndex, ref, slotOf(this.trees.arenas[arenaIndex], ref), 0)
  }

  remove(arenaIndex: number, ref: Ref): void {
    this.trees.remove(arenaIndex, ref, slotOf(this.trees.arenas[arenaIndex], ref), 0)
  }

  /** How many keys a slot has. */
  count(slot: number): number {
    const { arenas, refs } = this.trees
    let count = 0
    for (let i = 0; i < refs.length; i++) {
      const tree = refs[i]
      if (tree === 0) continue
      const arena = arenas[i]
      count += byteTreeCountUpTo(arena, tree, slot, 0) - byteTreeCountBelow(arena, tree, slot, 0)
    }
    return count
  }

  /** Copies of the names of up to `limit` keys of a slot. */
  // alloc: for a reply
  names(slot: number, limit: number): Buffer[] {
    const { arenas, refs } = this.trees
    const names: Buffer[] = []
    const position = this.#position
    for (let i = 0; i < refs.length && names.length < limit; i++) {
      const tree = refs[i]
      const arena = arenas[i]
      let isThere = tree !== 0 && byteTreeSeek(arena, tree, position, slot, 0)
      while (isThere && names.length < limit) {
        if (byteTreeItemKey(arena, tree, position, 0) !== slot) break
        const ref = byteTreeItemValue(arena, tree, position)
        const at = entryKeyOffset(ref)
        names.push(Buffer.from(arena.bytes.subarray(at, at + entryKeyLength(arena, ref))))
        isThere = byteTreeNext(arena, position)
      }
    }
    return names
  }
}

/** The slot of an entry's key. */
export function slotOf(arena: Arena, ref: Ref): number {
  const at = entryKeyOffset(ref)
  return keySlot(arena.bytes, at, at + entryKeyLength(arena, ref))
}
