/**
 * The commands of replication.
 *
 * Thread: core.
 * Owns: the list.
 * Never: defines a command.
 */
import { collect } from '../../command/command.ts'
import * as failover from './failover-command.ts'
import * as psync from './psync.ts'
import * as replicaof from './replicaof.ts'
import * as wait from './wait.ts'
import * as waitaof from './waitaof.ts'

export const replicationCommands = collect('server', replicaof, psync, wait, waitaof, failover)
