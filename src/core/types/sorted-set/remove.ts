/**
 * ZREM and the commands that remove ranges.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: leaves a key without members.
 */
import type { Ref } from '../../../memory/arena.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { TYPE_SORTED_SET } from '../../keyspace/entry.ts'
import type { EventName } from '../../keyspace/events.ts'
import { LexRange, parseRank, rankSpan, ScoreRange, Span } from './range.ts'
import { sortedSetCount, sortedSetRemove, sortedSetRemoveRange } from './sorted-set.ts'

const span = new Span()
const scoreRange = new ScoreRange()
const lexRange = new LexRange()

export const zremCommand = command({
  name: 'ZREM',
  usage: 'key member [member ...]',
  summary: 'Removes members.',
  since: '1.2.0',
  complexity:
    'O(M*log(N)) where N is the number of members of the sorted set and M that of those removed',
  flags: ['write', 'fast'],
  access: 'rw delete',
  history: [['2.4.0', 'Several members at once.']],
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    const ref = db.writeTyped(args, 1, TYPE_SORTED_SET)
    if (ref === 0) return reply.integer(0)
    const { arena } = db
    let left = sortedSetCount(arena, ref)
    let removed = 0
    for (let i = 2; i < args.count && left > 0; i++) {
      if (!sortedSetRemove(arena, ref, args, args.offsets[i], args.lengths[i])) continue
      removed++
      left--
    }
    if (removed > 0) removedFrom(call, 1, ref, left, 'zrem')
    reply.integer(removed)
  },
})

export const zremrangebyrankCommand = command({
  name: 'ZREMRANGEBYRANK',
  usage: 'key start:integer stop:integer',
  summary: 'Removes the members of some ranks.',
  since: '2.0.0',
  complexity:
    'O(log(N)+M) where N is the number of members of the sorted set and M that of those removed',
  flags: ['write'],
  access: 'rw delete',
  reply: 'integer',

  run(call) {
    const { args, db } = call
    const start = parseRank(args, 2)
    const stop = parseRank(args, 3)
    const ref = db.writeTyped(args, 1, TYPE_SORTED_SET)
    if (ref !== 0) rankSpan(start, stop, sortedSetCount(db.arena, ref), span)
    removeSpan(call, ref, 'zremrangebyrank')
  },
})

export const zremrangebyscoreCommand = command({
  name: 'ZREMRANGEBYSCORE',
  usage: 'key min:double max:double',
  summary: 'Removes the members within a range of scores.',
  since: '1.2.0',
  complexity:
    'O(log(N)+M) where N is the number of members of the sorted set and M that of those removed',
  flags: ['write'],
  access: 'rw delete',
  reply: 'integer',

  run(call) {
    const { args, db } = call
    scoreRange.parse(args, 2, 3)
    const ref = db.writeTyped(args, 1, TYPE_SORTED_SET)
    if (ref !== 0) scoreRange.find(db.arena, ref, span)
    removeSpan(call, ref, 'zremrangebyscore')
  },
})

export const zremrangebylexCommand = command({
  name: 'ZREMRANGEBYLEX',
  usage: 'key min max',
  summary: 'Removes the members between two others, all scores being the same.',
  since: '2.8.9',
  complexity:
    'O(log(N)+M) where N is the number of members of the sorted set and M that of those removed',
  flags: ['write'],
  access: 'rw delete',
  reply: 'integer',

  run(call) {
    const { args, db } = call
    lexRange.parse(args, 2, 3)
    const ref = db.writeTyped(args, 1, TYPE_SORTED_SET)
    if (ref !== 0) lexRange.find(db.arena, ref, false, span)
    removeSpan(call, ref, 'zremrangebylex')
  },
})

/** Removes the ranks in `span` from the set of argument 1, 0: there is none, and answers. */
function removeSpan(call: Call, ref: Ref, event: EventName): void {
  const { db, reply } = call
  if (ref === 0 || span.count === 0) return reply.integer(0)
  const { arena } = db
  const { start, count } = span
  const left = sortedSetCount(arena, ref) - count
  if (left > 0) sortedSetRemoveRange(arena, ref, start, count)
  removedFrom(call, 1, ref, left, event)
  reply.integer(count)
}

/**
 * Tells that members were removed from the key of an argument, and removes the key when none are
 * `left`.
 */
export function removedFrom(
  call: Call,
  keyIndex: number,
  ref: Ref,
  left: number,
  event: EventName,
): void {
  const { args, db } = call
  if (left === 0) db.remove(ref)
  db.changed(args, keyIndex, event)
  if (left === 0) db.alsoNotify(args, keyIndex, 'del')
}
