/**
 * CONFIG, INFO, MEMORY, SLOWLOG, LATENCY.
 *
 * Thread: any.
 * Owns: rows.
 * Never: leaves a setting behind.
 */
import { describe } from 'bun:test'
import { anyOf, between, suite, unordered } from '../support/check.ts'

describe('CONFIG GET', () => {
  suite('answers each name once', (check) => {
    check('CONFIG GET maxmemory MAXMEMORY maxmemory', '*2 $maxmemory $0')
    check('CONFIG GET maxmemor?', '*2 $maxmemory $0')
    check.resp3(
      'CONFIG GET hash-max-listpack-*',
      unordered('%2 $hash-max-listpack-entries $512 $hash-max-listpack-value $64'),
    )
    check('CONFIG GET nosuch', '*0')
    check('CONFIG GET', "-ERR wrong number of arguments for 'config|get' command")
  })
})

describe('CONFIG SET', () => {
  suite('changes all or nothing', (check) => {
    check('CONFIG SET hz 20 timeout 7', '+OK')
    check(
      'CONFIG SET hz 30 timeout x',
      "-ERR CONFIG SET failed (possibly related to argument 'timeout') - argument couldn't be parsed into an integer",
    )
    check('CONFIG GET hz', '*2 $hz $20')
    check('INFO server', /\\r\\nhz:20\\r\\n/)
    check('CONFIG SET hz 10 timeout 0', '+OK')
  })

  suite('refuses what it does not understand', (check) => {
    check('CONFIG SET', "-ERR wrong number of arguments for 'config|set' command")
    check('CONFIG SET foo', "-ERR wrong number of arguments for 'config|set' command")
    check('CONFIG SET foo bar', "-ERR Unknown option or number of arguments for CONFIG SET - 'foo'")
    check('CONFIG SET maxmemory 1 foo', '-ERR syntax error')
    check(
      'CONFIG SET daemonize yes',
      "-ERR CONFIG SET failed (possibly related to argument 'daemonize') - can't set immutable config",
    )
    check(
      'CONFIG SET maxmemory 0 maxmemory 0',
      "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - duplicate parameter",
    )
  })

  suite('takes effect at once', (check) => {
    check('SET big 1', '+OK')
    check('CONFIG SET maxmemory 1', '+OK')
    check('SET a 1', "-OOM command not allowed when used memory > 'maxmemory'.")
    check('GET big', '$1')
    check('DEL big', ':1')
    check('CONFIG SET maxmemory 0', '+OK')
    check('SET a 1', '+OK')
  })
})

describe('CONFIG REWRITE', () => {
  suite('needs a file', (check) => {
    check('CONFIG REWRITE', '-ERR The server is running without a config file')
  })
})

describe('CONFIG RESETSTAT', () => {
  suite('lets counters begin again', (check) => {
    check('GET a', '(nil)')
    check('NOSUCH', /^-ERR unknown command/)
    check('CONFIG RESETSTAT', '+OK')
    check('INFO stats commandstats errorstats', /keyspace_misses:0\\r.*total_error_replies:0\\r/)
    check(
      'INFO commandstats',
      /^\$"# Commandstats\\r\\ncmdstat_(config\|resetstat|info):calls=1,usec=\d+,usec_per_call=[\d.]+,rejected_calls=0,failed_calls=0\\r\\ncmdstat_(config\|resetstat|info):calls=1,[^\\]*\\r\\n"$/,
    )
    check('INFO errorstats', '$"# Errorstats\\r\\n"')
    check(
      'LATENCY HISTOGRAM config',
      /^\*2 \$config\|resetstat \*4 \$calls :1 \$histogram_usec \*2 :\d+ :1$/,
    )
  })
})

describe('INFO', () => {
  suite('tells the sections asked for, in its own order', (check) => {
    check(
      'INFO keyspace CLIENTS nosuch clients',
      /^\$"# Clients\\r\\nconnected_clients:\d+\\r.*\\r\\n\\r\\n# Keyspace\\r\\n"$/,
    )
    check('INFO nosuch', '$""')
    check('INFO modules', '$"# Modules\\r\\n"')
    check('INFO cluster', '$"# Cluster\\r\\ncluster_enabled:0\\r\\n"')
    check.resp3('INFO cluster', '="txt:# Cluster\\r\\ncluster_enabled:0\\r\\n"')
    check('INFO', (text) => sections(text) === DEFAULT_SECTIONS)
    check('INFO default', (text) => sections(text) === DEFAULT_SECTIONS)
    check('INFO all', (text) => sections(text).replace(' Redbun', '') === ALL_SECTIONS)
    check('INFO everything', (text) => sections(text).replace(' Redbun', '') === ALL_SECTIONS)
    check.redbun(
      'INFO redbun',
      /^\$"# Redbun\\r\\narena_count:\d+\\r\\n.*longest_turn_usec:\d+\\r\\n/,
    )
  })

  suite('has every field of Redis', (check) => {
    check('INFO everything', (text) => FIELDS.every((field) => text.includes(`\\n${field}:`)))
  })

  suite('says which Redis it answers as', (check) => {
    check(
      'INFO server',
      /redis_version:7\.0\.15\\r\\n.*redis_mode:standalone\\r\\n.*process_id:\d+\\r\\n.*run_id:[0-9a-f]{40}\\r\\n.*tcp_port:\d+\\r\\n/,
    )
    check(
      'INFO replication',
      /role:master\\r\\nconnected_slaves:0\\r\\n.*master_replid:[0-9a-f]{40}\\r\\n/,
    )
  })

  suite('counts keys', (check) => {
    check('SET a 1', '+OK')
    check('SET b 1 EX 1000', '+OK')
    check('INFO keyspace', /^\$"# Keyspace\\r\\ndb0:keys=2,expires=1,avg_ttl=\d+\\r\\n"$/)
    check('SELECT 9', '+OK')
    check('SET a 1', '+OK')
    check('INFO keyspace', /\\r\\ndb9:keys=1,expires=0,avg_ttl=0\\r\\n"$/)
  })

  suite('counts hits, misses, calls and mistakes', (check) => {
    check('SET a 1', '+OK')
    check('CONFIG RESETSTAT', '+OK')
    check('GET a', '$1')
    check('GET b', '(nil)')
    check('GET', /^-ERR wrong/)
    check('SETEX a 0 1', /^-ERR invalid/)
    check('NOSUCH', /^-ERR unknown/)
    check(
      'INFO stats',
      /total_commands_processed:4\\r.*keyspace_hits:1\\r\\nkeyspace_misses:1\\r.*total_error_replies:3\\r/,
    )
    check('INFO errorstats', '$"# Errorstats\\r\\nerrorstat_ERR:count=3\\r\\n"')
    check(
      'INFO commandstats',
      /cmdstat_get:calls=2,usec=\d+,usec_per_call=\d+\.\d\d,rejected_calls=1,failed_calls=0\\r/,
    )
    check(
      'INFO commandstats',
      /cmdstat_setex:calls=1,usec=\d+,usec_per_call=\d+\.\d\d,rejected_calls=0,failed_calls=1\\r/,
    )
    check(
      'INFO latencystats',
      /latency_percentiles_usec_get:p50=\d+\.\d{3},p99=\d+\.\d{3},p99\.9=\d+\.\d{3}\\r/,
    )
  })

  suite('counts errors by their first word', (check) => {
    check('SET s x', '+OK')
    check('CONFIG RESETSTAT', '+OK')
    check('DEBUG ERROR "FOO bar"', '-FOO bar')
    check('AUTH default', /^-ERR AUTH/)
    check('AUTH nobody x', /^-WRONGPASS/)
    check('HELLO 9', /^-NOPROTO/)
    check(
      'INFO errorstats',
      '$"# Errorstats\\r\\nerrorstat_ERR:count=1\\r\\nerrorstat_NOPROTO:count=1\\r\\nerrorstat_WRONGPASS:count=1\\r\\n"',
    )
  })

  suite(
    'follows latency-tracking-info-percentiles',
    (check) => {
      check('CONFIG RESETSTAT', '+OK')
      check('PING', '+PONG')
      check('INFO latencystats', /latency_percentiles_usec_ping:p0=\d+\.\d{3},p100=\d+\.\d{3}\\r/)
    },
    { config: { 'latency-tracking-info-percentiles': '0 100' } },
  )

  suite(
    'keeps no latencies when told so',
    (check) => {
      check('CONFIG RESETSTAT', '+OK')
      check('PING', '+PONG')
      check('INFO latencystats', '$"# Latencystats\\r\\n"')
      check('LATENCY HISTOGRAM', '*0')
    },
    { config: { 'latency-tracking': 'no' } },
  )
})

describe('MEMORY', () => {
  suite('USAGE tells the bytes of a key', (check) => {
    check('MEMORY USAGE nosuch', '(nil)')
    check('SET a 1', '+OK')
    check('MEMORY USAGE a', between(16, 128))
    check.redbun('MEMORY USAGE a', ':24')
    check('MEMORY USAGE a SAMPLES 0', between(16, 128))
    check(['SET', 'b', 'x'.repeat(100_000)], '+OK')
    check('MEMORY USAGE b', between(100_000, 132_000))
    check('MEMORY USAGE a SAMPLES', '-ERR syntax error')
    check('MEMORY USAGE a SAMPLES -1', '-ERR syntax error')
    check('MEMORY USAGE a SAMPLES x', '-ERR value is not an integer or out of range')
    check('MEMORY USAGE a FOO 1', '-ERR syntax error')
    check('MEMORY USAGE', "-ERR wrong number of arguments for 'memory|usage' command")
  })

  suite('USAGE and INFO account for every byte', (check) => {
    check.redbun('INFO memory', (text, saved) => {
      saved['before'] = field(text, 'used_memory')
      return true
    })
    check.redbun(['SET', 'k', 'y'.repeat(5000)], '+OK')
    check.redbun('MEMORY USAGE k', (text, saved) => {
      saved['usage'] = text.slice(1)
      return true
    })
    check.redbun('INFO memory', (text, saved) => {
      // The first key of an arena also brings the table, which is overhead.
      const grown = Number(field(text, 'used_memory_dataset'))
      return grown === Number(saved['usage'])
    })
  })

  suite('answers its other subcommands', (check) => {
    check(
      'MEMORY STATS',
      /^\*(50|52|54|56) \$peak\.allocated :\d+ \$total\.allocated :\d+ \$startup\.allocated :\d+ .*\$keys\.count :0 /,
    )
    check('SET a 1', '+OK')
    check.resp3(
      'MEMORY STATS',
      /\$db\.0 %3 \$overhead\.hashtable\.main :\d+ \$overhead\.hashtable\.expires :\d+ \$overhead\.hashtable\.slot-to-keys :0 .*\$dataset\.percentage ,[\d.]+/,
    )
    check('MEMORY DOCTOR', /^\$/)
    check('MEMORY MALLOC-STATS', /^\$/)
    check('MEMORY PURGE', '+OK')
    check('MEMORY foo', "-ERR unknown subcommand 'foo'. Try MEMORY HELP.")
    check('MEMORY HELP', /^\*\d+ /)
  })
})

describe('SLOWLOG', () => {
  suite('logs slow calls, newest first', (check) => {
    check('SLOWLOG RESET', '+OK')
    check('SLOWLOG LEN', ':0')
    check('CLIENT SETNAME me', '+OK')
    check('DEBUG SLEEP 0.02', '+OK')
    check('PING', '+PONG')
    check('SLOWLOG LEN', ':1')
    check(
      'SLOWLOG GET',
      /^\*1 \*6 :\d+ :\d+ :\d{5,7} \*3 \$DEBUG \$SLEEP \$0\.02 \$127\.0\.0\.1:\d+ \$me$/,
    )
    check('SLOWLOG GET 0', '*0')
    check('SLOWLOG GET -1', /^\*1 /)
    check('SLOWLOG RESET', '+OK')
    check('SLOWLOG GET', '*0')
  })

  suite(
    'logs everything at threshold 0, within its length',
    (check) => {
      check('SLOWLOG RESET', '+OK')
      check('CONFIG SET slowlog-log-slower-than 0 slowlog-max-len 3', '+OK')
      for (let i = 0; i < 5; i++) check('PING', '+PONG')
      check('SLOWLOG LEN', ':3')
      check(['PING', 'a'.repeat(200)], /^\$/)
      check('SLOWLOG GET 1', /\*2 \$PING \$"a{128}\.\.\. \(72 more bytes\)"/)
      check(['MGET', ...'x'.repeat(40)], /^\*40/)
      check('SLOWLOG GET 1', /\*32 \$MGET (\$x ){30}\$"\.\.\. \(10 more arguments\)"/)
      check(['MGET', ...'x'.repeat(31)], /^\*31/)
      check('SLOWLOG GET 1', /\*32 \$MGET (\$x ){31}/)
      check('CONFIG SET slowlog-max-len 1', '+OK')
      check('SLOWLOG LEN', ':1')
    },
    { config: { 'slowlog-log-slower-than': '10000', 'slowlog-max-len': '128' } },
  )

  suite(
    'hides passwords',
    (check) => {
      check('SLOWLOG RESET', '+OK')
      check('CONFIG SET slowlog-log-slower-than 0', '+OK')
      check('AUTH default secret', '+OK')
      check('SLOWLOG GET 1', /\*3 \$AUTH \$\(redacted\) \$\(redacted\) /)
      check('CONFIG SET requirepass "" masterauth ""', '+OK')
      check(
        'SLOWLOG GET 1',
        /\*6 \$CONFIG \$SET \$requirepass \$\(redacted\) \$masterauth \$\(redacted\) /,
      )
      check('CONFIG SET masteruser ""', '+OK')
      check('SLOWLOG GET 1', /\*4 \$CONFIG \$SET \$masteruser \$\(redacted\) /)
    },
    { config: { 'slowlog-log-slower-than': '10000' } },
  )

  suite(
    'is off below 0',
    (check) => {
      check('SLOWLOG RESET', '+OK')
      check('DEBUG SLEEP 0.02', '+OK')
      check('SLOWLOG LEN', ':0')
    },
    { config: { 'slowlog-log-slower-than': '-1' } },
  )

  suite('refuses what it does not understand', (check) => {
    check('SLOWLOG GET x', '-ERR count should be greater than or equal to -1')
    check('SLOWLOG GET -2', '-ERR count should be greater than or equal to -1')
    check(
      'SLOWLOG GET 1 2',
      "-ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.",
    )
    check('SLOWLOG foo', "-ERR unknown subcommand 'foo'. Try SLOWLOG HELP.")
  })
})

describe('LATENCY', () => {
  suite(
    'records slow events',
    (check) => {
      check('LATENCY RESET', between(0, 10))
      check('DEBUG SLEEP 0.02', '+OK')
      check('LATENCY LATEST', /^\*1 \*4 \$command :\d+ :\d{2,4} :\d{2,4}$/)
      check('LATENCY HISTORY command', /^\*1 \*2 :\d+ :\d{2,4}$/)
      check(
        'LATENCY GRAPH command',
        /^\$"command - high (\d+) ms, low \1 ms \(all time high \1 ms\)\\n-{80}\\n \\n \\n \\n_\\n \\n\d\\ns\\n"$/,
      )
      check('LATENCY DOCTOR', /^\$/)
      check('LATENCY RESET command nosuch', ':1')
      check('LATENCY LATEST', '*0')
      check('LATENCY DOCTOR', /^\$/)
    },
    { config: { 'latency-monitor-threshold': '10' } },
  )

  suite('says nothing of what it does not know', (check) => {
    check('LATENCY HISTORY nosuch', '*0')
    check('LATENCY GRAPH nosuch', "-ERR No samples available for event 'nosuch'")
    check('LATENCY RESET nosuch', ':0')
    check('LATENCY DOCTOR', /^\$/)
    check('LATENCY foo', "-ERR unknown subcommand 'foo'. Try LATENCY HELP.")
    check('LATENCY HISTORY', "-ERR wrong number of arguments for 'latency|history' command")
  })

  suite('HISTOGRAM distributes the calls of each command', (check) => {
    check('CONFIG RESETSTAT', '+OK')
    check('SET a 1', '+OK')
    check('SET a 2', '+OK')
    check('CLIENT ID', /^:/)
    check(
      'LATENCY HISTOGRAM set nosuch',
      /^\*2 \$set \*4 \$calls :2 \$histogram_usec \*[24] :\d+ :[12]/,
    )
    check('LATENCY HISTOGRAM client', /^\*2 \$client\|id \*4 \$calls :1 /)
    check('LATENCY HISTOGRAM client|id', /^\*2 \$client\|id \*4 \$calls :1 /)
    check('LATENCY HISTOGRAM nosuch', '*0')
    check.resp3('LATENCY HISTOGRAM set', /^%1 \$set %2 \$calls :2 \$histogram_usec %[12] /)
    check('DEBUG SLEEP 0.002', '+OK')
    check(
      'LATENCY HISTOGRAM debug',
      anyOf(
        '*2 $debug *4 $calls :1 $histogram_usec *2 :2113 :1',
        '*2 $debug *4 $calls :1 $histogram_usec *2 :4227 :1',
        /:8454 :1$/,
      ),
    )
  })
})

const DEFAULT_SECTIONS =
  'Server Clients Memory Persistence Stats Replication CPU Modules Errorstats Cluster Keyspace'
const ALL_SECTIONS =
  'Server Clients Memory Persistence Stats Replication CPU Modules Commandstats Errorstats Latencystats Cluster Keyspace'

function sections(text: string): string {
  return [...text.matchAll(/# (\w+)/g)].map(([, name]) => name).join(' ')
}

function field(text: string, name: string): string {
  return new RegExp(`\\\\n${name}:(\\d+)`).exec(text)?.[1] ?? ''
}

/** Fields of Redis 7.0.15, but for those that only its allocator, compiler and threads have. */
const FIELDS = (
  'redis_git_sha1 redis_git_dirty redis_build_id redis_mode os arch_bits monotonic_clock ' +
  'multiplexing_api process_id process_supervised run_id tcp_port server_time_usec ' +
  'uptime_in_seconds uptime_in_days hz configured_hz lru_clock executable config_file ' +
  'io_threads_active connected_clients cluster_connections maxclients ' +
  'client_recent_max_input_buffer client_recent_max_output_buffer blocked_clients ' +
  'tracking_clients clients_in_timeout_table used_memory used_memory_human used_memory_rss ' +
  'used_memory_rss_human used_memory_peak used_memory_peak_human used_memory_peak_perc ' +
  'used_memory_overhead used_memory_startup used_memory_dataset used_memory_dataset_perc ' +
  'allocator_allocated allocator_active allocator_resident total_system_memory ' +
  'total_system_memory_human used_memory_lua used_memory_vm_eval used_memory_lua_human ' +
  'used_memory_scripts_eval number_of_cached_scripts number_of_functions number_of_libraries ' +
  'used_memory_vm_functions used_memory_vm_total used_memory_vm_total_human ' +
  'used_memory_functions used_memory_scripts used_memory_scripts_human maxmemory ' +
  'maxmemory_human maxmemory_policy allocator_frag_ratio allocator_frag_bytes ' +
  'allocator_rss_ratio allocator_rss_bytes rss_overhead_ratio rss_overhead_bytes ' +
  'mem_fragmentation_ratio mem_fragmentation_bytes mem_not_counted_for_evict ' +
  'mem_replication_backlog mem_total_replication_buffers mem_clients_slaves mem_clients_normal ' +
  'mem_cluster_links mem_aof_buffer mem_allocator active_defrag_running lazyfree_pending_objects ' +
  'lazyfreed_objects loading async_loading rdb_changes_since_last_save rdb_bgsave_in_progress ' +
  'rdb_last_save_time rdb_last_bgsave_status rdb_last_bgsave_time_sec rdb_saves aof_enabled ' +
  'aof_rewrite_in_progress aof_last_bgrewrite_status aof_last_write_status ' +
  'total_connections_received total_commands_processed instantaneous_ops_per_sec ' +
  'total_net_input_bytes total_net_output_bytes instantaneous_input_kbps ' +
  'instantaneous_output_kbps rejected_connections sync_full sync_partial_ok sync_partial_err ' +
  'expired_keys expired_stale_perc expired_time_cap_reached_count evicted_keys evicted_clients ' +
  'keyspace_hits keyspace_misses pubsub_channels pubsub_patterns latest_fork_usec total_forks ' +
  'migrate_cached_sockets slave_expires_tracked_keys active_defrag_hits tracking_total_keys ' +
  'unexpected_error_replies total_error_replies dump_payload_sanitizations ' +
  'total_reads_processed total_writes_processed io_threaded_reads_processed ' +
  'io_threaded_writes_processed role connected_slaves master_failover_state master_replid ' +
  'master_replid2 master_repl_offset second_repl_offset repl_backlog_active repl_backlog_size ' +
  'repl_backlog_first_byte_offset repl_backlog_histlen used_cpu_sys used_cpu_user ' +
  'used_cpu_sys_children used_cpu_user_children cluster_enabled'
).split(' ')
