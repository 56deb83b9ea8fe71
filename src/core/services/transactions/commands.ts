/**
 * The transactions group.
 *
 * Thread: core.
 * Owns: which files it consists of.
 * Never: defines a command.
 */
import { collect } from '../../command/command.ts'
import * as multi from './multi.ts'
import * as watch from './watch.ts'

export const transactionCommands = collect('transactions', multi, watch)
