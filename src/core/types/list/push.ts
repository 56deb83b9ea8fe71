/**
 * LPUSH, RPUSH, LPUSHX, RPUSHX, LSET, LINSERT, LREM, LTRIM: changing lists in place.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: leaves a key without elements.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteListCount,
  byteListInsert,
  byteListOpenRange,
  byteListPush,
  byteListRemove,
  byteListRemoveRange,
  byteListReplace,
} from '../../../memory/byte-list.ts'
import {
  byteListLeave,
  byteListMatches,
  byteListNext,
  byteListPrevious,
  byteListSeek,
  ListPosition,
} from '../../../memory/byte-list-position.ts'
import { listpackWant } from '../../../memory/listpack-match.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { INDEX_OUT_OF_RANGE, NO_SUCH_KEY, NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'
import { TYPE_LIST } from '../../keyspace/entry.ts'
import { listStructure, makeList } from './list.ts'
import { elementsRemoved } from './removed.ts'

const position = new ListPosition()

export const lpush = pushing('LPUSH', '1.0.0', false, true, '2.4.0')
export const rpush = pushing('RPUSH', '1.0.0', true, true, '2.4.0')
export const lpushx = pushing('LPUSHX', '2.2.0', false, false, '4.0.0')
export const rpushx = pushing('RPUSHX', '2.2.0', true, false, '4.0.0')

// alloc: once at start
function pushing(
  name: string,
  since: string,
  atEnd: boolean,
  makes: boolean,
  severalSince: string,
): CommandDefinition {
  const event = atEnd ? 'rpush' : 'lpush'
  return command({
    name,
    usage: 'key element [element ...]',
    summary: `Adds elements at the ${atEnd ? 'end' : 'beginning'} of a list${makes ? '' : ' that is there'}.`,
    since,
    complexity: 'O(1) for each element',
    flags: ['write', 'denyoom', 'fast'],
    access: 'rw insert',
    history: [[severalSince, 'Several elements at once.']],
    reply: 'integer',

    run(call) {
      const { args, db, reply } = call
      const before = db.writeTyped(args, 1, TYPE_LIST)
      if (before === 0 && !makes) return reply.integer(0)
      const ref = before === 0 ? makeList(db, args, 1) : before
      const { arena } = db
      const list = listStructure(arena, ref)
      let added = 0
      try {
        for (let i = 2; i < args.count; i++) {
          byteListPush(arena, list, atEnd, args.bytes, args.offsets[i], args.lengths[i])
          added++
        }
      } finally {
        if (added > 0) {
          db.changed(args, 1, event)
          call.keyspace.dirty += added - 1
          if (added < args.count - 2) propagatePart(call, name, added + 2)
        } else if (before === 0) {
          db.remove(ref)
        }
      }
      reply.integer(byteListCount(arena, list))
    },
  })
}

/** When there was no room for the rest: what replicas and the AOF see is what went in. */
// alloc: only when memory ended on the way
function propagatePart(call: Call, name: string, count: number): void {
  if (!call.propagation.active) return
  const { args } = call
  const argv = [name, ...Array.from({ length: count - 1 }, (_, i) => args.copy(i + 1))]
  call.propagateAs(...argv)
}

export const lset = command({
  name: 'LSET',
  usage: 'key index element',
  summary: 'Puts another element at an index.',
  since: '1.0.0',
  complexity: 'O(N) where N is the number of nodes to the index',
  flags: ['write', 'denyoom'],
  access: 'rw update',
  reply: 'ok',

  run(call) {
    const { args, db } = call
    const ref = db.writeTyped(args, 1, TYPE_LIST)
    if (ref === 0) throw NO_SUCH_KEY
    if (!args.integer64(2)) throw NOT_AN_INTEGER
    const index = args.high * 0x100000000 + (args.low >>> 0)
    const { arena } = db
    const list = listStructure(arena, ref)
    if (!byteListSeek(arena, list, index, position)) throw INDEX_OUT_OF_RANGE
    byteListReplace(arena, list, position, args.bytes, args.offsets[3], args.lengths[3])
    db.changed(args, 1, 'lset')
    call.reply.ok()
  },
})

export const linsert = command({
  name: 'LINSERT',
  usage: 'key <where: BEFORE | AFTER> pivot element',
  summary: 'Puts an element before or after another one.',
  since: '2.2.0',
  complexity: 'O(N) where N is the number of elements before the pivot',
  flags: ['write', 'denyoom'],
  access: 'rw insert',
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    const after = args.is(2, 'AFTER')
    if (!after && !args.is(2, 'BEFORE')) throw SYNTAX
    const ref = db.writeTyped(args, 1, TYPE_LIST)
    if (ref === 0) return reply.integer(0)
    const { arena } = db
    const list = listStructure(arena, ref)
    listpackWant(args.bytes, args.offsets[3], args.lengths[3])
    let more = byteListSeek(arena, list, 0, position)
    while (more && !byteListMatches(position)) more = byteListNext(arena, position)
    if (!more) {
      byteListLeave(arena, position)
      return reply.integer(-1)
    }
    byteListInsert(arena, list, position, after, args.bytes, args.offsets[4], args.lengths[4])
    db.changed(args, 1, 'linsert')
    reply.integer(byteListCount(arena, list))
  },
})

export const lrem = command({
  name: 'LREM',
  usage: 'key count element',
  summary: 'Takes out elements that equal one.',
  since: '1.0.0',
  complexity: 'O(N+M) where N is the length of the list and M the number of elements removed',
  flags: ['write'],
  access: 'rw delete',
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    if (!args.integer64(2)) throw NOT_AN_INTEGER
    const count = args.high * 0x100000000 + (args.low >>> 0)
    const ref = db.writeTyped(args, 1, TYPE_LIST)
    if (ref === 0) return reply.integer(0)
    listpackWant(args.bytes, args.offsets[3], args.lengths[3])
    const list = listStructure(db.arena, ref)
    removed = 0
    let done = false
    try {
      removeWanted(db.arena, list, count)
      done = true
    } finally {
      const isEmpty = byteListCount(db.arena, list) === 0
      if (removed > 0) elementsRemoved(call, 1, ref, 'lrem', removed, isEmpty)
      if (removed > 0 && !done && call.propagation.active) {
        // There was no room to unpack a node, but for so many there was.
        call.propagateAs('LREM', args.copy(1), String(count < 0 ? -removed : removed), args.copy(3))
      }
    }
    reply.integer(removed)
  },
})

export const ltrim = command({
  name: 'LTRIM',
  usage: 'key start:integer stop:integer',
  summary: 'Keeps a range of a list only.',
  since: '1.0.0',
  complexity: 'O(N) where N is the number of elements removed',
  flags: ['write'],
  access: 'rw delete',
  reply: 'ok',

  run(call) {
    const { args, db, reply } = call
    if (!args.integer64(2)) throw NOT_AN_INTEGER
    let start = args.high * 0x100000000 + (args.low >>> 0)
    if (!args.integer64(3)) throw NOT_AN_INTEGER
    let stop = args.high * 0x100000000 + (args.low >>> 0)
    const ref = db.writeTyped(args, 1, TYPE_LIST)
    if (ref === 0) return reply.ok()
    const { arena } = db
    const list = listStructure(arena, ref)
    const count = byteListCount(arena, list)
    if (start < 0) start = Math.max(start + count, 0)
    if (stop < 0) stop += count
    if (stop >= count) stop = count - 1
    if (start > stop || start >= count) {
      elementsRemoved(call, 1, ref, 'ltrim', count, true)
      return reply.ok()
    }
    const behind = count - stop - 1
    byteListOpenRange(arena, list, stop + 1, behind)
    byteListOpenRange(arena, list, 0, start)
    let done = false
    try {
      byteListRemoveRange(arena, list, stop + 1, behind)
      byteListRemoveRange(arena, list, 0, start)
      done = true
    } finally {
      const gone = count - byteListCount(arena, list)
      if (done || gone > 0) elementsRemoved(call, 1, ref, 'ltrim', gone, false)
      // There was no room to unpack the node in which what is kept begins.
      if (!done && gone > 0) call.propagateAs('LTRIM', args.copy(1), '0', String(stop))
    }
    reply.ok()
  },
})

/** What LREM has taken out so far. */
let removed = 0

/** Takes out up to `count` of the wanted elements, from behind if it is negative; 0: all of them. */
function removeWanted(arena: Arena, list: Ref, count: number): void {
  const most = count === 0 ? Number.POSITIVE_INFINITY : Math.abs(count)
  if (count < 0) removeFromEnd(arena, list, most)
  else removeFromStart(arena, list, most)
  byteListLeave(arena, position)
}

function removeFromStart(arena: Arena, list: Ref, most: number): void {
  let more = byteListSeek(arena, list, 0, position)
  while (more && removed < most) {
    if (byteListMatches(position)) {
      more = byteListRemove(arena, list, position)
      removed++
    } else {
      more = byteListNext(arena, position)
    }
  }
}

function removeFromEnd(arena: Arena, list: Ref, most: number): void {
  let more = byteListSeek(arena, list, -1, position)
  while (more && removed < most) {
    if (!byteListMatches(position)) {
      more = byteListPrevious(arena, position)
      continue
    }
    const isLast = !byteListRemove(arena, list, position)
    removed++
    // After the one that follows comes, from behind, the one before.
    more = isLast ? byteListSeek(arena, list, -1, position) : byteListPrevious(arena, position)
  }
}
