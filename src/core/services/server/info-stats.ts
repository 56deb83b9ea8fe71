/**
 * INFO's sections that count: stats, cpu, commands, errors, latencies, keys, and our own.
 *
 * Thread: core.
 * Owns: their fields.
 * Never: counts itself.
 */
import type { CommandEntry } from '../../command/table.ts'
import type { Server } from '../../server.ts'
import { arenaAccount, percent } from './account.ts'

export function statsSection(server: Server): string[] {
  const { stats, clientMemory, clients, eviction, keyspace, pubsub, tracking } = server
  return [
    `total_connections_received:${clients.acceptedCount}`,
    `total_commands_processed:${stats.commandCount()}`,
    `instantaneous_ops_per_sec:${Math.round(stats.commandRate.perSecond())}`,
    `total_net_input_bytes:${stats.bytesIn()}`,
    `total_net_output_bytes:${stats.bytesOut()}`,
    'total_net_repl_input_bytes:0',
    'total_net_repl_output_bytes:0',
    `instantaneous_input_kbps:${(stats.inputRate.perSecond() / 1024).toFixed(2)}`,
    `instantaneous_output_kbps:${(stats.outputRate.perSecond() / 1024).toFixed(2)}`,
    'instantaneous_input_repl_kbps:0.00',
    'instantaneous_output_repl_kbps:0.00',
    `rejected_connections:${stats.rejectedConnections()}`,
    `sync_full:${server.replication.replicas.fullCount}`,
    `sync_partial_ok:${server.replication.replicas.partialCount}`,
    `sync_partial_err:${server.replication.replicas.refusedCount}`,
    `expired_keys:${keyspace.expiredCount}`,
    `expired_subkeys:${keyspace.expiredElementCount}`,
    'expired_stale_perc:0.00',
    'expired_time_cap_reached_count:0',
    'expire_cycle_cpu_milliseconds:0',
    `evicted_keys:${eviction.evictedCount}`,
    `evicted_clients:${clientMemory.evictedCount}`,
    `total_eviction_exceeded_time:${eviction.totalExceededMs}`,
    `current_eviction_exceeded_time:${eviction.currentExceededMs}`,
    `keyspace_hits:${keyspace.hits}`,
    `keyspace_misses:${keyspace.misses}`,
    `pubsub_channels:${pubsub.channels.count}`,
    `pubsub_patterns:${pubsub.patterns.count}`,
    `pubsubshard_channels:${pubsub.shards.count}`,
    'latest_fork_usec:0',
    `total_forks:${server.keyspace.snapshotCount}`,
    `migrate_cached_sockets:${server.migrations.linkCount}`,
    `slave_expires_tracked_keys:${server.replication.ownKeys.count}`,
    'active_defrag_hits:0',
    'active_defrag_misses:0',
    'active_defrag_key_hits:0',
    'active_defrag_key_misses:0',
    'total_active_defrag_time:0',
    'current_active_defrag_time:0',
    `tracking_total_keys:${tracking.table.keyCount}`,
    `tracking_total_items:${tracking.table.itemCount}`,
    `tracking_total_prefixes:${tracking.prefixes.count}`,
    'unexpected_error_replies:0',
    `total_error_replies:${stats.errorReplyCount}`,
    'dump_payload_sanitizations:0',
    `total_reads_processed:${stats.reads()}`,
    `total_writes_processed:${stats.writes()}`,
    ...threadedFields(server),
    'reply_buffer_shrinks:0',
    'reply_buffer_expands:0',
    ...deniedFields(server),
  ]
}

/** What ACLs have denied; since Redis 7.2. */
function deniedFields({ users }: Server): string[] {
  const { auth, command, key, channel } = users.log.counts
  return [
    `acl_access_denied_auth:${auth}`,
    `acl_access_denied_cmd:${command}`,
    `acl_access_denied_key:${key}`,
    `acl_access_denied_channel:${channel}`,
  ]
}

/** What io threads other than the main one have done. */
function threadedFields({ links }: Server): string[] {
  let reads = 0
  let writes = 0
  for (const link of links.slice(1)) {
    reads += link.reads
    writes += link.writes
  }
  return [`io_threaded_reads_processed:${reads}`, `io_threaded_writes_processed:${writes}`]
}

export function cpuSection({ control }: Server): string[] {
  const seconds = (name: string) => (Number(control.process[name] ?? 0) / 1e6).toFixed(6)
  return [
    `used_cpu_sys:${seconds('systemUs')}`,
    `used_cpu_user:${seconds('userUs')}`,
    'used_cpu_sys_children:0.000000',
    'used_cpu_user_children:0.000000',
  ]
}

export function commandstatsSection({ commands }: Server): string[] {
  return commands.entries.filter(hasStatistics).map((entry) => {
    const us = Math.floor(entry.microseconds)
    const usPerCall = entry.calls === 0 ? 0 : entry.microseconds / entry.calls
    return (
      `cmdstat_${entry.name}:calls=${entry.calls},usec=${us},` +
      `usec_per_call=${usPerCall.toFixed(2)},rejected_calls=${entry.rejectedCalls},` +
      `failed_calls=${entry.failedCalls}`
    )
  })
}

function hasStatistics(entry: CommandEntry): boolean {
  return entry.calls > 0 || entry.rejectedCalls > 0 || entry.failedCalls > 0
}

export function errorstatsSection({ stats }: Server): string[] {
  return [...stats.errors]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, count]) => `errorstat_${code}:count=${count}`)
}

export function latencystatsSection({ commands, latency, settings }: Server): string[] {
  const percentiles = settings.text('latency-tracking-info-percentiles').split(' ')
  const lines: string[] = []
  for (const entry of commands.entries) {
    const histogram = latency.histogram(entry)
    if (histogram === undefined) continue
    const values = percentiles
      .filter((text) => text !== '')
      .map((text) => `p${text}=${histogram.percentileUs(Number(text)).toFixed(3)}`)
    lines.push(`latency_percentiles_usec_${entry.name}:${values.join(',')}`)
  }
  return lines
}

export function keyspaceSection({ keyspace, clock }: Server): string[] {
  return keyspace.dbs
    .filter((db) => db.size() > 0)
    .map((db) => {
      const ttlMs = db.deadlines.averageTtlMs(clock.nowMs)
      const counts = `keys=${db.size()},expires=${db.deadlines.count()},avg_ttl=${ttlMs}`
      // As 7.4 has it, but only where there is such a key: the line is else that of 7.0.
      const timed = db.elements.order.count()
      return `db${db.index}:${counts}${timed === 0 ? '' : `,subexpiry=${timed}`}`
    })
}

/** What only this server has. */
export function redbunSection(server: Server): string[] {
  const { keyspace, links, stats } = server
  const { usedBytes, activeBytes, touchedBytes, capacityBytes } = arenaAccount(keyspace)
  return [
    `arena_count:${keyspace.arenas.length}`,
    `arena_capacity_bytes:${capacityBytes}`,
    `arena_used_bytes:${usedBytes}`,
    `arena_active_bytes:${activeBytes}`,
    `arena_touched_bytes:${touchedBytes}`,
    ...keyspace.arenas.map(
      (arena, i) =>
        `arena${i}:used=${arena.usedBytes},free=${arena.freeBytes},touched=${arena.touchedBytes}`,
    ),
    `snapshot_longest_slice_usec:${server.snapshotPace.longestSliceUs}`,
    `longest_turn_usec:${Math.ceil(stats.longestTurnUs)}`,
    `io_threads:${links.length}`,
    ...links.map(({ requests, replies, active }, i) => {
      const requestFill = percent(requests.pendingBytes(), requests.capacity)
      const replyFill = percent(replies.pendingBytes(), replies.capacity)
      return `link${i}:request_ring_fill=${requestFill},reply_ring_fill=${replyFill},active_connections=${active}`
    }),
  ]
}
