/**
 * SISMEMBER, SMISMEMBER, SCARD, SMEMBERS, SSCAN: reading one set.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: changes a set.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteMapScan } from '../../../memory/byte-map.ts'
import { intsetCount } from '../../../memory/intset.ts'
import { MAP_SLOT_WORDS, MapCursor } from '../../../memory/map-cursor.ts'
import { command } from '../../command/command.ts'
import { entryEncoding, TYPE_SET } from '../../keyspace/entry.ts'
import { ElementScan, parseCursor } from '../../keyspace/scan.ts'
import { Found } from './found.ts'
import { Member } from './member.ts'
import { SET_TABLE, SetCursor, setCount, setHas, setStructure } from './set.ts'

const cursor = new SetCursor()
const entries = new MapCursor()
const scan = new ElementScan()
const found = new Found()
const member = new Member()

export const sismember = command({
  name: 'SISMEMBER',
  usage: 'key member',
  summary: 'Tells whether a set has a member.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['readonly', 'fast'],
  access: 'ro',
  reply: 'integer',

  run(call) {
    const { args, db } = call
    const ref = db.readTyped(args, 1, TYPE_SET)
    const has = ref !== 0 && setHas(db.arena, ref, args, args.offsets[2], args.lengths[2])
    call.reply.integer(has ? 1 : 0)
  },
})

export const smismember = command({
  name: 'SMISMEMBER',
  usage: 'key member [member ...]',
  summary: 'Tells which members a set has.',
  since: '6.2.0',
  complexity: 'O(1) for each member',
  flags: ['readonly', 'fast'],
  access: 'ro access',
  reply: 'array of integer',

  run(call) {
    const { args, db, reply } = call
    const ref = db.readTyped(args, 1, TYPE_SET)
    const { arena } = db
    reply.array(args.count - 2)
    for (let i = 2; i < args.count; i++) {
      const has = ref !== 0 && setHas(arena, ref, args, args.offsets[i], args.lengths[i])
      reply.integer(has ? 1 : 0)
    }
  },
})

export const scard = command({
  name: 'SCARD',
  usage: 'key',
  summary: 'Gives the number of members.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['readonly', 'fast'],
  access: 'ro',
  reply: 'integer',

  run(call) {
    const { db } = call
    const ref = db.readTyped(call.args, 1, TYPE_SET)
    call.reply.integer(ref === 0 ? 0 : setCount(db.arena, ref))
  },
})

export const smembers = command({
  name: 'SMEMBERS',
  usage: 'key',
  summary: 'Gives all members.',
  since: '1.0.0',
  complexity: 'O(N) where N is the number of members',
  flags: ['readonly'],
  access: 'ro access',
  tips: ['nondeterministic_output_order'],
  reply: 'set',

  run(call) {
    const { db, reply } = call
    const ref = db.readTyped(call.args, 1, TYPE_SET)
    if (ref === 0) return reply.set(0)
    const { arena } = db
    reply.set(setCount(arena, ref))
    if (entryEncoding(arena, ref) === SET_TABLE) {
      entries.open(arena, setStructure(arena, ref))
      while (entries.nextSegment()) reply.keys(arena, entries.refsAt, MAP_SLOT_WORDS, entries.count)
      return
    }
    cursor.open(arena, ref)
    while (cursor.next()) reply.bulk(cursor.bytes, cursor.offset, cursor.length)
  },
})

export const sscan = command({
  name: 'SSCAN',
  usage: 'key cursor [MATCH pattern] [COUNT count]',
  summary: 'Walks through the members of a set, some at each call.',
  since: '2.8.0',
  complexity: 'O(1) for each call, O(N) for all N members',
  flags: ['readonly'],
  access: 'ro access',
  tips: ['nondeterministic_output'],
  reply: 'array of any',

  run(call) {
    const { args, db, reply } = call
    const from = parseCursor(args, 2)
    const ref = db.readTyped(args, 1, TYPE_SET)
    let next = 0
    if (ref === 0) {
      found.places.length = 0
    } else {
      scan.parse(args, 3)
      next = gather(db.arena, ref, from)
    }
    reply.array(2)
    reply.bulkText(String(next)) // alloc: a walk of many calls
    reply.array(found.count)
    found.reply(reply)
  },
})

/** Puts the members that are next and match into `found`. Gives the next cursor. */
function gather(arena: Arena, ref: Ref, from: number): number {
  const structure = setStructure(arena, ref)
  const isTable = entryEncoding(arena, ref) === SET_TABLE
  found.open(arena, structure, isTable)
  const { places } = found
  let next = 0
  if (isTable) next = byteMapScan(arena, structure, from, scan.count, places)
  else for (let i = 0; i < intsetCount(arena, structure); i++) places.push(i)
  let kept = 0
  for (let i = 0; i < places.length; i++) {
    found.read(i, member)
    member.show()
    if (scan.matches(member.bytes, member.offset, member.length)) places[kept++] = places[i]
  }
  places.length = kept
  return next
}
