/**
 * The commands of persistence, which COMMAND DOCS counts among those of the server.
 *
 * Thread: core.
 * Owns: which files it consists of.
 * Never: defines a command.
 */
import { collect } from '../../command/command.ts'
import * as rewrite from './rewrite.ts'
import * as save from './save.ts'

export const persistenceCommands = collect('server', rewrite, save)
