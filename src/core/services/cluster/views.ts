/**
 * CLUSTER INFO, NODES, SLOTS, SHARDS, LINKS, MYID: how the cluster looks from here.
 *
 * Thread: core.
 * Owns: the words.
 * Never: tells of a node that is not there.
 */
import type { CommandDefinition } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { clusterSubcommand } from './container.ts'

const BUS_PORT_DISTANCE = 10000

export const clusterInfo: CommandDefinition = clusterSubcommand({
  name: 'INFO',
  usage: '',
  summary: 'Tells how the cluster is.',
  complexity: 'O(1)',
  flags: ['stale'],
  tips: ['nondeterministic_output'],
  reply: 'verbatim',

  run({ server, reply }) {
    const { cluster } = server
    const lines = [
      `cluster_state:${cluster.isUp ? 'ok' : 'fail'}`,
      `cluster_slots_assigned:${cluster.ownedCount}`,
      `cluster_slots_ok:${cluster.ownedCount}`,
      'cluster_slots_pfail:0',
      'cluster_slots_fail:0',
      'cluster_known_nodes:1',
      `cluster_size:${cluster.ownedCount > 0 ? 1 : 0}`,
      `cluster_current_epoch:${cluster.currentEpoch}`,
      `cluster_my_epoch:${cluster.configEpoch}`,
      'cluster_stats_messages_sent:0',
      'cluster_stats_messages_received:0',
      'total_cluster_links_buffer_limit_exceeded:0',
    ]
    reply.verbatim(lines.map((line) => `${line}\r\n`).join(''), 'txt')
  },
})

export const clusterNodes = clusterSubcommand({
  name: 'NODES',
  usage: '',
  summary: 'Describes the nodes, a line for each.',
  complexity: 'O(N) where N is the total number of Cluster nodes',
  flags: ['stale'],
  tips: ['nondeterministic_output'],
  reply: 'verbatim',

  run(call) {
    const { cluster } = call.server
    const { ip, port, busPort, hostName } = place(call)
    const slots = cluster.ranges().map(({ first, last }) => {
      return first === last ? ` ${first}` : ` ${first}-${last}`
    })
    const name = hostName === '' ? '' : `,${hostName}`
    call.reply.verbatim(
      `${cluster.id} ${ip}:${port}@${busPort}${name} myself,master - 0 0 ${cluster.configEpoch} connected${slots.join('')}\n`,
      'txt',
    )
  },
})

export const clusterSlots = clusterSubcommand({
  name: 'SLOTS',
  usage: '',
  summary: 'Tells who serves which slots.',
  complexity: 'O(N) where N is the total number of Cluster nodes',
  flags: ['stale'],
  tips: ['nondeterministic_output'],
  deprecated: { since: '7.0.0', replacedBy: '`CLUSTER SHARDS`' },
  history: [
    ['4.0.0', 'Node ids came.'],
    ['7.0.0', 'Further names and addresses of a node came.'],
  ],
  reply: 'array',

  run(call) {
    const { server, reply } = call
    const ranges = server.cluster.ranges()
    const { ip, port, hostName, endpoint } = place(call)
    reply.array(ranges.length)
    for (const { first, last } of ranges) {
      reply.array(3)
      reply.integer(first)
      reply.integer(last)
      reply.array(4)
      if (endpoint === undefined) reply.nil()
      else reply.bulkText(endpoint)
      reply.integer(port)
      reply.bulkText(server.cluster.id)
      const others = otherNames(endpoint, ip, hostName)
      reply.map(others.length)
      for (const [name, value] of others) {
        reply.bulkText(name)
        reply.bulkText(value)
      }
    }
  },
})

/** What a client is told of a node beside its preferred name. */
function otherNames(
  endpoint: string | undefined,
  ip: string,
  hostName: string,
): (readonly [string, string])[] {
  const others: (readonly [string, string])[] = []
  if (endpoint !== ip) others.push(['ip', ip])
  if (hostName !== '' && endpoint !== hostName) others.push(['hostname', hostName])
  return others
}

export const clusterShards = clusterSubcommand({
  name: 'SHARDS',
  usage: '',
  summary: 'Tells who serves which slots, shard by shard.',
  since: '7.0.0',
  complexity: 'O(N) where N is the total number of cluster nodes',
  flags: ['stale'],
  tips: ['nondeterministic_output'],
  reply: 'array',

  run(call) {
    const { server, reply } = call
    const ranges = server.cluster.ranges()
    const { ip, port, tlsPort, hostName, endpoint } = place(call)
    reply.array(1)
    reply.map(2)
    reply.bulkText('slots')
    reply.array(2 * ranges.length)
    for (const { first, last } of ranges) {
      reply.integer(first)
      reply.integer(last)
    }
    reply.bulkText('nodes')
    reply.array(1)
    const fields: (readonly [string, string | number | undefined])[] = [
      ['id', server.cluster.id],
      ...(port > 0 ? [['port', port] as const] : []),
      ...(tlsPort > 0 ? [['tls-port', tlsPort] as const] : []),
      ['ip', ip],
      ['endpoint', endpoint],
      ...(hostName === '' ? [] : [['hostname', hostName] as const]),
      ['role', 'master'],
      ['replication-offset', 0],
      ['health', 'online'],
    ]
    reply.map(fields.length)
    for (const [name, value] of fields) {
      reply.bulkText(name)
      if (value === undefined) reply.nil()
      else if (typeof value === 'number') reply.integer(value)
      else reply.bulkText(value)
    }
  },
})

export const clusterLinks = clusterSubcommand({
  name: 'LINKS',
  usage: '',
  summary: 'Describes the connections between nodes.',
  since: '7.0.0',
  complexity: 'O(N) where N is the total number of Cluster nodes',
  flags: ['stale'],
  tips: ['nondeterministic_output'],
  reply: 'array',
  run: ({ reply }) => reply.array(0),
})

export const clusterMyid = clusterSubcommand({
  name: 'MYID',
  usage: '',
  summary: "Tells this node's id.",
  complexity: 'O(1)',
  flags: ['stale'],
  reply: 'bulk',
  run: ({ server, reply }) => reply.bulkText(server.cluster.id),
})

export const clusterMyshardid = clusterSubcommand({
  name: 'MYSHARDID',
  usage: '',
  summary: 'Tells the id of the shard that this node belongs to.',
  since: '7.2.0',
  complexity: 'O(1)',
  flags: ['loading', 'stale'],
  tips: ['nondeterministic_output'],
  reply: 'bulk',
  // A shard is named after its first node, and there is only one.
  run: ({ server, reply }) => reply.bulkText(server.cluster.id),
})

/**
 * Where this node is reached. DIFFERS: a node of Redis learns its address from others. This one says
 * the address that the client itself came to, unless the settings say another.
 */
function place(call: Call) {
  const { settings } = call.server
  const { localAddress, unix } = call.session.info
  const own = unix ? '127.0.0.1' : localAddress.slice(0, localAddress.lastIndexOf(':'))
  const ip = settings.text('cluster-announce-ip') || own.replace(/[[\]]/g, '')
  const plainPort = settings.int('cluster-announce-port') || settings.int('port')
  const tlsPort = settings.int('cluster-announce-tls-port') || settings.int('tls-port')
  const port = call.session.info.tls && tlsPort > 0 ? tlsPort : plainPort
  const busPort =
    settings.int('cluster-announce-bus-port') ||
    settings.int('cluster-port') ||
    settings.int('port') + BUS_PORT_DISTANCE
  const hostName = settings.text('cluster-announce-hostname')
  const preferred = settings.text('cluster-preferred-endpoint-type')
  let endpoint: string | undefined = ip
  if (preferred === 'hostname') endpoint = hostName === '' ? '?' : hostName
  else if (preferred === 'unknown-endpoint') endpoint = undefined
  return { ip, port, tlsPort, busPort, hostName, endpoint }
}
