/**
 * The scripting group. There are no functions in this server yet, so there is one thing that can
 * truly be done with them: FUNCTION FLUSH empties a set of libraries that is empty.
 *
 * Thread: core.
 * Owns: which files it consists of.
 * Never: pretends that there is a function.
 */
import { collect } from '../../command/command.ts'
import * as functions from './functions.ts'

export const scriptingCommands = collect('scripting', functions)
