/**
 * The end of a primary: replicas get some time to take what was written last, and the log says which
 * of them has not taken it.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: decides how long the server waits.
 */
import type { Server } from '../../server.ts'
import { stateName } from './info.ts'
import { REPLICA_ONLINE } from './replica.ts'
import type { Replication } from './replication.ts'

/** Lets a shutdown wait for the replicas. */
export function waitAtShutdown(server: Server, replication: Replication): void {
  const { shutdown, log, clock } = server
  const lagging = () => {
    const { offset } = replication
    return [...replication.replicas.all()].filter(({ ackOffset }) => ackOffset !== offset)
  }
  shutdown.isReady = () => lagging().length === 0
  shutdown.duties.unshift(() => {
    const { count } = replication.replicas
    if (count === 0) return true
    const late = lagging()
    for (const replica of late) {
      const { name, ackOffset, ackMs, state } = replica
      const behind = replication.offset - ackOffset
      const lag = state === REPLICA_ONLINE ? Math.floor((clock.nowMs - ackMs) / 1000) : 0
      log.warning(
        `Lagging replica ${name} reported offset ${behind} behind master, lag=${lag}, state=${stateName(server, replica)}.`,
      )
    }
    log.notice(`${count - late.length} of ${count} replicas are in sync when shutting down.`)
    return true
  })
}
