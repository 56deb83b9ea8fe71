/**
 * SINTER, SUNION, SDIFF, their stores and SINTERCARD.
 *
 * What comes out is a list of places in the sets themselves: a reply is copied from there, and only
 * a STORE makes a set.
 *
 * Thread: core. Hot path.
 * Owns: in which order sets are looked at.
 * Never: changes a source.
 */
import type { Ref } from '../../../memory/arena.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, SYNTAX } from '../../engine/errors.ts'
import { NO_DEADLINE } from '../../keyspace/db.ts'
import { Draft } from '../../keyspace/transfer.ts'
import { SetBuilder } from './builder.ts'
import { Found } from './found.ts'
import { intsetCountMax } from './limits.ts'
import { Member } from './member.ts'
import { SetCursor, setCount } from './set.ts'
import { Sources } from './sources.ts'

const NUMKEYS_POSITIVE = new CommandError('ERR numkeys should be greater than 0')
const NUMKEYS_TOO_MANY = new CommandError("ERR Number of keys can't be greater than number of args")
const LIMIT_NEGATIVE = new CommandError("ERR LIMIT can't be negative")

/** Up to so many sets a member of one is looked for in those before; of more, a set is built. */
const UNITED_COUNT_MAX = 6

const sources = new Sources()
const member = new Member()
/** One list a set that is walked: a union has several. */
const lists: readonly Found[] = Array.from({ length: UNITED_COUNT_MAX }, () => new Found())
const found = lists[0]
const cursor = new SetCursor()

const reading: Pick<CommandDefinition, 'usage' | 'since' | 'flags' | 'access' | 'tips' | 'reply'> =
  {
    usage: 'key [key ...]',
    since: '1.0.0',
    flags: ['readonly'],
    access: 'ro access',
    tips: ['nondeterministic_output_order'],
    reply: 'set',
  }

const storing: Pick<CommandDefinition, 'usage' | 'since' | 'flags' | 'reply'> = {
  usage: 'destination key [key ...]',
  since: '1.0.0',
  flags: ['write', 'denyoom'],
  reply: 'integer',
}

const INTERSECTION_COMPLEXITY =
  'O(N*M) at worst, where N is the size of the smallest set and M the number of sets'
const SUM_COMPLEXITY = 'O(N) where N is the number of members of all sets'

export const sinter = command({
  ...reading,
  name: 'SINTER',
  summary: 'Gives the members that all sets have.',
  complexity: INTERSECTION_COMPLEXITY,

  run(call) {
    sources.open(call, 1, call.args.count)
    intersect(Number.POSITIVE_INFINITY)
    call.reply.set(found.count)
    found.reply(call.reply)
  },
})

export const sdiff = command({
  ...reading,
  name: 'SDIFF',
  summary: 'Gives the members that only the first set has.',
  complexity: SUM_COMPLEXITY,

  run(call) {
    subtract(sources.open(call, 1, call.args.count))
    call.reply.set(found.count)
    found.reply(call.reply)
  },
})

export const sunion = command({
  ...reading,
  name: 'SUNION',
  summary: 'Gives the members of all sets.',
  complexity: SUM_COMPLEXITY,

  run(call) {
    sources.open(call, 1, call.args.count)
    if (sources.count > UNITED_COUNT_MAX) return replyBuiltUnion(call)
    unite()
    let count = 0
    for (let i = 0; i < sources.count; i++) count += lists[i].count
    call.reply.set(count)
    for (let i = 0; i < sources.count; i++) lists[i].reply(call.reply)
  },
})

export const sinterstore = command({
  ...storing,
  name: 'SINTERSTORE',
  summary: 'Stores what SINTER gives.',
  complexity: INTERSECTION_COMPLEXITY,
  access: ['rw update', 'ro access'],

  run(call) {
    sources.open(call, 2, call.args.count)
    intersect(Number.POSITIVE_INFINITY)
    const builder = builderFor(call, found.count)
    fill(builder, () => addFound(builder)) // alloc: one a call
    store(call, builder, 'sinterstore')
  },
})

export const sdiffstore = command({
  ...storing,
  name: 'SDIFFSTORE',
  summary: 'Stores what SDIFF gives.',
  complexity: SUM_COMPLEXITY,
  access: ['ow update', 'ro access'],

  run(call) {
    subtract(sources.open(call, 2, call.args.count))
    const builder = builderFor(call, found.count)
    fill(builder, () => addFound(builder)) // alloc: one a call
    store(call, builder, 'sdiffstore')
  },
})

export const sunionstore = command({
  ...storing,
  name: 'SUNIONSTORE',
  summary: 'Stores what SUNION gives.',
  complexity: SUM_COMPLEXITY,
  access: ['ow update', 'ro access'],

  run(call) {
    sources.open(call, 2, call.args.count)
    const builder = builderFor(call, sources.sizeFrom(0))
    fill(builder, () => addAll(builder)) // alloc: one a call
    store(call, builder, 'sunionstore')
  },
})

export const sintercard = command({
  name: 'SINTERCARD',
  usage: 'numkeys key [key ...] [LIMIT limit]',
  summary: 'Counts the members that all sets have.',
  since: '7.0.0',
  complexity: INTERSECTION_COMPLEXITY,
  flags: ['readonly'],
  access: 'ro access',
  reply: 'integer',

  run(call) {
    const { args } = call
    const count = integerFrom(call, 1, 1, NUMKEYS_POSITIVE)
    if (count > args.count - 2) throw NUMKEYS_TOO_MANY
    let limit = 0
    for (let i = 2 + count; i < args.count; i += 2) {
      if (!args.is(i, 'LIMIT') || i + 1 === args.count) throw SYNTAX
      limit = integerFrom(call, i + 1, 0, LIMIT_NEGATIVE)
    }
    sources.open(call, 2, 2 + count)
    intersect(limit === 0 ? Number.POSITIVE_INFINITY : limit)
    call.reply.integer(found.count)
  },
})

/** An integer argument. Throws: `error` for less than `least`, and for what is no integer. */
function integerFrom(call: Call, index: number, least: number, error: CommandError): number {
  const { args } = call
  if (!args.integer64(index)) throw error
  const value = args.high * 0x100000000 + (args.low >>> 0)
  if (value < least) throw error
  return value
}

/** Finds up to `most` members that all sets have: those of the smallest, asked for in the others. */
function intersect(most: number): void {
  if (sources.missingCount > 0 || sources.count === 0) return forgetFound()
  sources.sort(0, false)
  sources.openFound(0, found)
  const { places } = found
  const { count } = sources
  sources.walk(0)
  if (sources.areTables) {
    while (places.length < most && sources.nextEntry()) {
      if (sources.allHaveEntry(1, count)) places.push(sources.place)
    }
    return
  }
  while (places.length < most && sources.next(member)) {
    if (sources.allHave(1, count, member)) places.push(sources.place)
  }
}

/**
 * Finds the members that the first set has and no other. Either each member of the first is asked
 * for in the others, the largest first, or those of the others are asked for in the first: whatever
 * is less work.
 */
function subtract(hasFirst: boolean): void {
  if (!hasFirst) return forgetFound()
  sources.openFound(0, found)
  const { places } = found
  const size = sources.sizes[0]
  const asks = (size * (sources.count - 1)) / 2
  if (sources.tables[0] && asks > size + sources.sizeFrom(1)) return subtractOthers()
  sources.sort(1, true)
  pushNew(0, 1, sources.count, places)
}

// alloc: a list of what is not in the result
function subtractOthers(): void {
  const gone = new Set<Ref>()
  for (let i = 1; i < sources.count; i++) {
    sources.walk(i)
    while (sources.next(member)) {
      const entry = sources.entryOf(0, member)
      if (entry !== 0) gone.add(entry)
    }
  }
  sources.walk(0)
  while (sources.next(member)) {
    if (!gone.has(sources.place)) found.places.push(sources.place)
  }
}

/** Finds the members of all sets: of each set those that are in none before it, the largest first. */
function unite(): void {
  sources.sort(0, true)
  for (let i = 0; i < sources.count; i++) {
    const list = lists[i]
    sources.openFound(i, list)
    pushNew(i, 0, i, list.places)
  }
}

/** Finds the members of set number `index` that are in none of those from `from` up to `end`. */
function pushNew(index: number, from: number, end: number, places: number[]): void {
  sources.walk(index)
  if (sources.areTables) {
    while (sources.nextEntry()) {
      if (!sources.anyHasEntry(from, end)) places.push(sources.place)
    }
    return
  }
  while (sources.next(member)) {
    if (!sources.anyHas(from, end, member)) places.push(sources.place)
  }
}

function forgetFound(): void {
  found.places.length = 0
}

/** A builder of about `count` members for the key in argument 1. Throws: ARENA_FULL. */
// alloc: one a call
function builderFor(call: Call, count: number): SetBuilder {
  const { args, db, server } = call
  return new SetBuilder(db.arenaOf(args, 1), intsetCountMax(server.settings), count)
}

/** Lets `work` fill the builder, and frees that when memory runs out. */
function fill(builder: SetBuilder, work: () => void): void {
  let done = false
  try {
    work()
    done = true
  } finally {
    if (!done) builder.free()
  }
}

function addFound(builder: SetBuilder): void {
  for (let i = 0; i < found.count; i++) {
    found.read(i, member)
    builder.addMember(member)
  }
}

function addAll(builder: SetBuilder): void {
  for (let i = 0; i < sources.count; i++) {
    sources.walk(i)
    while (sources.next(member)) builder.addMember(member)
  }
}

/** Gives the key in argument 1 what was built, or takes it away when that is nothing. */
// alloc: one a call
function store(
  call: Call,
  builder: SetBuilder,
  event: 'sinterstore' | 'sunionstore' | 'sdiffstore',
): void {
  const { args, db, reply } = call
  const { count } = builder
  const existing = db.write(args, 1)
  if (count === 0) {
    builder.free()
    if (existing !== 0) {
      db.remove(existing)
      db.changed(args, 1, 'del')
    }
    return reply.integer(0)
  }
  const draft = new Draft(db, args, 1, NO_DEADLINE)
  try {
    builder.finish(draft)
  } finally {
    builder.free()
  }
  draft.adopt(existing)
  db.changed(args, 1, event)
  reply.integer(count)
}

/** The union of many sets is built beside them, and freed when it is answered. */
// alloc: one a call
function replyBuiltUnion(call: Call): void {
  const { reply, db, args } = call
  const builder = builderFor(call, sources.sizeFrom(0))
  fill(builder, () => addAll(builder))
  const draft = new Draft(db, args, 1, NO_DEADLINE)
  try {
    builder.finish(draft)
  } finally {
    builder.free()
  }
  const { arena } = db
  reply.set(setCount(arena, draft.ref))
  cursor.open(arena, draft.ref)
  while (cursor.next()) reply.bulk(cursor.bytes, cursor.offset, cursor.length)
  draft.discard()
}
