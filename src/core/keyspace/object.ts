/**
 * OBJECT: how a value is kept and how long ago it was used.
 *
 * Thread: core.
 * Owns: what a key's age means.
 * Never: makes a key count as used.
 */
import type { Ref } from '../../memory/arena.ts'
import { type CommandDefinition, command } from '../command/command.ts'
import type { Call } from '../engine/call.ts'
import { CommandError } from '../engine/errors.ts'
import { idleSeconds } from './age.ts'
import { entryAge, entryType } from './entry.ts'
import { valueType } from './value.ts'

const SWITCHING =
  'Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.'
const IDLE_NOT_TRACKED = new CommandError(
  `ERR An LFU maxmemory policy is selected, idle time not tracked. ${SWITCHING}`,
)
const FREQUENCY_NOT_TRACKED = new CommandError(
  `ERR An LFU maxmemory policy is not selected, access frequency not tracked. ${SWITCHING}`,
)

const HELP = [
  'OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'ENCODING <key>',
  '    Name the encoding that the value of <key> is kept in.',
  'FREQ <key>',
  '    Tell how often <key> is used, on a logarithmic scale.',
  'IDLETIME <key>',
  '    Tell how many seconds ago <key> was used last.',
  'REFCOUNT <key>',
  '    Tell how often the value of <key> is referred to.',
  'HELP',
  '    Prints this help.',
]

export const objectCommand = command({
  name: 'OBJECT',
  usage: '',
  summary: 'Tells how values are kept.',
  since: '2.2.3',
  complexity: 'Depends on subcommand.',
  flags: [],
  reply: 'any',
  subcommands: [
    about({
      name: 'ENCODING',
      summary: "Names the encoding of a key's value.",
      since: '2.2.3',
      reply: 'bulk | nil',
      run: aboutKey((call, ref) => {
        const { arena } = call.db
        call.reply.bulkText(valueType(entryType(arena, ref)).encodingName(arena, ref))
      }),
    }),
    about({
      name: 'FREQ',
      summary: 'Tells how often a key is used, on a logarithmic scale.',
      since: '4.0.0',
      reply: 'integer | nil',
      run: aboutKey((call, ref) => {
        if (!call.keyspace.countsUses) throw FREQUENCY_NOT_TRACKED
        call.reply.integer(call.keyspace.frequencies.countOf(entryAge(call.db.arena, ref)))
      }),
    }),
    about({
      name: 'IDLETIME',
      summary: 'Tells how many seconds ago a key was used last.',
      since: '2.2.3',
      reply: 'integer | nil',
      run: aboutKey((call, ref) => {
        if (call.keyspace.countsUses) throw IDLE_NOT_TRACKED
        call.reply.integer(idleSeconds(call.keyspace.lruClock, entryAge(call.db.arena, ref)))
      }),
    }),
    about({
      name: 'REFCOUNT',
      summary: 'Tells how often the value of a key is referred to.',
      since: '2.2.3',
      reply: 'integer | nil',
      run: aboutKey((call, ref) => {
        call.reply.integer(referenceCount(call, ref))
      }),
    }),
    {
      name: 'HELP',
      usage: '',
      summary: 'Lists the subcommands.',
      since: '6.2.0',
      complexity: 'O(1)',
      flags: ['loading', 'stale'],
      reply: 'array of simple',
      // DIFFERS: in words of our own.
      run(call) {
        call.reply.array(HELP.length)
        for (const line of HELP) call.reply.simple(line)
      },
    },
  ],
})

/** How many keys share the value, as Redis tells it: unless the age of each counts, integers are. */
export function referenceCount(call: Call, ref: Ref): number {
  const { arena } = call.db
  const { eviction } = call.server
  if (eviction.limitBytes > 0 && eviction.wantsAges) return 1
  return valueType(entryType(arena, ref)).referenceCount?.(arena, ref) ?? 1
}

type Own = 'name' | 'summary' | 'since' | 'reply' | 'run'

function about(own: Pick<CommandDefinition, Own>): CommandDefinition {
  return {
    usage: 'key',
    complexity: 'O(1)',
    flags: ['readonly'],
    access: 'ro',
    tips: ['nondeterministic_output'],
    ...own,
  }
}

/** Answers nothing when the key is not there. */
function aboutKey(answer: (call: Call, ref: Ref) => void): (call: Call) => void {
  return (call) => {
    const ref = call.db.readUntouched(call.args, 2, false)
    if (ref === 0) call.reply.nil()
    else answer(call, ref)
  }
}
