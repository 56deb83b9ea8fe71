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
// DIFFERS: there is no debugger for scripts, and nothing pretends that there is.
const NO_DEBUGGER = new CommandError('ERR there is no debugger for scripts in this server')

const scriptDebug: CommandDefinition = {
  name: 'DEBUG',
  usage: '<mode: YES | SYNC | NO>',
  summary: 'Sets the debug mode of the scripts that follow: there is no debugger, so it is NO.',
  since: '3.2.0',
  complexity: 'O(1)',
  flags: ['noscript'],
  reply: 'ok',

  run({ args, reply }) {
    if (args.is(2, 'YES') || args.is(2, 'SYNC')) throw NO_DEBUGGER
    if (!args.is(2, 'NO')) throw DEBUG_MODE
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
