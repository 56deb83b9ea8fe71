/**
 * The types of `import { createServer } from 'redbun'`, apart from the code, so that an application's
 * compiler need not look into it.
 *
 * Thread: the application's.
 * Owns: what an application sees.
 * Never: runs.
 */

/** What a directive can be given: `true` is `yes`, several words are a list. */
export type SettingValue = string | number | boolean | readonly (string | number)[]

export interface RedbunOptions {
  /** 0, the default: any that is free. `false`, the default beside a unix socket: none. */
  readonly port?: number | false
  /** Path of a unix socket. */
  readonly unixsocket?: string
  /**
   * Directives of redis.conf: `{ maxmemory: '100mb', appendonly: 'yes', dir: './data' }`. By default
   * the server binds to 127.0.0.1, saves nothing by itself, and begins empty: files are looked for once
   * `dir`, `dbfilename`, `save` or `appendonly` is given.
   */
  readonly settings?: { readonly [name in Directive]?: SettingValue | undefined }
}

export interface RedbunServer extends AsyncDisposable {
  /** For a client: `redis://127.0.0.1:PORT`, or `redis+unix://PATH`; empty when it has no door. */
  readonly url: string
  /** 0 without a TCP port. */
  readonly port: number
  /** Fulfilled when the server has ended, by `close` or SHUTDOWN; rejected if it has failed. */
  readonly closed: Promise<void>
  /**
   * Ends the server as SHUTDOWN does: saves what is configured to be saved, closes every connection
   * and gives back everything. Rejected when that could not be saved; then the server goes on.
   */
  close(): Promise<void>
}

/** Starts a server inside of this process. Rejects with an Error that says what is wrong. */
export declare function createServer(options?: RedbunOptions): Promise<RedbunServer>

/** The directives that have a value. */
export type Directive =
  | 'acl-pubsub-default'
  | 'aclfile'
  | 'acllog-max-len'
  | 'active-defrag-cycle-max'
  | 'active-defrag-cycle-min'
  | 'active-defrag-ignore-bytes'
  | 'active-defrag-max-scan-fields'
  | 'active-defrag-threshold-lower'
  | 'active-defrag-threshold-upper'
  | 'active-expire-effort'
  | 'activedefrag'
  | 'activerehashing'
  | 'always-show-logo'
  | 'aof-disable-auto-gc'
  | 'aof-load-truncated'
  | 'aof-rewrite-incremental-fsync'
  | 'aof-timestamp-enabled'
  | 'aof-use-rdb-preamble'
  | 'aof_rewrite_cpulist'
  | 'appenddirname'
  | 'appendfilename'
  | 'appendfsync'
  | 'appendonly'
  | 'auto-aof-rewrite-min-size'
  | 'auto-aof-rewrite-percentage'
  | 'bgsave_cpulist'
  | 'bind'
  | 'bind-source-addr'
  | 'bio_cpulist'
  | 'busy-reply-threshold'
  | 'client-output-buffer-limit'
  | 'client-query-buffer-limit'
  | 'cluster-allow-pubsubshard-when-down'
  | 'cluster-allow-reads-when-down'
  | 'cluster-allow-replica-migration'
  | 'cluster-announce-bus-port'
  | 'cluster-announce-hostname'
  | 'cluster-announce-ip'
  | 'cluster-announce-port'
  | 'cluster-announce-tls-port'
  | 'cluster-config-file'
  | 'cluster-enabled'
  | 'cluster-link-sendbuf-limit'
  | 'cluster-migration-barrier'
  | 'cluster-node-timeout'
  | 'cluster-port'
  | 'cluster-preferred-endpoint-type'
  | 'cluster-replica-no-failover'
  | 'cluster-replica-validity-factor'
  | 'cluster-require-full-coverage'
  | 'crash-log-enabled'
  | 'crash-memcheck-enabled'
  | 'daemonize'
  | 'databases'
  | 'dbfilename'
  | 'dir'
  | 'disable-thp'
  | 'dynamic-hz'
  | 'enable-debug-command'
  | 'enable-module-command'
  | 'enable-protected-configs'
  | 'hash-max-listpack-entries'
  | 'hash-max-listpack-value'
  | 'hll-sparse-max-bytes'
  | 'hz'
  | 'ignore-warnings'
  | 'io-threads'
  | 'io-threads-do-reads'
  | 'jemalloc-bg-thread'
  | 'key-load-delay'
  | 'latency-monitor-threshold'
  | 'latency-tracking'
  | 'latency-tracking-info-percentiles'
  | 'lazyfree-lazy-eviction'
  | 'lazyfree-lazy-expire'
  | 'lazyfree-lazy-server-del'
  | 'lazyfree-lazy-user-del'
  | 'lazyfree-lazy-user-flush'
  | 'lfu-decay-time'
  | 'lfu-log-factor'
  | 'list-compress-depth'
  | 'list-max-listpack-size'
  | 'loading-process-events-interval-bytes'
  | 'logfile'
  | 'loglevel'
  | 'lua-enable-deprecated-api'
  | 'masterauth'
  | 'masteruser'
  | 'maxclients'
  | 'maxmemory'
  | 'maxmemory-clients'
  | 'maxmemory-eviction-tenacity'
  | 'maxmemory-policy'
  | 'maxmemory-samples'
  | 'metrics-port'
  | 'min-replicas-max-lag'
  | 'min-replicas-to-write'
  | 'no-appendfsync-on-rewrite'
  | 'notify-keyspace-events'
  | 'oom-score-adj'
  | 'oom-score-adj-values'
  | 'pidfile'
  | 'port'
  | 'proc-title-template'
  | 'propagation-error-behavior'
  | 'protected-mode'
  | 'proto-max-bulk-len'
  | 'rdb-del-sync-files'
  | 'rdb-key-save-delay'
  | 'rdb-save-incremental-fsync'
  | 'rdbchecksum'
  | 'rdbcompression'
  | 'repl-backlog-size'
  | 'repl-backlog-ttl'
  | 'repl-disable-tcp-nodelay'
  | 'repl-diskless-load'
  | 'repl-diskless-sync'
  | 'repl-diskless-sync-delay'
  | 'repl-diskless-sync-max-replicas'
  | 'repl-ping-replica-period'
  | 'repl-timeout'
  | 'replica-announce-ip'
  | 'replica-announce-port'
  | 'replica-announced'
  | 'replica-ignore-disk-write-errors'
  | 'replica-ignore-maxmemory'
  | 'replica-lazy-flush'
  | 'replica-priority'
  | 'replica-read-only'
  | 'replica-serve-stale-data'
  | 'replicaof'
  | 'requirepass'
  | 'sanitize-dump-payload'
  | 'save'
  | 'server_cpulist'
  | 'set-max-intset-entries'
  | 'set-proc-title'
  | 'shutdown-on-sigint'
  | 'shutdown-on-sigterm'
  | 'shutdown-timeout'
  | 'slowlog-log-slower-than'
  | 'slowlog-max-len'
  | 'socket-mark-id'
  | 'stop-writes-on-bgsave-error'
  | 'stream-node-max-bytes'
  | 'stream-node-max-entries'
  | 'supervised'
  | 'syslog-enabled'
  | 'syslog-facility'
  | 'syslog-ident'
  | 'tcp-backlog'
  | 'tcp-keepalive'
  | 'timeout'
  | 'tls-auth-clients'
  | 'tls-ca-cert-dir'
  | 'tls-ca-cert-file'
  | 'tls-cert-file'
  | 'tls-ciphers'
  | 'tls-ciphersuites'
  | 'tls-client-cert-file'
  | 'tls-client-key-file'
  | 'tls-client-key-file-pass'
  | 'tls-cluster'
  | 'tls-dh-params-file'
  | 'tls-key-file'
  | 'tls-key-file-pass'
  | 'tls-port'
  | 'tls-prefer-server-ciphers'
  | 'tls-protocols'
  | 'tls-replication'
  | 'tls-session-cache-size'
  | 'tls-session-cache-timeout'
  | 'tls-session-caching'
  | 'tracking-table-max-keys'
  | 'unixsocket'
  | 'unixsocketperm'
  | 'use-exit-on-panic'
  | 'watchdog-period'
  | 'zset-max-listpack-entries'
  | 'zset-max-listpack-value'
