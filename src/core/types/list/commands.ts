/**
 * The commands of the list group.
 *
 * Thread: core.
 * Owns: which files they are in.
 * Never: defines one.
 */
import { collect } from '../../command/command.ts'
import * as get from './get.ts'
import * as pop from './pop.ts'
import * as push from './push.ts'

export const listCommands = collect('list', get, pop, push)
