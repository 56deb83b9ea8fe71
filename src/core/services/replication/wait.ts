/**
 * WAIT: has what I wrote arrived?
 *
 * Thread: core.
 * Owns: nothing: `waits.ts` knows who waits.
 * Never: counts a replica that has not said so.
 */
import { command } from '../../command/command.ts'
import { parseTimeoutMs } from '../../engine/blocking.ts'
import { CommandError, NOT_AN_INTEGER } from '../../engine/errors.ts'

const ON_A_REPLICA = new CommandError(
  'ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated.',
)

export const waitCommand = command({
  name: 'WAIT',
  usage: 'numreplicas:integer timeout:integer',
  summary: 'Waits until replicas have what this connection wrote, and says how many have.',
  since: '3.0.0',
  complexity: 'O(1)',
  flags: ['noscript'],
  categories: ['connection'],
  tips: ['request_policy:all_shards', 'response_policy:agg_min'],
  group: 'generic',
  reply: 'integer',

  run(call) {
    const { args, server, session, reply } = call
    const { replicas } = server.replication
    if (server.replication.isReplica) throw ON_A_REPLICA
    if (!args.integer64(1)) throw NOT_AN_INTEGER
    const wanted = args.high * 0x100000000 + (args.low >>> 0)
    const timeoutMs = parseTimeoutMs(args, 2)
    const offset = session.writtenOffset
    const count = replicas.appliedCount(offset)
    if (count >= wanted || !call.mayBlock) return reply.integer(count)

    server.waits.add(session, () => replicas.appliedCount(offset) >= wanted)
    replicas.asks = true
    call.block({
      type: -1,
      firstKey: 0,
      keyCount: 0,
      timeoutMs,
      onTimeout: (late) => late.integer(replicas.appliedCount(offset)),
    })
  },
})
