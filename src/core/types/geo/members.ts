/**
 * What geo commands need of a sorted set.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: knows how a sorted set is kept.
 */
import { type GeoPoint, geoPoint } from '../../../lib/geohash.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import type { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import { SortedSetCursor } from '../sorted-set/cursor.ts'
import { addMembers, membersAdded, membersUpdated, scoresFor } from '../sorted-set/members.ts'
import {
  ADD_NEW,
  ADD_PRESENT,
  sortedSetScore,
  sortedSetScoreRank,
} from '../sorted-set/sorted-set.ts'
import { builderFor, storeSortedSet } from '../sorted-set/store.ts'

const NOT_DECODED = new CommandError('ERR could not decode requested zset member')

const cursor = new SortedSetCursor()

/** The number of the member in an argument, NaN when it is not there. */
export function memberScore(args: Args, index: number, arena: Arena, ref: Ref): number {
  return sortedSetScore(arena, ref, args, args.offsets[index], args.lengths[index])
}

/** The position of the member in an argument. Throws: CommandError. */
export function memberPoint(args: Args, index: number, arena: Arena, ref: Ref): GeoPoint {
  const score = memberScore(args, index, arena, ref)
  if (Number.isNaN(score)) throw NOT_DECODED
  return geoPoint(score)
}

/** Shows members whose numbers lie from `min` up to `end`, in order, while `visit` wants more. */
export function forEachInRange(
  arena: Arena,
  ref: Ref,
  min: number,
  end: number,
  visit: (bytes: Buffer, offset: number, length: number, score: number) => boolean,
): void {
  cursor.openAt(arena, ref, sortedSetScoreRank(arena, ref, min, false), false)
  while (cursor.next()) {
    const { score } = cursor
    if (score >= end || !visit(cursor.bytes, cursor.offset, cursor.length, score)) return
  }
}

export interface AddOptions {
  readonly nx: boolean
  readonly xx: boolean
  readonly ch: boolean
}

/** Adds the members that follow each position from argument `first` on, and answers. */
export function addPositions(
  call: Call,
  first: number,
  scores: readonly number[],
  { nx, xx, ch }: AddOptions,
): void {
  const room = scoresFor(scores.length)
  for (const [index, score] of scores.entries()) room[index] = score
  const flags = (nx ? ADD_NEW : 0) | (xx ? ADD_PRESENT : 0)
  addMembers(call, first + 2, 3, scores.length, flags, 'zadd')
  if (call.propagation.active && membersAdded() + membersUpdated() > 0) {
    const { args } = call
    const options = [...(nx ? ['NX'] : []), ...(xx ? ['XX'] : []), ...(ch ? ['CH'] : [])]
    const pairs = scores.flatMap((score, i) => [String(score), args.copy(first + i * 3 + 2)])
    call.propagateAs('ZADD', args.copy(1), ...options, ...pairs)
  }
  call.reply.integer(membersAdded() + (ch ? membersUpdated() : 0))
}

/** A member within a shape. */
export interface Found {
  readonly member: Buffer
  /** Its 52-bit number. */
  readonly score: number
  readonly meters: number
}

/** Gives the key of an argument what was found, and answers how much that is. */
export function storeFound(
  call: Call,
  index: number,
  found: readonly Found[],
  event: 'georadiusstore' | 'geosearchstore',
  scoreOf: (one: Found) => number,
): void {
  const builder = builderFor(call, index)
  let done = false
  try {
    for (const one of found) builder.add(one.member, 0, one.member.length, scoreOf(one))
    done = true
  } finally {
    if (!done) builder.free()
  }
  call.reply.integer(storeSortedSet(call, index, builder, event))
}
