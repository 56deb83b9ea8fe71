/**
 * WAITAOF: is what I wrote on the disk, here and at replicas?
 *
 * Thread: core.
 * Owns: nothing: `waits.ts` knows who waits.
 * Never: counts a file that is written and not synced.
 */
import { command } from '../../command/command.ts'
import { parseTimeoutMs } from '../../engine/blocking.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, NOT_AN_INTEGER } from '../../engine/errors.ts'
import type { Reply } from '../../engine/reply.ts'

const ON_A_REPLICA = new CommandError(
  'ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated.',
)
const WITHOUT_AOF = new CommandError(
  'ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.',
)
const LOCAL_RANGE = new CommandError('ERR value is out of range, value must between 0 and 1')
const REPLICAS_RANGE = new CommandError('ERR value is out of range, must be positive')

export const waitaofCommand = command({
  name: 'WAITAOF',
  usage: 'numlocal:integer numreplicas:integer timeout:integer',
  summary: 'Waits until what this connection wrote is on the disk, here and at replicas.',
  since: '7.2.0',
  complexity: 'O(1)',
  flags: ['blocking'],
  categories: ['connection'],
  tips: ['request_policy:all_shards', 'response_policy:agg_min'],
  group: 'generic',
  reply: 'array',

  run(call) {
    const { args, server, session, reply } = call
    const { replication, aof } = server
    const local = count(call, 1)
    if (local < 0 || local > 1) throw LOCAL_RANGE
    const wanted = count(call, 2)
    if (wanted < 0) throw REPLICAS_RANGE
    const timeoutMs = parseTimeoutMs(args, 3)
    if (replication.isReplica) throw ON_A_REPLICA
    if (local > 0 && aof.state === 'off') throw WITHOUT_AOF
    const { writtenOffset, writtenPosition } = session
    const localCount = () => (aof.holds(writtenPosition) ? 1 : 0)
    const replicaCount = () => replication.replicas.syncedCount(writtenOffset)
    const isOver = () => localCount() >= local && replicaCount() >= wanted
    const answer = (to: Reply) => {
      to.array(2)
      to.integer(localCount())
      to.integer(replicaCount())
    }
    if (isOver() || !call.mayBlock) return answer(reply)

    if (local > 0) server.waits.addForDisk(session, isOver)
    else server.waits.add(session, isOver)
    if (wanted > 0) replication.replicas.asks = true
    call.block({ type: -1, firstKey: 0, keyCount: 0, timeoutMs, onTimeout: answer })
  },
})

/** An argument that is a number. Throws: CommandError. */
function count({ args }: Call, index: number): number {
  if (!args.integer64(index)) throw NOT_AN_INTEGER
  return args.high * 0x100000000 + (args.low >>> 0)
}
