/**
 * CLUSTER MEET, FORGET, REPLICATE and whatever else is about nodes: there is one, this one.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: pretends that there is a bus.
 */
import type { CommandDefinition } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'
import { clusterSubcommand, idOf, knows, NOT_HERE } from './container.ts'

const NOT_A_REPLICA = new CommandError('ERR You should send CLUSTER FAILOVER to a replica')
const FORGET_MYSELF = new CommandError("ERR I tried hard but I can't forget myself...")
const REPLICATE_MYSELF = new CommandError("ERR Can't replicate myself")
const RESET_WITH_KEYS = new CommandError(
  "ERR CLUSTER RESET can't be called with master nodes containing keys",
)
const EPOCH_SET = new CommandError('ERR Node config epoch is already non-zero')
const BAD_EPOCH = new CommandError('ERR Invalid config epoch specified: ')
const ADMIN = ['admin', 'stale', 'no_async_loading'] as const
const PORT_MAX = 65535

export const clusterMeet: CommandDefinition = clusterSubcommand({
  name: 'MEET',
  usage: 'ip port:integer [cluster_bus_port]@4.0.0',
  summary: 'Makes nodes know each other.',
  complexity: 'O(1)',
  flags: [...ADMIN],
  history: [['4.0.0', 'cluster_bus_port came.']],
  arity: -4,
  reply: 'ok',

  run({ args }) {
    for (const [index, what] of [
      [3, 'base port'],
      [4, 'bus port'],
    ] as const) {
      if (index >= args.count) continue
      if (!args.integer64(index) || args.high !== 0 || args.low <= 0 || args.low > PORT_MAX) {
        throw new CommandError(`ERR Invalid TCP ${what} specified: ${args.shown(index)}`)
      }
    }
    throw NOT_HERE
  },
})

export const clusterForget = clusterSubcommand({
  name: 'FORGET',
  usage: 'node-id',
  summary: 'Removes a node from those that are known.',
  complexity: 'O(1)',
  flags: [...ADMIN],
  reply: 'ok',

  run(call) {
    if (!knows(call, 2)) throw unknownNode(call)
    throw FORGET_MYSELF
  },
})

export const clusterReplicate = clusterSubcommand({
  name: 'REPLICATE',
  usage: 'node-id',
  summary: 'Makes this node a replica of another.',
  complexity: 'O(1)',
  flags: [...ADMIN],
  reply: 'ok',

  run(call) {
    if (!knows(call, 2)) throw unknownNode(call)
    throw REPLICATE_MYSELF
  },
})

export const clusterReplicas = clusterSubcommand({
  name: 'REPLICAS',
  usage: 'node-id',
  summary: 'Describes the replicas of a node.',
  since: '5.0.0',
  complexity: 'O(1)',
  flags: ['admin', 'stale'],
  tips: ['nondeterministic_output'],
  reply: 'array',
  run: noReplicas,
})

export const clusterSlaves = clusterSubcommand({
  name: 'SLAVES',
  usage: 'node-id',
  summary: 'Describes the replicas of a node.',
  complexity: 'O(1)',
  flags: ['admin', 'stale'],
  tips: ['nondeterministic_output'],
  deprecated: { since: '5.0.0', replacedBy: '`CLUSTER REPLICAS`' },
  reply: 'array',
  run: noReplicas,
})

export const clusterFailover = clusterSubcommand({
  name: 'FAILOVER',
  usage: '[options: FORCE | TAKEOVER]',
  summary: 'Makes a replica the primary.',
  complexity: 'O(1)',
  flags: [...ADMIN],
  reply: 'ok',

  run({ args }) {
    if (args.count > 3) throw SYNTAX
    if (args.count === 3 && !args.is(2, 'FORCE') && !args.is(2, 'TAKEOVER')) throw SYNTAX
    throw NOT_A_REPLICA
  },
})

export const clusterCountFailureReports = clusterSubcommand({
  name: 'COUNT-FAILURE-REPORTS',
  usage: 'node-id',
  summary: 'Counts the nodes that believe a node to be down.',
  complexity: 'O(N) where N is the number of failure reports',
  flags: ['admin', 'stale'],
  tips: ['nondeterministic_output'],
  reply: 'integer',

  run(call) {
    if (!knows(call, 2)) throw unknownNode(call)
    call.reply.integer(0)
  },
})

export const clusterReset = clusterSubcommand({
  name: 'RESET',
  usage: '[hard_soft: HARD | SOFT]',
  summary: 'Makes this node a new one.',
  complexity:
    'O(N) where N is the number of known nodes. The command may execute a FLUSHALL as a side effect.',
  flags: ['admin', 'noscript', 'stale'],
  reply: 'ok',

  run({ args, server, keyspace, reply }) {
    if (args.count > 3) throw SYNTAX
    const isHard = args.count === 3 && args.is(2, 'HARD')
    if (args.count === 3 && !isHard && !args.is(2, 'SOFT')) throw SYNTAX
    if (keyspace.keyCount() > 0) throw RESET_WITH_KEYS
    server.cluster.giveAll()
    if (isHard) server.cluster.becomeNew()
    server.cluster.save()
    reply.ok()
  },
})

export const clusterBumpepoch = clusterSubcommand({
  name: 'BUMPEPOCH',
  usage: '',
  summary: "Advances the cluster's config epoch.",
  complexity: 'O(1)',
  flags: [...ADMIN],
  tips: ['nondeterministic_output'],
  reply: 'simple',

  run({ server, reply }) {
    const { cluster } = server
    // The highest epoch is bumped only while it is not this node's alone.
    const isHighest = cluster.configEpoch !== 0 && cluster.configEpoch === cluster.currentEpoch
    if (!isHighest) {
      cluster.currentEpoch++
      cluster.configEpoch = cluster.currentEpoch
      cluster.save()
    }
    reply.simple(`${isHighest ? 'STILL' : 'BUMPED'} ${cluster.configEpoch}`)
  },
})

export const clusterSetConfigEpoch = clusterSubcommand({
  name: 'SET-CONFIG-EPOCH',
  usage: 'config-epoch',
  summary: 'Sets the config epoch of a new node.',
  complexity: 'O(1)',
  flags: [...ADMIN],
  reply: 'ok',

  run({ args, server, reply }) {
    const { cluster } = server
    if (!args.integer64(2)) throw NOT_AN_INTEGER
    const epoch = args.high * 0x100000000 + (args.low >>> 0)
    if (epoch < 0) throw new CommandError(`${BAD_EPOCH.text}${epoch}`)
    if (cluster.configEpoch !== 0) throw EPOCH_SET
    cluster.configEpoch = epoch
    cluster.currentEpoch = Math.max(cluster.currentEpoch, epoch)
    cluster.save()
    reply.ok()
  },
})

export const clusterSaveconfig = clusterSubcommand({
  name: 'SAVECONFIG',
  usage: '',
  summary: 'Writes what this node knows of the cluster to its file.',
  complexity: 'O(1)',
  flags: [...ADMIN],
  answersLater: true,
  reply: 'ok',

  run(call) {
    const answer = call.answerLater()
    call.server.cluster.save((problem) =>
      answer((reply) => {
        if (problem === '') reply.ok()
        else reply.error(`ERR error saving the cluster node config: ${problem}`)
      }),
    )
  },
})

function noReplicas(call: Call): void {
  if (!knows(call, 2)) throw unknownNode(call)
  call.reply.array(0)
}

function unknownNode(call: Call): CommandError {
  return new CommandError(`ERR Unknown node ${idOf(call, 2)}`)
}
