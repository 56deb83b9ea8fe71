/**
 * ZRANGE and its relations: members by rank, score or name, shown or stored.
 *
 * Thread: core. Hot path.
 * Owns: the options they share.
 * Never: looks at more members than it shows, but for those that LIMIT passes over in a small set.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteTreeAt,
  byteTreeNextLeaf,
  byteTreePreviousLeaf,
  byteTreeRunCount,
  byteTreeStride,
  byteTreeValueWord,
  TreePosition,
} from '../../../memory/byte-tree.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, SYNTAX } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { TYPE_SORTED_SET } from '../../keyspace/entry.ts'
import { ListpackLimits } from '../listpack-limits.ts'
import { SortedSetCursor } from './cursor.ts'
import { LexRange, parseRank, rankSpan, ScoreRange, Span } from './range.ts'
import { isTree, sortedSetCount, treeOf } from './sorted-set.ts'
import { builderFor, storeSortedSet } from './store.ts'

const LIMIT_BY_RANK = new CommandError(
  'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX',
)
const SCORES_BY_LEX = new CommandError(
  'ERR syntax error, WITHSCORES not supported in combination with BYLEX',
)

const BY_RANK = 0
const BY_SCORE = 1
const BY_LEX = 2

/** What tells the commands apart. */
interface Form {
  /** BY_...; undefined: an option says, or it is by rank. */
  readonly by?: number
  /** Undefined: an option says, or it is forwards. */
  readonly backwards?: boolean
  /** The key to be read is in argument 2, that to be written in argument 1. */
  readonly stores?: true
}

class Query {
  by = BY_RANK
  backwards = false
  withScores = false
  /** Members passed over; negative: all. */
  offset = 0
  /** Members shown at most; negative: all. */
  limit = -1
  start = 0
  stop = 0
  readonly scores = new ScoreRange()
  readonly members = new LexRange()
}

const query = new Query()
const span = new Span()
const cursor = new SortedSetCursor()
const position = new TreePosition()
const limits = new ListpackLimits('zset')

function range(call: Call, form: Form): void {
  const { args, db } = call
  const keyIndex = form.stores === true ? 2 : 1
  parse(args, form, keyIndex + 1)
  const ref = db.readTyped(args, keyIndex, TYPE_SORTED_SET)
  const { arena } = db
  if (ref === 0) span.set(0, 0)
  else find(arena, ref)
  if (form.stores === true) store(call, arena, ref)
  else show(call.reply, arena, ref)
}

/** Reads limits and options; the limits are arguments `first` and the next. Throws: CommandError. */
function parse(args: Args, form: Form, first: number): void {
  query.by = form.by ?? BY_RANK
  query.backwards = form.backwards ?? false
  query.withScores = false
  query.offset = 0
  query.limit = -1
  let mayTurn = form.backwards === undefined
  let maySort = form.by === undefined
  for (let i = first + 2; i < args.count; i++) {
    if (args.is(i, 'WITHSCORES') && form.stores !== true) query.withScores = true
    else if (args.is(i, 'LIMIT') && i + 2 < args.count) {
      query.offset = parseRank(args, i + 1)
      query.limit = parseRank(args, i + 2)
      i += 2
    } else if (mayTurn && args.is(i, 'REV')) {
      query.backwards = true
      mayTurn = false
    } else if (maySort && (args.is(i, 'BYLEX') || args.is(i, 'BYSCORE'))) {
      query.by = args.is(i, 'BYLEX') ? BY_LEX : BY_SCORE
      maySort = false
    } else throw SYNTAX
  }
  if (query.limit !== -1 && query.by === BY_RANK) throw LIMIT_BY_RANK
  if (query.withScores && query.by === BY_LEX) throw SCORES_BY_LEX
  if (query.by === BY_RANK) {
    query.start = parseRank(args, first)
    query.stop = parseRank(args, first + 1)
    return
  }
  const minIndex = query.backwards ? first + 1 : first
  const maxIndex = query.backwards ? first : first + 1
  if (query.by === BY_SCORE) query.scores.parse(args, minIndex, maxIndex)
  else query.members.parse(args, minIndex, maxIndex)
}

/** The ranks that are asked for, in `span`. */
function find(arena: Arena, ref: Ref): void {
  const { by, backwards, offset, limit } = query
  if (by === BY_RANK) {
    const count = sortedSetCount(arena, ref)
    rankSpan(query.start, query.stop, count, span)
    if (backwards && span.count > 0) span.start = count - span.start - span.count
    return
  }
  if (by === BY_SCORE) query.scores.find(arena, ref, span)
  else query.members.find(arena, ref, backwards, span)
  const { start, count } = span
  const passed = offset < 0 ? count : Math.min(offset, count)
  const kept = limit < 0 ? count - passed : Math.min(limit, count - passed)
  span.start = backwards ? start + count - passed - kept : start + passed
  span.count = kept
}

function show(reply: Reply, arena: Arena, ref: Ref): void {
  const { backwards, withScores } = query
  const { start, count } = span
  const nested = withScores && reply.protocol === 3
  reply.array(withScores && !nested ? count * 2 : count)
  if (count === 0) return
  if (!withScores && isTree(arena, ref)) {
    const tree = treeOf(arena, ref)
    if (backwards) showMembersDown(reply, arena, tree, start + count - 1, count)
    else showMembersUp(reply, arena, tree, start, count)
    return
  }
  cursor.openAt(arena, ref, backwards ? start + count - 1 : start, backwards)
  for (let left = count; left > 0 && cursor.next(); left--) {
    if (nested) reply.array(2)
    reply.bulk(cursor.bytes, cursor.offset, cursor.length)
    if (withScores) reply.double(cursor.score)
  }
}

/** Members alone, leaf by leaf. */
function showMembersUp(reply: Reply, arena: Arena, tree: Ref, rank: number, count: number): void {
  const stride = byteTreeStride(arena, tree)
  byteTreeAt(arena, tree, position, rank)
  for (let left = count; left > 0; ) {
    const run = Math.min(byteTreeRunCount(arena, position), left)
    reply.keys(arena, byteTreeValueWord(arena, tree, position), stride, run)
    left -= run
    byteTreeNextLeaf(arena, position)
  }
}

function showMembersDown(reply: Reply, arena: Arena, tree: Ref, rank: number, count: number): void {
  const stride = byteTreeStride(arena, tree)
  byteTreeAt(arena, tree, position, rank)
  for (let left = count; left > 0; ) {
    const run = Math.min(position.index + 1, left)
    reply.keys(arena, byteTreeValueWord(arena, tree, position), -stride, run)
    left -= run
    byteTreePreviousLeaf(arena, position)
  }
}

/**
 * QUIRK: Redis adds one member after the other to a listpack, where -0 becomes 0, and goes over to
 * the other encoding on its way; unless it goes by rank, and knows that too many will come.
 */
function store(call: Call, arena: Arena, ref: Ref): void {
  const builder = builderFor(call, 1)
  const { backwards } = query
  const { start, count } = span
  limits.follow(call.server.settings)
  let packed = query.by === BY_RANK && count > limits.entries ? 0 : limits.entries
  try {
    if (count > 0) cursor.openAt(arena, ref, backwards ? start + count - 1 : start, backwards)
    for (let left = count; left > 0 && cursor.next(); left--) {
      const { bytes, offset, length, score } = cursor
      packed = length > limits.valueSize ? -1 : packed - 1
      builder.add(bytes, offset, length, packed >= 0 && score === 0 ? 0 : score)
    }
    call.reply.integer(storeSortedSet(call, 1, builder, 'zrangestore'))
  } finally {
    builder.free()
  }
}

const COMPLEXITY =
  'O(log(N)+M) where N is the number of members of the sorted set and M that of those given'

type Own = 'name' | 'usage' | 'summary' | 'since'

// alloc: once for each command
function ranging(
  form: Form,
  own: Pick<CommandDefinition, Own>,
  more: Partial<CommandDefinition>,
): CommandDefinition {
  return command({
    complexity: COMPLEXITY,
    flags: ['readonly'],
    access: 'ro access',
    reply: 'array',
    run: (call) => range(call, form),
    ...own,
    ...more,
  })
}

export const zrangeCommand = ranging(
  {},
  {
    name: 'ZRANGE',
    usage:
      'key start stop [sortby: BYSCORE | BYLEX]@6.2.0 [REV]@6.2.0 [LIMIT offset count]@6.2.0 ' +
      '[WITHSCORES]',
    summary: 'Gives the members within a range of ranks, scores or members.',
    since: '1.2.0',
  },
  { history: [['6.2.0', 'REV, BYSCORE, BYLEX and LIMIT came.']] },
)

export const zrangestoreCommand = ranging(
  { stores: true },
  {
    name: 'ZRANGESTORE',
    usage: 'dst src min max [sortby: BYSCORE | BYLEX] [REV] [LIMIT offset count]',
    summary: 'Stores the members within a range of ranks, scores or members.',
    since: '6.2.0',
  },
  { flags: ['write', 'denyoom'], access: ['ow update', 'ro access'], reply: 'integer' },
)

export const zrevrangeCommand = ranging(
  { by: BY_RANK, backwards: true },
  {
    name: 'ZREVRANGE',
    usage: 'key start:integer stop:integer [WITHSCORES]',
    summary: 'Gives the members of some ranks, the highest score first.',
    since: '1.2.0',
  },
  { deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `REV` argument' } },
)

export const zrangebyscoreCommand = ranging(
  { by: BY_SCORE, backwards: false },
  {
    name: 'ZRANGEBYSCORE',
    usage: 'key min:double max:double [WITHSCORES]@2.0.0 [LIMIT offset count]',
    summary: 'Gives the members within a range of scores.',
    since: '1.0.5',
  },
  {
    history: [['2.0.0', 'WITHSCORES came.']],
    deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `BYSCORE` argument' },
  },
)

export const zrevrangebyscoreCommand = ranging(
  { by: BY_SCORE, backwards: true },
  {
    name: 'ZREVRANGEBYSCORE',
    usage: 'key max:double min:double [WITHSCORES] [LIMIT offset count]',
    summary: 'Gives the members within a range of scores, the highest first.',
    since: '2.2.0',
  },
  {
    history: [['2.1.6', 'Limits may be left out of the range.']],
    deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `REV` and `BYSCORE` arguments' },
  },
)

export const zrangebylexCommand = ranging(
  { by: BY_LEX, backwards: false },
  {
    name: 'ZRANGEBYLEX',
    usage: 'key min max [LIMIT offset count]',
    summary: 'Gives the members between two others, all scores being the same.',
    since: '2.8.9',
  },
  { deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `BYLEX` argument' } },
)

export const zrevrangebylexCommand = ranging(
  { by: BY_LEX, backwards: true },
  {
    name: 'ZREVRANGEBYLEX',
    usage: 'key max min [LIMIT offset count]',
    summary: 'Gives the members between two others from the last on, all scores being the same.',
    since: '2.8.9',
  },
  { deprecated: { since: '6.2.0', replacedBy: '`ZRANGE` with the `REV` and `BYLEX` arguments' } },
)
