/**
 * SINTER, SUNION, SDIFF, their stores and SINTERCARD.
 *
 * Thread: core. Hot path.
 * Owns: the order in which sets are looked at.
 * Never: changes a source.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, SYNTAX } from '../../engine/errors.ts'
import { NO_DEADLINE } from '../../keyspace/db.ts'
import { entryValueWord, TYPE_SET } from '../../keyspace/entry.ts'
import { Draft } from '../../keyspace/transfer.ts'
import {
  SET_INTSET,
  SET_VALUE_SIZE,
  SetCursor,
  setAdd,
  setContains,
  setCount,
  setCreateStructure,
} from './set.ts'

const NUMKEYS_POSITIVE = new CommandError('ERR numkeys should be greater than 0')
const NUMKEYS_TOO_MANY = new CommandError("ERR Number of keys can't be greater than number of args")
const LIMIT_NEGATIVE = new CommandError("ERR LIMIT can't be negative")

/** The sources of the call in progress. */
const refs: Ref[] = []
const arenas: Arena[] = []
const cursor = new SetCursor()

export const sinter = reading('SINTER', 'Gives the members that all sets have.', intersect)
export const sunion = reading('SUNION', 'Gives the members of all sets.', unite)
export const sdiff = reading('SDIFF', 'Gives the members that only the first set has.', subtract)
export const sinterstore = storing(
  'SINTERSTORE',
  'Stores what SINTER gives.',
  intersect,
  'sinterstore',
)
export const sunionstore = storing('SUNIONSTORE', 'Stores what SUNION gives.', unite, 'sunionstore')
export const sdiffstore = storing('SDIFFSTORE', 'Stores what SDIFF gives.', subtract, 'sdiffstore')

export const sintercard = command({
  name: 'SINTERCARD',
  usage: 'numkeys key [key ...] [LIMIT limit]',
  summary: 'Counts the members that all sets have.',
  since: '7.0.0',
  complexity: 'O(N*M) where N is the size of the smallest set and M the number of sets',
  flags: ['readonly'],
  access: 'ro access',
  reply: 'integer',

  run(call) {
    const { args } = call
    const count = positive(call, 1, NUMKEYS_POSITIVE)
    if (count === 0) throw NUMKEYS_POSITIVE
    if (count > args.count - 2) throw NUMKEYS_TOO_MANY
    let limit = 0
    for (let i = 2 + count; i < args.count; i += 2) {
      if (!args.is(i, 'LIMIT') || i + 1 === args.count) throw SYNTAX
      limit = positive(call, i + 1, LIMIT_NEGATIVE)
    }
    openSources(call, 2, 2 + count)
    let found = 0
    const enough = limit === 0 ? Number.POSITIVE_INFINITY : limit
    intersect(() => ++found < enough) // alloc: one a call
    call.reply.integer(found)
  },
})

/** Shows each member of a result in `cursor`; `take` says whether to go on. */
type Walk = (take: () => boolean) => void

function intersect(take: () => boolean): void {
  let smallest = 0
  for (let i = 0; i < refs.length; i++) {
    if (refs[i] === 0) return
    if (setCount(arenas[i], refs[i]) < setCount(arenas[smallest], refs[smallest])) smallest = i
  }
  cursor.open(arenas[smallest], refs[smallest])
  while (cursor.next()) {
    if (inAllBut(smallest) && !take()) return
  }
}

function inAllBut(index: number): boolean {
  for (let i = 0; i < refs.length; i++) {
    if (i === index) continue
    if (!setContains(arenas[i], refs[i], cursor, cursor.offset, cursor.length)) return false
  }
  return true
}

function subtract(take: () => boolean): void {
  if (refs[0] === 0) return
  cursor.open(arenas[0], refs[0])
  while (cursor.next()) {
    let found = false
    for (let i = 1; i < refs.length && !found; i++) {
      found = refs[i] !== 0 && setContains(arenas[i], refs[i], cursor, cursor.offset, cursor.length)
    }
    if (!found && !take()) return
  }
}

/** Shows what several sets have several times: the result is a set. */
function unite(take: () => boolean): void {
  for (let i = 0; i < refs.length; i++) {
    if (refs[i] === 0) continue
    cursor.open(arenas[i], refs[i])
    while (cursor.next()) if (!take()) return
  }
}

function openSources(call: Call, first: number, end: number): void {
  const { args, db } = call
  refs.length = 0
  arenas.length = 0
  for (let i = first; i < end; i++) {
    refs.push(db.readTyped(args, i, TYPE_SET))
    arenas.push(db.arena)
  }
}

/** Builds the result as a value for the key in argument 1, which nobody sees yet. */
// alloc: once a call
function build(call: Call, walk: Walk): Draft {
  const { args, db } = call
  const arena = db.arenaOf(args, 1)
  const most = call.server.settings.int('set-max-intset-entries')
  const draft = new Draft(db, args, 1, NO_DEADLINE)
  const structure = setCreateStructure(arena, SET_INTSET)
  let ref = 0
  try {
    ref = draft.create(TYPE_SET, SET_INTSET, SET_VALUE_SIZE)
  } finally {
    if (ref === 0) arena.free(structure)
  }
  arena.words[entryValueWord(arena, ref)] = structure
  let done = false
  try {
    walk(() => {
      setAdd(arena, ref, cursor, cursor.offset, cursor.length, most)
      return true
    })
    done = true
  } finally {
    if (!done) draft.discard()
  }
  return draft
}

const result = new SetCursor()

// alloc: once at start
function reading(name: string, summary: string, walk: Walk): CommandDefinition {
  return command({
    name,
    usage: 'key [key ...]',
    summary,
    since: '1.0.0',
    complexity: 'O(N*M) where N is the number of members looked at and M the number of sets',
    flags: ['readonly'],
    access: 'ro access',
    tips: ['nondeterministic_output_order'],
    reply: 'set',
    run(call) {
      openSources(call, 1, call.args.count)
      const draft = build(call, walk)
      const { arena } = call.db
      call.reply.set(setCount(arena, draft.ref))
      result.open(arena, draft.ref)
      while (result.next()) call.reply.bulk(result.bytes, result.offset, result.length)
      draft.discard()
    },
  })
}

// alloc: once at start
function storing(
  name: string,
  summary: string,
  walk: Walk,
  event: 'sinterstore' | 'sunionstore' | 'sdiffstore',
): CommandDefinition {
  return command({
    name,
    usage: 'destination key [key ...]',
    summary,
    since: '1.0.0',
    complexity: 'O(N*M) where N is the number of members looked at and M the number of sets',
    flags: ['write', 'denyoom'],
    access: [name === 'SINTERSTORE' ? 'rw update' : 'ow update', 'ro access'],
    reply: 'integer',
    run(call) {
      const { args, db, reply } = call
      openSources(call, 2, args.count)
      const draft = build(call, walk)
      const count = setCount(db.arena, draft.ref)
      const existing = db.write(args, 1)
      if (count > 0) {
        draft.adopt(existing)
        db.changed(args, 1, event)
      } else {
        draft.discard()
        if (existing !== 0) {
          db.remove(existing)
          db.changed(args, 1, 'del')
        }
      }
      reply.integer(count)
    },
  })
}

/** Throws: `negative` for less than 0, and for what is no integer. */
function positive(call: Call, index: number, negative: CommandError): number {
  const { args } = call
  if (!args.integer64(index) || args.high < 0) throw negative
  return args.high * 0x100000000 + (args.low >>> 0)
}
