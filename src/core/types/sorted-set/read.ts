/**
 * Commands that ask for single members, ranks and counts.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: changes a set.
 */
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { wrongArity } from '../../engine/errors.ts'
import { TYPE_SORTED_SET } from '../../keyspace/entry.ts'
import { LexRange, ScoreRange, Span } from './range.ts'
import { sortedSetCount, sortedSetRank, sortedSetScore } from './sorted-set.ts'

const span = new Span()
const scoreRange = new ScoreRange()
const lexRange = new LexRange()

export const zcardCommand = command({
  name: 'ZCARD',
  usage: 'key',
  summary: 'Counts the members.',
  since: '1.2.0',
  complexity: 'O(1)',
  flags: ['readonly', 'fast'],
  access: 'ro',
  reply: 'integer',

  run(call) {
    const { db, reply } = call
    const ref = db.readTyped(call.args, 1, TYPE_SORTED_SET)
    reply.integer(ref === 0 ? 0 : sortedSetCount(db.arena, ref))
  },
})

export const zscoreCommand = command({
  name: 'ZSCORE',
  usage: 'key member',
  summary: "Gives a member's score.",
  since: '1.2.0',
  complexity: 'O(1)',
  flags: ['readonly', 'fast'],
  access: 'ro access',
  reply: 'bulk | nil',

  run(call) {
    const { args, db, reply } = call
    const ref = db.readTyped(args, 1, TYPE_SORTED_SET)
    if (ref === 0) return reply.nil()
    const score = sortedSetScore(db.arena, ref, args, args.offsets[2], args.lengths[2])
    if (Number.isNaN(score)) reply.nil()
    else reply.double(score)
  },
})

export const zmscoreCommand = command({
  name: 'ZMSCORE',
  usage: 'key member [member ...]',
  summary: 'Gives the scores of members.',
  since: '6.2.0',
  complexity: 'O(N) where N is the number of members asked for',
  flags: ['readonly', 'fast'],
  access: 'ro access',
  reply: 'array',

  run(call) {
    const { args, db, reply } = call
    const ref = db.readTyped(args, 1, TYPE_SORTED_SET)
    const { arena } = db
    reply.array(args.count - 2)
    for (let i = 2; i < args.count; i++) {
      const at = args.offsets[i]
      const score = ref === 0 ? Number.NaN : sortedSetScore(arena, ref, args, at, args.lengths[i])
      if (Number.isNaN(score)) reply.nil()
      else reply.double(score)
    }
  },
})

export const zrankCommand = command({
  name: 'ZRANK',
  usage: 'key member [WITHSCORE]@7.2.0',
  summary: "Gives a member's place, the lowest score first.",
  since: '2.0.0',
  complexity: 'O(log(N)) where N is the number of members of the sorted set',
  flags: ['readonly', 'fast'],
  access: 'ro access',
  history: [['7.2.0', 'WITHSCORE came.']],
  reply: 'integer | nil | array',

  run(call) {
    rank(call, false)
  },
})

export const zrevrankCommand = command({
  name: 'ZREVRANK',
  usage: 'key member [WITHSCORE]@7.2.0',
  summary: "Gives a member's place, the highest score first.",
  since: '2.0.0',
  complexity: 'O(log(N)) where N is the number of members of the sorted set',
  flags: ['readonly', 'fast'],
  access: 'ro access',
  history: [['7.2.0', 'WITHSCORE came.']],
  reply: 'integer | nil | array',

  run(call) {
    rank(call, true)
  },
})

function rank(call: Call, fromHighest: boolean): void {
  const { args, db, reply } = call
  const withScore = args.count > 3
  // DIFFERS: WITHSCORE came with Redis 7.2; anything else there is one argument too many, as in 7.0.
  if (args.count > 4 || (withScore && !args.is(3, 'WITHSCORE'))) throw wrongArity(call.entry.name)
  const ref = db.readTyped(args, 1, TYPE_SORTED_SET)
  const { arena } = db
  const offset = args.offsets[2]
  const length = args.lengths[2]
  const found = ref === 0 ? -1 : sortedSetRank(arena, ref, args, offset, length)
  if (found < 0) {
    if (withScore) reply.nilArray()
    else reply.nil()
    return
  }
  if (withScore) reply.array(2)
  reply.integer(fromHighest ? sortedSetCount(arena, ref) - 1 - found : found)
  if (withScore) reply.double(sortedSetScore(arena, ref, args, offset, length))
}

export const zcountCommand = command({
  name: 'ZCOUNT',
  usage: 'key min:double max:double',
  summary: 'Counts the members within a range of scores.',
  since: '2.0.0',
  complexity: 'O(log(N)) where N is the number of members of the sorted set',
  flags: ['readonly', 'fast'],
  access: 'ro access',
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    scoreRange.parse(args, 2, 3)
    const ref = db.readTyped(args, 1, TYPE_SORTED_SET)
    if (ref === 0) return reply.integer(0)
    scoreRange.find(db.arena, ref, span)
    reply.integer(span.count)
  },
})

export const zlexcountCommand = command({
  name: 'ZLEXCOUNT',
  usage: 'key min max',
  summary: 'Counts the members between two others, all scores being the same.',
  since: '2.8.9',
  complexity: 'O(log(N)) where N is the number of members of the sorted set',
  flags: ['readonly', 'fast'],
  access: 'ro access',
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    lexRange.parse(args, 2, 3)
    const ref = db.readTyped(args, 1, TYPE_SORTED_SET)
    if (ref === 0) return reply.integer(0)
    lexRange.find(db.arena, ref, false, span)
    reply.integer(span.count)
  },
})
