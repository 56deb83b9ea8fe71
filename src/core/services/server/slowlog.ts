/**
 * SLOWLOG: the calls that took longest.
 *
 * Thread: core.
 * Owns: nothing: latency.ts keeps the log.
 * Never: logs itself.
 */
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import { helpSubcommand } from './help.ts'

const COUNT_RANGE = new CommandError('ERR count should be greater than or equal to -1')
const DEFAULT_COUNT = 10

const slowlogGet: CommandDefinition = {
  name: 'GET',
  usage: '[count]',
  summary:
    'Returns the newest entries, 10 unless told; -1 stands for all. Each has its number, its Unix time, the microseconds it took, its arguments, and the address and name of its client.',
  since: '2.2.12',
  complexity: 'O(N) where N is the number of entries returned',
  flags: ['admin', 'loading', 'stale'],
  tips: ['request_policy:all_nodes', 'nondeterministic_output'],
  reply: 'array',

  run(call) {
    const { reply, server } = call
    const entries = server.latency.slowLog
    const count = Math.min(wantedCount(call), entries.length)
    reply.array(count)
    for (let i = 0; i < count; i++) {
      const entry = entries[i]
      reply.array(6)
      reply.integer(entry.id)
      reply.integer(entry.unixSeconds)
      reply.integer(entry.durationUs)
      reply.array(entry.argv.length)
      for (const argument of entry.argv) reply.bulkBytes(argument)
      reply.bulkText(entry.address)
      reply.bulkText(entry.clientName)
    }
  },
}

const slowlogLen: CommandDefinition = {
  name: 'LEN',
  usage: '',
  summary: 'Returns how many entries there are.',
  since: '2.2.12',
  complexity: 'O(1)',
  flags: ['admin', 'loading', 'stale'],
  tips: ['request_policy:all_nodes', 'response_policy:agg_sum', 'nondeterministic_output'],
  reply: 'integer',

  run(call) {
    call.reply.integer(call.server.latency.slowLog.length)
  },
}

const slowlogReset: CommandDefinition = {
  name: 'RESET',
  usage: '',
  summary: 'Forgets all entries.',
  since: '2.2.12',
  complexity: 'O(N) where N is the number of entries in the slowlog',
  flags: ['admin', 'loading', 'stale'],
  tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
  reply: 'ok',

  run(call) {
    call.server.latency.slowLog = []
    call.reply.ok()
  },
}

const subcommands: readonly CommandDefinition[] = [slowlogGet, slowlogLen, slowlogReset]

export const slowlogCommand = command({
  name: 'SLOWLOG',
  usage: '',
  summary: 'Looks after the log of slow calls.',
  since: '2.2.12',
  complexity: 'Depends on subcommand.',
  flags: [],
  reply: 'any',
  subcommands: [...subcommands, helpSubcommand('SLOWLOG', '6.2.0', () => subcommands)],
})

function wantedCount({ args }: Call): number {
  if (args.count === 2) return DEFAULT_COUNT
  if (args.count > 3) {
    throw new CommandError(
      `ERR unknown subcommand or wrong number of arguments for '${args.text(1)}'. Try SLOWLOG HELP.`,
    )
  }
  if (!args.integer64(2)) throw COUNT_RANGE
  const count = args.high * 0x100000000 + (args.low >>> 0)
  if (count < -1) throw COUNT_RANGE
  return count === -1 ? Number.POSITIVE_INFINITY : count
}
