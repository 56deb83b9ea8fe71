/**
 * INFO's section about saving.
 *
 * Thread: core.
 * Owns: their fields.
 * Never: tells of a save that did not happen.
 */
import type { Server } from '../../server.ts'

export function persistenceSection(server: Server): string[] {
  const { saves, loading } = server
  const { given, total, earlyBytes } = saves.progress
  return [
    `loading:${loading.active ? 1 : 0}`,
    'async_loading:0',
    // Nothing is copied on write: this is what was written early since it was about to change.
    `current_cow_peak:${earlyBytes}`,
    `current_cow_size:${earlyBytes}`,
    'current_cow_size_age:0',
    `current_fork_perc:${(total === 0 ? 0 : (given * 100) / total).toFixed(2)}`,
    `current_save_keys_processed:${given}`,
    `current_save_keys_total:${total}`,
    `rdb_changes_since_last_save:${saves.changes}`,
    `rdb_bgsave_in_progress:${saves.isInBackground ? 1 : 0}`,
    `rdb_last_save_time:${saves.lastSaveSeconds}`,
    `rdb_last_bgsave_status:${saves.isLastGood ? 'ok' : 'err'}`,
    `rdb_last_bgsave_time_sec:${saves.lastDurationSeconds}`,
    `rdb_current_bgsave_time_sec:${saves.currentSeconds}`,
    `rdb_saves:${saves.count}`,
    `rdb_last_cow_size:${saves.lastEarlyBytes}`,
    `rdb_last_load_keys_expired:${loading.lastExpiredKeys}`,
    `rdb_last_load_keys_loaded:${loading.lastLoadedKeys}`,
    'aof_enabled:0',
    'aof_rewrite_in_progress:0',
    'aof_rewrite_scheduled:0',
    'aof_last_rewrite_time_sec:-1',
    'aof_current_rewrite_time_sec:-1',
    'aof_last_bgrewrite_status:ok',
    'aof_rewrites:0',
    'aof_rewrites_consecutive_failures:0',
    'aof_last_write_status:ok',
    'aof_last_cow_size:0',
    'module_fork_in_progress:0',
    'module_fork_last_cow_size:0',
    ...loading.lines(),
  ]
}
