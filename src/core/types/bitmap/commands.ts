/**
 * The commands of the bitmap group.
 *
 * Thread: core.
 * Owns: which files they are in.
 * Never: defines one.
 */
import { collect } from '../../command/command.ts'
import * as bit from './bit.ts'
import * as bitfield from './bitfield.ts'
import * as bitop from './bitop.ts'

export const bitmapCommands = collect('bitmap', bit, bitfield, bitop)
