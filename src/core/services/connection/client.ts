/**
 * The CLIENT container.
 *
 * Thread: core.
 * Owns: which subcommands there are.
 * Never: does a subcommand's work.
 */
import { type CommandDefinition, command } from '../../command/command.ts'
import { helpSubcommand } from '../server/help.ts'
import { clientKill } from './client-kill.ts'
import { clientId, clientInfo, clientList } from './client-list.ts'
import { clientPause, clientUnpause } from './client-pause.ts'
import {
  clientGetname,
  clientNoEvict,
  clientNoTouch,
  clientReply,
  clientSetinfo,
  clientSetname,
} from './client-state.ts'
import {
  clientCaching,
  clientGetredir,
  clientTracking,
  clientTrackinginfo,
} from './client-tracking.ts'
import { clientUnblock } from './client-unblock.ts'

const subcommands: readonly CommandDefinition[] = [
  clientCaching,
  clientGetname,
  clientGetredir,
  clientId,
  clientInfo,
  clientKill,
  clientList,
  clientNoEvict,
  clientNoTouch,
  clientPause,
  clientReply,
  clientSetinfo,
  clientSetname,
  clientTracking,
  clientTrackinginfo,
  clientUnblock,
  clientUnpause,
]

export const clientCommand = command({
  name: 'CLIENT',
  usage: '',
  summary: 'Looks after connections.',
  since: '2.4.0',
  complexity: 'Depends on subcommand.',
  flags: [],
  reply: 'any',
  keepsCaching: true,
  subcommands: [...subcommands, helpSubcommand('CLIENT', '5.0.0', () => subcommands)],
})
