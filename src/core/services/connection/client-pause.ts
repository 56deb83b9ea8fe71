/**
 * CLIENT PAUSE and UNPAUSE.
 *
 * Thread: core.
 * Owns: nothing: pause.ts does.
 * Never: lets anybody on while a handler runs: those who waited go on when the turn ends.
 */
import type { CommandDefinition } from '../../command/command.ts'
import { CommandError, NOT_AN_INTEGER_TIMEOUT } from '../../engine/errors.ts'

const END_MS_MAX = 2 ** 63
const NEGATIVE_TIMEOUT = new CommandError('ERR timeout is negative')
const PAUSE_MODE = new CommandError('ERR CLIENT PAUSE mode must be WRITE or ALL')
const PAUSE_WORDS = new CommandError(
  "ERR unknown subcommand or wrong number of arguments for 'pause'. Try CLIENT HELP.",
)

export const clientPause: CommandDefinition = {
  name: 'PAUSE',
  usage: 'timeout:integer [mode: WRITE | ALL]@6.2.0',
  summary: 'Lets all commands wait for some milliseconds, or only those that write.',
  since: '2.9.50',
  complexity: 'O(1)',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  reply: 'ok',

  run(call) {
    const { args, server } = call
    if (args.count > 4) throw new CommandError(PAUSE_WORDS.text.replace('pause', args.text(1)))
    const allCommands = args.count === 3 || args.is(3, 'ALL')
    if (!allCommands && !args.is(3, 'WRITE')) throw PAUSE_MODE
    if (!args.integer64(2)) throw NOT_AN_INTEGER_TIMEOUT
    const timeoutMs = args.high * 0x100000000 + (args.low >>> 0)
    if (timeoutMs < 0) throw NEGATIVE_TIMEOUT

    // QUIRK: an end that 64 bits cannot hold lies in the past.
    const endMs = call.nowMs + timeoutMs
    server.pause.begin(endMs < END_MS_MAX ? endMs : 0, allCommands)
    call.reply.ok()
  },
}

export const clientUnpause: CommandDefinition = {
  name: 'UNPAUSE',
  usage: '',
  summary: 'Ends the pause.',
  since: '6.2.0',
  complexity: 'O(N) Where N is the number of paused clients',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  reply: 'ok',

  run(call) {
    call.server.pause.end()
    call.reply.ok()
  },
}
