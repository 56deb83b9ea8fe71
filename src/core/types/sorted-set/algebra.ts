/**
 * ZUNION, ZINTER, ZDIFF, shown, stored or counted.
 *
 * Thread: core.
 * Owns: how scores of the same member are brought together.
 * Never: writes before everything is read.
 */
import { parseDouble } from '../../../lib/bytes/double.ts'
import { Arena } from '../../../memory/arena.ts'
import {
  byteTreeFirst,
  byteTreeItemValue,
  byteTreeNext,
  TreePosition,
} from '../../../memory/byte-tree.ts'
import { entryKeyLength, entryKeyOffset } from '../../../memory/entry.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import type { EventName } from '../../keyspace/events.ts'
import { SortedSetBuilder } from './builder.ts'
import { Source } from './source.ts'
import { builderFor, storeSortedSet } from './store.ts'
import { entryScore } from './tree.ts'

const NOT_A_WEIGHT = new CommandError('ERR weight value is not a float')
const LIMIT_NEGATIVE = new CommandError("ERR LIMIT can't be negative")

/** What was touched of the scratch beyond this goes back to the system. */
const SCRATCH_KEPT_BYTES = 1024 * 1024

/** Brings the scores of a member in two sets together. */
type Merge = (before: number, score: number) => number

interface Query {
  readonly sources: Source[]
  merge: Merge
  withScores: boolean
  /** 0: none. */
  limit: number
}

/** What tells the commands apart. */
interface Form {
  /** Argument number of the number of keys. */
  readonly keyCountIndex: number
  readonly weighted: boolean
  readonly fill: (query: Query, builder: SortedSetBuilder) => void
  /** Of the STORE commands; they write the key in argument 1. */
  readonly event?: EventName
}

/** Infinity and its opposite add up to 0. */
function sum(before: number, score: number): number {
  const result = before + score
  return Number.isNaN(result) ? 0 : result
}

/** Not Math.min: of 0 and -0 the first stays, and NaN (infinity times 0) is passed over. */
function least(before: number, score: number): number {
  if (score < before) return score
  return before
}

function greatest(before: number, score: number): number {
  if (score > before) return score
  return before
}

/** Infinity times 0 counts 0. */
function weighed(source: Source): number {
  const score = source.weight * source.score
  return Number.isNaN(score) ? 0 : score
}

function unite(query: Query, builder: SortedSetBuilder): void {
  for (const source of smallestFirst(query.sources)) {
    source.open()
    while (source.next()) {
      builder.combine(source.bytes, source.offset, source.length, weighed(source), query.merge)
    }
  }
}

function intersect(query: Query, builder: SortedSetBuilder): void {
  eachCommon(query, (first, score) => {
    builder.add(first.bytes, first.offset, first.length, score)
    return true
  })
}

/** Shows every member that all sources have, until `see` is content. */
function eachCommon(query: Query, see: (first: Source, score: number) => boolean): void {
  const [first, ...others] = smallestFirst(query.sources)
  first.open()
  while (first.next()) {
    let score = weighed(first)
    let isCommon = true
    for (const other of others) {
      const found = other.scoreOf(first)
      isCommon = !Number.isNaN(found)
      if (!isCommon) break
      score = query.merge(score, found * other.weight)
    }
    if (isCommon && !see(first, score)) return
  }
}

function subtract(query: Query, builder: SortedSetBuilder): void {
  const [first, ...others] = query.sources
  first.open()
  while (first.next()) {
    if (others.some((other) => !Number.isNaN(other.scoreOf(first)))) continue
    builder.add(first.bytes, first.offset, first.length, first.score)
  }
}

function smallestFirst(sources: readonly Source[]): Source[] {
  return sources.toSorted((a, b) => a.count - b.count)
}

function parse(call: Call, form: Form): Query {
  const { args } = call
  const { keyCountIndex } = form
  const sources = readSources(call, keyCountIndex)
  const query: Query = { sources, merge: sum, withScores: false, limit: 0 }
  const isStore = form.event !== undefined
  for (let i = keyCountIndex + 1 + sources.length; i < args.count; ) {
    const left = args.count - i
    if (form.weighted && left > sources.length && args.is(i, 'WEIGHTS')) {
      parseWeights(args, i + 1, sources)
      i += 1 + sources.length
    } else if (form.weighted && left >= 2 && args.is(i, 'AGGREGATE')) {
      query.merge = mergeOf(args, i + 1)
      i += 2
    } else if (!isStore && args.is(i, 'WITHSCORES')) {
      query.withScores = true
      i++
    } else throw SYNTAX
  }
  return query
}

/** Reads the number of keys and the keys. Throws: CommandError. */
function readSources(call: Call, keyCountIndex: number): Source[] {
  const { args } = call
  if (!args.integer64(keyCountIndex)) throw NOT_AN_INTEGER
  const keyCount = args.high * 0x100000000 + (args.low >>> 0)
  if (keyCount < 1) {
    throw new CommandError(`ERR at least 1 input key is needed for '${call.entry.name}' command`)
  }
  if (keyCount > args.count - keyCountIndex - 1) throw SYNTAX
  return Array.from({ length: keyCount }, (_, i) => new Source(call, keyCountIndex + 1 + i))
}

function parseWeights(args: Args, first: number, sources: readonly Source[]): void {
  sources.forEach((source, i) => {
    const at = args.offsets[first + i]
    source.weight = parseDouble(args.bytes, at, at + args.lengths[first + i])
    if (Number.isNaN(source.weight)) throw NOT_A_WEIGHT
  })
}

function mergeOf(args: Args, index: number): Merge {
  if (args.is(index, 'SUM')) return sum
  if (args.is(index, 'MIN')) return least
  if (args.is(index, 'MAX')) return greatest
  throw SYNTAX
}

let scratch: Arena | undefined

/** An arena for results that nobody keeps: reading needs no room among the data. */
function scratchArena(like: Arena): Arena {
  scratch ??= new Arena()
  scratch.hashSeed = like.hashSeed
  return scratch
}

function answer(call: Call, form: Form): void {
  const query = parse(call, form)
  if (form.event !== undefined) {
    const builder = builderFor(call, 1)
    try {
      form.fill(query, builder)
      call.reply.integer(storeSortedSet(call, 1, builder, form.event))
    } finally {
      builder.free()
    }
    return
  }
  const arena = scratchArena(query.sources[0].arena)
  const builder = new SortedSetBuilder(arena)
  try {
    form.fill(query, builder)
    builder.finish(undefined)
    show(call.reply, builder, query.withScores)
  } finally {
    builder.free()
    if (arena.touchedBytes > SCRATCH_KEPT_BYTES) arena.reset()
  }
}

const position = new TreePosition()

function show(reply: Reply, builder: SortedSetBuilder, withScores: boolean): void {
  const { arena, tree, count } = builder
  const nested = withScores && reply.protocol === 3
  reply.array(withScores && !nested ? count * 2 : count)
  for (let more = byteTreeFirst(arena, tree, position); more; ) {
    const entry = byteTreeItemValue(arena, tree, position)
    if (nested) reply.array(2)
    reply.bulk(arena.bytes, entryKeyOffset(entry), entryKeyLength(arena, entry))
    if (withScores) reply.double(entryScore(arena, entry))
    more = byteTreeNext(arena, position)
  }
}

function countCommon(call: Call): void {
  const { args, reply } = call
  const sources = readSources(call, 1)
  const query: Query = { sources, merge: sum, withScores: false, limit: 0 }
  for (let i = 2 + sources.length; i < args.count; i += 2) {
    if (i + 1 === args.count || !args.is(i, 'LIMIT')) throw SYNTAX
    if (!args.integer64(i + 1)) throw LIMIT_NEGATIVE
    query.limit = args.high * 0x100000000 + (args.low >>> 0)
    if (query.limit < 0) throw LIMIT_NEGATIVE
  }
  let count = 0
  eachCommon(query, () => ++count !== query.limit)
  reply.integer(count)
}

const WEIGHTS = '[WEIGHTS weight [weight ...]] [AGGREGATE <aggregate: SUM | MIN | MAX>]'
const UNION_COMPLEXITY =
  'O(N)+O(M*log(M)) where N is the number of all members of the sets and M that of those in the result'
const INTER_COMPLEXITY =
  'O(N*K)+O(M*log(M)) where N is the size of the smallest set, K the number of sets and M the size of the result'
const DIFF_COMPLEXITY =
  'O(N*K)+O(M*log(M)) where N is the size of the first set, K the number of sets and M the size of the result'

type Own = 'name' | 'summary' | 'since' | 'complexity'

function reading(
  own: Pick<CommandDefinition, Own>,
  fill: Form['fill'],
  weighted: boolean,
): CommandDefinition {
  const form: Form = { keyCountIndex: 1, weighted, fill }
  return command({
    usage: `numkeys key [key ...]${weighted ? ` ${WEIGHTS}` : ''} [WITHSCORES]`,
    flags: ['readonly'],
    access: 'ro access',
    reply: 'array',
    run: (call) => answer(call, form),
    ...own,
  })
}

function storing(
  own: Pick<CommandDefinition, Own>,
  fill: Form['fill'],
  weighted: boolean,
  event: EventName,
): CommandDefinition {
  const form: Form = { keyCountIndex: 2, weighted, fill, event }
  return command({
    usage: `destination numkeys key [key ...]${weighted ? ` ${WEIGHTS}` : ''}`,
    flags: ['write', 'denyoom'],
    access: ['ow update', 'ro access'],
    reply: 'integer',
    run: (call) => answer(call, form),
    ...own,
  })
}

export const zunionCommand = reading(
  {
    name: 'ZUNION',
    summary: 'Gives the members of all sets.',
    since: '6.2.0',
    complexity: UNION_COMPLEXITY,
  },
  unite,
  true,
)

export const zinterCommand = reading(
  {
    name: 'ZINTER',
    summary: 'Gives the members that all sets have.',
    since: '6.2.0',
    complexity: INTER_COMPLEXITY,
  },
  intersect,
  true,
)

export const zdiffCommand = reading(
  {
    name: 'ZDIFF',
    summary: 'Gives the members that only the first set has.',
    since: '6.2.0',
    complexity: DIFF_COMPLEXITY,
  },
  subtract,
  false,
)

export const zunionstoreCommand = storing(
  {
    name: 'ZUNIONSTORE',
    summary: 'Stores the members of all sets.',
    since: '2.0.0',
    complexity: UNION_COMPLEXITY,
  },
  unite,
  true,
  'zunionstore',
)

export const zinterstoreCommand = storing(
  {
    name: 'ZINTERSTORE',
    summary: 'Stores the members that all sets have.',
    since: '2.0.0',
    complexity: INTER_COMPLEXITY,
  },
  intersect,
  true,
  'zinterstore',
)

export const zdiffstoreCommand = storing(
  {
    name: 'ZDIFFSTORE',
    summary: 'Stores the members that only the first set has.',
    since: '6.2.0',
    complexity: DIFF_COMPLEXITY,
  },
  subtract,
  false,
  'zdiffstore',
)

export const zintercardCommand = command({
  name: 'ZINTERCARD',
  usage: 'numkeys key [key ...] [LIMIT limit]',
  summary: 'Counts the members that all sets have.',
  since: '7.0.0',
  complexity: 'O(N*K) where N is the size of the smallest set and K the number of sets',
  flags: ['readonly'],
  access: 'ro access',
  reply: 'integer',
  run: countCommon,
})
