/**
 * COMMAND and its subcommands: what the server tells clients about its commands.
 *
 * Thread: core.
 * Owns: the subcommands of COMMAND.
 * Never: knows more of a command than its definition says.
 */
import { matchesName } from '../../../config/name-pattern.ts'
import { categoryBit } from '../../command/categories.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import { helpLines, replyDocs, replyInfo, replyNames } from '../../command/docs.ts'
import { type ArgumentTexts, type FoundKey, findKeys } from '../../command/key-specs.ts'
import type { CommandEntry, CommandTable } from '../../command/table.ts'
import type { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, SYNTAX } from '../../engine/errors.ts'

const INVALID_COMMAND = new CommandError('ERR Invalid command specified')
const INVALID_COUNT = new CommandError('ERR Invalid number of arguments specified for command')
const INVALID_ARGUMENTS = new CommandError('ERR Invalid arguments specified for command')
const NO_KEY_ARGUMENTS = new CommandError('ERR The command has no key arguments')

/** What all of COMMAND's subcommands have in common. */
const COMMON = { flags: ['loading', 'stale'], categories: ['connection'] } as const
const UNORDERED = ['nondeterministic_output_order']

const subcommands: CommandDefinition[] = [
  {
    ...COMMON,
    name: 'COUNT',
    usage: '',
    summary: 'Counts the commands of the server.',
    since: '2.8.13',
    complexity: 'O(1)',
    reply: 'integer',
    run(call) {
      call.reply.integer([...call.server.commands.topLevel()].length)
    },
  },
  {
    ...COMMON,
    name: 'DOCS',
    usage: '[command-name [command-name ...]]',
    summary: 'Describes the given commands for people, or all of them.',
    since: '7.0.0',
    complexity: 'O(N) with N the number of commands described',
    tips: UNORDERED,
    reply: 'map',
    run(call) {
      const { args, reply, server } = call
      const entries =
        args.count === 2 ? [...server.commands.topLevel()] : named(call).filter(isFound)
      reply.map(entries.length)
      for (const entry of entries) replyDocs(reply, entry)
    },
  },
  {
    ...COMMON,
    name: 'GETKEYS',
    usage: '',
    arity: -4,
    summary: 'Picks the keys out of a whole command.',
    since: '2.8.13',
    complexity: 'O(N) with N the number of arguments of the command',
    reply: 'array of bulk',
    run({ args, reply, server }) {
      const keys = keysOfArguments(server.commands, args)
      reply.array(keys.length)
      for (const { index } of keys) reply.bulkBytes(args.copy(index + 2))
    },
  },
  {
    ...COMMON,
    name: 'GETKEYSANDFLAGS',
    usage: '',
    arity: -4,
    summary: 'Picks the keys out of a whole command, each with how it is used.',
    since: '7.0.0',
    complexity: 'O(N) with N the number of arguments of the command',
    reply: 'array of array',
    run({ args, reply, server }) {
      const keys = keysOfArguments(server.commands, args)
      reply.array(keys.length)
      for (const { index, flags } of keys) {
        reply.array(2)
        reply.bulkBytes(args.copy(index + 2))
        replyNames(reply, flags)
      }
    },
  },
  {
    ...COMMON,
    name: 'HELP',
    usage: '',
    summary: 'Lists the subcommands and what they do.',
    since: '5.0.0',
    complexity: 'O(1)',
    reply: 'array of simple',
    run({ reply }) {
      const lines = helpLines('COMMAND', subcommands)
      reply.array(lines.length)
      for (const line of lines) reply.simple(line)
    },
  },
  {
    ...COMMON,
    name: 'INFO',
    usage: '[command-name [command-name ...]]',
    summary: 'Describes the given commands for client libraries, or all of them.',
    since: '2.8.13',
    complexity: 'O(N) with N the number of commands described',
    tips: UNORDERED,
    reply: 'array',
    run(call) {
      if (call.args.count === 2) return replyAll(call)
      const entries = named(call)
      call.reply.array(entries.length)
      for (const entry of entries) {
        if (entry === undefined) call.reply.nil()
        else replyInfo(call.reply, entry)
      }
    },
  },
  {
    ...COMMON,
    name: 'LIST',
    usage: '[FILTERBY <filterby: MODULE module-name | ACLCAT category | PATTERN pattern>]',
    summary: 'Lists the names of the commands, all or those that a filter lets through.',
    since: '7.0.0',
    complexity: 'O(N) with N the number of commands of the server',
    tips: UNORDERED,
    reply: 'array of bulk',
    run({ args, reply, server }) {
      const fits = filterOf(args)
      const names = namesInUse(server.commands)
      const entries = [...names].filter(([name, entry]) => fits(name, entry))
      reply.array(entries.length)
      for (const [name] of entries) reply.bulkText(name)
    },
  },
]

export const commandCommand = command({
  ...COMMON,
  name: 'COMMAND',
  usage: '',
  summary: 'Describes every command for client libraries.',
  since: '2.8.13',
  complexity: 'O(N) with N the number of commands of the server',
  tips: UNORDERED,
  reply: 'array',
  subcommands,
  run: replyAll,
})

function replyAll({ reply, server }: Call): void {
  const entries = [...server.commands.topLevel()]
  reply.array(entries.length)
  for (const entry of entries) replyInfo(reply, entry)
}

/** The commands that the arguments from the third on name. */
function named({ args, server }: Call): (CommandEntry | undefined)[] {
  const entries: (CommandEntry | undefined)[] = []
  for (let i = 2; i < args.count; i++) entries.push(server.commands.findName(args.text(i)))
  return entries
}

function isFound(entry: CommandEntry | undefined): entry is CommandEntry {
  return entry !== undefined
}

/** Every command and subcommand. */
function* namesInUse(commands: CommandTable): Iterable<[string, CommandEntry]> {
  for (const entry of commands.topLevel()) {
    yield [entry.name, entry]
    for (const child of entry.subcommands?.values() ?? []) yield [child.name, child]
  }
}

/** Throws: CommandError SYNTAX. */
function filterOf(args: Args): (name: string, entry: CommandEntry) => boolean {
  if (args.count === 2) return () => true
  if (args.count !== 5 || !args.is(2, 'FILTERBY')) throw SYNTAX
  const wanted = args.text(4).toLowerCase()
  if (args.is(3, 'MODULE')) return () => false
  if (args.is(3, 'ACLCAT')) {
    const bit = categoryBit(wanted)
    return (_, { categories }) => (categories & bit) !== 0
  }
  if (args.is(3, 'PATTERN')) return (name) => matchesName(wanted, name)
  throw SYNTAX
}

/**
 * The keys of the command that begins at the third argument, numbered within that command.
 * Throws: CommandError when it is none, has no keys or is wrong.
 */
export function keysOfArguments(commands: CommandTable, args: Args): readonly FoundKey[] {
  const entry = entryAt(commands, args, 2)
  if (entry === undefined) throw INVALID_COMMAND
  if (!entry.keySpecs.some(({ flags }) => !flags.includes('not_key'))) throw NO_KEY_ARGUMENTS
  const words: ArgumentTexts = { count: args.count - 2, text: (index) => args.text(index + 2) }
  const { arity } = entry
  if (arity >= 0 ? words.count !== arity : words.count < -arity) throw INVALID_COUNT
  const keys = findKeys(entry.definition, entry.keySpecs, words)
  if (keys === undefined) throw INVALID_ARGUMENTS
  return keys
}

/** The command or subcommand that the words from argument `index` on call; there are two at least. */
function entryAt(commands: CommandTable, args: Args, index: number): CommandEntry | undefined {
  const { bytes, offsets, lengths } = args
  const entry = commands.find(bytes, offsets[index], offsets[index] + lengths[index])
  if (entry?.subcommands === undefined) return entry
  const next = offsets[index + 1]
  return commands.findSubcommand(entry, bytes, next, next + lengths[index + 1])
}
