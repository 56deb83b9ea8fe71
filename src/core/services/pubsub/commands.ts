/**
 * The pubsub group.
 *
 * Thread: core.
 * Owns: which files it consists of.
 * Never: defines a command.
 */
import { collect } from '../../command/command.ts'
import * as inspect from './inspect.ts'
import * as publish from './publish.ts'
import * as subscribe from './subscribe.ts'

export const pubsubCommands = collect('pubsub', inspect, publish, subscribe)
