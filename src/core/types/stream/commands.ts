/**
 * The commands of the stream group.
 *
 * Thread: core.
 * Owns: which files they are in.
 * Never: defines one.
 */
import { collect } from '../../command/command.ts'
import * as add from './add.ts'
import * as claim from './claim.ts'
import * as group from './group.ts'
import * as info from './info.ts'
import * as pending from './pending.ts'
import * as range from './range.ts'
import * as read from './read.ts'
import * as trim from './trim.ts'

export const streamCommands = collect('stream', add, trim, range, read, group, claim, pending, info)
