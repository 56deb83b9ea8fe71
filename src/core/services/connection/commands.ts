/**
 * The connection group.
 *
 * Thread: core.
 * Owns: which files it consists of.
 * Never: defines a command.
 */
import { collect } from '../../command/command.ts'
import * as auth from './auth.ts'
import * as client from './client.ts'
import * as ping from './ping.ts'

export const connectionCommands = collect('connection', auth, client, ping)
