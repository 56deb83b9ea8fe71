/**
 * FAILOVER: exchanges the parts of this primary and one of its replicas.
 *
 * Thread: core.
 * Owns: what the arguments mean.
 * Never: waits: INFO tells how it goes.
 */
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'
import type { FailoverOrder } from './failover.ts'
import { REPLICA_ONLINE } from './replica.ts'

const IN_CLUSTER = new CommandError('ERR FAILOVER not allowed in cluster mode.')
const NONE_IN_PROGRESS = new CommandError('ERR No failover in progress.')
const ONE_IN_PROGRESS = new CommandError('ERR FAILOVER already in progress.')
const TIMEOUT_POSITIVE = new CommandError('ERR FAILOVER timeout must be greater than 0')
const ON_A_REPLICA = new CommandError('ERR FAILOVER is not valid when server is a replica.')
const NO_REPLICAS = new CommandError('ERR FAILOVER requires connected replicas.')
const FORCE_NEEDS = new CommandError(
  'ERR FAILOVER with force option requires both a timeout and target HOST and IP.',
)
const NOT_A_REPLICA = new CommandError('ERR FAILOVER target HOST and PORT is not a replica.')
const NOT_ONLINE = new CommandError('ERR FAILOVER target replica is not online.')

export const failoverCommand = command({
  name: 'FAILOVER',
  usage: '[TO <target: host port:integer [FORCE]>] [ABORT] [TIMEOUT milliseconds:integer]',
  summary: 'Exchanges the parts of this primary and one of its replicas.',
  since: '6.2.0',
  complexity: 'O(1)',
  flags: ['admin', 'noscript', 'stale'],
  arity: -1,
  reply: 'ok',

  run(call) {
    const { server, args, reply } = call
    const { failover, replication } = server
    if (server.settings.bool('cluster-enabled')) throw IN_CLUSTER
    if (args.count === 2 && args.is(1, 'ABORT')) {
      if (!failover.isActive) throw NONE_IN_PROGRESS
      failover.abort('Failover manually aborted')
      return reply.ok()
    }
    const order = parse(call)
    if (failover.isActive) throw ONE_IN_PROGRESS
    if (replication.isReplica) throw ON_A_REPLICA
    if (replication.replicas.count === 0) throw NO_REPLICAS
    if (order.force && (order.target === undefined || order.timeoutMs === undefined)) {
      throw FORCE_NEEDS
    }
    checkTarget(call, order)

    failover.begin(order)
    reply.ok()
  },
})

function parse({ args }: Call): FailoverOrder {
  let target: FailoverOrder['target']
  let timeoutMs: number | undefined
  let force = false
  for (let i = 1; i < args.count; i++) {
    const more = args.count - 1 - i
    if (args.is(i, 'TIMEOUT') && more >= 1 && timeoutMs === undefined) {
      if (!args.integer64(++i)) throw NOT_AN_INTEGER
      timeoutMs = args.high * 0x100000000 + (args.low >>> 0)
      if (timeoutMs <= 0) throw TIMEOUT_POSITIVE
    } else if (args.is(i, 'TO') && more >= 2 && target === undefined) {
      if (!args.integer64(i + 2)) throw NOT_AN_INTEGER
      target = { host: args.text(i + 1), port: args.low }
      i += 2
    } else if (args.is(i, 'FORCE') && !force) {
      force = true
    } else {
      throw SYNTAX
    }
  }
  return { target, timeoutMs, force }
}

function checkTarget({ server }: Call, { target }: FailoverOrder): void {
  if (target === undefined) return
  const replica = [...server.replication.replicas.all()].find(
    ({ ip, port }) => ip === target.host && port === target.port,
  )
  if (replica === undefined) throw NOT_A_REPLICA
  if (replica.state !== REPLICA_ONLINE) throw NOT_ONLINE
}
