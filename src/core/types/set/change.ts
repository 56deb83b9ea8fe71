/**
 * SADD, SREM, SMOVE: changing members that are named.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: leaves a key without members.
 */
import type { Ref } from '../../../memory/arena.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { NO_DEADLINE } from '../../keyspace/db.ts'
import { entryValueWord, TYPE_SET } from '../../keyspace/entry.ts'
import { Draft } from '../../keyspace/transfer.ts'
import { intsetCountMax } from './limits.ts'
import {
  encodingFor,
  SET_VALUE_SIZE,
  setAdd,
  setCount,
  setCreateStructure,
  setFreeStructure,
  setHas,
  setRemove,
} from './set.ts'

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
    const ref = before === 0 ? makeSet(call) : before
    const { arena } = db
    const most = intsetCountMax(call.server.settings)
    let added = 0
    let i = 2
    try {
      for (; i < args.count; i++) {
        if (setAdd(arena, ref, args, args.offsets[i], args.lengths[i], most)) added++
      }
    } catch (error) {
      if (added > 0) keepAdded(call, i, added)
      else if (before === 0) db.remove(ref)
      throw error
    }
    if (added > 0) countAdded(call, added)
    call.reply.integer(added)
  },
})

function countAdded(call: Call, added: number): void {
  call.db.changed(call.args, 1, 'sadd')
  call.keyspace.dirty += added - 1
}

/**
 * Memory ran out at argument `end`.
 * DIFFERS: the members before it stay; Redis would have been killed. What replicas and the AOF see
 * is what was added.
 */
// alloc: only when memory ended on the way
function keepAdded(call: Call, end: number, added: number): void {
  const { args } = call
  countAdded(call, added)
  if (!call.propagation.active) return
  const argv = Array.from({ length: end - 1 }, (_, at) => args.copy(at + 1))
  call.propagateAs('SADD', ...argv)
}

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
    let left = setCount(arena, ref)
    for (let i = 2; i < args.count && left > 0; i++) {
      if (!setRemove(arena, ref, args, args.offsets[i], args.lengths[i])) continue
      removed++
      left--
    }
    if (left === 0) db.remove(ref)
    if (removed > 0) {
      db.changed(args, 1, 'srem')
      call.keyspace.dirty += removed - 1
    }
    if (left === 0) db.alsoNotify(args, 1, 'del')
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
    const offset = args.offsets[3]
    const length = args.lengths[3]
    const from = db.writeTyped(args, 1, TYPE_SET)
    if (from === 0) return reply.integer(0)
    const fromArena = db.arena
    const to = db.writeTyped(args, 2, TYPE_SET)
    const there = setHas(fromArena, from, args, offset, length)
    if (!there || (from === to && fromArena === db.arena)) return reply.integer(there ? 1 : 0)

    // Added before it is removed: adding may fail. A new set is not to be seen until then.
    const most = intsetCountMax(call.server.settings)
    const draft = to === 0 ? draftTarget(call) : undefined
    const added = draft !== undefined || setAdd(db.arena, to, args, offset, length, most)
    setRemove(fromArena, from, args, offset, length)
    const empty = setCount(fromArena, from) === 0
    if (empty) db.remove(db.find(args, 1))
    db.changed(args, 1, 'srem')
    if (empty) db.alsoNotify(args, 1, 'del')
    draft?.adopt(0)
    if (added) db.changed(args, 2, 'sadd')
    reply.integer(1)
  },
})

/** A set of argument 3, for which the key of argument 2 has room. Throws: ARENA_FULL. */
function draftTarget(call: Call): Draft {
  const { args, db } = call
  const offset = args.offsets[3]
  const length = args.lengths[3]
  const hash = args.hash(2)
  db.keys.reserve(call.keyspace.arenaIndex(hash), hash)
  const draft = new Draft(db, args, 2, NO_DEADLINE) // alloc: for a new key only
  const arena = db.arenaOf(args, 2)
  const encoding = encodingFor(args, offset, length)
  const structure = setCreateStructure(arena, encoding, 1)
  let done = false
  try {
    const ref = draft.create(TYPE_SET, encoding, SET_VALUE_SIZE)
    arena.words[entryValueWord(arena, ref)] = structure
    setAdd(arena, ref, args, offset, length, intsetCountMax(call.server.settings))
    done = true
  } finally {
    if (!done && draft.ref !== 0) draft.discard()
    else if (!done) setFreeStructure(arena, structure, encoding)
  }
  return draft
}

/** A set without members for the key in argument 1, of the encoding for argument 2. */
function makeSet(call: Call): Ref {
  const { args, db } = call
  const encoding = encodingFor(args, args.offsets[2], args.lengths[2])
  const arena = db.arenaOf(args, 1)
  const structure = setCreateStructure(arena, encoding, args.count - 2)
  let ref = 0
  try {
    ref = db.create(args, 1, TYPE_SET, encoding, SET_VALUE_SIZE, NO_DEADLINE)
  } finally {
    if (ref === 0) setFreeStructure(arena, structure, encoding)
  }
  arena.words[entryValueWord(arena, ref)] = structure
  return ref
}
