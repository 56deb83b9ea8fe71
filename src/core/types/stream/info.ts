/**
 * XINFO: what a stream and its groups are made of.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes when a consumer was seen.
 */
import type { Ref } from '../../../memory/arena.ts'
import { byteTreeCount } from '../../../memory/byte-tree.ts'
import { entryKeyLength, entryKeyOffset } from '../../../memory/entry.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { NO_SUCH_KEY, NOT_AN_INTEGER } from '../../engine/errors.ts'
import { TYPE_STREAM } from '../../keyspace/entry.ts'
import {
  consumerPending,
  consumerSeen,
  countOf,
  deliveryConsumer,
  deliveryCountHigh,
  deliveryCountLow,
  deliveryTimeHigh,
  deliveryTimeLow,
  groupConsumers,
  groupLastId,
  groupPending,
  groupReadHigh,
  groupReadLow,
} from './consumer-group.ts'
import { groupLag } from './counters.ts'
import { openCounted, replyEntries, replyEntry, StreamCursor } from './cursor.ts'
import { loadKey, replyId, StreamId } from './id.ts'
import { groupArgument, noGroup, subcommandSyntax } from './lookup.ts'
import { radixNodeCount } from './radix.ts'
import {
  FIRST_ID,
  LAST_ID,
  MAX_DELETED_ID,
  streamAddedHigh,
  streamAddedLow,
  streamGroups,
  streamLength,
  streamLoadId,
  streamNodes,
  streamOf,
} from './stream.ts'
import { forEachItem } from './value.ts'

const HELP = [
  'XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'CONSUMERS <key> <group>',
  '    Tell about the consumers of a group.',
  'GROUPS <key>',
  '    Tell about the groups of a stream.',
  'STREAM <key> [FULL [COUNT <count>]]',
  '    Tell about a stream; with FULL, all about its groups as well.',
  'HELP',
  '    Prints this help.',
]
/** Entries, and pending ones of each group and consumer, that FULL shows. */
const FULL_COUNT = 10
const TWO_32 = 4294967296

const zero = new StreamId()
const max = new StreamId()
max.setMax()
const id = new StreamId()
const cursor = new StreamCursor()

export const xinfoCommand = command({
  name: 'XINFO',
  usage: '',
  summary: 'Tells about streams.',
  since: '5.0.0',
  complexity: 'Depends on subcommand.',
  flags: [],
  reply: 'any',
  subcommands: [
    about({
      name: 'CONSUMERS',
      usage: 'key groupname',
      summary: 'Tells about the consumers of a group.',
      tips: ['nondeterministic_output'],
      complexity: 'O(1)',
      reply: 'array of map',
      run: consumers,
    }),
    about({
      name: 'GROUPS',
      usage: 'key',
      summary: 'Tells about the groups of a stream.',
      complexity: 'O(1)',
      history: [['7.0.0', 'entries-read and lag came.']],
      reply: 'array of map',
      run: groups,
    }),
    {
      name: 'HELP',
      usage: '',
      summary: 'Lists the subcommands.',
      since: '5.0.0',
      complexity: 'O(1)',
      flags: ['loading', 'stale'],
      reply: 'array of simple',
      // DIFFERS: in words of our own.
      run(call) {
        call.reply.array(HELP.length)
        for (const line of HELP) call.reply.simple(line)
      },
    },
    about({
      name: 'STREAM',
      usage: 'key [FULL <full: [COUNT count]>]',
      summary: 'Tells about a stream.',
      complexity: 'O(N) for N nodes of the stream',
      history: [
        ['6.0.0', 'FULL came.'],
        [
          '7.0.0',
          'max-deleted-entry-id, entries-added and recorded-first-entry-id came, for groups entries-read and lag.',
        ],
      ],
      reply: 'map',
      run: stream,
    }),
  ],
})

type Own = 'name' | 'usage' | 'summary' | 'complexity' | 'reply' | 'run'
type Optional = Partial<Pick<CommandDefinition, 'tips' | 'history'>>

function about(own: Pick<CommandDefinition, Own> & Optional): CommandDefinition {
  return { since: '5.0.0', flags: ['readonly'], access: 'ro access', ...own }
}

/** The stream in question. Throws: CommandError. */
function streamNeeded(call: Call): Ref {
  const entry = call.db.readTyped(call.args, 2, TYPE_STREAM)
  if (entry === 0) throw NO_SUCH_KEY
  return streamOf(call.db.arena, entry)
}

function consumers(call: Call): void {
  const { args, db, reply } = call
  const group = groupArgument(db, args, streamNeeded(call), 3)
  if (group === 0) throw noGroup(args, 2, 3)
  const { arena } = db
  const tree = groupConsumers(arena, group)
  reply.array(countOf(arena, tree))
  forEachItem(arena, tree, (consumer) => {
    reply.map(3)
    name(call, consumer)
    reply.bulkText('pending')
    reply.integer(countOf(arena, consumerPending(arena, consumer)))
    reply.bulkText('idle')
    reply.integer(Math.max(0, call.nowMs - consumerSeen(arena, consumer)))
  })
}

function groups(call: Call): void {
  const { db, reply } = call
  const source = streamNeeded(call)
  const { arena } = db
  const tree = streamGroups(arena, source)
  reply.array(countOf(arena, tree))
  forEachItem(arena, tree, (group) => {
    reply.map(6)
    name(call, group)
    reply.bulkText('consumers')
    reply.integer(countOf(arena, groupConsumers(arena, group)))
    reply.bulkText('pending')
    reply.integer(countOf(arena, groupPending(arena, group)))
    progress(call, source, group)
  })
}

/** The name of a group or consumer. */
function name(call: Call, entry: Ref): void {
  const { arena } = call.db
  call.reply.bulkText('name')
  call.reply.bulk(arena.bytes, entryKeyOffset(entry), entryKeyLength(arena, entry))
}

/** How far a group has read: three pairs. */
function progress(call: Call, source: Ref, group: Ref): void {
  const { db, reply } = call
  const { arena } = db
  groupLastId(arena, group, id)
  reply.bulkText('last-delivered-id')
  replyId(reply, id)
  const high = groupReadHigh(arena, group)
  const low = groupReadLow(arena, group)
  reply.bulkText('entries-read')
  if ((high & low) === -1) reply.nil()
  else reply.integer64(high, low)
  reply.bulkText('lag')
  const lag = groupLag(arena, source, group)
  if (lag === undefined) reply.nil()
  else reply.integer64(Number(lag >> 32n), Number(BigInt.asIntN(32, lag)))
}

function stream(call: Call): void {
  const { args } = call
  if (args.count === 3) {
    brief(call, streamNeeded(call))
    return
  }
  const source = streamNeeded(call)
  const isFull = args.is(3, 'FULL') && (args.count === 4 || args.count === 6)
  if (!isFull || (args.count === 6 && !args.is(4, 'COUNT'))) {
    throw subcommandSyntax(args, 'XINFO')
  }
  let count = FULL_COUNT
  if (args.count === 6) {
    if (!args.integer64(5)) throw NOT_AN_INTEGER
    count = args.high < 0 ? FULL_COUNT : args.high * TWO_32 + (args.low >>> 0)
  }
  full(call, source, count === 0 ? Number.POSITIVE_INFINITY : count)
}

/** Seven pairs that every form has. */
function figures(call: Call, source: Ref): void {
  const { db, reply } = call
  const { arena } = db
  const nodes = streamNodes(arena, source)
  reply.bulkText('length')
  reply.integer(streamLength(arena, source))
  reply.bulkText('radix-tree-keys')
  reply.integer(byteTreeCount(arena, nodes))
  reply.bulkText('radix-tree-nodes')
  reply.integer(radixNodeCount(arena, nodes))
  idPair(call, source, 'last-generated-id', LAST_ID)
  idPair(call, source, 'max-deleted-entry-id', MAX_DELETED_ID)
  reply.bulkText('entries-added')
  reply.integer64(streamAddedHigh(arena, source), streamAddedLow(arena, source))
  idPair(call, source, 'recorded-first-entry-id', FIRST_ID)
}

function idPair(call: Call, source: Ref, label: string, which: number): void {
  streamLoadId(call.db.arena, source, which, id)
  call.reply.bulkText(label)
  replyId(call.reply, id)
}

function brief(call: Call, source: Ref): void {
  const { db, reply } = call
  reply.map(10)
  figures(call, source)
  reply.bulkText('groups')
  reply.integer(countOf(db.arena, streamGroups(db.arena, source)))
  reply.bulkText('first-entry')
  edgeEntry(call, source, false)
  reply.bulkText('last-entry')
  edgeEntry(call, source, true)
}

function edgeEntry(call: Call, source: Ref, reverse: boolean): void {
  cursor.open(call.db.arena, source, zero, max, reverse)
  if (cursor.next()) replyEntry(call.reply, cursor)
  else call.reply.nil()
}

function full(call: Call, source: Ref, limit: number): void {
  const { db, reply } = call
  const { arena } = db
  reply.map(9)
  figures(call, source)
  reply.bulkText('entries')
  replyEntries(reply, cursor, openCounted(cursor, arena, source, zero, max, false, limit))
  reply.bulkText('groups')
  const tree = streamGroups(arena, source)
  reply.array(countOf(arena, tree))
  forEachItem(arena, tree, (group) => {
    fullGroup(call, source, group, limit)
  })
}

function fullGroup(call: Call, source: Ref, group: Ref, limit: number): void {
  const { db, reply } = call
  const { arena } = db
  reply.map(7)
  name(call, group)
  progress(call, source, group)
  deliveries(call, groupPending(arena, group), limit, true)
  const tree = groupConsumers(arena, group)
  reply.bulkText('consumers')
  reply.array(countOf(arena, tree))
  forEachItem(arena, tree, (consumer) => {
    reply.map(4)
    name(call, consumer)
    reply.bulkText('seen-time')
    reply.integer(consumerSeen(arena, consumer))
    deliveries(call, consumerPending(arena, consumer), limit, false)
  })
}

/** Two pairs: how many deliveries there are, and the first of them. */
function deliveries(call: Call, pending: Ref, limit: number, withOwner: boolean): void {
  const { db, reply } = call
  const { arena } = db
  const total = countOf(arena, pending)
  reply.bulkText('pel-count')
  reply.integer(total)
  reply.bulkText('pending')
  let left = Math.min(total, limit)
  reply.array(left)
  forEachItem(arena, pending, (delivery, position) => {
    if (--left < 0) return
    loadKey(arena, pending, position, id)
    reply.array(withOwner ? 4 : 3)
    replyId(reply, id)
    if (withOwner) {
      const owner = deliveryConsumer(arena, delivery)
      reply.bulk(arena.bytes, entryKeyOffset(owner), entryKeyLength(arena, owner))
    }
    reply.integer64(deliveryTimeHigh(arena, delivery), deliveryTimeLow(arena, delivery))
    reply.integer64(deliveryCountHigh(arena, delivery), deliveryCountLow(arena, delivery))
  })
}
