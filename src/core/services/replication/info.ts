/**
 * INFO's section about replication.
 *
 * Thread: core.
 * Owns: its fields and their order.
 * Never: keeps what it tells.
 */
import type { Server } from '../../server.ts'
import type { PrimaryLink } from './primary-link.ts'
import {
  REPLICA_INTRODUCES,
  REPLICA_LOADS,
  REPLICA_ONLINE,
  REPLICA_RECEIVES,
  REPLICA_WAITS,
  type Replica,
} from './replica.ts'

const STATE_NAMES: Readonly<Record<number, string>> = {
  [REPLICA_INTRODUCES]: '',
  [REPLICA_WAITS]: 'wait_bgsave',
  [REPLICA_RECEIVES]: 'send_bulk',
  [REPLICA_LOADS]: 'send_bulk',
  [REPLICA_ONLINE]: 'online',
}

/** A snapshot that goes straight to a replica counts as one that it waits for, until it is whole. */
export function stateName({ replication }: Server, replica: Replica): string {
  const isSaving = replication.replicas.fullSync.isSaving(replica)
  return STATE_NAMES[isSaving ? REPLICA_WAITS : replica.state]
}

export function replicationSection(server: Server): string[] {
  const { replication, failover, settings } = server
  const { replicas, link, backlog } = replication
  return [
    `role:${link === undefined ? 'master' : 'slave'}`,
    ...(link === undefined ? [] : linkLines(server, link)),
    `connected_slaves:${replicas.count}`,
    ...(settings.int('min-replicas-to-write') > 0 && settings.int('min-replicas-max-lag') > 0
      ? [`min_slaves_good_slaves:${replicas.goodCount}`]
      : []),
    ...[...replicas.all()].map((replica, index) => replicaLine(server, replica, index)),
    `master_failover_state:${failover.stateName}`,
    `master_replid:${replication.id}`,
    `master_replid2:${replication.previousId}`,
    `master_repl_offset:${replication.offset}`,
    `second_repl_offset:${replication.previousEndOffset < 0 ? -1 : replication.previousEndOffset + 1}`,
    `repl_backlog_active:${backlog === undefined ? 0 : 1}`,
    `repl_backlog_size:${settings.int('repl-backlog-size')}`,
    `repl_backlog_first_byte_offset:${backlog === undefined ? 0 : backlog.startOffset + 1}`,
    `repl_backlog_histlen:${backlog === undefined ? 0 : backlog.heldSize}`,
  ]
}

function linkLines({ settings, replication }: Server, link: PrimaryLink): string[] {
  const { transfer } = link
  const lines = [
    `master_host:${link.primary.host}`,
    `master_port:${link.primary.port}`,
    `master_link_status:${link.isOnline ? 'up' : 'down'}`,
    `master_last_io_seconds_ago:${link.lastIoSeconds}`,
    `master_sync_in_progress:${link.isTransferring ? 1 : 0}`,
    `slave_read_repl_offset:${link.isOnline ? link.readOffset : replication.offset}`,
    `slave_repl_offset:${link.isOnline ? link.appliedOffset : replication.offset}`,
  ]
  if (transfer !== undefined) {
    const { totalSize, readSize, lastIoSeconds } = transfer
    const percent = totalSize > 0 ? (100 * readSize) / totalSize : 0
    lines.push(
      `master_sync_total_bytes:${totalSize}`,
      `master_sync_read_bytes:${readSize}`,
      `master_sync_left_bytes:${Math.max(totalSize - readSize, 0)}`,
      `master_sync_perc:${percent.toFixed(2)}`,
      `master_sync_last_io_seconds_ago:${lastIoSeconds}`,
    )
  }
  if (!link.isOnline) lines.push(`master_link_down_since_seconds:${link.downSeconds}`)
  lines.push(
    `slave_priority:${settings.int('replica-priority')}`,
    `slave_read_only:${settings.bool('replica-read-only') ? 1 : 0}`,
    `replica_announced:${settings.bool('replica-announced') ? 1 : 0}`,
  )
  return lines
}

function replicaLine(server: Server, replica: Replica, index: number): string {
  const { ip, port, state, ackOffset, ackMs } = replica
  const lag = state === REPLICA_ONLINE ? Math.floor((server.clock.nowMs - ackMs) / 1000) : 0
  return `slave${index}:ip=${ip},port=${port},state=${stateName(server, replica)},offset=${ackOffset},lag=${lag}`
}
