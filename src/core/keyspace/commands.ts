/**
 * The commands of the group 'generic': keys, whatever they hold.
 *
 * Thread: core.
 * Owns: the list.
 * Never: defines a command.
 */
import { collect } from '../command/command.ts'
import * as remove from './delete.ts'
import * as dump from './dump.ts'
import * as expire from './expire.ts'
import * as object from './object.ts'
import * as rename from './rename.ts'
import * as scan from './scan.ts'

export const genericCommands = collect('generic', remove, rename, expire, scan, object, dump)
