/**
 * HEXPIRE and its kin: setting the ends of fields, and clearing them.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: lets the AOF or a replica see a time that counts from now: ends travel as Unix milliseconds.
 */
import type { Ref } from '../../../memory/arena.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, invalidExpire, NOT_AN_INTEGER } from '../../engine/errors.ts'
import { TYPE_HASH } from '../../keyspace/entry.ts'
import { MILLISECONDS, SECONDS } from '../../keyspace/expire-time.ts'
import { fieldsArgument, NOT_POSITIVE } from './fields-argument.ts'
import { hashCount, hashEnd, hashRemove, isTimedHash } from './hash.ts'
import { lookupEmptied, removeHidden } from './lookup.ts'
import { foundIsHidden, hideBefore, NO_FIELD, timedSetEnd, toTimed } from './timed.ts'

const NEGATIVE = new CommandError('ERR invalid expire time, must be >= 0')
const NO_COUNT = new CommandError('ERR Parameter `numFields` should be greater than 0')

/** The last moment a field can end at, in the year 4199. */
const END_MS_MAX = 2 ** 46 - 1

/** What is answered for a field. */
const ABSENT = -2
const NO_END = -1
const REFUSED = 0
const DONE = 1
const DELETED = 2

const CONDITIONS = ['NX', 'XX', 'GT', 'LT'] as const
type Condition = (typeof CONDITIONS)[number] | ''

const TAIL = '[condition: NX | XX | GT | LT] <fields: FIELDS numfields:integer field [field ...]>'
const HDEL = Buffer.from('HDEL')

export const hexpire = setter({
  name: 'HEXPIRE',
  usage: `key seconds ${TAIL}`,
  summary: 'Lets fields of a hash live for some seconds more.',
  run: (call) => setEnds(call, SECONDS, true),
})

export const hpexpire = setter({
  name: 'HPEXPIRE',
  usage: `key milliseconds ${TAIL}`,
  summary: 'Lets fields of a hash live for some milliseconds more.',
  run: (call) => setEnds(call, MILLISECONDS, true),
})

export const hexpireat = setter({
  name: 'HEXPIREAT',
  usage: `key unix-time-seconds ${TAIL}`,
  summary: 'Lets fields of a hash live up to a second of Unix time.',
  run: (call) => setEnds(call, SECONDS, false),
})

export const hpexpireat = setter({
  name: 'HPEXPIREAT',
  usage: `key unix-time-milliseconds ${TAIL}`,
  summary: 'Lets fields of a hash live up to a millisecond of Unix time.',
  run: (call) => setEnds(call, MILLISECONDS, false),
})

type Own = 'name' | 'usage' | 'summary' | 'run'

function setter(own: Pick<CommandDefinition, Own>): CommandDefinition {
  return command({
    since: '7.4.0',
    complexity: 'O(N) where N is the number of fields',
    flags: ['write', 'fast'],
    access: 'rw update',
    reply: 'array of integer',
    ...own, // alloc: once, at start
  })
}

function setEnds(call: Call, unitMs: number, fromNow: boolean): void {
  const { args, db, reply } = call
  const ref = db.writeTyped(args, 1, TYPE_HASH)
  const endMs = endArgument(call, unitMs, fromNow)
  const condition = conditionArgument(call)
  const first = fieldsArgument(args, condition === '' ? 3 : 4, NO_COUNT)

  reply.array(args.count - first)
  const change = new Ends(call, ref, endMs, condition) // alloc: one for all fields
  let done = false
  try {
    for (let i = first; i < args.count; i++) reply.integer(change.set(i))
    done = true
  } finally {
    change.end(first, unitMs !== MILLISECONDS || fromNow || !done)
  }
}

/** Throws: CommandError. */
function endArgument(call: Call, unitMs: number, fromNow: boolean): number {
  const { args, entry } = call
  if (!args.integer64(2)) throw NOT_AN_INTEGER
  if (args.high < 0) throw NEGATIVE
  const value = args.high * 0x100000000 + (args.low >>> 0)
  if (value > Math.floor(END_MS_MAX / unitMs)) throw invalidExpire(entry.name)
  const baseMs = fromNow ? call.nowMs : 0
  if (value * unitMs > END_MS_MAX - baseMs) throw invalidExpire(entry.name)
  return value * unitMs + baseMs
}

function conditionArgument({ args }: Call): Condition {
  for (let i = 0; i < CONDITIONS.length; i++) if (args.is(3, CONDITIONS[i])) return CONDITIONS[i]
  return ''
}

/** One end for several fields of a hash. */
class Ends {
  readonly #call: Call
  /** 0: no hash, or no more. */
  #ref: Ref
  readonly #endMs: number
  readonly #condition: Condition
  /** The end has passed: fields go. */
  readonly #deletes: boolean
  #deletedCount = 0
  /** Arguments of fields that got the end. */
  readonly #updated: number[] = []

  constructor(call: Call, ref: Ref, endMs: number, condition: Condition) {
    this.#call = call
    this.#ref = ref
    this.#endMs = endMs
    this.#condition = condition
    this.#deletes = call.keyspace.isOver(endMs)
  }

  /** Acts on the field in an argument; gives what to answer. Throws: ARENA_FULL. */
  set(index: number): number {
    const ref = this.#ref
    if (ref === 0) return ABSENT
    const { args, db } = this.#call
    const { arena } = db
    const [at, length] = [args.offsets[index], args.lengths[index]]
    const before = hashEnd(arena, ref, args, at, length)
    if (before === NO_FIELD) {
      this.#passHidden(index)
      return ABSENT
    }
    if (!allows(this.#condition, before, this.#endMs)) return REFUSED
    if (this.#deletes) {
      this.#delete(index)
      return DELETED
    }
    if (!isTimedHash(arena, ref)) {
      toTimed(arena, ref)
      hideBefore(this.#call.keyspace.pastMs)
    }
    db.elements.willEnd(ref, this.#endMs)
    timedSetEnd(arena, ref, args, at, length, this.#endMs)
    this.#updated.push(index)
    return DONE
  }

  /** Says what has changed. `rewrites`: the call itself cannot be propagated. */
  end(first: number, rewrites: boolean): void {
    const { args, db, keyspace, propagation } = this.#call
    const updated = this.#updated.length
    if (this.#ref !== 0 && isTimedHash(db.arena, this.#ref)) db.elements.changed(this.#ref)
    if (updated + this.#deletedCount > 0) {
      db.changed(args, 1, this.#deletedCount > 0 ? 'hdel' : 'hexpire')
      keyspace.dirty += updated + this.#deletedCount - 1
      if (this.#ref === 0) db.alsoNotify(args, 1, 'del')
    }
    if (!propagation.active) return
    if (updated === 0) propagation.nothing()
    else if (rewrites || updated < args.count - first) this.#propagate()
  }

  #passHidden(index: number): void {
    const { db } = this.#call
    if (!isTimedHash(db.arena, this.#ref) || !foundIsHidden()) return
    removeHidden(this.#call, this.#ref, index)
    if (lookupEmptied()) this.#ref = 0
  }

  #delete(index: number): void {
    const { args, db, keyspace, propagation } = this.#call
    const { arena } = db
    hashRemove(arena, this.#ref, args, args.offsets[index], args.lengths[index])
    this.#deletedCount++
    keyspace.expiredElementCount++
    if (propagation.active) propagation.emit(db.index, [HDEL, args.copy(1), args.copy(index)])
    if (hashCount(arena, this.#ref) > 0) return
    db.remove(this.#ref)
    this.#ref = 0
  }

  /** Only fields that got the end go along, and the condition. */
  // alloc: for the AOF and replicas
  #propagate(): void {
    const { args } = this.#call
    const fields = this.#updated.map((index) => args.copy(index))
    const condition = this.#condition === '' ? [] : [this.#condition]
    const head = ['HPEXPIREAT', args.copy(1), String(this.#endMs), ...condition]
    this.#call.propagateAs(...head, 'FIELDS', String(fields.length), ...fields)
  }
}

/** Whether the condition lets `endMs` take the place of `beforeMs`; 0: no end, which is the last. */
function allows(condition: Condition, beforeMs: number, endMs: number): boolean {
  switch (condition) {
    case 'NX':
      return beforeMs === 0
    case 'XX':
      return beforeMs !== 0
    case 'GT':
      return beforeMs !== 0 && endMs > beforeMs
    case 'LT':
      return beforeMs === 0 || endMs < beforeMs
    default:
      return true
  }
}

export const hpersist = command({
  name: 'HPERSIST',
  usage: 'key <fields: FIELDS numfields:integer field [field ...]>',
  summary: 'Lets fields of a hash live until they are deleted.',
  since: '7.4.0',
  complexity: 'O(N) where N is the number of fields',
  flags: ['write', 'fast'],
  access: 'rw update',
  reply: 'array of integer',

  run(call) {
    const { args, db, reply } = call
    const ref = db.writeTyped(args, 1, TYPE_HASH)
    const first = fieldsArgument(args, 2, NOT_POSITIVE)
    reply.array(args.count - first)
    let changed = false
    let end = first
    try {
      while (end < args.count) {
        const code = ref === 0 ? ABSENT : persistField(call, ref, end)
        if (code === DONE) changed = true
        reply.integer(code)
        end++
      }
    } finally {
      if (changed) {
        db.elements.changed(ref)
        db.changed(args, 1, 'hpersist')
        if (end < args.count) propagatePersisted(call, first, end)
      }
    }
  },
})

/** Memory ran out at argument `end`: what is propagated is what was done. */
// alloc: only when memory ended on the way
function propagatePersisted(call: Call, first: number, end: number): void {
  const { args } = call
  if (!call.propagation.active) return
  const fields = Array.from({ length: end - first }, (_, i) => args.copy(first + i))
  call.propagateAs('HPERSIST', args.copy(1), 'FIELDS', String(fields.length), ...fields)
}

function persistField({ args, db }: Call, ref: Ref, index: number): number {
  const { arena } = db
  const [at, length] = [args.offsets[index], args.lengths[index]]
  const end = hashEnd(arena, ref, args, at, length)
  if (end === NO_FIELD) return ABSENT
  if (end === 0) return NO_END
  timedSetEnd(arena, ref, args, at, length, 0)
  return DONE
}
