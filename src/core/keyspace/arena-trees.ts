/**
 * An order of one database's keys: for each arena a byte tree of (two words, entry ref), made when the
 * first key wants it.
 *
 * Thread: core. Hot path.
 * Owns: the trees.
 * Never: knows what the words mean.
 */
import type { Arena, Ref } from '../../memory/arena.ts'
import {
  byteTreeCount,
  byteTreeCreate,
  byteTreeFree,
  byteTreeInsert,
  byteTreeMemoryBytes,
  byteTreeRemove,
  TIE_BY_VALUE,
} from '../../memory/byte-tree.ts'

const KEY_WORDS = 2

export class ArenaTrees {
  readonly arenas: readonly Arena[]
  /** By arena; 0 until there is one. */
  readonly refs: Int32Array

  constructor(arenas: readonly Arena[]) {
    this.arenas = arenas
    this.refs = new Int32Array(arenas.length)
  }

  /** Throws: ARENA_FULL, with nothing changed. */
  insert(arenaIndex: number, ref: Ref, word0: number, word1: number): void {
    const arena = this.arenas[arenaIndex]
    if (this.refs[arenaIndex] === 0) {
      this.refs[arenaIndex] = byteTreeCreate(arena, KEY_WORDS, TIE_BY_VALUE)
    }
    byteTreeInsert(arena, this.refs[arenaIndex], ref, word0, word1)
  }

  remove(arenaIndex: number, ref: Ref, word0: number, word1: number): void {
    byteTreeRemove(this.arenas[arenaIndex], this.refs[arenaIndex], ref, word0, word1)
  }

  /** How many keys of an arena are in order. */
  countIn(arenaIndex: number): number {
    const tree = this.refs[arenaIndex]
    return tree === 0 ? 0 : byteTreeCount(this.arenas[arenaIndex], tree)
  }

  memoryBytes(): number {
    let sum = 0
    for (let i = 0; i < this.refs.length; i++) {
      if (this.refs[i] !== 0) sum += byteTreeMemoryBytes(this.arenas[i], this.refs[i])
    }
    return sum
  }

  /** Gives the trees' memory back. */
  free(): void {
    for (let i = 0; i < this.refs.length; i++) {
      if (this.refs[i] !== 0) byteTreeFree(this.arenas[i], this.refs[i])
    }
    this.forget()
  }

  /** Forgets the trees, after the arenas themselves were emptied. */
  forget(): void {
    this.refs.fill(0)
  }

  /** Takes over another's trees, whose arenas are this one's from now on. */
  adopt(other: ArenaTrees): void {
    this.refs.set(other.refs)
  }
}
