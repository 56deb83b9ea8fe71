/**
 * SPOP and SRANDMEMBER, and drawing members by chance.
 *
 * Thread: core. Hot path.
 * Owns: how members are drawn.
 * Never: prefers a member; leaves a key without members.
 */
import { Random } from '../../../lib/random.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteMapRandom, byteMapRemove } from '../../../memory/byte-map.ts'
import {
  intsetGet,
  intsetHigh,
  intsetLow,
  intsetRemove,
  intsetRemoveAt,
} from '../../../memory/intset.ts'
import { MapCursor } from '../../../memory/map-cursor.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, NOT_AN_INTEGER, OUT_OF_RANGE_POSITIVE, SYNTAX } from '../../engine/errors.ts'
import { entryEncoding, entryValueWord, TYPE_SET } from '../../keyspace/entry.ts'
import { Found } from './found.ts'
import { Member } from './member.ts'
import { SET_TABLE, SetCursor, setCount, setStructure } from './set.ts'

const COUNT_OUT_OF_RANGE = new CommandError(
  'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
)
const INT32_MIN = -0x80000000
/** Fewer than one in so many are drawn one by one; for more all members are walked through. */
const DRAWN_SHARE = 3

const member = new Member()
const cursor = new SetCursor()
const walk = new MapCursor()
const found = new Found()

let random = new Random(0)
const fraction = () => random.fraction()

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
    if (args.count === 3) return replySeveral(call)
    const ref = db.readTyped(args, 1, TYPE_SET)
    if (ref === 0) return reply.nil()
    random = call.server.random
    draw(db.arena, ref)
    member.show()
    reply.bulk(member.bytes, member.offset, member.length)
  },
})

function replySeveral(call: Call): void {
  const { args, db, reply } = call
  if (!args.integer64(2)) throw NOT_AN_INTEGER
  if (args.high === INT32_MIN && args.low === 0) throw COUNT_OUT_OF_RANGE
  const count = args.high * 0x100000000 + (args.low >>> 0)
  const ref = db.readTyped(args, 1, TYPE_SET)
  if (ref === 0 || count === 0) return reply.array(0)
  const { arena } = db
  random = call.server.random
  if (count < 0) {
    reply.array(-count)
    for (let i = 0; i < -count; i++) {
      draw(arena, ref)
      member.show()
      reply.bulk(member.bytes, member.offset, member.length)
      if (reply.isVain) return
    }
    return
  }
  if (count >= setCount(arena, ref)) {
    reply.array(setCount(arena, ref))
    return replyAll(call, arena, ref)
  }
  drawSeveral(arena, ref, count)
  reply.array(found.count)
  found.reply(reply)
}

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
    random = call.server.random
    const place = draw(arena, ref)
    member.show()
    reply.bulk(member.bytes, member.offset, member.length)
    if (call.propagation.active) propagateRemoval(call)
    removeDrawn(arena, ref, place)
    const empty = setCount(arena, ref) === 0
    if (empty) db.remove(ref)
    db.changed(args, 1, 'spop')
    if (empty) db.alsoNotify(args, 1, 'del')
  },
})

function popSeveral(call: Call): void {
  const { args, db, reply } = call
  if (!args.integer64(2) || args.high < 0) throw OUT_OF_RANGE_POSITIVE
  const count = args.high * 0x100000000 + (args.low >>> 0)
  const ref = db.writeTyped(args, 1, TYPE_SET)
  if (ref === 0 || count === 0) return reply.set(0)
  const { arena } = db
  const size = setCount(arena, ref)
  if (count >= size) {
    reply.set(size)
    replyAll(call, arena, ref)
    db.remove(ref)
    db.changed(args, 1, 'spop')
    call.keyspace.dirty += size - 1
    db.alsoNotify(args, 1, 'del')
    if (call.propagation.active) call.propagateAs('DEL', args.copy(1))
    return
  }
  random = call.server.random
  drawSeveral(arena, ref, count)
  reply.set(count)
  found.reply(reply)
  if (call.propagation.active) {
    for (let i = 0; i < found.count; i++) {
      found.read(i, member)
      propagateRemoval(call)
    }
  }
  removeFound(arena, ref)
  db.changed(args, 1, 'spop')
  call.keyspace.dirty += count - 1
}

/** Replicas and the AOF see which member went: SREM, one for each as in Redis 7.0. */
// alloc: for the AOF and replicas
function propagateRemoval(call: Call): void {
  member.show()
  const { bytes, offset, length } = member
  call.propagateAs('SREM', call.args.copy(1), Buffer.from(bytes.subarray(offset, offset + length)))
}

function replyAll(call: Call, arena: Arena, ref: Ref): void {
  const { reply } = call
  cursor.open(arena, ref)
  while (cursor.next()) reply.bulk(cursor.bytes, cursor.offset, cursor.length)
}

/** Draws one into `member`. Gives its entry in a map. */
function draw(arena: Arena, ref: Ref): Ref {
  const structure = setStructure(arena, ref)
  if (entryEncoding(arena, ref) === SET_TABLE) {
    const entry = byteMapRandom(arena, structure, fraction)
    member.openEntry(arena, entry)
    return entry
  }
  intsetGet(arena, structure, random.below(setCount(arena, ref)))
  member.openInteger(intsetHigh(), intsetLow())
  return 0
}

/** Takes out what `draw` has drawn. */
function removeDrawn(arena: Arena, ref: Ref, entry: Ref): void {
  const word = entryValueWord(arena, ref)
  const structure = arena.words[word]
  if (entry !== 0) {
    byteMapRemove(arena, structure, member.hash(arena.hashSeed), entry)
    arena.free(entry)
  } else {
    arena.words[word] = intsetRemove(arena, structure, member.high, member.low)
  }
}

/**
 * Puts `count` different members into `found`, fewer than there are; of an intset in order. Few are
 * drawn again when they come twice; many are chosen on one walk through all, where each is taken
 * with the chance that is left for it.
 */
function drawSeveral(arena: Arena, ref: Ref, count: number): void {
  const structure = setStructure(arena, ref)
  const isTable = entryEncoding(arena, ref) === SET_TABLE
  const size = setCount(arena, ref)
  found.open(arena, structure, isTable)
  if (count * DRAWN_SHARE <= size) return drawFew(arena, structure, isTable, size, count)
  const { places } = found
  if (isTable) walk.open(arena, structure)
  for (let left = size; places.length < count; left--) {
    const place = isTable ? walk.next() : size - left
    if (random.below(left) < count - places.length) places.push(place)
  }
}

// alloc: what was drawn already
function drawFew(
  arena: Arena,
  structure: Ref,
  isTable: boolean,
  size: number,
  count: number,
): void {
  const { places } = found
  const drawn = new Set<number>()
  while (drawn.size < count) {
    drawn.add(isTable ? byteMapRandom(arena, structure, fraction) : random.below(size))
  }
  drawn.forEach((place) => {
    places.push(place)
  })
  if (!isTable) places.sort((a, b) => a - b)
}

/** Takes out what `drawSeveral` has found. */
function removeFound(arena: Arena, ref: Ref): void {
  const word = entryValueWord(arena, ref)
  const structure = arena.words[word]
  const { places } = found
  if (!found.isTable) {
    arena.words[word] = intsetRemoveAt(arena, structure, places)
    return
  }
  for (let i = 0; i < places.length; i++) {
    const entry = places[i]
    member.openEntry(arena, entry)
    byteMapRemove(arena, structure, member.hash(arena.hashSeed), entry)
    arena.free(entry)
  }
}
