/**
 * Adding members to the set of a key on behalf of a call: ZADD, ZINCRBY, GEOADD.
 *
 * Thread: core. Hot path.
 * Owns: the scores of the call in progress, and what became of its members.
 * Never: leaves a key without members.
 */
import { formatDouble } from '../../../lib/bytes/double.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import { TYPE_SORTED_SET } from '../../keyspace/entry.ts'
import type { EventName } from '../../keyspace/events.ts'
import { ListpackLimits } from '../listpack-limits.ts'
import {
  ADD_GREATER,
  ADD_LESS,
  ADD_NEW,
  ADD_PRESENT,
  ADDED,
  NOT_A_NUMBER,
  sortedSetAdd,
  sortedSetCount,
  sortedSetCreate,
  UPDATED,
} from './sorted-set.ts'

const RESULT_NOT_A_NUMBER = new CommandError('ERR resulting score is not a number (NaN)')
const SCORES_START = 64

const limits = new ListpackLimits('zset')
let scores = new Float64Array(SCORES_START)
let addedCount = 0
let updatedCount = 0
let lastOutcome = 0

/** Members that the last `addMembers` added. */
export function membersAdded(): number {
  return addedCount
}

/** Members whose score it changed. */
export function membersUpdated(): number {
  return updatedCount
}

/** What became of its last member. */
export function lastMember(): number {
  return lastOutcome
}

/** Room for the scores of a call; what is in it lasts until the next call. */
// alloc: only for more members than ever before
export function scoresFor(count: number): Float64Array {
  if (scores.length < count) scores = new Float64Array(Math.max(count, scores.length * 2))
  return scores
}

/**
 * Adds `count` members to the key in argument 1: arguments `first`, `first + step` and so on, with
 * the scores that are in `scoresFor`. `flags`: ADD_... of `sorted-set.ts`. Throws: CommandError, and
 * ARENA_FULL, when those before the one that found no room stay.
 */
export function addMembers(
  call: Call,
  first: number,
  step: number,
  count: number,
  flags: number,
  event: EventName,
): void {
  const { args, db } = call
  addedCount = 0
  updatedCount = 0
  lastOutcome = 0
  let ref = db.writeTyped(args, 1, TYPE_SORTED_SET)
  limits.follow(call.server.settings)
  if (ref === 0) {
    if ((flags & ADD_PRESENT) !== 0) return
    ref = sortedSetCreate(db, args, 1, limits, args.lengths[first])
  }
  const arena = db.arena
  let i = 0
  try {
    for (; i < count; i++) {
      const member = first + i * step
      const offset = args.offsets[member]
      const length = args.lengths[member]
      const outcome = sortedSetAdd(arena, ref, limits, args, offset, length, scores[i], flags)
      if (outcome === ADDED) addedCount++
      else if (outcome === UPDATED) updatedCount++
      // Adding up takes a single member: nothing has changed yet.
      else if (outcome === NOT_A_NUMBER) throw RESULT_NOT_A_NUMBER
      lastOutcome = outcome
    }
  } finally {
    if (addedCount + updatedCount > 0) db.changed(args, 1, event)
    else if (sortedSetCount(arena, ref) === 0) db.remove(ref)
    if (i < count && addedCount + updatedCount > 0) propagatePart(call, first, step, i, flags)
  }
}

/** Propagates what was done before memory ran out. */
// alloc: memory runs out
function propagatePart(
  call: Call,
  first: number,
  step: number,
  count: number,
  flags: number,
): void {
  const { args } = call
  const argv: (string | Buffer)[] = ['ZADD', args.copy(1)]
  if ((flags & ADD_NEW) !== 0) argv.push('NX')
  if ((flags & ADD_PRESENT) !== 0) argv.push('XX')
  if ((flags & ADD_GREATER) !== 0) argv.push('GT')
  if ((flags & ADD_LESS) !== 0) argv.push('LT')
  for (let i = 0; i < count; i++) argv.push(formatDouble(scores[i]), args.copy(first + i * step))
  call.propagateAs(...argv)
}
