/**
 * SCRIPT: looks after the scripts.
 *
 * Thread: core.
 * Owns: nothing: scripts.ts keeps the scripts.
 * Never: runs one.
 */
import { type CommandDefinition, command } from '../../command/command.ts'
import { CommandError } from '../../engine/errors.ts'
import { helpSubcommand } from '../server/help.ts'

const FLUSH_MODE = new CommandError('ERR SCRIPT FLUSH only support SYNC|ASYNC option')
const DEBUG_MODE = new CommandError('ERR Use SCRIPT DEBUG YES/SYNC/NO')
const DEBUG_IN_TRANSACTION = new CommandError('ERR SCRIPT DEBUG must be called outside a pipeline')
// DIFFERS: there is no process that a script could run in so that what it writes vanishes with it.
const DEBUG_FORKED = new CommandError(
  'ERR SCRIPT DEBUG YES is not possible in this server, which has no forked processes. Use SCRIPT DEBUG SYNC, which keeps what the script writes.',
)

const scriptDebug: CommandDefinition = {
  name: 'DEBUG',
  usage: '<mode: YES | SYNC | NO>',
  summary: "Runs the client's scripts in the debugger from now on, or without it.",
  since: '3.2.0',
  complexity: 'O(1)',
  flags: ['noscript'],
  reply: 'ok',

  run({ args, mayBlock, reply, session }) {
    if (!mayBlock) throw DEBUG_IN_TRANSACTION
    if (args.is(2, 'YES')) throw DEBUG_FORKED
    const isOn = args.is(2, 'SYNC')
    if (!isOn && !args.is(2, 'NO')) throw DEBUG_MODE
    session.debugsScripts = isOn
    reply.ok()
  },
}

const scriptExists: CommandDefinition = {
  name: 'EXISTS',
  usage: 'sha1 [sha1 ...]',
  summary: 'Returns for each script whether the server knows it: 1 or 0.',
  since: '2.6.0',
  complexity:
    'O(N) with N being the number of scripts to check (so checking a single script is an O(1) operation).',
  flags: ['noscript'],
  tips: ['request_policy:all_shards', 'response_policy:agg_logical_and'],
  reply: 'array of integer',

  run({ args, reply, server }) {
    reply.array(args.count - 2)
    for (let i = 2; i < args.count; i++) {
      reply.integer(server.scripting.scripts.find(args.text(i)) === undefined ? 0 : 1)
    }
  },
}

const scriptFlush: CommandDefinition = {
  name: 'FLUSH',
  usage: '[ASYNC | SYNC]@6.2.0',
  summary: 'Forgets all scripts. Replicas are not told, nor need they be.',
  since: '2.6.0',
  complexity: 'O(N) with N being the number of scripts in cache',
  flags: ['noscript'],
  tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
  history: [['6.2.0', 'Added the `ASYNC` and `SYNC` flushing mode modifiers.']],
  reply: 'ok',

  run({ args, reply, server }) {
    if (args.count > 3 || (args.count === 3 && !args.is(2, 'SYNC') && !args.is(2, 'ASYNC'))) {
      throw FLUSH_MODE
    }
    server.scripting.scripts.flush()
    reply.ok()
  },
}

const scriptKill: CommandDefinition = {
  name: 'KILL',
  usage: '',
  summary: 'Ends the script that runs, if it has not written anything.',
  since: '2.6.0',
  complexity: 'O(1)',
  flags: ['noscript', 'allow_busy'],
  tips: ['request_policy:all_shards', 'response_policy:one_succeeded'],
  reply: 'ok',

  run({ reply, server }) {
    server.scripting.kill(false)
    reply.ok()
  },
}

const scriptLoad: CommandDefinition = {
  name: 'LOAD',
  usage: 'script',
  summary: 'Remembers a script without running it. Returns its SHA-1.',
  since: '2.6.0',
  complexity: 'O(N) with N being the length in bytes of the script body.',
  flags: ['noscript', 'stale'],
  tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
  reply: 'bulk',

  run({ args, reply, server }) {
    reply.bulkText(server.scripting.scripts.load(args.text(2)).sha)
  },
}

const subcommands: readonly CommandDefinition[] = [
  scriptDebug,
  scriptExists,
  scriptFlush,
  scriptKill,
  scriptLoad,
]

export const scriptCommand = command({
  name: 'SCRIPT',
  usage: '',
  summary: 'Looks after scripts.',
  since: '2.6.0',
  complexity: 'Depends on subcommand.',
  flags: [],
  reply: 'any',
  subcommands: [...subcommands, helpSubcommand('SCRIPT', '5.0.0', () => subcommands)],
})
