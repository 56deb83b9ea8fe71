/**
 * Reading hashes: one field, several, all, some of them by chance or by and by.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: changes a hash.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteMapRandom, byteMapScan } from '../../../memory/byte-map.ts'
import { entryKeyLength, entryKeyOffset } from '../../../memory/entry.ts'
import {
  ListpackElement,
  listpackFirst,
  listpackNext,
  listpackRead,
  listpackSeek,
} from '../../../memory/listpack.ts'
import { MAP_SLOT_WORDS, MapCursor } from '../../../memory/map-cursor.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'
import { entryEncoding, TYPE_HASH } from '../../keyspace/entry.ts'
import { ElementScan, parseCursor } from '../../keyspace/scan.ts'
import {
  HashCursor,
  hashCount,
  hashMapOrPack,
  hashSeenCount,
  hashStructure,
  isHashTable,
  isTimedHash,
} from './hash.ts'
import { findField, lookupEmptied } from './lookup.ts'
import { readValue } from './table.ts'
import { HASH_LISTPACK, HASH_TABLE, isHidden } from './timed.ts'
import { TIMED_STRIDE } from './timed-pack.ts'
import { entryEnd } from './timed-table.ts'

const OUT_OF_RANGE = new CommandError('ERR value is out of range')
const COUNT_OUT_OF_RANGE = new CommandError(
  'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807',
)
const INT32_MIN = -0x80000000
const RANDOM_COUNT_MAX = 2 ** 62
/** A sample smaller than this share of a hash is drawn; otherwise all are gathered first. */
const DRAWN_SHARE = 3

const field = new ListpackElement()
const value = new ListpackElement()
const cursor = new HashCursor()
const entries = new MapCursor()
const scan = new ElementScan()
const scanned: Ref[] = []

export const hget = command({
  name: 'HGET',
  usage: 'key field',
  summary: 'Gives the value of a field.',
  since: '2.0.0',
  complexity: 'O(1)',
  flags: ['readonly', 'fast'],
  access: 'ro access',
  reply: 'bulk | nil',

  run(call) {
    const ref = call.db.readTyped(call.args, 1, TYPE_HASH)
    if (ref !== 0 && findField(call, ref, 2, value)) bulk(call.reply, value)
    else call.reply.nil()
  },
})

export const hmget = command({
  name: 'HMGET',
  usage: 'key field [field ...]',
  summary: 'Gives the values of several fields.',
  since: '2.0.0',
  complexity: 'O(N) where N is the number of fields',
  flags: ['readonly', 'fast'],
  access: 'ro access',
  reply: 'array',

  run(call) {
    const { args, reply } = call
    let ref = call.db.readTyped(args, 1, TYPE_HASH)
    reply.array(args.count - 2)
    for (let i = 2; i < args.count; i++) {
      if (ref !== 0 && findField(call, ref, i, value)) bulk(reply, value)
      else {
        reply.nil()
        if (ref !== 0 && lookupEmptied()) ref = 0
      }
    }
  },
})

export const hexists = command({
  name: 'HEXISTS',
  usage: 'key field',
  summary: 'Tells whether a hash has a field.',
  since: '2.0.0',
  complexity: 'O(1)',
  flags: ['readonly', 'fast'],
  access: 'ro',
  reply: 'integer',

  run(call) {
    const ref = call.db.readTyped(call.args, 1, TYPE_HASH)
    call.reply.integer(ref !== 0 && findField(call, ref, 2, value) ? 1 : 0)
  },
})

export const hstrlen = command({
  name: 'HSTRLEN',
  usage: 'key field',
  summary: "Gives the length of a field's value.",
  since: '3.2.0',
  complexity: 'O(1)',
  flags: ['readonly', 'fast'],
  access: 'ro',
  reply: 'integer',

  run(call) {
    const ref = call.db.readTyped(call.args, 1, TYPE_HASH)
    call.reply.integer(ref !== 0 && findField(call, ref, 2, value) ? value.length : 0)
  },
})

export const hlen = command({
  name: 'HLEN',
  usage: 'key',
  summary: 'Gives the number of fields.',
  since: '2.0.0',
  complexity: 'O(1)',
  flags: ['readonly', 'fast'],
  access: 'ro',
  reply: 'integer',

  run(call) {
    const { db } = call
    const ref = db.readTyped(call.args, 1, TYPE_HASH)
    if (ref === 0) return call.reply.integer(0)
    // QUIRK: while DEBUG has switched active expiry off, fields whose time is over count.
    const all = !isTimedHash(db.arena, ref) || !call.keyspace.activeExpire
    call.reply.integer(all ? hashCount(db.arena, ref) : hashSeenCount(db.arena, ref))
  },
})

export const hgetall = command({
  name: 'HGETALL',
  usage: 'key',
  summary: 'Gives all fields and their values.',
  since: '2.0.0',
  complexity: 'O(N) where N is the number of fields',
  flags: ['readonly'],
  access: 'ro access',
  tips: ['nondeterministic_output_order'],
  reply: 'map',

  run(call) {
    const { db, reply } = call
    const ref = db.readTyped(call.args, 1, TYPE_HASH)
    reply.map(ref === 0 ? 0 : hashSeenCount(db.arena, ref)) // alloc: none, a header is written
    if (ref === 0) return
    const { arena } = db
    if (entryEncoding(arena, ref) === HASH_LISTPACK) {
      reply.packed(arena, listpackFirst(arena, hashStructure(arena, ref)), Number.MAX_SAFE_INTEGER)
      return
    }
    cursor.open(arena, ref, false)
    while (cursor.next()) {
      reply.bulk(cursor.bytes, cursor.offset, cursor.length)
      bulk(reply, cursor.value)
    }
  },
})

export const hkeys = command({
  name: 'HKEYS',
  usage: 'key',
  summary: 'Gives all fields.',
  since: '2.0.0',
  complexity: 'O(N) where N is the number of fields',
  flags: ['readonly'],
  access: 'ro access',
  tips: ['nondeterministic_output_order'],
  reply: 'array of bulk',

  run(call) {
    const { db, reply } = call
    const ref = db.readTyped(call.args, 1, TYPE_HASH)
    const { arena } = db
    reply.array(ref === 0 ? 0 : hashSeenCount(arena, ref))
    if (ref === 0) return
    if (entryEncoding(arena, ref) === HASH_TABLE) {
      entries.open(arena, hashStructure(arena, ref))
      while (entries.nextSegment()) reply.keys(arena, entries.refsAt, MAP_SLOT_WORDS, entries.count)
      return
    }
    cursor.open(arena, ref, false)
    while (cursor.next()) reply.bulk(cursor.bytes, cursor.offset, cursor.length)
  },
})

export const hvals = command({
  name: 'HVALS',
  usage: 'key',
  summary: 'Gives the values of all fields.',
  since: '2.0.0',
  complexity: 'O(N) where N is the number of fields',
  flags: ['readonly'],
  access: 'ro access',
  tips: ['nondeterministic_output_order'],
  reply: 'array of bulk',

  run(call) {
    const { db, reply } = call
    const ref = db.readTyped(call.args, 1, TYPE_HASH)
    reply.array(ref === 0 ? 0 : hashSeenCount(db.arena, ref))
    if (ref === 0) return
    cursor.open(db.arena, ref, false)
    while (cursor.next()) bulk(reply, cursor.value)
  },
})

export const hscan = command({
  name: 'HSCAN',
  usage: 'key cursor [MATCH pattern] [COUNT count]',
  summary: 'Walks through the fields of a hash, some at each call.',
  since: '2.8.0',
  complexity: 'O(1) for each call, O(N) for all N fields',
  flags: ['readonly'],
  access: 'ro access',
  tips: ['nondeterministic_output'],
  reply: 'array of any',

  // alloc: a walk of many calls, with a text for each cursor
  run(call) {
    const { args, db, reply } = call
    const from = parseCursor(args, 2)
    const ref = db.readTyped(args, 1, TYPE_HASH)
    if (ref === 0) {
      reply.array(2)
      reply.bulkText('0')
      return reply.array(0)
    }
    const { arena } = db
    // NOVALUES came with Redis 7.4.
    let withValues = true
    scan.parse(args, 3, (index) => {
      if (!args.is(index, 'NOVALUES')) return false
      withValues = false
      return true
    })
    const found: Buffer[] = []
    const keep = (bytes: Buffer, offset: number, length: number) =>
      found.push(Buffer.from(bytes.subarray(offset, offset + length)))
    let next = 0
    if (isHashTable(arena, ref)) {
      const isTimed = isTimedHash(arena, ref)
      scanned.length = 0
      next = byteMapScan(arena, hashMapOrPack(arena, ref), from, scan.count, scanned)
      for (const entry of scanned) {
        if (isTimed && isHidden(entryEnd(arena, entry))) continue
        const offset = entryKeyOffset(entry)
        const length = entryKeyLength(arena, entry)
        if (!scan.matches(arena.bytes, offset, length)) continue
        keep(arena.bytes, offset, length)
        readValue(arena, entry, value)
        if (withValues) keep(value.bytes, value.offset, value.length)
      }
    } else {
      cursor.open(arena, ref, false)
      while (cursor.next()) {
        if (!scan.matches(cursor.bytes, cursor.offset, cursor.length)) continue
        keep(cursor.bytes, cursor.offset, cursor.length)
        if (withValues) keep(cursor.value.bytes, cursor.value.offset, cursor.value.length)
      }
    }
    reply.array(2)
    reply.bulkText(String(next))
    reply.array(found.length)
    for (const bytes of found) reply.bulkBytes(bytes)
  },
})

export const hrandfield = command({
  name: 'HRANDFIELD',
  usage: 'key [options: count [WITHVALUES]]',
  summary: 'Gives fields chosen by chance.',
  since: '6.2.0',
  complexity: 'O(N) where N is the number of fields wanted',
  flags: ['readonly'],
  access: 'ro access',
  tips: ['nondeterministic_output'],
  reply: 'any',

  // alloc: lists of what was drawn
  run(call) {
    const { args, db, reply } = call
    if (args.count === 2) {
      const ref = hashForDrawing(call)
      if (ref === 0) return reply.nil()
      drawOne(call, db.arena, ref)
      return bulk(reply, field)
    }
    if (!args.integer64(2)) throw NOT_AN_INTEGER
    const count = args.high * 0x100000000 + (args.low >>> 0)
    if (args.high === INT32_MIN && args.low === 0) throw COUNT_OUT_OF_RANGE
    if (args.count > 4 || (args.count === 4 && !args.is(3, 'WITHVALUES'))) throw SYNTAX
    const withValues = args.count === 4
    if (withValues && Math.abs(count) > RANDOM_COUNT_MAX) throw OUT_OF_RANGE
    const ref = hashForDrawing(call)
    if (ref === 0 || count === 0) return reply.array(0)
    if (count < 0) drawRepeatedly(call, db.arena, ref, -count, withValues)
    else drawDistinct(call, db.arena, ref, count, withValues)
  },
})

/**
 * The hash, without fields whose time is over; 0 when there is none.
 * QUIRK: where nothing may be deleted, these are drawn like others.
 */
function hashForDrawing({ args, db, keyspace }: Call): Ref {
  const ref = db.readTyped(args, 1, TYPE_HASH)
  if (ref === 0 || !isTimedHash(db.arena, ref) || !keyspace.expireByDeletion) return ref
  return db.elements.expire(ref, Number.POSITIVE_INFINITY) < 0 ? 0 : ref
}

function bulk(reply: Reply, element: ListpackElement): void {
  reply.bulk(element.bytes, element.offset, element.length)
}

/** Draws one field into `field` and `value`. */
function drawOne(call: Call, arena: Arena, ref: Ref): void {
  const structure = hashMapOrPack(arena, ref)
  const { random } = call.server
  if (isHashTable(arena, ref)) {
    openEntry(
      arena,
      byteMapRandom(arena, structure, () => random.fraction()),
    ) // alloc: chance
    return
  }
  const stride = isTimedHash(arena, ref) ? TIMED_STRIDE : 2
  const at = listpackSeek(arena, structure, stride * random.below(hashCount(arena, ref)))
  listpackRead(arena, at, field)
  listpackRead(arena, listpackNext(arena, at), value)
}

function openEntry(arena: Arena, entry: Ref): void {
  field.bytes = arena.bytes
  field.offset = entryKeyOffset(entry)
  field.length = entryKeyLength(arena, entry)
  readValue(arena, entry, value)
}

function drawRepeatedly(
  call: Call,
  arena: Arena,
  ref: Ref,
  count: number,
  withValues: boolean,
): void {
  header(call.reply, count, withValues)
  for (let i = 0; i < count; i++) {
    drawOne(call, arena, ref)
    pair(call.reply, withValues)
    if (call.reply.isVain) return
  }
}

// alloc: lists of what was drawn
function drawDistinct(
  call: Call,
  arena: Arena,
  ref: Ref,
  count: number,
  withValues: boolean,
): void {
  const size = hashCount(arena, ref)
  const wanted = Math.min(count, size)
  const { random } = call.server
  header(call.reply, wanted, withValues)
  if (isHashTable(arena, ref) && wanted * DRAWN_SHARE <= size) {
    const drawn = new Set<Ref>()
    const map = hashMapOrPack(arena, ref)
    while (drawn.size < wanted) drawn.add(byteMapRandom(arena, map, () => random.fraction()))
    for (const entry of drawn) {
      openEntry(arena, entry)
      pair(call.reply, withValues)
    }
    return
  }
  // Walks once: each is taken with the chance that is left for it.
  cursor.open(arena, ref, true)
  let left = size
  let missing = wanted
  while (missing > 0 && cursor.next()) {
    if (random.below(left--) >= missing) continue
    missing--
    field.bytes = cursor.bytes
    field.offset = cursor.offset
    field.length = cursor.length
    value.bytes = cursor.value.bytes
    value.offset = cursor.value.offset
    value.length = cursor.value.length
    pair(call.reply, withValues)
  }
}

function header(reply: Reply, count: number, withValues: boolean): void {
  reply.array(withValues && reply.protocol === 2 ? count * 2 : count)
}

function pair(reply: Reply, withValues: boolean): void {
  if (withValues && reply.protocol === 3) reply.array(2)
  bulk(reply, field)
  if (withValues) bulk(reply, value)
}
