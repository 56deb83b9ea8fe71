/**
 * XRANGE, XREVRANGE, XLEN: looking at entries that are there.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: changes a stream.
 */
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import { NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'
import { TYPE_STREAM } from '../../keyspace/entry.ts'
import { openCounted, replyEntries, StreamCursor } from './cursor.ts'
import { endArgument, StreamId, startArgument } from './id.ts'
import { streamLength, streamOf } from './stream.ts'

const TWO_32 = 4294967296

const start = new StreamId()
const end = new StreamId()
const cursor = new StreamCursor()

export const xrangeCommand = ranging({
  name: 'XRANGE',
  usage: 'key start end [COUNT count]',
  summary: 'Answers the entries between two ids.',

  run(call) {
    range(call, 2, 3, false)
  },
})

export const xrevrangeCommand = ranging({
  name: 'XREVRANGE',
  usage: 'key end start [COUNT count]',
  summary: 'Answers the entries between two ids, the last one first.',

  run(call) {
    range(call, 3, 2, true)
  },
})

type Own = 'name' | 'usage' | 'summary' | 'run'

// alloc: once at start
function ranging(own: Pick<CommandDefinition, Own>): CommandDefinition {
  return command({
    since: '5.0.0',
    complexity: 'O(N) for N entries answered',
    flags: ['readonly'],
    access: 'ro access',
    history: [['6.2.0', 'Bounds that do not belong to the range came.']],
    reply: 'array',
    ...own,
  })
}

function range(call: Call, startIndex: number, endIndex: number, reverse: boolean): void {
  const { args, db, reply } = call
  startArgument(args, startIndex, start)
  endArgument(args, endIndex, end)
  let limit = Number.POSITIVE_INFINITY
  for (let i = 4; i < args.count; i += 2) {
    if (i + 1 === args.count || !args.is(i, 'COUNT')) throw SYNTAX
    limit = count(args, i + 1)
  }

  const entry = db.readTyped(args, 1, TYPE_STREAM)
  if (entry === 0) return reply.array(0)
  if (limit === 0) return reply.nilArray()
  const { arena } = db
  const stream = streamOf(arena, entry)
  const found = openCounted(cursor, arena, stream, start, end, reverse, limit)
  replyEntries(reply, cursor, found)
}

/** A COUNT: what is negative is 0. Throws: CommandError NOT_AN_INTEGER. */
export function count(args: Args, index: number): number {
  if (!args.integer64(index)) throw NOT_AN_INTEGER
  return args.high < 0 ? 0 : args.high * TWO_32 + (args.low >>> 0)
}

export const xlenCommand = command({
  name: 'XLEN',
  usage: 'key',
  summary: 'Counts the entries of a stream.',
  since: '5.0.0',
  complexity: 'O(1)',
  flags: ['readonly', 'fast'],
  access: 'ro',
  reply: 'integer',

  run(call) {
    const { db } = call
    const entry = db.readTyped(call.args, 1, TYPE_STREAM)
    call.reply.integer(entry === 0 ? 0 : streamLength(db.arena, streamOf(db.arena, entry)))
  },
})
