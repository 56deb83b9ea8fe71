/**
 * KEYS, SCAN, RANDOMKEY: finding keys without knowing their names.
 *
 * Thread: core.
 * Owns: the lists that keys are gathered in.
 * Never: shows a key whose time is over.
 */
import { matchGlob } from '../../lib/glob.ts'
import type { Arena, Ref } from '../../memory/arena.ts'
import { entryKeyLength, entryKeyOffset } from '../../memory/entry.ts'
import { command } from '../command/command.ts'
import type { Args } from '../engine/args.ts'
import type { Call } from '../engine/call.ts'
import { INVALID_CURSOR, NOT_AN_INTEGER, SYNTAX } from '../engine/errors.ts'
import type { Db } from './db.ts'
import { entryType } from './entry.ts'
import { valueType } from './value.ts'

const SCAN_COUNT_DEFAULT = 10
/** Of keys that are over but may not be deleted, so many are drawn before one is shown. */
const RANDOM_TRIES_MAX = 100

const UINT64_MAX = 2n ** 64n - 1n

const STAR = 42
const QUESTION = 63
const BRACKET = 91
const BACKSLASH = 92

/** Keys found, each with the arena of its entry. */
const foundRefs: Ref[] = []
const foundArenas: Arena[] = []

export const keysCommand = command({
  name: 'KEYS',
  usage: 'pattern',
  summary: 'Lists the keys whose names match a pattern.',
  since: '1.0.0',
  complexity: 'O(N) for N keys in the database, O(1) for a pattern without wildcards',
  flags: ['readonly'],
  categories: ['dangerous'],
  tips: ['request_policy:all_shards', 'nondeterministic_output_order'],
  reply: 'array of bulk',

  run(call) {
    const { args, db } = call
    forgetFound()
    if (isPlain(args, 1)) {
      const ref = db.peek(args, 1)
      if (ref !== 0) found(db, ref)
    } else {
      const all = isStar(args, 1)
      db.forEach((ref) => {
        if ((all || matches(args, 1, db.arena, ref)) && !db.isExpired(ref)) found(db, ref)
      })
    }
    replyFound(call)
  },
})

export const scanCommand = command({
  name: 'SCAN',
  usage: 'cursor [MATCH pattern] [COUNT count] [TYPE type]@6.0.0',
  summary: 'Walks through the keys of a database, some at each call.',
  since: '2.8.0',
  complexity: 'O(1) for each call, O(N) for all N keys',
  flags: ['readonly'],
  tips: ['nondeterministic_output', 'request_policy:special'],
  history: [['6.0.0', 'TYPE came.']],
  reply: 'array of any',

  run(call) {
    call.propagation.apart()
    const { args, db, reply } = call
    const cursor = parseCursor(args, 1)
    let patternIndex = 0
    let typeName: string | undefined
    let count = SCAN_COUNT_DEFAULT
    for (let i = 2; i < args.count; i += 2) {
      if (i + 1 === args.count) throw SYNTAX
      if (args.is(i, 'COUNT')) count = parseCount(args, i + 1)
      else if (args.is(i, 'MATCH')) patternIndex = isStar(args, i + 1) ? 0 : i + 1
      else if (args.is(i, 'TYPE')) typeName = args.text(i + 1).toLowerCase()
      else throw SYNTAX
    }
    forgetFound()
    const next = db.scan(cursor, count, foundRefs)
    const { arena } = db
    const scanned = foundRefs.length
    let kept = 0
    for (let i = 0; i < scanned; i++) {
      const ref = foundRefs[i]
      if (patternIndex !== 0 && !matches(args, patternIndex, arena, ref)) continue
      if (db.isExpired(ref)) {
        db.expireIfDue(ref)
        continue
      }
      if (typeName !== undefined && valueType(entryType(arena, ref)).name !== typeName) continue
      foundRefs[kept++] = ref
      foundArenas.push(arena)
    }
    foundRefs.length = kept
    reply.array(2)
    reply.bulkText(String(next))
    replyFound(call)
  },
})

export const randomkeyCommand = command({
  name: 'RANDOMKEY',
  usage: '',
  summary: 'Gives any key of the database.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['readonly'],
  tips: ['request_policy:all_shards', 'nondeterministic_output'],
  reply: 'bulk | nil',

  run(call) {
    call.propagation.apart()
    const { db, reply } = call
    const random = () => call.server.random.fraction()
    for (let tries = 0; ; tries++) {
      const ref = db.random(random)
      if (ref === 0) return reply.nil()
      if (!db.isExpired(ref) || (!db.expireIfDue(ref) && tries >= RANDOM_TRIES_MAX)) {
        const { arena } = db
        return reply.bulk(arena.bytes, entryKeyOffset(ref), entryKeyLength(arena, ref))
      }
    }
  },
})

/**
 * A cursor is read as C's strtoul does: a sign and nothing at all are taken, a NUL byte ends it.
 * QUIRK: SCAN -1 and SCAN "" answer without an error.
 */
export function parseCursor(args: Args, index: number): number {
  const match = /^([+-]?)([0-9]*)$/.exec(args.shown(index))
  if (match === null) throw INVALID_CURSOR
  const [text, sign, digits] = match
  if (digits === '') {
    if (text === '') return 0
    throw INVALID_CURSOR
  }
  const value = BigInt(digits)
  if (value > UINT64_MAX) throw INVALID_CURSOR
  // Cursors that no scan has given lie past the end.
  return Number(sign === '-' ? BigInt.asUintN(64, -value) : value)
}

/** The options of HSCAN and its kin, and the test of their pattern. */
export class ElementScan {
  count = SCAN_COUNT_DEFAULT
  #args: Args | undefined = undefined
  #patternIndex = 0

  /** Reads the options from argument `from` on. `token` takes those that are no scan's own. */
  parse(args: Args, from: number, token?: (index: number) => boolean): void {
    this.#args = args
    this.#patternIndex = 0
    this.count = SCAN_COUNT_DEFAULT
    for (let i = from; i < args.count; ) {
      const more = i + 1 < args.count
      if (more && args.is(i, 'COUNT')) this.count = parseCount(args, i + 1)
      else if (more && args.is(i, 'MATCH')) this.#patternIndex = isStar(args, i + 1) ? 0 : i + 1
      else if (token?.(i)) {
        i++
        continue
      } else throw SYNTAX
      i += 2
    }
  }

  matches(bytes: Buffer, offset: number, length: number): boolean {
    const args = this.#args
    const index = this.#patternIndex
    if (index === 0 || args === undefined) return true
    return matchGlob(args.bytes, args.offsets[index], args.lengths[index], bytes, offset, length)
  }
}

function parseCount(args: Args, index: number): number {
  if (!args.integer64(index)) throw NOT_AN_INTEGER
  const count = args.high * 0x100000000 + (args.low >>> 0)
  if (count < 1) throw SYNTAX
  return count
}

/** Whether the argument, as a pattern, can match one name only: itself. */
function isPlain(args: Args, index: number): boolean {
  const { bytes } = args
  const end = args.offsets[index] + args.lengths[index]
  for (let at = args.offsets[index]; at < end; at++) {
    const byte = bytes[at]
    if (byte === STAR || byte === QUESTION || byte === BRACKET || byte === BACKSLASH) return false
  }
  return true
}

function isStar(args: Args, index: number): boolean {
  return args.lengths[index] === 1 && args.bytes[args.offsets[index]] === STAR
}

/** Whether the key's name matches the pattern in an argument. */
function matches(args: Args, index: number, arena: Arena, ref: Ref): boolean {
  return matchGlob(
    args.bytes,
    args.offsets[index],
    args.lengths[index],
    arena.bytes,
    entryKeyOffset(ref),
    entryKeyLength(arena, ref),
  )
}

function forgetFound(): void {
  foundRefs.length = 0
  foundArenas.length = 0
}

function found(db: Db, ref: Ref): void {
  foundRefs.push(ref)
  foundArenas.push(db.arena)
}

function replyFound(call: Call): void {
  const { reply } = call
  reply.array(foundRefs.length)
  for (let i = 0; i < foundRefs.length; i++) {
    const arena = foundArenas[i]
    reply.bulk(arena.bytes, entryKeyOffset(foundRefs[i]), entryKeyLength(arena, foundRefs[i]))
  }
  forgetFound()
}
