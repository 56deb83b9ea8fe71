/**
 * FUNCTION, as far as there is something to do without any function.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: pretends that there is a function.
 */
import { command } from '../../command/command.ts'
import { CommandError } from '../../engine/errors.ts'

const FLUSH_MODE = new CommandError('ERR FUNCTION FLUSH only supports SYNC|ASYNC option')

export const functionCommand = command({
  name: 'FUNCTION',
  usage: '',
  summary: 'Looks after libraries of functions.',
  since: '7.0.0',
  complexity: 'Depends on subcommand.',
  flags: [],
  reply: 'any',
  subcommands: [
    {
      name: 'FLUSH',
      usage: '[ASYNC | SYNC]',
      summary: 'Removes all libraries.',
      since: '7.0.0',
      complexity: 'O(N) where N is the number of functions deleted',
      flags: ['write', 'noscript'],
      tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
      reply: 'ok',

      run({ args, reply }) {
        if (args.count > 3) {
          throw new CommandError(
            `ERR unknown subcommand or wrong number of arguments for '${args.text(1)}'. Try FUNCTION HELP.`,
          )
        }
        if (args.count === 3 && !args.is(2, 'SYNC') && !args.is(2, 'ASYNC')) throw FLUSH_MODE
        reply.ok()
      },
    },
  ],
})
