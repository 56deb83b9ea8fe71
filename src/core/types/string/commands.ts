/**
 * The commands of the string group.
 *
 * Thread: core.
 * Owns: which files they are in.
 * Never: defines one.
 */
import { collect } from '../../command/command.ts'
import * as change from './change.ts'
import * as count from './count.ts'
import * as get from './get.ts'
import * as lcs from './lcs.ts'
import * as set from './set.ts'

export const stringCommands = collect('string', get, set, change, count, lcs)
