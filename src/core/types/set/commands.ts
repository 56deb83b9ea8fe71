/**
 * The commands of the set group.
 *
 * Thread: core.
 * Owns: which files they are in.
 * Never: defines one.
 */
import { collect } from '../../command/command.ts'
import * as algebra from './algebra.ts'
import * as members from './members.ts'

export const setCommands = collect('set', algebra, members)
