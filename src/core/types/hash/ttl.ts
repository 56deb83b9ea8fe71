/**
 * HTTL and its kin: asking for the ends of fields.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: changes a hash.
 */
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { TYPE_HASH } from '../../keyspace/entry.ts'
import { MILLISECONDS, SECONDS } from '../../keyspace/expire-time.ts'
import { fieldsArgument, NOT_POSITIVE } from './fields-argument.ts'
import { hashEnd } from './hash.ts'
import { NO_FIELD } from './timed.ts'

const ABSENT = -2
const NO_END = -1

export const httl = getter({
  name: 'HTTL',
  summary: 'Tells how many seconds fields of a hash have left.',
  tips: ['nondeterministic_output'],
  run: (call) => replyEnds(call, SECONDS, true),
})

export const hpttl = getter({
  name: 'HPTTL',
  summary: 'Tells how many milliseconds fields of a hash have left.',
  tips: ['nondeterministic_output'],
  run: (call) => replyEnds(call, MILLISECONDS, true),
})

export const hexpiretime = getter({
  name: 'HEXPIRETIME',
  summary: 'Tells at which second of Unix time fields of a hash end.',
  run: (call) => replyEnds(call, SECONDS, false),
})

export const hpexpiretime = getter({
  name: 'HPEXPIRETIME',
  summary: 'Tells at which millisecond of Unix time fields of a hash end.',
  run: (call) => replyEnds(call, MILLISECONDS, false),
})

type Own = 'name' | 'summary' | 'tips' | 'run'

function getter(own: Pick<CommandDefinition, Own>): CommandDefinition {
  return command({
    usage: 'key <fields: FIELDS numfields:integer field [field ...]>',
    since: '7.4.0',
    complexity: 'O(N) where N is the number of fields',
    flags: ['readonly', 'fast'],
    access: 'ro access',
    reply: 'array of integer',
    ...own, // alloc: once, at start
  })
}

/** Seconds are rounded up: a field is not over before they are. */
function replyEnds(call: Call, unitMs: number, fromNow: boolean): void {
  const { args, db, reply } = call
  const ref = db.readTyped(args, 1, TYPE_HASH)
  const first = fieldsArgument(args, 2, NOT_POSITIVE)
  const baseMs = fromNow ? call.nowMs : 0
  reply.array(args.count - first)
  for (let i = first; i < args.count; i++) {
    const end =
      ref === 0 ? NO_FIELD : hashEnd(db.arena, ref, args, args.offsets[i], args.lengths[i])
    if (end === NO_FIELD) reply.integer(ABSENT)
    else if (end === 0) reply.integer(NO_END)
    else reply.integer(Math.ceil((end - baseMs) / unitMs))
  }
}
