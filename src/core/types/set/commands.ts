/**
 * The commands of the set group.
 *
 * Thread: core.
 * Owns: which files they are in.
 * Never: defines one.
 */
import { collect } from '../../command/command.ts'
import * as algebra from './algebra.ts'
import * as chance from './chance.ts'
import * as change from './change.ts'
import * as read from './read.ts'

export const setCommands = collect('set', change, read, chance, algebra)
