/**
 * The command surface on one page: a line per group, nothing else.
 *
 * Thread: core.
 * Owns: which groups there are.
 * Never: defines a command.
 */
import type { CommandGroup } from './command/command.ts'
import { genericCommands } from './keyspace/commands.ts'
import { aclCommands } from './services/acl/commands.ts'
import { clusterCommands } from './services/cluster/commands.ts'
import { connectionCommands } from './services/connection/commands.ts'
import { persistenceCommands } from './services/persistence/commands.ts'
import { pubsubCommands } from './services/pubsub/commands.ts'
import { replicationCommands } from './services/replication/commands.ts'
import { scriptingCommands } from './services/scripting/commands.ts'
import { serverCommands } from './services/server/commands.ts'
import { transactionCommands } from './services/transactions/commands.ts'
import { bitmapCommands } from './types/bitmap/commands.ts'
import { geoCommands } from './types/geo/commands.ts'
import { hashCommands } from './types/hash/commands.ts'
import { hyperloglogCommands } from './types/hyperloglog/commands.ts'
import { listCommands } from './types/list/commands.ts'
import { setCommands } from './types/set/commands.ts'
import { sortCommands } from './types/sort/commands.ts'
import { sortedSetCommands } from './types/sorted-set/commands.ts'
import { streamCommands } from './types/stream/commands.ts'
import { stringCommands } from './types/string/commands.ts'

export const commandGroups: readonly CommandGroup[] = [
  stringCommands,
  bitmapCommands,
  geoCommands,
  hashCommands,
  hyperloglogCommands,
  listCommands,
  setCommands,
  sortedSetCommands,
  streamCommands,
  genericCommands,
  sortCommands,
  connectionCommands,
  pubsubCommands,
  serverCommands,
  aclCommands,
  persistenceCommands,
  transactionCommands,
  clusterCommands,
  replicationCommands,
  scriptingCommands,
]
