/**
 * INFO as text for Prometheus, with the names that redis_exporter gives: dashboards that were made for
 * it show this server, too.
 *
 * Thread: any.
 * Owns: which field is called what.
 * Never: measures, or makes up a number that INFO does not have.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 * @see https://github.com/oliver006/redis_exporter
 */

/** What the core tells of itself. */
export interface CoreReport {
  /** INFO everything. */
  readonly info: string
  readonly slowLog: {
    readonly length: number
    /** None when nothing was slow. */
    readonly last: readonly { readonly id: number; readonly durationUs: number }[]
  }
}

type Labels = Readonly<Record<string, string>>
type Type = 'gauge' | 'counter' | 'summary'

/** Fields that keep their name. */
const SAME = `uptime_in_seconds process_id io_threads_active connected_clients blocked_clients
  tracking_clients clients_in_timeout_table pubsub_clients watching_clients total_watched_keys
  total_blocking_keys total_blocking_keys_on_nokey allocator_frag_ratio allocator_rss_ratio
  allocator_frag_bytes allocator_rss_bytes
  mem_fragmentation_ratio mem_fragmentation_bytes mem_clients_slaves mem_clients_normal
  lazyfree_pending_objects lazyfreed_objects active_defrag_running number_of_cached_scripts
  number_of_functions number_of_libraries async_loading rdb_changes_since_last_save
  rdb_bgsave_in_progress rdb_last_bgsave_status aof_enabled aof_rewrite_in_progress
  aof_rewrite_scheduled aof_pending_rewrite aof_buffer_length aof_rewrite_buffer_length
  aof_pending_bio_fsync aof_delayed_fsync aof_last_bgrewrite_status aof_last_write_status
  module_fork_in_progress module_fork_last_cow_size pubsub_channels pubsub_patterns
  pubsubshard_channels latest_fork_usec tracking_total_keys tracking_total_items
  tracking_total_prefixes connected_slaves repl_backlog_first_byte_offset master_repl_offset
  second_repl_offset slave_expires_tracked_keys slave_priority cluster_enabled hz configured_hz
  unexpected_error_replies total_error_replies total_reads_processed total_writes_processed
  dump_payload_sanitizations`.split(/\s+/)

const RENAMED: Readonly<Record<string, string>> = {
  client_recent_max_output_buffer: 'client_recent_max_output_buffer_bytes',
  client_recent_max_input_buffer: 'client_recent_max_input_buffer_bytes',
  allocator_active: 'allocator_active_bytes',
  allocator_allocated: 'allocator_allocated_bytes',
  allocator_resident: 'allocator_resident_bytes',
  used_memory: 'memory_used_bytes',
  used_memory_rss: 'memory_used_rss_bytes',
  used_memory_peak: 'memory_used_peak_bytes',
  used_memory_lua: 'memory_used_lua_bytes',
  used_memory_vm_eval: 'memory_used_vm_eval_bytes',
  used_memory_vm_functions: 'memory_used_vm_functions_bytes',
  used_memory_scripts: 'memory_used_scripts_bytes',
  used_memory_scripts_eval: 'memory_used_scripts_eval_bytes',
  used_memory_functions: 'memory_used_functions_bytes',
  used_memory_overhead: 'memory_used_overhead_bytes',
  used_memory_startup: 'memory_used_startup_bytes',
  used_memory_dataset: 'memory_used_dataset_bytes',
  maxmemory: 'memory_max_bytes',
  mem_cluster_links: 'mem_cluster_links_bytes',
  mem_aof_buffer: 'mem_aof_buffer_bytes',
  mem_replication_backlog: 'mem_replication_backlog_bytes',
  mem_total_replication_buffers: 'mem_total_replication_buffers_bytes',
  mem_not_counted_for_evict: 'mem_not_counted_for_eviction_bytes',
  total_system_memory: 'total_system_memory_bytes',
  migrate_cached_sockets: 'migrate_cached_sockets_total',
  active_defrag_hits: 'defrag_hits',
  active_defrag_misses: 'defrag_misses',
  active_defrag_key_hits: 'defrag_key_hits',
  active_defrag_key_misses: 'defrag_key_misses',
  loading: 'loading_dump_file',
  rdb_last_save_time: 'rdb_last_save_timestamp_seconds',
  rdb_last_bgsave_time_sec: 'rdb_last_bgsave_duration_sec',
  rdb_current_bgsave_time_sec: 'rdb_current_bgsave_duration_sec',
  rdb_saves: 'rdb_saves_total',
  rdb_last_cow_size: 'rdb_last_cow_size_bytes',
  rdb_last_load_keys_expired: 'rdb_last_load_expired_keys',
  rdb_last_load_keys_loaded: 'rdb_last_load_loaded_keys',
  aof_last_rewrite_time_sec: 'aof_last_rewrite_duration_sec',
  aof_current_rewrite_time_sec: 'aof_current_rewrite_duration_sec',
  aof_last_cow_size: 'aof_last_cow_size_bytes',
  aof_current_size: 'aof_current_size_bytes',
  aof_base_size: 'aof_base_size_bytes',
  current_eviction_exceeded_time: 'current_eviction_exceeded_time_ms',
  repl_backlog_size: 'replication_backlog_bytes',
  repl_backlog_active: 'repl_backlog_is_active',
  repl_backlog_histlen: 'repl_backlog_history_bytes',
  sync_full: 'replica_resyncs_full',
  sync_partial_ok: 'replica_partial_resync_accepted',
  sync_partial_err: 'replica_partial_resync_denied',
}

const COUNTERS: Readonly<Record<string, string>> = {
  total_connections_received: 'connections_received_total',
  total_commands_processed: 'commands_processed_total',
  rejected_connections: 'rejected_connections_total',
  total_net_input_bytes: 'net_input_bytes_total',
  total_net_output_bytes: 'net_output_bytes_total',
  total_net_repl_input_bytes: 'net_repl_input_bytes_total',
  total_net_repl_output_bytes: 'net_repl_output_bytes_total',
  expired_keys: 'expired_keys_total',
  expired_subkeys: 'expired_subkeys_total',
  expired_time_cap_reached_count: 'expired_time_cap_reached_total',
  expire_cycle_cpu_milliseconds: 'expire_cycle_cpu_time_ms_total',
  evicted_keys: 'evicted_keys_total',
  evicted_clients: 'evicted_clients_total',
  total_eviction_exceeded_time: 'eviction_exceeded_time_ms_total',
  keyspace_hits: 'keyspace_hits_total',
  keyspace_misses: 'keyspace_misses_total',
  used_cpu_sys: 'cpu_sys_seconds_total',
  used_cpu_user: 'cpu_user_seconds_total',
  used_cpu_sys_children: 'cpu_sys_children_seconds_total',
  used_cpu_user_children: 'cpu_user_children_seconds_total',
  used_cpu_sys_main_thread: 'cpu_sys_main_thread_seconds_total',
  used_cpu_user_main_thread: 'cpu_user_main_thread_seconds_total',
  acl_access_denied_auth: 'acl_access_denied_auth_total',
  acl_access_denied_cmd: 'acl_access_denied_cmd_total',
  acl_access_denied_key: 'acl_access_denied_key_total',
  acl_access_denied_channel: 'acl_access_denied_channel_total',
}

const GAUGES = new Map([...SAME.map((name) => [name, name] as const), ...Object.entries(RENAMED)])
const INSTANCE_FIELDS =
  `role redis_version redis_build_id redis_mode os maxmemory_policy tcp_port run_id
  process_id master_replid`.split(/\s+/)

/** `report`: of this moment, whose Unix time is `nowMs`. */
export function exposition(report: CoreReport, maxClients: number, nowMs: number): string {
  const metrics = new Metrics()
  const fields = new Map<string, string>()
  for (const line of report.info.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1))
  }
  metrics.add('up', 'gauge', 1)
  metrics.add('instance_info', 'gauge', 1, pick(fields, INSTANCE_FIELDS))
  metrics.add('config_maxclients', 'gauge', maxClients)
  metrics.add('config_maxmemory', 'gauge', Number(fields.get('maxmemory')))
  const startedAt = Math.floor(nowMs / 1000) - Number(fields.get('uptime_in_seconds'))
  metrics.add('start_time_seconds', 'gauge', startedAt)
  for (const [field, value] of fields) addField(metrics, field, value, fields)
  addReplica(metrics, fields)
  const { length, last } = report.slowLog
  metrics.add('slowlog_length', 'gauge', length)
  for (const { id, durationUs } of last) {
    metrics.add('slowlog_last_id', 'gauge', id)
    metrics.add('last_slow_execution_duration_seconds', 'gauge', durationUs / 1e6)
  }
  return metrics.text()
}

function addField(
  metrics: Metrics,
  field: string,
  value: string,
  fields: ReadonlyMap<string, string>,
): void {
  const gauge = GAUGES.get(field)
  if (gauge !== undefined) return metrics.add(gauge, 'gauge', numberOf(value))
  const counter = COUNTERS[field]
  if (counter !== undefined) return metrics.add(counter, 'counter', numberOf(value))
  const parts = partsOf(value)
  const [, kind = '', name = ''] =
    /^(db|slave)(\d+)$/.exec(field) ??
    /^(cmdstat|errorstat|latency_percentiles_usec)_(.+)$/.exec(field) ??
    []
  if (kind === 'db') addDatabase(metrics, field, parts)
  else if (kind === 'slave') addFollower(metrics, parts)
  else if (kind === 'cmdstat') addCommand(metrics, name, parts)
  else if (kind === 'errorstat')
    metrics.add('errors_total', 'counter', Number(parts['count']), { err: name })
  else if (kind !== '') addPercentiles(metrics, name, parts, fields)
}

function addDatabase(metrics: Metrics, db: string, parts: Labels): void {
  metrics.add('db_keys', 'gauge', Number(parts['keys']), { db })
  metrics.add('db_keys_expiring', 'gauge', Number(parts['expires']), { db })
  metrics.add('db_avg_ttl_seconds', 'gauge', Number(parts['avg_ttl']) / 1000, { db })
  const subexpiry = parts['subexpiry']
  if (subexpiry !== undefined)
    metrics.add('db_keys_with_expiring_items', 'gauge', Number(subexpiry), { db })
}

/** A replica of this server. */
function addFollower(metrics: Metrics, parts: Labels): void {
  const { ip = '', port = '', state = '' } = parts
  const labels = { slave_ip: ip, slave_port: port, slave_state: state }
  metrics.add('connected_slave_offset_bytes', 'gauge', Number(parts['offset']), labels)
  metrics.add('connected_slave_lag_seconds', 'gauge', Number(parts['lag']), labels)
}

function addCommand(metrics: Metrics, cmd: string, parts: Labels): void {
  const add = (name: string, value: number) => metrics.add(name, 'counter', value, { cmd })
  add('commands_total', Number(parts['calls']))
  add('commands_duration_seconds_total', Number(parts['usec']) / 1e6)
  add('commands_rejected_calls_total', Number(parts['rejected_calls']))
  add('commands_failed_calls_total', Number(parts['failed_calls']))
}

function addPercentiles(
  metrics: Metrics,
  cmd: string,
  parts: Labels,
  fields: ReadonlyMap<string, string>,
): void {
  const name = 'latency_percentiles_usec'
  for (const [percentile, value] of Object.entries(parts)) {
    const labels = { cmd, quantile: percentile.replace(/^p/, '') }
    metrics.add(name, 'summary', Number(value), labels)
  }
  const totals = partsOf(fields.get(`cmdstat_${cmd}`) ?? '')
  metrics.add(name, 'summary', Number(totals['usec'] ?? 0), { cmd }, '_sum')
  metrics.add(name, 'summary', Number(totals['calls'] ?? 0), { cmd }, '_count')
}

/** What a server that follows another tells of the other. */
function addReplica(metrics: Metrics, fields: ReadonlyMap<string, string>): void {
  if (fields.get('role') !== 'slave') return
  const primary = pick(fields, ['master_host', 'master_port'])
  const linkUp = fields.get('master_link_status') === 'up' ? 1 : 0
  metrics.add('master_link_up', 'gauge', linkUp, primary)
  for (const name of [
    'master_last_io_seconds_ago',
    'master_sync_in_progress',
    'slave_repl_offset',
  ]) {
    metrics.add(name, 'gauge', Number(fields.get(name)), primary)
  }
  const readOnly = fields.get('slave_read_only') ?? ''
  metrics.add('slave_info', 'gauge', 1, { ...primary, read_only: readOnly })
}

function pick(fields: ReadonlyMap<string, string>, names: readonly string[]): Labels {
  return Object.fromEntries(names.map((name) => [name, fields.get(name) ?? '']))
}

/** `a=1,b=2` */
function partsOf(value: string): Record<string, string> {
  return Object.fromEntries(
    value.split(',').map((part) => {
      const at = part.indexOf('=')
      return [part.slice(0, at), part.slice(at + 1)]
    }),
  )
}

/** A state is 1 when all is well. */
function numberOf(value: string): number {
  if (value === 'ok') return 1
  return value === 'err' ? 0 : Number(value)
}

/** Metrics of one name have to stand together, under one line that says of which type they are. */
class Metrics {
  readonly #families = new Map<string, { readonly type: Type; readonly lines: string[] }>()

  /** `suffix`: of the line, where the family's name alone is not its name. */
  add(name: string, type: Type, value: number, labels: Labels = {}, suffix = ''): void {
    if (Number.isNaN(value)) return
    const family = this.#families.get(name) ?? { type, lines: [] }
    this.#families.set(name, family)
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
    const inBraces = pairs.length === 0 ? '' : `{${pairs.join(',')}}`
    family.lines.push(`redis_${name}${suffix}${inBraces} ${value}`)
  }

  text(): string {
    return [...this.#families]
      .map(([name, { type, lines }]) => `# TYPE redis_${name} ${type}\n${lines.join('\n')}\n`)
      .join('')
  }
}

function escaped(text: string): string {
  return text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')
}
