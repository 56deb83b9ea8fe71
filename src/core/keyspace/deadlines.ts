/**
 * The deadlines of one database's keys in order of time, so that the next one to act on is always
 * known: for each arena a byte tree of (Unix milliseconds, entry ref).
 *
 * Redis samples volatile keys instead and may keep an expired one for minutes.
 *
 * Thread: core. Hot path.
 * Owns: that order.
 * Never: decides when to look.
 */
import type { Random } from '../../lib/random.ts'
import type { Arena, Ref } from '../../memory/arena.ts'
import {
  byteTreeAt,
  byteTreeFirst,
  byteTreeItemKey,
  byteTreeItemValue,
  TreePosition,
} from '../../memory/byte-tree.ts'
import { ArenaTrees } from './arena-trees.ts'

export class Deadlines {
  readonly trees: ArenaTrees
  readonly #position = new TreePosition()
  /** Sum of all deadlines, for the average. */
  #sumMs = 0
  /** The arena of the key that `takeDue` gave. */
  arenaIndex = 0
  /** The deadline of the key that `first` gave. */
  foundMs = 0

  constructor(arenas: readonly Arena[]) {
    this.trees = new ArenaTrees(arenas)
  }

  /** Throws: ARENA_FULL, with nothing changed. */
  add(arenaIndex: number, ref: Ref, deadlineMs: number): void {
    this.trees.insert(arenaIndex, ref, high(deadlineMs), deadlineMs | 0)
    this.#sumMs += deadlineMs
  }

  remove(arenaIndex: number, ref: Ref, deadlineMs: number): void {
    this.trees.remove(arenaIndex, ref, high(deadlineMs), deadlineMs | 0)
    this.#sumMs -= deadlineMs
  }

  count(): number {
    let count = 0
    for (let i = 0; i < this.trees.refs.length; i++) count += this.trees.countIn(i)
    return count
  }

  averageTtlMs(nowMs: number): number {
    const count = this.count()
    return count === 0 ? 0 : Math.max(0, Math.round(this.#sumMs / count - nowMs))
  }

  /** The earliest deadline, Infinity when there is none. */
  firstMs(): number {
    let firstMs = Number.POSITIVE_INFINITY
    for (let i = 0; i < this.trees.refs.length; i++) firstMs = Math.min(firstMs, this.#firstOf(i))
    return firstMs
  }

  /** An entry whose deadline lies before `nowMs`, 0 when there is none; `arenaIndex` says where. */
  takeDue(nowMs: number): Ref {
    for (let i = 0; i < this.trees.refs.length; i++) {
      if (this.#firstOf(i) >= nowMs) continue
      this.arenaIndex = i
      return byteTreeItemValue(this.trees.arenas[i], this.trees.refs[i], this.#position)
    }
    return 0
  }

  /** The entry with the earliest deadline, of all arenas if `only` is -1; 0 when there is none. */
  first(only: number): Ref {
    let found = 0
    this.foundMs = Number.POSITIVE_INFINITY
    for (let i = 0; i < this.trees.refs.length; i++) {
      if (only >= 0 && i !== only) continue
      const ms = this.#firstOf(i)
      if (ms >= this.foundMs) continue
      this.foundMs = ms
      this.arenaIndex = i
      found = byteTreeItemValue(this.trees.arenas[i], this.trees.refs[i], this.#position)
    }
    return found
  }

  /** An arena chosen as evenly as its volatile keys would be, -1 when there are none. */
  drawArena(random: Random): number {
    let at = Math.floor(random.fraction() * this.count())
    for (let i = 0; i < this.trees.refs.length; i++) {
      const count = this.trees.countIn(i)
      if (at < count) return i
      at -= count
    }
    return -1
  }

  /** Gives `count` entries of an arena to `out`, each drawn evenly; none if there are none. */
  sample(index: number, count: number, random: Random, out: Ref[]): void {
    const arena = this.trees.arenas[index]
    const tree = this.trees.refs[index]
    const size = this.trees.countIn(index)
    if (size === 0) return
    for (let i = 0; i < count; i++) {
      byteTreeAt(arena, tree, this.#position, Math.floor(random.fraction() * size))
      out.push(byteTreeItemValue(arena, tree, this.#position))
    }
  }

  /** Gives the trees' memory back. */
  free(): void {
    this.trees.free()
    this.#sumMs = 0
  }

  /** Forgets the trees, after the arenas themselves were emptied. */
  forget(): void {
    this.trees.forget()
    this.#sumMs = 0
  }

  /** Takes over another's trees, whose arenas are this one's from now on. */
  adopt(other: Deadlines): void {
    this.trees.adopt(other.trees)
    this.#sumMs = other.#sumMs
  }

  /** The first deadline in an arena; `#position` is then there. */
  #firstOf(index: number): number {
    const tree = this.trees.refs[index]
    const arena = this.trees.arenas[index]
    if (tree === 0 || !byteTreeFirst(arena, tree, this.#position)) return Number.POSITIVE_INFINITY
    const low = byteTreeItemKey(arena, tree, this.#position, 1)
    return byteTreeItemKey(arena, tree, this.#position, 0) * 0x100000000 + (low >>> 0)
  }
}

function high(ms: number): number {
  return Math.floor(ms / 0x100000000)
}
