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
import { AGE_MASK, entryAge, entryType } from './entry.ts'
import { valueType } from './value.ts'

const SWITCHING =
  'Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.'
const IDLE_NOT_TRACKED = new CommandError(
  `ERR An LFU maxmemory policy is selected, idle time not tracked. ${SWITCHING}`,
)
const FREQUENCY_NOT_TRACKED = new CommandError(
  `ERR An LFU maxmemory policy is not selected, access frequency not tracked. ${SWITCHING}`,
)

const FREQUENCY_MASK = 0xff

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
        if (!usesFrequency(call)) throw FREQUENCY_NOT_TRACKED
        call.reply.integer(entryAge(call.db.arena, ref) & FREQUENCY_MASK)
      }),
    }),
    about({
      name: 'IDLETIME',
      summary: 'Tells how many seconds ago a key was used last.',
      since: '2.2.3',
      reply: 'integer | nil',
      run: aboutKey((call, ref) => {
        if (usesFrequency(call)) throw IDLE_NOT_TRACKED
        call.reply.integer(idleSeconds(call.keyspace.lruClock, entryAge(call.db.arena, ref)))
      }),
    }),
    about({
      name: 'REFCOUNT',
      summary: 'Tells how often the value of a key is referred to.',
      since: '2.2.3',
      reply: 'integer | nil',
      run: aboutKey((call, ref) => {
        const { arena } = call.db
        const type = valueType(entryType(arena, ref))
        call.reply.integer(type.referenceCount?.(arena, ref) ?? 1)
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

/** True when ages of keys count uses, not time. */
export function usesFrequency(call: Call): boolean {
  return call.server.settings.text('maxmemory-policy').endsWith('-lfu')
}

/**
 * The age of a key that was used `seconds` ago.
 * QUIRK: the ages of the clock's last round begin at its end, one second off, so that `idleSeconds`
 * takes the second back; what is longer than the clock's round wraps. OBJECT IDLETIME shows both.
 */
export function idleAge(lruClock: number, seconds: number): number {
  let age = lruClock - seconds
  if (age < 0) age += AGE_MASK
  return age - Math.floor(age / (AGE_MASK + 1)) * (AGE_MASK + 1)
}

function idleSeconds(lruClock: number, age: number): number {
  return lruClock >= age ? lruClock - age : lruClock + (AGE_MASK - age)
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
    const ref = call.db.inspect(call.args, 2)
    if (ref === 0) call.reply.nil()
    else answer(call, ref)
  }
}
