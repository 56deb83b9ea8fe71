/**
 * EXPIRE and its kin: setting, clearing and asking for the end of a key's life.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: lets the AOF or a replica see a time that counts from now: deadlines travel as Unix
 * milliseconds.
 */
import { type CommandDefinition, command } from '../command/command.ts'
import type { Call } from '../engine/call.ts'
import { CommandError } from '../engine/errors.ts'
import { NO_DEADLINE } from './db.ts'
import { entryDeadline, entryType } from './entry.ts'
import { MILLISECONDS, momentArgument, SECONDS } from './expire-time.ts'
import { valueType } from './value.ts'

const NX_AND_OTHERS = new CommandError(
  'ERR NX and XX, GT or LT options at the same time are not compatible',
)
const GT_AND_LT = new CommandError('ERR GT and LT options at the same time are not compatible')

const NX = 1
const XX = 2
const GT = 4
const LT = 8

const CONDITION = '[condition: NX | XX | GT | LT]@7.0.0'

export const expireCommand = setter({
  name: 'EXPIRE',
  usage: `key seconds ${CONDITION}`,
  summary: 'Lets a key live for some seconds more.',
  since: '1.0.0',
  run: (call) => setDeadline(call, SECONDS, true),
})

export const pexpireCommand = setter({
  name: 'PEXPIRE',
  usage: `key milliseconds ${CONDITION}`,
  summary: 'Lets a key live for some milliseconds more.',
  since: '2.6.0',
  run: (call) => setDeadline(call, MILLISECONDS, true),
})

export const expireatCommand = setter({
  name: 'EXPIREAT',
  usage: `key unix-time-seconds ${CONDITION}`,
  summary: 'Lets a key live up to a second of Unix time.',
  since: '1.2.0',
  run: (call) => setDeadline(call, SECONDS, false),
})

export const pexpireatCommand = setter({
  name: 'PEXPIREAT',
  usage: `key unix-time-milliseconds ${CONDITION}`,
  summary: 'Lets a key live up to a millisecond of Unix time.',
  since: '2.6.0',
  run: (call) => setDeadline(call, MILLISECONDS, false),
})

export const persistCommand = command({
  name: 'PERSIST',
  usage: 'key',
  summary: 'Lets a key live until it is deleted.',
  since: '2.2.0',
  complexity: 'O(1)',
  flags: ['write', 'fast'],
  access: 'rw update',
  reply: 'integer',

  run(call) {
    const { args, db } = call
    const ref = db.write(args, 1)
    const cleared = ref !== 0 && db.clearDeadline(ref)
    if (cleared) db.changed(args, 1, 'persist')
    call.reply.integer(cleared ? 1 : 0)
  },
})

export const ttlCommand = getter({
  name: 'TTL',
  summary: 'Tells how many seconds a key has left.',
  since: '1.0.0',
  tips: ['nondeterministic_output'],
  run: (call) => replyDeadline(call, SECONDS, true),
})

export const pttlCommand = getter({
  name: 'PTTL',
  summary: 'Tells how many milliseconds a key has left.',
  since: '2.6.0',
  tips: ['nondeterministic_output'],
  run: (call) => replyDeadline(call, MILLISECONDS, true),
})

export const expiretimeCommand = getter({
  name: 'EXPIRETIME',
  summary: 'Tells at which second of Unix time a key ends.',
  since: '7.0.0',
  run: (call) => replyDeadline(call, SECONDS, false),
})

export const pexpiretimeCommand = getter({
  name: 'PEXPIRETIME',
  summary: 'Tells at which millisecond of Unix time a key ends.',
  since: '7.0.0',
  run: (call) => replyDeadline(call, MILLISECONDS, false),
})

type Own = 'name' | 'usage' | 'summary' | 'since' | 'tips' | 'run'

function setter(own: Pick<CommandDefinition, Own>): CommandDefinition {
  return command({
    complexity: 'O(1)',
    flags: ['write', 'fast'],
    access: 'rw update',
    history: [['7.0.0', 'NX, XX, GT and LT came.']],
    reply: 'integer',
    ...own, // alloc: once, at start
  })
}

function getter(own: Pick<CommandDefinition, Exclude<Own, 'usage'>>): CommandDefinition {
  return command({
    usage: 'key',
    complexity: 'O(1)',
    flags: ['readonly', 'fast'],
    access: 'ro access',
    reply: 'integer',
    ...own, // alloc: once, at start
  })
}

function setDeadline(call: Call, unitMs: number, fromNow: boolean): void {
  const { args, db } = call
  const conditions = args.count > 3 ? parseConditions(call) : 0
  const deadlineMs = momentArgument(call, 2, unitMs, fromNow, call.entry.name)
  const ref = db.write(args, 1)
  if (ref === 0) return call.reply.integer(0)
  const arena = db.arena
  if (!allows(conditions, entryDeadline(arena, ref), deadlineMs)) return call.reply.integer(0)
  if (call.keyspace.isOver(deadlineMs)) {
    db.remove(ref, call.keyspace.lazyFree.ofExpired)
    db.changed(args, 1, 'del')
    if (call.propagation.active) propagateDeletion(call)
  } else {
    db.setDeadline(ref, deadlineMs, valueType(entryType(arena, ref)).valueSize(arena, ref))
    db.changed(args, 1, 'expire')
    const rewritten = fromNow || unitMs !== MILLISECONDS
    if (rewritten && call.propagation.active) propagateDeadline(call, deadlineMs)
  }
  call.reply.integer(1)
}

function parseConditions(call: Call): number {
  const { args } = call
  let conditions = 0
  for (let i = 3; i < args.count; i++) {
    if (args.is(i, 'NX')) conditions |= NX
    else if (args.is(i, 'XX')) conditions |= XX
    else if (args.is(i, 'GT')) conditions |= GT
    else if (args.is(i, 'LT')) conditions |= LT
    else throw new CommandError(`ERR Unsupported option ${args.shown(i)}`) // alloc: an error
  }
  if ((conditions & NX) !== 0 && conditions !== NX) throw NX_AND_OTHERS
  if ((conditions & (GT | LT)) === (GT | LT)) throw GT_AND_LT
  return conditions
}

/** Whether the conditions let `deadlineMs` take the place of `beforeMs`. */
function allows(conditions: number, beforeMs: number, deadlineMs: number): boolean {
  const endless = beforeMs === NO_DEADLINE
  if ((conditions & NX) !== 0 && !endless) return false
  if ((conditions & XX) !== 0 && endless) return false
  if ((conditions & GT) !== 0 && (endless || deadlineMs <= beforeMs)) return false
  return (conditions & LT) === 0 || endless || deadlineMs < beforeMs
}

function propagateDeletion(call: Call): void {
  const lazy = call.server.settings.bool('lazyfree-lazy-expire')
  call.propagateAs(lazy ? 'UNLINK' : 'DEL', call.args.copy(1))
}

/** The conditions go along, as Redis lets them. */
function propagateDeadline(call: Call, deadlineMs: number): void {
  const { args } = call
  const conditions: string[] = [] // alloc: for the AOF and replicas
  for (let i = 3; i < args.count; i++) conditions.push(args.text(i))
  call.propagateAs('PEXPIREAT', args.copy(1), String(deadlineMs), ...conditions) // alloc: as above
}

/** Answers -2 for no key, -1 for a key without a deadline. Seconds are rounded. */
function replyDeadline(call: Call, unitMs: number, fromNow: boolean): void {
  const { db } = call
  const ref = db.readUntouched(call.args, 1)
  if (ref === 0) return call.reply.integer(-2)
  const deadlineMs = entryDeadline(db.arena, ref)
  if (deadlineMs === NO_DEADLINE) return call.reply.integer(-1)
  const ms = fromNow ? Math.max(0, deadlineMs - call.nowMs) : deadlineMs
  call.reply.integer(unitMs === MILLISECONDS ? ms : Math.floor((ms + 500) / 1000))
}
