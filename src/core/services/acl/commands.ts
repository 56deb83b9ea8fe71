/**
 * The commands of ACL, which belong to the server group.
 *
 * Thread: core.
 * Owns: which files it consists of.
 * Never: defines a command.
 */
import { collect } from '../../command/command.ts'
import * as acl from './acl.ts'

export const aclCommands = collect('server', acl)
