/**
 * LPUSH, RPUSH, LPUSHX, RPUSHX, LSET, LINSERT, LREM, LTRIM: changing lists in place.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: leaves a key without elements.
 */
import {
  byteListCount,
  byteListInsert,
  byteListNext,
  byteListPrevious,
  byteListPush,
  byteListRemove,
  byteListRemoveRange,
  byteListReplace,
  byteListSeek,
  ListPosition,
} from '../../../memory/byte-list.ts'
import { listpackEquals } from '../../../memory/listpack.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { INDEX_OUT_OF_RANGE, NO_SUCH_KEY, NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'
import { TYPE_LIST } from '../../keyspace/entry.ts'
import { listStructure, makeList } from './list.ts'

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
      const limit = call.server.settings.int('list-max-listpack-size')
      let added = 0
      try {
        for (let i = 2; i < args.count; i++) {
          byteListPush(arena, list, atEnd, args.bytes, args.offsets[i], args.lengths[i], limit)
          added++
        }
      } finally {
        if (added > 0) {
          db.changed(args, 1, event)
          call.keyspace.dirty += added - 1
        } else if (before === 0) {
          db.remove(ref)
        }
      }
      reply.integer(byteListCount(arena, list))
    },
  })
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
    if (!byteListSeek(arena, listStructure(arena, ref), index, position)) throw INDEX_OUT_OF_RANGE
    byteListReplace(arena, position, args.bytes, args.offsets[3], args.lengths[3])
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
    let more = byteListSeek(arena, list, 0, position)
    while (more && !isArgument(call, 3)) more = byteListNext(arena, position)
    if (!more) return reply.integer(-1)
    const limit = call.server.settings.int('list-max-listpack-size')
    const offset = args.offsets[4]
    byteListInsert(arena, list, position, after, args.bytes, offset, args.lengths[4], limit)
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
    const list = listStructure(db.arena, ref)
    const most = count === 0 ? Number.POSITIVE_INFINITY : Math.abs(count)
    const removed = count < 0 ? removeFromEnd(call, list, most) : removeFromStart(call, list, most)
    const empty = byteListCount(db.arena, list) === 0
    if (empty) db.remove(ref)
    if (removed > 0) {
      db.changed(args, 1, 'lrem')
      call.keyspace.dirty += removed - 1
    }
    if (empty) db.alsoNotify(args, 1, 'del')
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
    const empty = start > stop || start >= count
    const kept = empty ? 0 : stop - start + 1
    if (empty) {
      db.remove(ref)
    } else {
      byteListRemoveRange(arena, list, stop + 1, count - stop - 1)
      byteListRemoveRange(arena, list, 0, start)
    }
    db.changed(args, 1, 'ltrim')
    call.keyspace.dirty += count - kept - 1
    if (empty) db.alsoNotify(args, 1, 'del')
    reply.ok()
  },
})

function removeFromStart(call: Call, list: number, most: number): number {
  const { arena } = call.db
  let removed = 0
  let more = byteListSeek(arena, list, 0, position)
  while (more && removed < most) {
    if (isArgument(call, 3)) {
      more = byteListRemove(arena, list, position)
      removed++
    } else {
      more = byteListNext(arena, position)
    }
  }
  return removed
}

function removeFromEnd(call: Call, list: number, most: number): number {
  const { arena } = call.db
  let removed = 0
  let more = byteListSeek(arena, list, -1, position)
  while (more && removed < most) {
    if (!isArgument(call, 3)) {
      more = byteListPrevious(arena, position)
      continue
    }
    removed++
    // After the one that follows comes, from behind, the one before.
    if (byteListRemove(arena, list, position)) more = byteListPrevious(arena, position)
    else more = byteListSeek(arena, list, -1, position)
  }
  return removed
}

/** True when the element at the position is the argument. */
function isArgument(call: Call, index: number): boolean {
  const { args, db } = call
  return listpackEquals(db.arena, position.at, args.bytes, args.offsets[index], args.lengths[index])
}
