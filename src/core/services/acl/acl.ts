/**
 * ACL: who may do what.
 *
 * Thread: core.
 * Owns: the list of its subcommands.
 * Never: does anything itself.
 */
import { type CommandDefinition, command } from '../../command/command.ts'
import { helpSubcommand } from '../server/help.ts'
import { aclLoad, aclSave } from './acl-file.ts'
import { aclCat, aclDryrun, aclGenpass, aclLog } from './acl-inspect.ts'
import { aclDeluser, aclGetuser, aclList, aclSetuser, aclUsers, aclWhoami } from './acl-users.ts'

const subcommands: readonly CommandDefinition[] = [
  aclCat,
  aclDeluser,
  aclDryrun,
  aclGenpass,
  aclGetuser,
  aclList,
  aclLoad,
  aclLog,
  aclSave,
  aclSetuser,
  aclUsers,
  aclWhoami,
]

export const aclCommand = command({
  name: 'ACL',
  usage: '',
  summary: 'Looks after users and what they may do.',
  since: '6.0.0',
  complexity: 'Depends on subcommand.',
  flags: [],
  reply: 'any',
  subcommands: [...subcommands, helpSubcommand('ACL', '6.0.0', () => subcommands)],
})
