/**
 * CLIENT UNBLOCK: ending somebody's wait.
 *
 * Thread: core.
 * Owns: nothing: engine/blocking.ts does.
 * Never: answers the other client inside this call: that follows it.
 */
import type { CommandDefinition } from '../../command/command.ts'
import { CommandError, NOT_AN_INTEGER } from '../../engine/errors.ts'

const BAD_REASON = new CommandError('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR')

export const clientUnblock: CommandDefinition = {
  name: 'UNBLOCK',
  usage: 'client-id [timeout_error: TIMEOUT | ERROR]',
  summary: 'Ends the wait of a client that a blocking command keeps.',
  since: '5.0.0',
  complexity: 'O(log N) where N is the number of client connections',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  reply: 'integer',

  run(call) {
    const { args, server, reply } = call
    if (args.count > 4) throw new CommandError(MANY_WORDS.replace('unblock', args.text(1)))
    const withError = args.count === 4 && args.is(3, 'ERROR')
    if (args.count === 4 && !withError && !args.is(3, 'TIMEOUT')) throw BAD_REASON
    if (!args.integer64(2)) throw NOT_AN_INTEGER

    const session = server.clients.byId(args.high * 0x100000000 + (args.low >>> 0))
    const ended = session !== undefined && server.blocking.unblock(session, withError)
    reply.integer(ended ? 1 : 0)
  },
}

const MANY_WORDS =
  "ERR unknown subcommand or wrong number of arguments for 'unblock'. Try CLIENT HELP."
