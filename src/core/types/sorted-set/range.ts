/**
 * Ranges of a sorted set, by score and by member, as ranks.
 *
 * Thread: core. Hot path.
 * Owns: how limits are read, and which ranks lie between them.
 * Never: changes a set.
 */
import { parseRangeLimit } from '../../../lib/bytes/double.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { listpackFirst } from '../../../memory/listpack.ts'
import type { Args } from '../../engine/args.ts'
import { CommandError, NOT_AN_INTEGER } from '../../engine/errors.ts'
import {
  afterPair,
  beforePair,
  lastPair,
  packCompare,
  packCount,
  packRangeCount,
  packRangeStart,
} from './pack.ts'
import { isTree, sortedSetCount, sortedSetScoreRank, structureOf, treeOf } from './sorted-set.ts'
import { treeCompareEnd, treeLexRank } from './tree.ts'

export const NOT_A_SCORE_RANGE = new CommandError('ERR min or max is not a float')
export const NOT_A_LEX_RANGE = new CommandError('ERR min or max not valid string range item')

const PARENTHESIS = 40
const PLUS = 43
const MINUS = 45
const BRACKET = 91

/** Ranks that follow each other. */
export class Span {
  start = 0
  count = 0

  /** From one rank up to, but not including, another. */
  set(start: number, end: number): void {
    this.start = start
    this.count = end > start ? end - start : 0
  }
}

/** Two scores, each with or without the score itself. */
export class ScoreRange {
  min = 0
  max = 0
  minExclusive = false
  maxExclusive = false

  /** Throws: CommandError NOT_A_SCORE_RANGE. */
  parse(args: Args, minIndex: number, maxIndex: number): void {
    this.minExclusive = isOpen(args, minIndex)
    this.maxExclusive = isOpen(args, maxIndex)
    this.min = limit(args, minIndex, this.minExclusive)
    this.max = limit(args, maxIndex, this.maxExclusive)
  }

  /** The ranks of the members within. */
  find(arena: Arena, ref: Ref, span: Span): void {
    const { min, minExclusive, max, maxExclusive } = this
    if (!isTree(arena, ref)) {
      const pack = structureOf(arena, ref)
      span.count = packRangeCount(arena, pack, min, minExclusive, max, maxExclusive)
      span.start = packRangeStart()
      return
    }
    const start = sortedSetScoreRank(arena, ref, min, minExclusive)
    span.set(start, sortedSetScoreRank(arena, ref, max, !maxExclusive))
  }
}

function isOpen(args: Args, index: number): boolean {
  return args.lengths[index] > 0 && args.bytes[args.offsets[index]] === PARENTHESIS
}

function limit(args: Args, index: number, exclusive: boolean): number {
  const start = args.offsets[index]
  const end = start + args.lengths[index]
  const value = parseRangeLimit(args.bytes, exclusive ? start + 1 : start, end)
  if (Number.isNaN(value)) throw NOT_A_SCORE_RANGE
  return value
}

/** One limit of a range by member. */
class LexLimit {
  /** -1: before all members, 1: after all, 0: at `offset`. */
  beyond = 0
  exclusive = false
  bytes: Buffer = Buffer.alloc(0)
  offset = 0
  length = 0

  /** Throws: CommandError NOT_A_LEX_RANGE. */
  parse(args: Args, index: number): void {
    const { bytes } = args
    const at = args.offsets[index]
    const length = args.lengths[index]
    const first = length === 0 ? 0 : bytes[at]
    this.bytes = bytes
    this.offset = at + 1
    this.length = length - 1
    this.beyond = 0
    this.exclusive = first === PARENTHESIS
    if (first === BRACKET || first === PARENTHESIS) return
    // QUIRK: as a C text, '+' may be followed by a NUL and anything.
    const alone = length === 1 || (length > 1 && bytes[at + 1] === 0)
    if (!alone || (first !== PLUS && first !== MINUS)) throw NOT_A_LEX_RANGE
    this.beyond = first === PLUS ? 1 : -1
  }
}

/** Two members, each with or without the member itself. For sets whose scores are all the same. */
export class LexRange {
  readonly #min = new LexLimit()
  readonly #max = new LexLimit()

  /** Throws: CommandError NOT_A_LEX_RANGE. */
  parse(args: Args, minIndex: number, maxIndex: number): void {
    this.#min.parse(args, minIndex)
    this.#max.parse(args, maxIndex)
  }

  /** The ranks of the members within; `backwards`: as found from the end. */
  find(arena: Arena, ref: Ref, backwards: boolean, span: Span): void {
    if (!isTree(arena, ref)) {
      const pack = structureOf(arena, ref)
      if (backwards) this.#findBackwards(arena, pack, span)
      else this.#findForwards(arena, pack, span)
      return
    }
    const start = this.#rank(arena, ref, this.#min, this.#min.exclusive)
    span.set(start, this.#rank(arena, ref, this.#max, !this.#max.exclusive))
    if (span.count > 0 && this.#missesTree(arena, treeOf(arena, ref))) span.count = 0
  }

  /** As `#misses`: with different scores the search may find something all the same. */
  #missesTree(arena: Arena, tree: Ref): boolean {
    const min = this.#min
    const max = this.#max
    if (min.beyond === 0) {
      const order = treeCompareEnd(arena, tree, true, min.bytes, min.offset, min.length)
      if (min.exclusive ? order <= 0 : order < 0) return true
    }
    if (max.beyond !== 0) return false
    const order = treeCompareEnd(arena, tree, false, max.bytes, max.offset, max.length)
    return max.exclusive ? order >= 0 : order > 0
  }

  #rank(arena: Arena, ref: Ref, limit: LexLimit, inclusive: boolean): number {
    if (limit.beyond !== 0) return limit.beyond < 0 ? 0 : sortedSetCount(arena, ref)
    const { bytes, offset, length } = limit
    return treeLexRank(arena, treeOf(arena, ref), bytes, offset, length, inclusive)
  }

  /**
   * QUIRK: members of different scores are in no order of their own, and a small set is walked until
   * one is out of range: seen as ZADD k 1 b 2 a 3 c, ZRANGEBYLEX k [b +.
   */
  #findForwards(arena: Arena, pack: Ref, span: Span): void {
    span.set(0, 0)
    if (this.#misses(arena, pack)) return
    let rank = 0
    let at = listpackFirst(arena, pack)
    while (at !== 0 && !this.#isAboveMin(arena, at)) {
      at = afterPair(arena, at)
      rank++
    }
    const start = rank
    while (at !== 0 && this.#isBelowMax(arena, at)) {
      at = afterPair(arena, at)
      rank++
    }
    span.set(start, rank)
  }

  #findBackwards(arena: Arena, pack: Ref, span: Span): void {
    span.set(0, 0)
    if (this.#misses(arena, pack)) return
    let end = packCount(arena, pack)
    let at = lastPair(arena, pack)
    while (at !== 0 && !this.#isBelowMax(arena, at)) {
      at = beforePair(arena, pack, at)
      end--
    }
    let start = end
    while (at !== 0 && this.#isAboveMin(arena, at)) {
      at = beforePair(arena, pack, at)
      start--
    }
    span.set(start, end)
  }

  /** True when the last member lies below, or the first above the range. */
  #misses(arena: Arena, pack: Ref): boolean {
    const last = lastPair(arena, pack)
    if (last === 0 || !this.#isAboveMin(arena, last)) return true
    return !this.#isBelowMax(arena, listpackFirst(arena, pack))
  }

  #isAboveMin(arena: Arena, at: number): boolean {
    const { beyond, exclusive, bytes, offset, length } = this.#min
    if (beyond !== 0) return beyond < 0
    const order = packCompare(arena, at, bytes, offset, length)
    return exclusive ? order > 0 : order >= 0
  }

  #isBelowMax(arena: Arena, at: number): boolean {
    const { beyond, exclusive, bytes, offset, length } = this.#max
    if (beyond !== 0) return beyond > 0
    const order = packCompare(arena, at, bytes, offset, length)
    return exclusive ? order < 0 : order <= 0
  }
}

/** Any signed 64-bit integer, beyond 2^53 the nearest. Throws: CommandError NOT_AN_INTEGER. */
export function parseRank(args: Args, index: number): number {
  if (!args.integer64(index)) throw NOT_AN_INTEGER
  return args.high * 0x100000000 + (args.low >>> 0)
}

/** The ranks from `start` to `stop` of `count`; negative ones count from the end. */
export function rankSpan(start: number, stop: number, count: number, span: Span): void {
  const from = Math.max(start < 0 ? start + count : start, 0)
  const to = stop < 0 ? stop + count : stop
  span.set(from, Math.min(to, count - 1) + 1)
}
