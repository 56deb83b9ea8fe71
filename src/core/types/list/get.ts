/**
 * LLEN, LINDEX, LRANGE, LPOS: reading lists.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: changes a list.
 */
import { byteListCount } from '../../../memory/byte-list.ts'
import {
  byteListLeave,
  byteListMatches,
  byteListNext,
  byteListNextNode,
  byteListPrevious,
  byteListRead,
  byteListSeek,
  ListPosition,
} from '../../../memory/byte-list-position.ts'
import { ListpackElement } from '../../../memory/listpack.ts'
import { listpackWant } from '../../../memory/listpack-match.ts'
import { command } from '../../command/command.ts'
import type { Args } from '../../engine/args.ts'
import { CommandError, NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'
import { TYPE_LIST } from '../../keyspace/entry.ts'
import { listCount, listStructure } from './list.ts'

const RANK_ZERO = new CommandError(
  "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
)
const INT_MIN = -(2 ** 31)
const COUNT_NEGATIVE = new CommandError("ERR COUNT can't be negative")
const MAXLEN_NEGATIVE = new CommandError("ERR MAXLEN can't be negative")

const position = new ListPosition()
const element = new ListpackElement()

export const llen = command({
  name: 'LLEN',
  usage: 'key',
  summary: 'Gives the length of a list.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['readonly', 'fast'],
  access: 'ro',
  reply: 'integer',

  run(call) {
    const { db } = call
    const ref = db.readTyped(call.args, 1, TYPE_LIST)
    call.reply.integer(ref === 0 ? 0 : listCount(db.arena, ref))
  },
})

export const lindex = command({
  name: 'LINDEX',
  usage: 'key index',
  summary: 'Gives the element at an index.',
  since: '1.0.0',
  complexity: 'O(N) where N is the number of nodes to the index',
  flags: ['readonly'],
  access: 'ro access',
  reply: 'bulk | nil',

  run(call) {
    const { args, db, reply } = call
    const ref = db.readTyped(args, 1, TYPE_LIST)
    if (ref === 0) return reply.nil()
    const index = integer(args, 2)
    const { arena } = db
    if (!byteListSeek(arena, listStructure(arena, ref), index, position)) return reply.nil()
    byteListRead(position, element)
    reply.bulk(element.bytes, element.offset, element.length)
    byteListLeave(arena, position)
  },
})

export const lrange = command({
  name: 'LRANGE',
  usage: 'key start:integer stop:integer',
  summary: 'Gives a range of elements.',
  since: '1.0.0',
  complexity: 'O(S+N) where S is the number of nodes to the start and N the number of elements',
  flags: ['readonly'],
  access: 'ro access',
  reply: 'array of bulk',

  run(call) {
    const { args, db, reply } = call
    let start = integer(args, 2)
    let stop = integer(args, 3)
    const ref = db.readTyped(args, 1, TYPE_LIST)
    if (ref === 0) return reply.array(0)
    const { arena } = db
    const list = listStructure(arena, ref)
    const count = byteListCount(arena, list)
    if (start < 0) start = Math.max(start + count, 0)
    if (stop < 0) stop += count
    if (stop >= count) stop = count - 1
    if (start > stop || start >= count) return reply.array(0)
    reply.array(stop - start + 1)
    byteListSeek(arena, list, start, position)
    let left = stop - start + 1
    while (left > 0) {
      if (position.plain) {
        byteListRead(position, element)
        reply.bulk(element.bytes, element.offset, element.length)
        left--
      } else {
        left = reply.packed(position.arena, position.at, left)
      }
      if (left > 0) byteListNextNode(arena, position)
    }
    byteListLeave(arena, position)
  },
})

export const lpos = command({
  name: 'LPOS',
  usage: 'key element [RANK rank] [COUNT num-matches] [MAXLEN len]',
  summary: 'Finds an element.',
  since: '6.0.6',
  complexity: 'O(N) where N is the number of elements looked at',
  flags: ['readonly'],
  access: 'ro access',
  reply: 'any',

  run(call) {
    const { args, db, reply } = call
    let rank = 1
    let wanted = -1
    let most = 0
    for (let i = 3; i < args.count; i += 2) {
      if (i + 1 === args.count) throw SYNTAX
      if (args.is(i, 'RANK')) {
        rank = integer(args, i + 1)
        if (rank === 0) throw RANK_ZERO
        // QUIRK: the least of all integers has no opposite, and counts as -1: LPOS shows it.
        if (args.high === INT_MIN && args.low === 0) rank = -1
      } else if (args.is(i, 'COUNT')) {
        wanted = natural(args, i + 1, COUNT_NEGATIVE)
      } else if (args.is(i, 'MAXLEN')) {
        most = natural(args, i + 1, MAXLEN_NEGATIVE)
      } else throw SYNTAX
    }
    const ref = db.readTyped(args, 1, TYPE_LIST)
    if (ref === 0) return wanted < 0 ? reply.nil() : reply.array(0)
    const { arena } = db
    const list = listStructure(arena, ref)
    const count = byteListCount(arena, list)
    const found: number[] = []
    const enough = wanted < 0 ? 1 : wanted === 0 ? Number.POSITIVE_INFINITY : wanted
    const backwards = rank < 0
    let matchesLeft = Math.abs(rank) - 1
    let looked = 0
    listpackWant(args.bytes, args.offsets[2], args.lengths[2])
    let more = byteListSeek(arena, list, backwards ? -1 : 0, position)
    while (more && (most === 0 || looked < most) && found.length < enough) {
      if (byteListMatches(position)) {
        if (matchesLeft > 0) matchesLeft--
        else found.push(backwards ? count - 1 - looked : looked)
      }
      looked++
      more = backwards ? byteListPrevious(arena, position) : byteListNext(arena, position)
    }
    byteListLeave(arena, position)
    if (wanted < 0) return found.length === 0 ? reply.nil() : reply.integer(found[0])
    reply.array(found.length)
    for (let i = 0; i < found.length; i++) reply.integer(found[i])
  },
})

function integer(args: Args, index: number): number {
  if (!args.integer64(index)) throw NOT_AN_INTEGER
  return args.high * 0x100000000 + (args.low >>> 0)
}

/** Throws: `negative` for less than 0, and for what is no integer. */
function natural(args: Args, index: number, negative: CommandError): number {
  if (!args.integer64(index) || args.high < 0) throw negative
  return args.high * 0x100000000 + (args.low >>> 0)
}
