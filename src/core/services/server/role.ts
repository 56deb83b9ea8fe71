/**
 * ROLE, TIME, MONITOR, SHUTDOWN: the server as such.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: ends the process itself: the main thread does.
 */
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, SYNTAX } from '../../engine/errors.ts'

const NO_SHUTDOWN = new CommandError('ERR No shutdown in progress.')
const NOTHING_TO_SAVE_TO = new CommandError(
  'ERR Errors trying to SHUTDOWN: this server cannot save to disk. Use SHUTDOWN NOSAVE.',
)

export const roleCommand = command({
  name: 'ROLE',
  usage: '',
  summary: 'Returns the part that the server plays in replication.',
  since: '2.8.12',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale', 'fast'],
  categories: ['admin', 'dangerous'],
  reply: 'array',

  run(call) {
    const { reply } = call
    reply.array(3)
    reply.bulkText('master')
    reply.integer(0)
    reply.array(0)
  },
})

export const timeCommand = command({
  name: 'TIME',
  usage: '',
  summary: 'Returns the Unix time in seconds, and the microseconds beyond.',
  since: '2.6.0',
  complexity: 'O(1)',
  flags: ['loading', 'stale', 'fast'],
  tips: ['nondeterministic_output'],
  reply: 'array of bulk',

  run(call) {
    const unixUs = call.server.clock.unixMicroseconds()
    call.reply.array(2)
    call.reply.bulkInteger(Math.floor(unixUs / 1e6))
    call.reply.bulkInteger(unixUs % 1e6)
  },
})

const MONITOR_INSIDE = new CommandError("ERR MONITOR isn't allowed for DENY BLOCKING client")

export const monitorCommand = command({
  name: 'MONITOR',
  usage: '',
  summary: 'Shows every call from now on.',
  since: '1.0.0',
  complexity: '',
  flags: ['admin', 'noscript', 'loading', 'stale'],
  reply: 'ok',

  run(call) {
    if (!call.mayBlock) throw MONITOR_INSIDE
    call.server.monitors.add(call.session)
    call.reply.ok()
  },
})

interface ShutdownOptions {
  save: boolean
  nosave: boolean
  abort: boolean
}

export const shutdownCommand = command({
  name: 'SHUTDOWN',
  usage: '[nosave_save: NOSAVE | SAVE] [NOW]@7.0.0 [FORCE]@7.0.0 [ABORT]@7.0.0',
  summary: 'Ends the server.',
  since: '1.0.0',
  complexity:
    'O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)',
  flags: ['admin', 'noscript', 'loading', 'stale', 'no_multi', 'allow_busy'],
  reply: 'ok',

  run(call) {
    const { server, session } = call
    const options = shutdownOptions(call)
    if (options.abort) throw NO_SHUTDOWN
    const busy = server.scripting.busyError
    if (busy !== undefined && !options.nosave) throw busy
    // DIFFERS: there is nothing yet that could be saved to, so saving is refused, not feigned.
    if (options.save) throw NOTHING_TO_SAVE_TO

    server.log.warning('User requested shutdown...')
    server.control.send({ type: 'shutdown', status: 0 })
    // The connection ends with the process; what it still asks for is not answered.
    session.waiting = []
  },
})

function shutdownOptions(call: Call): ShutdownOptions {
  const { args } = call
  const options = { save: false, nosave: false, abort: false }
  for (let i = 1; i < args.count; i++) {
    if (args.is(i, 'NOSAVE')) options.nosave = true
    else if (args.is(i, 'SAVE')) options.save = true
    else if (args.is(i, 'ABORT')) options.abort = true
    else if (!args.is(i, 'NOW') && !args.is(i, 'FORCE')) throw SYNTAX
  }
  if (options.abort && args.count > 2) throw SYNTAX
  if (options.save && options.nosave) throw SYNTAX
  return options
}
