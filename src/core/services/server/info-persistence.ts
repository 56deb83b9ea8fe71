/**
 * INFO's section about saving.
 *
 * Thread: core.
 * Owns: their fields.
 * Never: tells of a save that did not happen.
 */
import type { Server } from '../../server.ts'
import type { Aof } from '../persistence/aof.ts'

export function persistenceSection(server: Server): string[] {
  const { saves, loading, replication } = server
  const isSaving = saves.isInBackground || replication.replicas.fullSync.isStreaming
  const { given, total, earlyBytes } = saves.progress
  return [
    `loading:${loading.active ? 1 : 0}`,
    `async_loading:${loading.isAside ? 1 : 0}`,
    // Nothing is copied on write: this is what was written early since it was about to change.
    `current_cow_peak:${earlyBytes}`,
    `current_cow_size:${earlyBytes}`,
    'current_cow_size_age:0',
    `current_fork_perc:${(total === 0 ? 0 : (given * 100) / total).toFixed(2)}`,
    `current_save_keys_processed:${given}`,
    `current_save_keys_total:${total}`,
    `rdb_changes_since_last_save:${saves.changes}`,
    `rdb_bgsave_in_progress:${isSaving ? 1 : 0}`,
    `rdb_last_save_time:${saves.lastSaveSeconds}`,
    `rdb_last_bgsave_status:${saves.isLastGood ? 'ok' : 'err'}`,
    `rdb_last_bgsave_time_sec:${saves.lastDurationSeconds}`,
    `rdb_current_bgsave_time_sec:${saves.currentSeconds}`,
    `rdb_saves:${saves.count}`,
    `rdb_last_cow_size:${saves.lastEarlyBytes}`,
    `rdb_last_load_keys_expired:${loading.lastExpiredKeys}`,
    `rdb_last_load_keys_loaded:${loading.lastLoadedKeys}`,
    ...aofState(server.aof),
    'module_fork_in_progress:0',
    'module_fork_last_cow_size:0',
    ...(server.settings.bool('appendonly') ? aofFigures(server.aof) : []),
    ...loading.lines(),
  ]
}

function aofState({ state, rewrites, isHealthy }: Aof): string[] {
  return [
    `aof_enabled:${state === 'off' ? 0 : 1}`,
    `aof_rewrite_in_progress:${rewrites.isActive ? 1 : 0}`,
    `aof_rewrite_scheduled:${rewrites.isScheduled ? 1 : 0}`,
    `aof_last_rewrite_time_sec:${rewrites.lastDurationSeconds}`,
    `aof_current_rewrite_time_sec:${rewrites.currentSeconds}`,
    `aof_last_bgrewrite_status:${rewrites.isLastGood ? 'ok' : 'err'}`,
    `aof_rewrites:${rewrites.count}`,
    `aof_rewrites_consecutive_failures:${rewrites.failureCount}`,
    `aof_last_write_status:${isHealthy ? 'ok' : 'err'}`,
    `aof_last_cow_size:${rewrites.lastEarlyBytes}`,
  ]
}

function aofFigures(aof: Aof): string[] {
  return [
    `aof_current_size:${aof.currentSize}`,
    `aof_base_size:${aof.baseSize}`,
    `aof_pending_rewrite:${aof.rewrites.isScheduled ? 1 : 0}`,
    `aof_buffer_length:${aof.bufferedSize}`,
    `aof_pending_bio_fsync:${aof.isSyncing ? 1 : 0}`,
    `aof_delayed_fsync:${aof.delayedCount}`,
  ]
}
