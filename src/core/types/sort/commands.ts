/**
 * The commands of the group 'generic' that look into values of several types.
 *
 * Thread: core.
 * Owns: which files they are in.
 * Never: defines one.
 */
import { collect } from '../../command/command.ts'
import * as sort from './sort.ts'

export const sortCommands = collect('generic', sort)
