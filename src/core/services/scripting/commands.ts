/**
 * The scripting group.
 *
 * Thread: core.
 * Owns: which files it consists of.
 * Never: defines a command itself.
 */
import { collect } from '../../command/command.ts'
import * as evaluate from './eval.ts'
import * as callFunction from './fcall.ts'
import * as functions from './function.ts'
import * as scripts from './script.ts'

export const scriptingCommands = collect('scripting', evaluate, scripts, callFunction, functions)
