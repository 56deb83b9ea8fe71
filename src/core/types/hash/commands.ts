/**
 * The commands of the hash group.
 *
 * Thread: core.
 * Owns: which files they are in.
 * Never: defines one.
 */
import { collect } from '../../command/command.ts'
import * as get from './get.ts'
import * as set from './set.ts'

export const hashCommands = collect('hash', get, set)
