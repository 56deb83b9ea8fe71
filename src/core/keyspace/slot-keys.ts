/**
 * The keys of a database by their hash slots, kept by a node of a cluster only: for each arena a byte
 * tree of (slot, entry ref), which also knows how many keys a slot has.
 *
 * Redis chains the entries of a slot instead, with two words in each.
 *
 * Thread: core. Hot path.
 * Owns: the trees.
 * Never: knows which slots are served.
 */
import { keySlot } from '../../lib/crc16.ts'
import type { Arena, Ref } from '../../memory/arena.ts'
import {
  byteTreeCountBelow,
  byteTreeCountUpTo,
  byteTreeCreate,
  byteTreeFree,
  byteTreeInsert,
  byteTreeItemKey,
  byteTreeItemValue,
  byteTreeNext,
  byteTreeRemove,
  byteTreeSeek,
  TIE_BY_VALUE,
  TreePosition,
} from '../../memory/byte-tree.ts'
import { entryKeyLength, entryKeyOffset } from '../../memory/entry.ts'

const KEY_WORDS = 2

export class SlotKeys {
  readonly #arenas: readonly Arena[]
  /** By arena; 0 until there is one. */
  readonly #trees: Int32Array
  readonly #position = new TreePosition()

  constructor(arenas: readonly Arena[]) {
    this.#arenas = arenas
    this.#trees = new Int32Array(arenas.length)
  }

  /** Throws: ARENA_FULL, with nothing changed. */
  add(arenaIndex: number, ref: Ref): void {
    const arena = this.#arenas[arenaIndex]
    if (this.#trees[arenaIndex] === 0) {
      this.#trees[arenaIndex] = byteTreeCreate(arena, KEY_WORDS, TIE_BY_VALUE)
    }
    byteTreeInsert(arena, this.#trees[arenaIndex], ref, slotOf(arena, ref), 0)
  }

  remove(arenaIndex: number, ref: Ref): void {
    const arena = this.#arenas[arenaIndex]
    byteTreeRemove(arena, this.#trees[arenaIndex], ref, slotOf(arena, ref), 0)
  }

  /** How many keys a slot has. */
  count(slot: number): number {
    let count = 0
    for (let i = 0; i < this.#trees.length; i++) {
      const tree = this.#trees[i]
      if (tree === 0) continue
      const arena = this.#arenas[i]
      count += byteTreeCountUpTo(arena, tree, slot, 0) - byteTreeCountBelow(arena, tree, slot, 0)
    }
    return count
  }

  /** Copies of the names of up to `limit` keys of a slot. */
  // alloc: for a reply
  names(slot: number, limit: number): Buffer[] {
    const names: Buffer[] = []
    const position = this.#position
    for (let i = 0; i < this.#trees.length && names.length < limit; i++) {
      const tree = this.#trees[i]
      const arena = this.#arenas[i]
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

  /** Gives the trees' memory back. */
  free(): void {
    for (let i = 0; i < this.#trees.length; i++) {
      if (this.#trees[i] !== 0) byteTreeFree(this.#arenas[i], this.#trees[i])
    }
    this.forget()
  }

  /** Forgets the trees, after the arenas themselves were emptied. */
  forget(): void {
    this.#trees.fill(0)
  }

  /** Takes over another's trees, whose arenas are this one's from now on. */
  adopt(other: SlotKeys): void {
    this.#trees.set(other.#trees)
  }

  trees(): readonly number[] {
    return Array.from(this.#trees)
  }
}

/** The slot of an entry's key. */
export function slotOf(arena: Arena, ref: Ref): number {
  const at = entryKeyOffset(ref)
  return keySlot(arena.bytes, at, at + entryKeyLength(arena, ref))
}
