/**
 * The cluster group, and what moves keys between servers.
 *
 * Thread: core.
 * Owns: the list.
 * Never: defines a command.
 */
import { collect } from '../../command/command.ts'
import * as cluster from './cluster-command.ts'
import * as migrate from './migrate.ts'

export const clusterCommands = collect('cluster', cluster, migrate)
