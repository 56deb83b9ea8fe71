/**
 * What all subcommands of CLUSTER have in common.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: does a subcommand's work.
 */
import type { CommandDefinition } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'

export const DISABLED = new CommandError('ERR This instance has cluster support disabled')
/** DIFFERS: what needs other nodes is refused, since there is no bus to reach them by. */
export const NOT_HERE = new CommandError(
  'ERR This node is the only one of its cluster: Redbun has no cluster bus. To spread data over several nodes, import it into a Redis Cluster.',
)

export type ClusterCommand = Omit<CommandDefinition, 'since' | 'run'> & {
  readonly since?: string
  readonly run: (call: Call) => void
}

/** A subcommand that is refused where there is no cluster. */
export function clusterSubcommand({ run, ...rest }: ClusterCommand): CommandDefinition {
  return {
    since: '3.0.0',
    ...rest,
    run(call) {
      if (!call.server.cluster.enabled) throw DISABLED
      run(call)
    },
  }
}

/** True when an argument names this node: there is no other. */
export function knows(call: Call, index: number): boolean {
  return call.args.text(index) === call.server.cluster.id
}

export function idOf(call: Call, index: number): string {
  return call.args.shown(index)
}
