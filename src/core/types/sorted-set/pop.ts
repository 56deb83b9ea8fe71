/**
 * Commands that take members from either end, at once or when there are some.
 *
 * Thread: core. Hot path.
 * Owns: the forms of their replies.
 * Never: propagates anything that blocks.
 */
import type { Ref } from '../../../memory/arena.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import { parseTimeout } from '../../engine/blocking.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, OUT_OF_RANGE_POSITIVE, SYNTAX } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { TYPE_SORTED_SET } from '../../keyspace/entry.ts'
import { SortedSetCursor } from './cursor.ts'
import { removedFrom } from './remove.ts'
import { sortedSetCount, sortedSetRemoveRange } from './sorted-set.ts'

const KEY_COUNT_POSITIVE = new CommandError('ERR numkeys should be greater than 0')
const COUNT_POSITIVE = new CommandError('ERR count should be greater than 0')

/** No count was given. */
const SINGLE = -1

const cursor = new SortedSetCursor()

/** Takes up to `count` members and writes each with its score, paired or one after the other. */
function pop(
  call: Call,
  keyIndex: number,
  ref: Ref,
  count: number,
  fromHighest: boolean,
  paired: boolean,
): void {
  const { db, reply } = call
  const { arena } = db
  const size = sortedSetCount(arena, ref)
  cursor.openAt(arena, ref, fromHighest ? size - 1 : 0, fromHighest)
  for (let left = count; left > 0 && cursor.next(); left--) {
    if (paired) reply.array(2)
    reply.bulk(cursor.bytes, cursor.offset, cursor.length)
    reply.double(cursor.score)
  }
  if (count < size) sortedSetRemoveRange(arena, ref, fromHighest ? size - count : 0, count)
  removedFrom(call, keyIndex, ref, size - count, fromHighest ? 'zpopmax' : 'zpopmin')
}

function popCommand(call: Call, fromHighest: boolean): void {
  const { args, db, reply } = call
  if (args.count > 3) throw SYNTAX
  const count = args.count === 3 ? positive(call, 2, 0, OUT_OF_RANGE_POSITIVE) : 1
  const ref = db.writeTyped(args, 1, TYPE_SORTED_SET)
  if (ref === 0 || count === 0) return reply.array(0)
  const taken = Math.min(count, sortedSetCount(db.arena, ref))
  const paired = reply.protocol === 3 && args.count === 3
  reply.array(paired ? taken : taken * 2)
  pop(call, 1, ref, taken, fromHighest, paired)
}

/** A number of at least `least`. Throws: `error`. */
function positive(call: Call, index: number, least: number, error: CommandError): number {
  const { args } = call
  if (!args.integer64(index)) throw error
  const value = args.high * 0x100000000 + (args.low >>> 0)
  if (value < least) throw error
  return value
}

/** What is to be popped from the first of several keys that is there. */
class Several {
  firstKey = 0
  keyCount = 0
  fromHighest = false
  count = SINGLE
}

const several = new Several()

/** Pops from the first key that is there. False when none is. */
function popFirst(call: Call): boolean {
  const { args, db } = call
  const { firstKey, keyCount } = several
  // A call that waited is served from the key that became ready.
  if (call.servedKey > 0) {
    const ref = db.writeTyped(args, call.servedKey, TYPE_SORTED_SET)
    if (ref !== 0) popFrom(call, call.servedKey, ref)
    return ref !== 0
  }
  for (let i = firstKey; i < firstKey + keyCount; i++) {
    const ref = db.writeTyped(args, i, TYPE_SORTED_SET)
    if (ref === 0) continue
    popFrom(call, i, ref)
    return true
  }
  return false
}

function popFrom(call: Call, keyIndex: number, ref: Ref): void {
  const { args, db, reply } = call
  const { fromHighest, count } = several
  const isSingle = count === SINGLE
  const taken = isSingle ? 1 : Math.min(count, sortedSetCount(db.arena, ref))
  reply.array(isSingle ? 3 : 2)
  reply.bulk(args.bytes, args.offsets[keyIndex], args.lengths[keyIndex])
  if (!isSingle) reply.array(taken)
  if (call.propagation.active) propagate(call, keyIndex, taken)
  pop(call, keyIndex, ref, taken, fromHighest, !isSingle)
}

// alloc: for the AOF and replicas
function propagate(call: Call, keyIndex: number, taken: number): void {
  const name = several.fromHighest ? 'ZPOPMAX' : 'ZPOPMIN'
  const key = call.args.copy(keyIndex)
  if (several.count === SINGLE) call.propagateAs(name, key)
  else call.propagateAs(name, key, String(taken))
}

function waitFor(call: Call, timeoutMs: number): void {
  const { firstKey, keyCount } = several
  const onTimeout = (reply: Reply) => reply.nilArray() // alloc: a call that waits
  call.block({ type: TYPE_SORTED_SET, firstKey, keyCount, timeoutMs, onTimeout })
}

function blockingPop(call: Call, fromHighest: boolean): void {
  const { args } = call
  const timeoutMs = parseTimeout(args, args.count - 1)
  several.firstKey = 1
  several.keyCount = args.count - 2
  several.fromHighest = fromHighest
  several.count = SINGLE
  if (!popFirst(call)) waitFor(call, timeoutMs)
}

/** Reads the arguments of ZMPOP from the number of keys on. Throws: CommandError. */
function parseSeveral(call: Call, keyCountIndex: number): void {
  const { args } = call
  several.firstKey = keyCountIndex + 1
  several.keyCount = positive(call, keyCountIndex, 1, KEY_COUNT_POSITIVE)
  const where = several.firstKey + several.keyCount
  if (where >= args.count) throw SYNTAX
  several.fromHighest = args.is(where, 'MAX')
  if (!several.fromHighest && !args.is(where, 'MIN')) throw SYNTAX
  several.count = SINGLE
  for (let i = where + 1; i < args.count; i += 2) {
    const isCount = args.is(i, 'COUNT') && i + 1 < args.count
    if (!isCount || several.count !== SINGLE) throw SYNTAX
    several.count = positive(call, i + 1, 1, COUNT_POSITIVE)
  }
  if (several.count === SINGLE) several.count = 1
}

const POP_COMPLEXITY =
  'O(log(N)*M) where N is the number of members of the sorted set and M that of those popped'
const MANY_COMPLEXITY =
  'O(K+M*log(N)) where K is the number of keys, N that of members of the sorted set and M that of those popped'

type Own = 'name' | 'summary'

// alloc: once for each command
function popping(own: Pick<CommandDefinition, Own>, fromHighest: boolean): CommandDefinition {
  return command({
    usage: 'key [count]',
    since: '5.0.0',
    complexity: POP_COMPLEXITY,
    flags: ['write', 'fast'],
    access: 'rw access delete',
    reply: 'array',
    run: (call) => popCommand(call, fromHighest),
    ...own,
  })
}

// alloc: once for each command
function waiting(own: Pick<CommandDefinition, Own>, fromHighest: boolean): CommandDefinition {
  return command({
    usage: 'key [key ...] timeout',
    since: '5.0.0',
    complexity: 'O(log(N)) where N is the number of members of the sorted set',
    flags: ['write', 'noscript', 'blocking', 'fast'],
    access: 'rw access delete',
    history: [['6.0.0', 'The timeout may have a fraction.']],
    reply: 'array | nil',
    run: (call) => blockingPop(call, fromHighest),
    ...own,
  })
}

export const zpopminCommand = popping(
  { name: 'ZPOPMIN', summary: 'Takes out the members with the lowest scores.' },
  false,
)

export const zpopmaxCommand = popping(
  { name: 'ZPOPMAX', summary: 'Takes out the members with the highest scores.' },
  true,
)

export const bzpopminCommand = waiting(
  {
    name: 'BZPOPMIN',
    summary: 'Takes the member with the lowest score from one of several keys, or waits for one.',
  },
  false,
)

export const bzpopmaxCommand = waiting(
  {
    name: 'BZPOPMAX',
    summary: 'Takes the member with the highest score from one of several keys, or waits for one.',
  },
  true,
)

export const zmpopCommand = command({
  name: 'ZMPOP',
  usage: 'numkeys key [key ...] <where: MIN | MAX> [COUNT count]',
  summary: 'Takes members with the lowest or highest scores from the first key that has some.',
  since: '7.0.0',
  complexity: MANY_COMPLEXITY,
  flags: ['write'],
  access: 'rw access delete',
  reply: 'array | nil',

  run(call) {
    parseSeveral(call, 1)
    if (!popFirst(call)) call.reply.nilArray()
  },
})

export const bzmpopCommand = command({
  name: 'BZMPOP',
  usage: 'timeout numkeys key [key ...] <where: MIN | MAX> [COUNT count]',
  summary:
    'Takes members with the lowest or highest scores from the first key that has some, or waits.',
  since: '7.0.0',
  complexity: MANY_COMPLEXITY,
  flags: ['write', 'blocking'],
  access: 'rw access delete',
  reply: 'array | nil',

  run(call) {
    parseSeveral(call, 2)
    const timeoutMs = parseTimeout(call.args, 1)
    if (!popFirst(call)) waitFor(call, timeoutMs)
  },
})
