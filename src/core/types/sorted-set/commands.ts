/**
 * The sorted set commands.
 *
 * Thread: core.
 * Owns: which files there are.
 * Never: defines a command.
 */
import { collect } from '../../command/command.ts'
import * as add from './add.ts'
import * as algebra from './algebra.ts'
import * as pop from './pop.ts'
import * as query from './query.ts'
import * as read from './read.ts'
import * as remove from './remove.ts'
import * as walk from './walk.ts'

export const sortedSetCommands = collect('sorted-set', add, algebra, pop, query, read, remove, walk)
