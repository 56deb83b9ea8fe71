/**
 * SADD, SREM, SMOVE, SPOP and what reads one set.
 *
 * Thread: core. Hot path.
 * Owns: drawing members by chance.
 * Never: leaves a key without members.
 */
import { AlignedBytes } from '../../../memory/aligned.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteMapRandom, byteMapScan } from '../../../memory/byte-map.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, NOT_AN_INTEGER, OUT_OF_RANGE_POSITIVE, SYNTAX } from '../../engine/errors.ts'
import { NO_DEADLINE } from '../../keyspace/db.ts'
import { entryEncoding, entryValueWord, TYPE_SET } from '../../keyspace/entry.ts'
import { ElementScan, parseCursor } from '../../keyspace/scan.ts'
import {
  encodingFor,
  SET_INTSET,
  SET_TABLE,
  SET_VALUE_SIZE,
  SetCursor,
  setAdd,
  setContains,
  setCount,
  setCreateStructure,
  setRemove,
  setStructure,
} from './set.ts'
import { freeSetStructure } from './value.ts'

const COUNT_OUT_OF_RANGE = new CommandError(
  'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
)
const INT32_MIN = -0x80000000
/** A sample smaller than this share of a set is drawn; otherwise all are walked through. */
const DRAWN_SHARE = 3
/** Members that one SREM propagates. */
const PROPAGATED_COUNT_MAX = 1024

const cursor = new SetCursor()
const drawn = new SetCursor()
const scan = new ElementScan()
const scanned: Ref[] = []

export const sadd = command({
  name: 'SADD',
  usage: 'key member [member ...]',
  summary: 'Adds members to a set.',
  since: '1.0.0',
  complexity: 'O(1) for each member',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw insert',
  history: [['2.4.0', 'Several members at once.']],
  reply: 'integer',

  run(call) {
    const { args, db } = call
    const before = db.writeTyped(args, 1, TYPE_SET)
    const ref = before === 0 ? makeSet(call, 1, 2) : before
    const { arena } = db
    const most = call.server.settings.int('set-max-intset-entries')
    let added = 0
    try {
      for (let i = 2; i < args.count; i++) {
        if (setAdd(arena, ref, args, args.offsets[i], args.lengths[i], most)) added++
      }
    } finally {
      if (added > 0) {
        db.changed(args, 1, 'sadd')
        call.keyspace.dirty += added - 1
      } else if (before === 0) {
        db.remove(ref)
      }
    }
    call.reply.integer(added)
  },
})

export const srem = command({
  name: 'SREM',
  usage: 'key member [member ...]',
  summary: 'Takes members out of a set.',
  since: '1.0.0',
  complexity: 'O(1) for each member',
  flags: ['write', 'fast'],
  access: 'rw delete',
  history: [['2.4.0', 'Several members at once.']],
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    const ref = db.writeTyped(args, 1, TYPE_SET)
    if (ref === 0) return reply.integer(0)
    const { arena } = db
    let removed = 0
    let empty = false
    for (let i = 2; i < args.count && !empty; i++) {
      if (!setRemove(arena, ref, args, args.offsets[i], args.lengths[i])) continue
      removed++
      empty = setCount(arena, ref) === 0
    }
    if (empty) db.remove(ref)
    if (removed > 0) {
      db.changed(args, 1, 'srem')
      call.keyspace.dirty += removed - 1
    }
    if (empty) db.alsoNotify(args, 1, 'del')
    reply.integer(removed)
  },
})

export const smove = command({
  name: 'SMOVE',
  usage: 'source destination member',
  summary: 'Moves a member from one set to another.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['write', 'fast'],
  access: ['rw access delete', 'rw insert'],
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    const from = db.writeTyped(args, 1, TYPE_SET)
    if (from === 0) return reply.integer(0)
    const fromArena = db.arena
    const to = db.writeTyped(args, 2, TYPE_SET)
    const offset = args.offsets[3]
    const length = args.lengths[3]
    const there = setContains(fromArena, from, args, offset, length)
    if (!there || from === to) return reply.integer(there ? 1 : 0)

    // Added before it is removed: adding may fail.
    const target = to === 0 ? makeSet(call, 2, 3) : to
    const most = call.server.settings.int('set-max-intset-entries')
    let added = false
    let done = false
    try {
      added = setAdd(db.arena, target, args, offset, length, most)
      done = true
    } finally {
      if (!done && to === 0) db.remove(target)
    }
    setRemove(fromArena, from, args, offset, length)
    const empty = setCount(fromArena, from) === 0
    if (empty) {
      db.find(args, 1)
      db.remove(from)
    }
    db.changed(args, 1, 'srem')
    if (empty) db.alsoNotify(args, 1, 'del')
    if (added) db.changed(args, 2, 'sadd')
    reply.integer(1)
  },
})

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
    call.reply.integer(has(call, call.db.readTyped(call.args, 1, TYPE_SET), 2) ? 1 : 0)
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
    const { args, reply } = call
    const ref = call.db.readTyped(args, 1, TYPE_SET)
    reply.array(args.count - 2)
    for (let i = 2; i < args.count; i++) reply.integer(has(call, ref, i) ? 1 : 0)
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
    reply.set(ref === 0 ? 0 : setCount(db.arena, ref))
    if (ref === 0) return
    cursor.open(db.arena, ref)
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

  // alloc: a walk of many calls, with a text for each cursor
  run(call) {
    const { args, db, reply } = call
    const from = parseCursor(args, 2)
    const ref = db.readTyped(args, 1, TYPE_SET)
    if (ref !== 0) scan.parse(args, 3)
    const { arena } = db
    const found: Buffer[] = []
    const keep = () => {
      const { bytes, offset, length } = cursor
      if (scan.matches(bytes, offset, length)) {
        found.push(Buffer.from(bytes.subarray(offset, offset + length))) // alloc: as said
      }
    }
    let next = 0
    if (ref !== 0 && entryEncoding(arena, ref) === SET_TABLE) {
      scanned.length = 0
      next = byteMapScan(arena, setStructure(arena, ref), from, scan.count, scanned)
      for (const entry of scanned) {
        cursor.openEntry(arena, entry)
        keep()
      }
    } else if (ref !== 0) {
      cursor.open(arena, ref)
      while (cursor.next()) keep()
    }
    reply.array(2)
    reply.bulkText(String(next))
    reply.array(found.length)
    for (const bytes of found) reply.bulkBytes(bytes)
  },
})

export const srandmember = command({
  name: 'SRANDMEMBER',
  usage: 'key [count]@2.6.0',
  summary: 'Gives members chosen by chance.',
  since: '1.0.0',
  complexity: 'O(N) where N is the number of members wanted',
  flags: ['readonly'],
  access: 'ro access',
  tips: ['nondeterministic_output'],
  history: [['2.6.0', 'A count came.']],
  reply: 'any',

  run(call) {
    const { args, db, reply } = call
    if (args.count > 3) throw SYNTAX
    if (args.count === 2) {
      const ref = db.readTyped(args, 1, TYPE_SET)
      if (ref === 0) return reply.nil()
      draw(call, db.arena, ref)
      return reply.bulk(drawn.bytes, drawn.offset, drawn.length)
    }
    if (!args.integer64(2)) throw NOT_AN_INTEGER
    if (args.high === INT32_MIN && args.low === 0) throw COUNT_OUT_OF_RANGE
    const count = args.high * 0x100000000 + (args.low >>> 0)
    const ref = db.readTyped(args, 1, TYPE_SET)
    if (ref === 0 || count === 0) return reply.array(0)
    const { arena } = db
    if (count < 0) {
      reply.array(-count)
      for (let i = 0; i < -count; i++) {
        draw(call, arena, ref)
        reply.bulk(drawn.bytes, drawn.offset, drawn.length)
      }
      return
    }
    const members = sample(call, arena, ref, count)
    reply.array(members.length)
    for (let i = 0; i < members.length; i++) reply.bulkBytes(members[i])
  },
})

export const spop = command({
  name: 'SPOP',
  usage: 'key [count]@3.2.0',
  summary: 'Takes members out of a set by chance, and gives them.',
  since: '1.0.0',
  complexity: 'O(N) where N is the number of members wanted',
  flags: ['write', 'fast'],
  access: 'rw access delete',
  tips: ['nondeterministic_output'],
  history: [['3.2.0', 'A count came.']],
  reply: 'any',

  run(call) {
    const { args, db, reply } = call
    if (args.count > 3) throw SYNTAX
    if (args.count === 3) return popSeveral(call)
    const ref = db.writeTyped(args, 1, TYPE_SET)
    if (ref === 0) return reply.nil()
    const { arena } = db
    draw(call, arena, ref)
    reply.bulk(drawn.bytes, drawn.offset, drawn.length)
    if (call.propagation.active) {
      const end = drawn.offset + drawn.length
      const member = Buffer.from(drawn.bytes.subarray(drawn.offset, end)) // alloc: for the AOF
      call.propagateAs('SREM', args.copy(1), member)
    }
    setRemove(arena, ref, drawn, drawn.offset, drawn.length)
    const empty = setCount(arena, ref) === 0
    if (empty) db.remove(ref)
    db.changed(args, 1, 'spop')
    if (empty) db.alsoNotify(args, 1, 'del')
  },
})

// alloc: lists of what was drawn
function popSeveral(call: Call): void {
  const { args, db, reply } = call
  if (!args.integer64(2)) throw OUT_OF_RANGE_POSITIVE
  const count = args.high * 0x100000000 + (args.low >>> 0)
  if (count < 0) throw OUT_OF_RANGE_POSITIVE
  const ref = db.writeTyped(args, 1, TYPE_SET)
  if (ref === 0 || count === 0) return reply.set(0)
  const { arena } = db
  const members = sample(call, arena, ref, count)
  const all = members.length === setCount(arena, ref)
  reply.set(members.length)
  for (const member of members) reply.bulkBytes(member)
  if (all) {
    db.remove(ref)
  } else {
    for (const member of members) {
      cursorOf(member)
      setRemove(arena, ref, text, 0, member.length)
    }
  }
  db.changed(args, 1, 'spop')
  call.keyspace.dirty += members.length - 1
  if (all) db.alsoNotify(args, 1, 'del')
  if (!call.propagation.active) return
  if (all) {
    const lazy = call.server.settings.bool('lazyfree-lazy-server-del')
    return call.propagateAs(lazy ? 'UNLINK' : 'DEL', args.copy(1))
  }
  for (let i = 0; i < members.length; i += PROPAGATED_COUNT_MAX) {
    call.propagateAs('SREM', args.copy(1), ...members.slice(i, i + PROPAGATED_COUNT_MAX))
  }
}

const text = new AlignedBytes()

function cursorOf(member: Buffer): void {
  text.set(member, 0, member.length)
}

function has(call: Call, ref: Ref, index: number): boolean {
  const { args, db } = call
  return ref !== 0 && setContains(db.arena, ref, args, args.offsets[index], args.lengths[index])
}

/** A set without members for the key in argument `key`, of the encoding for argument `member`. */
export function makeSet(call: Call, key: number, member: number): Ref {
  const { args, db } = call
  const encoding = encodingFor(args, args.offsets[member], args.lengths[member])
  const arena = db.arenaOf(args, key)
  const structure = setCreateStructure(arena, encoding)
  let ref = 0
  try {
    ref = db.create(args, key, TYPE_SET, encoding, SET_VALUE_SIZE, NO_DEADLINE)
  } finally {
    if (ref === 0) freeSetStructure(arena, structure, encoding)
  }
  arena.words[entryValueWord(arena, ref)] = structure
  return ref
}

/** Draws one member into `drawn`. */
// alloc: chance
function draw(call: Call, arena: Arena, ref: Ref): void {
  const { random } = call.server
  const structure = setStructure(arena, ref)
  if (entryEncoding(arena, ref) === SET_INTSET) {
    drawn.openInteger(arena, structure, random.below(setCount(arena, ref)))
  } else {
    drawn.openEntry(
      arena,
      byteMapRandom(arena, structure, () => random.fraction()),
    )
  }
}

/** Up to `count` different members by chance. */
// alloc: lists of what was drawn
function sample(call: Call, arena: Arena, ref: Ref, count: number): Buffer[] {
  const size = setCount(arena, ref)
  const wanted = Math.min(count, size)
  const { random } = call.server
  const members: Buffer[] = []
  const take = (from: SetCursor) => {
    const end = from.offset + from.length
    members.push(Buffer.from(from.bytes.subarray(from.offset, end))) // alloc: as said
  }
  if (entryEncoding(arena, ref) === SET_TABLE && wanted * DRAWN_SHARE <= size) {
    const entries = new Set<Ref>()
    const map = setStructure(arena, ref)
    while (entries.size < wanted) entries.add(byteMapRandom(arena, map, () => random.fraction()))
    for (const entry of entries) {
      drawn.openEntry(arena, entry)
      take(drawn)
    }
    return members
  }
  // Walks once: each is taken with the chance that is left for it.
  cursor.open(arena, ref)
  let left = size
  while (members.length < wanted && cursor.next()) {
    if (random.below(left--) < wanted - members.length) take(cursor)
  }
  return members
}
