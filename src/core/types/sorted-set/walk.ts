/**
 * ZSCAN and ZRANDMEMBER: members in no order.
 *
 * Thread: core.
 * Owns: the lists of what was found or drawn.
 * Never: draws a member twice unless asked to.
 */
import { formatDouble } from '../../../lib/bytes/double.ts'
import type { Random } from '../../../lib/random.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteMapScan } from '../../../memory/byte-map.ts'
import { entryKeyLength, entryKeyOffset } from '../../../memory/entry.ts'
import {
  ListpackElement,
  listpackFirst,
  listpackNext,
  listpackRead,
} from '../../../memory/listpack.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, NOT_AN_INTEGER, OUT_OF_RANGE, SYNTAX } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { TYPE_SORTED_SET } from '../../keyspace/entry.ts'
import { ElementScan, parseCursor } from '../../keyspace/scan.ts'
import { SortedSetCursor } from './cursor.ts'
import { isTree, sortedSetCount, structureOf } from './sorted-set.ts'
import { entryScore } from './tree.ts'

const COUNT_OUT_OF_RANGE = new CommandError(
  'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
)
const INT64_MIN = -(2 ** 63)
/** Twice as many replies must still be countable. */
const PAIRS_MAX = 2 ** 62
/** When more than one in so many is drawn, a walk over all is cheaper than single draws. */
const SPARSE_FACTOR = 3

const scan = new ElementScan()
const scanned: Ref[] = []
const found: Buffer[] = []
const cursor = new SortedSetCursor()
const element = new ListpackElement()

export const zscanCommand = command({
  name: 'ZSCAN',
  usage: 'key cursor [MATCH pattern] [COUNT count]',
  summary: 'Walks through members and scores, some at each call.',
  since: '2.8.0',
  complexity: 'O(1) for each call, O(N) for all N members',
  flags: ['readonly'],
  access: 'ro access',
  tips: ['nondeterministic_output'],
  reply: 'array of any',

  run(call) {
    const { args, db, reply } = call
    const from = parseCursor(args, 2)
    const ref = db.readTyped(args, 1, TYPE_SORTED_SET)
    found.length = 0
    let next = 0
    if (ref !== 0) {
      const { arena } = db
      scan.parse(args, 3)
      if (isTree(arena, ref)) next = scanTree(arena, ref, from)
      else scanPack(arena, ref)
    }
    reply.array(2)
    reply.bulkText(String(next))
    reply.array(found.length)
    for (const bytes of found) reply.bulkBytes(bytes)
    found.length = 0
  },
})

function scanTree(arena: Arena, ref: Ref, from: number): number {
  scanned.length = 0
  const next = byteMapScan(arena, structureOf(arena, ref), from, scan.count, scanned)
  for (const entry of scanned) {
    const offset = entryKeyOffset(entry)
    const length = entryKeyLength(arena, entry)
    if (!scan.matches(arena.bytes, offset, length)) continue
    keep(arena.bytes, offset, length)
    found.push(Buffer.from(formatDouble(entryScore(arena, entry)), 'latin1'))
  }
  return next
}

/** Scores are shown as they are stored. */
function scanPack(arena: Arena, ref: Ref): void {
  for (let at = listpackFirst(arena, structureOf(arena, ref)); at !== 0; ) {
    listpackRead(arena, at, element)
    const matches = scan.matches(element.bytes, element.offset, element.length)
    if (matches) keep(element.bytes, element.offset, element.length)
    at = listpackNext(arena, at)
    listpackRead(arena, at, element)
    if (matches) keep(element.bytes, element.offset, element.length)
    at = listpackNext(arena, at)
  }
}

function keep(bytes: Buffer, offset: number, length: number): void {
  found.push(Buffer.from(bytes.subarray(offset, offset + length)))
}

export const zrandmemberCommand = command({
  name: 'ZRANDMEMBER',
  usage: 'key [options: count [WITHSCORES]]',
  summary: 'Gives members chosen by chance.',
  since: '6.2.0',
  complexity:
    'O(M*log(N)) where N is the number of members of the sorted set and M that of those drawn',
  flags: ['readonly'],
  access: 'ro access',
  tips: ['nondeterministic_output'],
  reply: 'any',

  run(call) {
    const { args, db, reply } = call
    if (args.count === 2) {
      const ref = db.readTyped(args, 1, TYPE_SORTED_SET)
      if (ref === 0) return reply.nil()
      showAt(reply, db.arena, ref, call.server.random.below(sortedSetCount(db.arena, ref)), false)
      return
    }
    const count = parseCount(call)
    const ref = db.readTyped(args, 1, TYPE_SORTED_SET)
    if (ref === 0 || count === 0) return reply.array(0)
    draw(call, ref, count, args.count === 4)
  },
})

/** How many members are wanted; below 0: some perhaps repeatedly. Throws: CommandError. */
function parseCount(call: Call): number {
  const { args } = call
  if (!args.integer64(2)) throw NOT_AN_INTEGER
  const count = args.high * 0x100000000 + (args.low >>> 0)
  if (count === INT64_MIN && args.low === 0 && args.high === -(2 ** 31)) throw COUNT_OUT_OF_RANGE
  if (args.count > 4 || (args.count === 4 && !args.is(3, 'WITHSCORES'))) throw SYNTAX
  if (args.count === 4 && Math.abs(count) > PAIRS_MAX) throw OUT_OF_RANGE
  return count
}

function draw(call: Call, ref: Ref, count: number, withScores: boolean): void {
  const { reply } = call
  const { arena } = call.db
  const { random } = call.server
  const size = sortedSetCount(arena, ref)
  const wanted = count < 0 ? -count : Math.min(count, size)
  reply.array(withScores && reply.protocol === 2 ? wanted * 2 : wanted)
  if (count < 0) {
    for (let i = 0; i < wanted && !reply.isVain; i++) {
      showAt(reply, arena, ref, random.below(size), withScores)
    }
  } else if (wanted * SPARSE_FACTOR > size) {
    drawWalking(reply, random, arena, ref, wanted, withScores)
  } else {
    const drawn = new Set<number>()
    while (drawn.size < wanted) {
      const rank = random.below(size)
      if (drawn.has(rank)) continue
      drawn.add(rank)
      showAt(reply, arena, ref, rank, withScores)
    }
  }
}

/**
 * Each member is taken with the chance of those still wanted among those still to come: algorithm S
 * of Knuth's "Seminumerical Algorithms".
 */
function drawWalking(
  reply: Reply,
  random: Random,
  arena: Arena,
  ref: Ref,
  count: number,
  withScores: boolean,
): void {
  let wanted = count
  let left = sortedSetCount(arena, ref)
  cursor.open(arena, ref)
  while (wanted > 0 && cursor.next()) {
    if (random.below(left) < wanted) {
      show(reply, withScores)
      wanted--
    }
    left--
  }
}

function showAt(reply: Reply, arena: Arena, ref: Ref, rank: number, withScores: boolean): void {
  cursor.openAt(arena, ref, rank, false)
  cursor.next()
  show(reply, withScores)
}

/** Shows the member that the cursor is at. */
function show(reply: Reply, withScores: boolean): void {
  if (withScores && reply.protocol === 3) reply.array(2)
  reply.bulk(cursor.bytes, cursor.offset, cursor.length)
  if (withScores) reply.double(cursor.score)
}
