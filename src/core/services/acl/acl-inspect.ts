/**
 * ACL CAT, DRYRUN, GENPASS, LOG: what may be allowed, what would be, and what was not.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes a user.
 */
import { CATEGORIES, categoryBit } from '../../command/categories.ts'
import type { CommandDefinition } from '../../command/command.ts'
import type { CommandEntry } from '../../command/table.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, wrongArity } from '../../engine/errors.ts'
import type { AccessLogEntry } from './access-log.ts'

const PASSWORD_BITS = new CommandError(
  'ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096',
)
const PASSWORD_BITS_DEFAULT = 256
const PASSWORD_BITS_MAX = 4096
const LOG_COUNT_DEFAULT = 10

export const aclCat: CommandDefinition = {
  name: 'CAT',
  usage: '[categoryname]',
  summary: 'Lists the categories of commands, or the commands of one of them.',
  since: '6.0.0',
  complexity: 'O(1) since the categories and commands are a fixed set.',
  flags: ['noscript', 'loading', 'stale'],
  reply: 'array of bulk',

  run(call) {
    const { args, server, reply } = call
    if (args.count > 3) throw tooMany(call)
    let names = CATEGORIES
    if (args.count === 3) {
      const bit = categoryBit(args.text(2).toLowerCase())
      if (bit === 0) throw new CommandError(`ERR Unknown category '${args.shown(2)}'`)
      names = server.commands.entries
        .filter(({ categories }) => (categories & bit) !== 0)
        .map(({ name }) => name)
    }
    reply.array(names.length)
    for (const name of names) reply.bulkText(name)
  },
}

export const aclDryrun: CommandDefinition = {
  name: 'DRYRUN',
  usage: 'username command [arg [arg ...]]',
  summary: 'Tells whether a user may make a call, without making it.',
  since: '7.0.0',
  complexity: 'O(1).',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  reply: 'ok | bulk',

  run(call) {
    const { args, server, reply } = call
    const user = server.users.find(args.text(2))
    if (user === undefined) throw new CommandError(`ERR User '${args.shown(2)}' not found`)
    const entry = commandAt(call, 3)
    if (entry === undefined) throw new CommandError(`ERR Command '${args.shown(3)}' not found`)
    const count = args.count - 3
    if (entry.arity >= 0 ? count !== entry.arity : count < -entry.arity) {
      throw wrongArity(entry.name)
    }

    const denial = server.users.check(user, entry, args, 3)
    if (denial === undefined) return reply.ok()
    const { reason, object } = denial
    const what =
      reason === 'command' ? `run the '${entry.name}' command` : `access the '${object}' ${reason}`
    reply.bulkText(`This user has no permissions to ${what}`)
  },
}

export const aclGenpass: CommandDefinition = {
  name: 'GENPASS',
  usage: '[bits]',
  summary: 'Makes up a password that nobody can guess: 256 bits in hexadecimal, unless told.',
  since: '6.0.0',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale'],
  reply: 'bulk',

  run(call) {
    const { args, server, reply } = call
    if (args.count > 3) throw tooMany(call)
    const bits = args.count === 3 ? args.integer(2) : PASSWORD_BITS_DEFAULT
    if (bits <= 0 || bits > PASSWORD_BITS_MAX) throw PASSWORD_BITS

    reply.bulkText(server.secrets.hexadecimal(Math.ceil(bits / 4)))
  },
}

export const aclLog: CommandDefinition = {
  name: 'LOG',
  usage: '[operation: count | RESET]',
  summary: 'Shows what was denied lately, 10 entries unless told, or forgets it.',
  since: '6.0.0',
  complexity: 'O(N) with N being the number of entries shown.',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  reply: 'array | ok',

  run(call) {
    const { args, server, reply } = call
    const { log } = server.users
    if (args.count > 3) throw tooMany(call)
    if (args.count === 3 && args.is(2, 'RESET')) {
      log.clear()
      return reply.ok()
    }
    const wanted = args.count === 3 ? args.integer(2) : LOG_COUNT_DEFAULT
    const entries = log.entries.slice(0, Math.max(wanted, 0))
    reply.array(entries.length)
    for (const entry of entries) replyLogEntry(call, entry)
  },
}

function replyLogEntry({ reply, nowMs }: Call, entry: AccessLogEntry): void {
  reply.map(7)
  reply.bulkText('count')
  reply.integer(entry.count)
  reply.bulkText('reason')
  reply.bulkText(entry.reason)
  reply.bulkText('context')
  reply.bulkText(entry.context)
  reply.bulkText('object')
  reply.bulkText(entry.object)
  reply.bulkText('username')
  reply.bulkText(entry.userName)
  reply.bulkText('age-seconds')
  reply.double((nowMs - entry.atMs) / 1000)
  reply.bulkText('client-info')
  reply.bulkText(entry.client)
}

/** The command or subcommand that the words from argument `index` on call. */
function commandAt({ args, server }: Call, index: number): CommandEntry | undefined {
  const at = args.offsets[index]
  const entry = server.commands.find(args.bytes, at, at + args.lengths[index])
  if (entry?.subcommands === undefined || index + 1 >= args.count) return entry
  return entry.subcommands.get(args.text(index + 1).toLowerCase())
}

function tooMany({ args }: Call): CommandError {
  const word = args.shown(1)
  return new CommandError(
    `ERR unknown subcommand or wrong number of arguments for '${word}'. Try ACL HELP.`,
  )
}
