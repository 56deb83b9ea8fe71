/**
 * The commands of the hash group.
 *
 * Thread: core.
 * Owns: which files they are in.
 * Never: defines one.
 */
import { collect } from '../../command/command.ts'
import * as expire from './expire.ts'
import * as get from './get.ts'
import * as set from './set.ts'
import * as ttl from './ttl.ts'

export const hashCommands = collect('hash', get, set, expire, ttl)
