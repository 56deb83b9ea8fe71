/**
 * INFO: everything the server can tell of itself, in sections.
 *
 * Thread: core.
 * Owns: which sections there are, in which order, and which are told unasked.
 * Never: measures: it reads what others count.
 */
import { command } from '../../command/command.ts'
import type { Server } from '../../server.ts'
import { replicationSection } from '../replication/info.ts'
import { memorySection } from './info-memory.ts'
import { persistenceSection } from './info-persistence.ts'
import { clientsSection, serverSection } from './info-server.ts'
import {
  commandstatsSection,
  cpuSection,
  errorstatsSection,
  keyspaceSection,
  latencystatsSection,
  redbunSection,
  statsSection,
} from './info-stats.ts'

interface Section {
  /** As asked for, in small letters. */
  readonly name: string
  readonly title: string
  /** Told when nothing particular is asked for. */
  readonly isDefault: boolean
  readonly lines: (server: Server) => readonly string[]
}

const SECTIONS: readonly Section[] = [
  { name: 'server', title: 'Server', isDefault: true, lines: serverSection },
  { name: 'clients', title: 'Clients', isDefault: true, lines: clientsSection },
  { name: 'memory', title: 'Memory', isDefault: true, lines: memorySection },
  { name: 'persistence', title: 'Persistence', isDefault: true, lines: persistenceSection },
  { name: 'stats', title: 'Stats', isDefault: true, lines: statsSection },
  { name: 'replication', title: 'Replication', isDefault: true, lines: replicationSection },
  { name: 'cpu', title: 'CPU', isDefault: true, lines: cpuSection },
  { name: 'modules', title: 'Modules', isDefault: true, lines: () => [] },
  { name: 'commandstats', title: 'Commandstats', isDefault: false, lines: commandstatsSection },
  { name: 'errorstats', title: 'Errorstats', isDefault: true, lines: errorstatsSection },
  { name: 'latencystats', title: 'Latencystats', isDefault: false, lines: latencystatsSection },
  {
    name: 'cluster',
    title: 'Cluster',
    isDefault: true,
    lines: ({ cluster }) => [`cluster_enabled:${cluster.enabled ? 1 : 0}`],
  },
  { name: 'keyspace', title: 'Keyspace', isDefault: true, lines: keyspaceSection },
  { name: 'redbun', title: 'Redbun', isDefault: false, lines: redbunSection },
]

export const infoCommand = command({
  name: 'INFO',
  usage: '[section [section ...]]',
  summary: 'Tells about the server: everything usual, or the sections asked for.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['loading', 'stale'],
  categories: ['dangerous'],
  tips: ['nondeterministic_output', 'request_policy:all_shards', 'response_policy:special'],
  reply: 'verbatim',

  run(call) {
    const { args, server } = call
    const wanted: string[] = []
    for (let i = 1; i < args.count; i++) wanted.push(args.text(i).toLowerCase())
    call.reply.verbatim(infoText(server, wanted), 'txt')
  },
})

/** `wanted`: names in small letters; none asks for the default ones. */
export function infoText(server: Server, wanted: readonly string[]): string {
  const names = new Set(wanted)
  const all = names.has('all') || names.has('everything')
  const usual = all || wanted.length === 0 || names.has('default')
  if (names.has('module_list')) names.add('modules')
  return SECTIONS.filter(({ name, isDefault }) => all || (usual && isDefault) || names.has(name))
    .map(
      ({ title, lines }) =>
        `# ${title}\r\n${lines(server)
          .map((line) => `${line}\r\n`)
          .join('')}`,
    )
    .join('\r\n')
}
