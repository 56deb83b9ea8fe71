/**
 * The CLUSTER container, and what a connection says to a node of a cluster: READONLY, READWRITE,
 * ASKING.
 *
 * Thread: core.
 * Owns: which subcommands there are.
 * Never: does a subcommand's work.
 */
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { helpSubcommand } from '../server/help.ts'
import { DISABLED } from './container.ts'
import * as nodes from './nodes.ts'
import * as slots from './slots.ts'
import * as views from './views.ts'

const subcommands: readonly CommandDefinition[] = [
  ...Object.values(slots),
  ...Object.values(views),
  ...Object.values(nodes),
]

export const clusterCommand = command({
  name: 'CLUSTER',
  usage: '',
  summary: 'Looks after hash slots and nodes.',
  since: '3.0.0',
  complexity: 'Depends on subcommand.',
  flags: [],
  reply: 'any',
  subcommands: [...subcommands, helpSubcommand('CLUSTER', '5.0.0', () => subcommands)],
})

export const readonlyCommand = command({
  name: 'READONLY',
  usage: '',
  summary: 'Allows reading from a replica of a cluster.',
  since: '3.0.0',
  complexity: 'O(1)',
  flags: ['loading', 'stale', 'fast'],
  categories: ['connection'],
  reply: 'ok',
  run: acknowledge,
})

export const readwriteCommand = command({
  name: 'READWRITE',
  usage: '',
  summary: 'Forbids again what READONLY allowed.',
  since: '3.0.0',
  complexity: 'O(1)',
  flags: ['loading', 'stale', 'fast'],
  categories: ['connection'],
  reply: 'ok',
  run: acknowledge,
})

export const askingCommand = command({
  name: 'ASKING',
  usage: '',
  summary: 'Lets the next call see a slot that is being imported.',
  since: '3.0.0',
  complexity: 'O(1)',
  flags: ['fast'],
  categories: ['connection'],
  reply: 'ok',
  run: acknowledge,
})

/** This node is a primary that imports no slot: there is nothing that these would change. */
function acknowledge({ server, reply }: Call): void {
  if (!server.cluster.enabled) throw DISABLED
  reply.ok()
}
