/**
 * REPLICAOF, SLAVEOF, ROLE: which part this server plays.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: waits for the primary: the link is made after the answer.
 */
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import { REPLICA_ONLINE } from './replica.ts'

const IN_CLUSTER = new CommandError('ERR REPLICAOF not allowed in cluster mode.')
const IN_FAILOVER = new CommandError('ERR REPLICAOF not allowed while failing over.')
const PORT_RANGE = new CommandError('ERR Invalid master port')
const PORT_NUMBER = new CommandError('ERR value is not an integer or out of range')
const PORT_MAX = 65535
const OF_A_REPLICA = new CommandError('ERR Command is not valid when client is a replica.')

export const replicaofCommand = definition('REPLICAOF', '5.0.0')
export const slaveofCommand = definition('SLAVEOF', '1.0.0', {
  since: '5.0.0',
  replacedBy: '`REPLICAOF`',
})

function definition(
  name: string,
  since: string,
  deprecated?: { readonly since: string; readonly replacedBy: string },
): CommandDefinition {
  return command({
    name,
    usage: '<args: <host-port: host port:integer> | <no-one: NO ONE>>',
    summary: 'Follows another server, or nobody any more.',
    since,
    complexity: 'O(1)',
    flags: ['admin', 'noscript', 'stale', 'no_async_loading'],
    ...(deprecated === undefined ? {} : { deprecated }),
    arity: 3,
    reply: 'simple',
    run: replicaof,
  })
}

function replicaof(call: Call): void {
  const { args, server, session, reply } = call
  const { replication } = server
  if (server.settings.bool('cluster-enabled')) throw IN_CLUSTER
  if (server.failover.isActive) throw IN_FAILOVER
  if (args.is(1, 'NO') && args.is(2, 'ONE')) {
    if (replication.isReplica) {
      replication.promote()
      server.log.notice(
        `MASTER MODE enabled (user request from 'id=${session.id} addr=${session.info.address}')`,
      )
    }
    return reply.ok()
  }
  if (session.replica !== undefined && session.replica.state > 0) throw OF_A_REPLICA
  if (!args.integer64(2)) throw PORT_NUMBER
  const port = args.high * 0x100000000 + (args.low >>> 0)
  if (port < 0 || port > PORT_MAX) throw PORT_RANGE
  const host = args.text(1)
  const { link } = replication
  if (link !== undefined && link.primary.host === host && link.primary.port === port) {
    server.log.notice(
      'REPLICAOF would result into synchronization with the master we are already connected with. No operation performed.',
    )
    return reply.simple('OK Already connected to specified master')
  }
  replication.follow({ host, port })
  server.log.notice(
    `REPLICAOF ${host}:${port} enabled (user request from 'id=${session.id} addr=${session.info.address}')`,
  )
  reply.ok()
}

export const roleCommand = command({
  name: 'ROLE',
  usage: '',
  summary: 'Returns the part that the server plays in replication.',
  since: '2.8.12',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale', 'fast'],
  categories: ['admin', 'dangerous'],
  reply: 'array',

  run({ server, reply }) {
    const { replication } = server
    const { link, replicas } = replication
    if (link !== undefined) {
      reply.array(5)
      reply.bulkText('slave')
      reply.bulkText(link.primary.host)
      reply.integer(link.primary.port)
      reply.bulkText(link.stateName)
      reply.integer(link.appliedOffset)
      return
    }
    const online = replicas.in(REPLICA_ONLINE)
    reply.array(3)
    reply.bulkText('master')
    reply.integer(replication.offset)
    reply.array(online.length)
    for (const { ip, port, ackOffset } of online) {
      reply.array(3)
      reply.bulkText(ip)
      reply.bulkText(String(port))
      reply.bulkText(String(ackOffset))
    }
  },
})
