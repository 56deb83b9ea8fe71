/**
 * TIME, MONITOR: the server as such.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: ends the process itself: the main thread does.
 */
import { command } from '../../command/command.ts'
import { CommandError } from '../../engine/errors.ts'

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
