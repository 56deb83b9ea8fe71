/**
 * The commands of the stream group.
 *
 * Thread: core.
 * Owns: which files they are in.
 * Never: defines one.
 */
import { collect } from '../../command/command.ts'
import * as add from './add.ts'
import * as range from './range.ts'
import * as trim from './trim.ts'

export const streamCommands = collect('stream', add, range, trim)
