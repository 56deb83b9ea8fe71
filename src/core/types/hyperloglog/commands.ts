/**
 * The commands of the hyperloglog group.
 *
 * Thread: core.
 * Owns: which files they are in.
 * Never: defines one.
 */
import { collect } from '../../command/command.ts'
import * as add from './add.ts'
import * as count from './count.ts'
import * as debug from './debug.ts'
import * as merge from './merge.ts'
import * as selfTest from './self-test.ts'

export const hyperloglogCommands = collect('hyperloglog', add, count, merge, debug, selfTest)
