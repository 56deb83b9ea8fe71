/**
 * LATENCY: what took long, and how long things take.
 *
 * Thread: core.
 * Owns: nothing: latency.ts keeps the events, histogram.ts the distributions.
 * Never: records.
 */
import { type CommandDefinition, command } from '../../command/command.ts'
import type { CommandEntry } from '../../command/table.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import { helpSubcommand } from './help.ts'
import { latencyGraph, latencyReport } from './latency-text.ts'

const ALL_NODES = ['nondeterministic_output', 'request_policy:all_nodes', 'response_policy:special']
const FLAGS = ['admin', 'noscript', 'loading', 'stale'] as const

const latencyLatest: CommandDefinition = {
  name: 'LATEST',
  usage: '',
  summary: 'Returns the newest sample of every event, and its worst one.',
  since: '2.8.13',
  complexity: 'O(1)',
  flags: FLAGS,
  tips: ALL_NODES,
  reply: 'array',

  run({ reply, server }) {
    const { events } = server.latency
    reply.array(events.size)
    for (const { name, worstMs, samples } of events.values()) {
      const last = samples[samples.length - 1]
      reply.array(4)
      reply.bulkText(name)
      reply.integer(last.unixSeconds)
      reply.integer(last.durationMs)
      reply.integer(worstMs)
    }
  },
}

const latencyHistory: CommandDefinition = {
  name: 'HISTORY',
  usage: 'event',
  summary: 'Returns the samples of an event.',
  since: '2.8.13',
  complexity: 'O(1)',
  flags: FLAGS,
  tips: ALL_NODES,
  reply: 'array',

  run({ args, reply, server }) {
    const samples = server.latency.events.get(args.text(2))?.samples ?? []
    reply.array(samples.length)
    for (const { unixSeconds, durationMs } of samples) {
      reply.array(2)
      reply.integer(unixSeconds)
      reply.integer(durationMs)
    }
  },
}

const latencyGraphCommand: CommandDefinition = {
  name: 'GRAPH',
  usage: 'event',
  summary: 'Draws the samples of an event.',
  since: '2.8.13',
  complexity: 'O(1)',
  flags: FLAGS,
  tips: ALL_NODES,
  reply: 'verbatim',

  run({ args, reply, server, nowMs }) {
    const event = server.latency.events.get(args.text(2))
    if (event === undefined) {
      throw new CommandError(`ERR No samples available for event '${args.shown(2)}'`)
    }
    reply.verbatim(latencyGraph(event, Math.floor(nowMs / 1000)), 'txt')
  },
}

const latencyDoctor: CommandDefinition = {
  name: 'DOCTOR',
  usage: '',
  summary: 'Says what took long, and what may help.',
  since: '2.8.13',
  complexity: 'O(1)',
  flags: FLAGS,
  tips: ALL_NODES,
  reply: 'verbatim',

  run({ reply, server }) {
    const thresholdMs = server.settings.int('latency-monitor-threshold')
    reply.verbatim(latencyReport(server.latency, thresholdMs), 'txt')
  },
}

const latencyReset: CommandDefinition = {
  name: 'RESET',
  usage: '[event [event ...]]',
  summary: 'Forgets the samples of some events, or of all.',
  since: '2.8.13',
  complexity: 'O(1)',
  flags: FLAGS,
  tips: ['request_policy:all_nodes', 'response_policy:all_succeeded'],
  reply: 'integer',

  run({ args, reply, server }) {
    const { events } = server.latency
    let count = 0
    if (args.count === 2) {
      count = events.size
      events.clear()
    }
    for (let i = 2; i < args.count; i++) {
      if (events.delete(args.text(i))) count++
    }
    reply.integer(count)
  },
}

const latencyHistogram: CommandDefinition = {
  name: 'HISTOGRAM',
  usage: '[command [command ...]]',
  summary: 'Returns how many calls of each command took how long at most.',
  since: '7.0.0',
  complexity: 'O(N) where N is the number of commands with latency information being retrieved.',
  flags: FLAGS,
  tips: ALL_NODES,
  reply: 'map',

  run(call) {
    const { reply, server } = call
    const entries = wantedCommands(call)
    reply.map(entries.length)
    for (const entry of entries) {
      const histogram = server.latency.histogram(entry)
      if (histogram === undefined) continue
      const { boundsUs, counts } = histogram.distribution()
      reply.bulkText(entry.name)
      reply.map(2)
      reply.bulkText('calls')
      reply.integer(histogram.count)
      reply.bulkText('histogram_usec')
      reply.map(boundsUs.length)
      for (let i = 0; i < boundsUs.length; i++) {
        reply.integer(boundsUs[i])
        reply.integer(counts[i])
      }
    }
  },
}

const subcommands: readonly CommandDefinition[] = [
  latencyDoctor,
  latencyGraphCommand,
  latencyHistogram,
  latencyHistory,
  latencyLatest,
  latencyReset,
]

export const latencyCommand = command({
  name: 'LATENCY',
  usage: '',
  summary: 'Tells how long things take.',
  since: '2.8.13',
  complexity: 'Depends on subcommand.',
  flags: [],
  reply: 'any',
  subcommands: [...subcommands, helpSubcommand('LATENCY', '2.8.13', () => subcommands)],
})

/** The commands asked for that have been called; a container stands for its subcommands. */
function wantedCommands({ args, server }: Call): CommandEntry[] {
  const { commands, latency } = server
  const wanted: CommandEntry[] = []
  if (args.count === 2) wanted.push(...commands.entries)
  for (let i = 2; i < args.count; i++) {
    const entry = commands.findName(args.text(i))
    if (entry === undefined) continue
    wanted.push(entry, ...(entry.subcommands?.values() ?? []))
  }
  return wanted.filter((entry) => latency.histogram(entry) !== undefined)
}
