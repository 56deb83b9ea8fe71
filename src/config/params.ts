/**
 * Every directive of the configuration, once: its name, kind, default, who may change it when, who
 * is told, and whether this server does what it says.
 *
 * The rule for `support`: an option that is accepted does what it says, or is refused. `full` is
 * honoured. `inert` is accepted because nothing a client or operator can see would differ; the
 * reason stands beside it. `refused` keeps its default (and the values listed after the reason)
 * until the feature exists; then the word here becomes `full`, and nothing else changes.
 *
 * Thread: any.
 * Owns: the table.
 * Never: holds a current value.
 */
import {
  addresses,
  eventFlags,
  fileName,
  hertz,
  hostName,
  integer,
  type Kind,
  memory,
  memoryOrPercent,
  oneOf,
  oomScores,
  outputBufferLimits,
  percentiles,
  permissions,
  primaryAddress,
  savePoints,
  shutdownFlags,
  text,
  titleTemplate,
  yesNo,
} from './kinds.ts'

/** How a value is used by the program: `int()`, `bool()` or `text()`. */
export type ValueType = 'int' | 'bool' | 'text'

/** A part of the server that acts on a setting. */
export type Listener = 'core' | 'io' | 'main' | 'disk'

/** `runtime`: CONFIG SET may. `start`: only file and command line. `protected`: see `enable-protected-configs`. */
export type Change = 'runtime' | 'start' | 'protected'

/** What the server does about a directive. */
export type Support =
  | { readonly state: 'full' }
  | { readonly state: 'inert'; readonly because: string }
  | { readonly state: 'refused'; readonly because: string; readonly except: readonly string[] }

/** One directive that has a value. */
export interface Definition<T extends ValueType = ValueType> {
  readonly type: T
  readonly kind: Kind
  /** The value without any configuration, as CONFIG GET shows it. */
  readonly initial: string
  readonly change: Change
  readonly support: Support
  /** Who acts on it; nobody for an inert one. */
  readonly tells: readonly Listener[]
  /** Its older name, answered and accepted in the same way. */
  readonly alias?: string
  /** Answered only when asked by its full name. */
  readonly hidden?: true
  /** Of this server alone: Redis does not know it. */
  readonly own?: true
  /** An empty value is a value, which CONFIG REWRITE writes as `""`; else it is no value at all. */
  readonly keepsEmpty?: true
  /** A secret: its value never appears in a log or an error. */
  readonly secret?: true
}

type Rest = Partial<
  Pick<Definition, 'alias' | 'hidden' | 'own' | 'keepsEmpty' | 'secret' | 'change'>
>

const INT_MAX = 2n ** 31n - 1n
const INT_MIN = -(2n ** 31n)
const UINT_MAX = 2n ** 32n - 1n
const LONG_MAX = 2n ** 63n - 1n
const ULONG_MAX = 2n ** 64n - 1n

const AT_START: Rest = { change: 'start' }

// ---- support words ----

const core = honoured('core')
const io = honoured('io')
const main = honoured('main')
const disk = honoured('disk')
const coreAndIo = honoured('core', 'io')
const coreAndMain = honoured('core', 'main')
const ioAndMain = honoured('io', 'main')

const NO_CLUSTER = inert('it matters only among several nodes, and this one is always alone')
const SENT_AT_ONCE = inert('a batch is sent as a whole, so that there is nothing left to gather')
const NO_DEFRAG = inert('it matters only with activedefrag yes, which is refused')
const NO_SYSLOG = inert('it matters only with syslog-enabled yes, which is refused')
const NOT_PINNED = refused('which processors a thread runs on cannot be set')
const NO_TLS_DETAIL = refused('only certificates, keys, authorities and client checks can be set')

// ---- the table ----

/** Every directive with a value, by its name. */
export const PARAMS = {
  // Listening
  port: int(0n, 65535n, '6379', ioAndMain),
  bind: words(addresses, '* -::*', ioAndMain),
  'bind-source-addr': string('', core),
  unixsocket: string('', ioAndMain, AT_START),
  unixsocketperm: define('int', permissions, '0', ioAndMain, AT_START),
  // Hidden, so that who compares all directives with Redis's finds the same.
  'metrics-port': int(0n, 65535n, '0', main, { change: 'start', hidden: true, own: true }),
  'tcp-backlog': int(0n, INT_MAX, '511', inert('the runtime chooses the backlog'), AT_START),
  'tcp-keepalive': int(0n, INT_MAX, '300', io),
  timeout: int(0n, INT_MAX, '0', coreAndIo),
  maxclients: int(1n, UINT_MAX, '10000', coreAndIo),
  'protected-mode': bool('yes', coreAndIo),
  'socket-mark-id': int(0n, UINT_MAX, '0', refused('sockets cannot be marked'), AT_START),
  'io-threads': int(1n, 128n, '1', main, AT_START),
  'io-threads-do-reads': bool(
    'no',
    inert('every io thread reads and writes, whatever this says'),
    AT_START,
  ),

  // TLS
  'tls-port': int(0n, 65535n, '0', ioAndMain),
  'tls-cert-file': string('', ioAndMain),
  'tls-key-file': string('', ioAndMain),
  'tls-key-file-pass': string('', ioAndMain, { secret: true }),
  'tls-ca-cert-file': string('', ioAndMain),
  'tls-ca-cert-dir': string('', ioAndMain),
  'tls-auth-clients': choice('yes', ioAndMain, ['no', 'yes', 'optional']),
  'tls-client-cert-file': string('', io),
  'tls-client-key-file': string('', io),
  'tls-client-key-file-pass': string('', io, { secret: true }),
  'tls-replication': bool('no', core),
  'tls-cluster': bool('no', core),
  'tls-dh-params-file': string('', NO_TLS_DETAIL),
  'tls-protocols': string('', NO_TLS_DETAIL),
  'tls-ciphers': string('', NO_TLS_DETAIL),
  'tls-ciphersuites': string('', NO_TLS_DETAIL),
  'tls-prefer-server-ciphers': bool('no', NO_TLS_DETAIL),
  'tls-session-caching': bool('yes', NO_TLS_DETAIL),
  'tls-session-cache-size': int(0n, INT_MAX, '20480', NO_TLS_DETAIL),
  'tls-session-cache-timeout': int(0n, INT_MAX, '300', NO_TLS_DETAIL),

  // Process
  daemonize: bool('no', refused('run the server under a service manager, or in the background'), {
    ...AT_START,
  }),
  supervised: choice(
    'no',
    refused('readiness is not announced to a service manager'),
    ['upstart', 'systemd', 'auto', 'no'],
    AT_START,
  ),
  pidfile: string('', main, AT_START),
  dir: string('', main, { change: 'protected' }),
  logfile: string('', main, { ...AT_START, keepsEmpty: true }),
  loglevel: choice('notice', coreAndMain, ['debug', 'verbose', 'notice', 'warning']),
  'syslog-enabled': bool('no', refused('the log goes to a file or to standard output'), AT_START),
  'syslog-ident': string('redis', NO_SYSLOG, { ...AT_START, keepsEmpty: true }),
  'syslog-facility': choice(
    'local0',
    NO_SYSLOG,
    ['user', ...[0, 1, 2, 3, 4, 5, 6, 7].map((n) => `local${n}`)],
    AT_START,
  ),
  'always-show-logo': bool('no', main, AT_START),
  'set-proc-title': bool('yes', main, AT_START),
  'proc-title-template': define('text', titleTemplate, '{title} {listen-addr} {server-mode}', main),
  'crash-log-enabled': bool('yes', inert('a crash always leaves its report in the log')),
  'crash-memcheck-enabled': bool('yes', inert('memory faults do not survive to be checked')),
  'use-exit-on-panic': bool('no', inert('a failed assertion always ends with exit'), {
    hidden: true,
  }),
  'watchdog-period': int(0n, INT_MAX, '0', refused('there is no software watchdog'), {
    hidden: true,
  }),
  'disable-thp': bool('yes', inert('huge pages stay as the system sets them'), AT_START),
  'jemalloc-bg-thread': bool('yes', inert('the dataset lives in arenas, not under jemalloc')),
  'ignore-warnings': string('', inert('the warnings it silences are never given'), {
    keepsEmpty: true,
  }),
  server_cpulist: string('', NOT_PINNED, AT_START),
  bio_cpulist: string('', NOT_PINNED, AT_START),
  aof_rewrite_cpulist: string('', NOT_PINNED, AT_START),
  bgsave_cpulist: string('', NOT_PINNED, AT_START),
  'oom-score-adj': define(
    'text',
    oneOf(['no', 'yes', 'relative', 'absolute'], { relative: 'yes' }),
    'no',
    main,
  ),
  'oom-score-adj-values': words(oomScores, '0 200 800', main),
  'shutdown-timeout': int(0n, INT_MAX, '10', coreAndMain),
  'shutdown-on-sigint': words(shutdownFlags, 'default', coreAndMain),
  'shutdown-on-sigterm': words(shutdownFlags, 'default', coreAndMain),
  hz: define('int', hertz, '10', core),
  'dynamic-hz': bool('yes', core),
  databases: int(1n, INT_MAX, '16', core, AT_START),

  // Permissions
  requirepass: string('', coreAndIo, { secret: true }),
  aclfile: string('', coreAndMain, { ...AT_START, keepsEmpty: true }),
  'acl-pubsub-default': choice('resetchannels', core, ['allchannels', 'resetchannels']),
  'acllog-max-len': int(0n, LONG_MAX, '128', core),
  'enable-protected-configs': choice('no', core, ['no', 'yes', 'local'], AT_START),
  'enable-debug-command': choice('no', core, ['no', 'yes', 'local'], AT_START),
  'enable-module-command': choice('no', core, ['no', 'yes', 'local'], AT_START),

  // Clients
  'proto-max-bulk-len': size(2n ** 20n, LONG_MAX, '536870912', coreAndIo),
  'client-query-buffer-limit': size(2n ** 20n, LONG_MAX, '1073741824', coreAndIo),
  'client-output-buffer-limit': words(
    outputBufferLimits,
    'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60',
    coreAndIo,
  ),
  'maxmemory-clients': define('int', memoryOrPercent, '0', core),
  'tracking-table-max-keys': int(0n, LONG_MAX, '1000000', core),
  'notify-keyspace-events': define('text', eventFlags, '', core, { keepsEmpty: true }),

  // Memory
  maxmemory: size(0n, ULONG_MAX, '0', coreAndMain),
  'maxmemory-policy': choice('noeviction', core, [
    'volatile-lru',
    'volatile-lfu',
    'volatile-random',
    'volatile-ttl',
    'allkeys-lru',
    'allkeys-lfu',
    'allkeys-random',
    'noeviction',
  ]),
  'maxmemory-samples': int(1n, INT_MAX, '5', core),
  'maxmemory-eviction-tenacity': int(0n, 100n, '10', core),
  'lfu-log-factor': int(0n, INT_MAX, '10', core),
  'lfu-decay-time': int(0n, INT_MAX, '1', core),
  'active-expire-effort': int(1n, 10n, '1', core),
  activerehashing: bool('yes', inert('tables grow in small steps in any case')),
  'lazyfree-lazy-eviction': bool('no', core),
  'lazyfree-lazy-expire': bool('no', core),
  'lazyfree-lazy-server-del': bool('no', core),
  'lazyfree-lazy-user-del': bool('no', core),
  'lazyfree-lazy-user-flush': bool('no', core),
  activedefrag: bool('no', refused('arenas are not moved to defragment them')),
  'active-defrag-ignore-bytes': size(1n, LONG_MAX, '104857600', NO_DEFRAG),
  'active-defrag-threshold-lower': int(0n, 1000n, '10', NO_DEFRAG),
  'active-defrag-threshold-upper': int(0n, 1000n, '100', NO_DEFRAG),
  'active-defrag-cycle-min': int(1n, 99n, '1', NO_DEFRAG),
  'active-defrag-cycle-max': int(1n, 99n, '25', NO_DEFRAG),
  'active-defrag-max-scan-fields': int(1n, LONG_MAX, '1000', NO_DEFRAG),

  // Compact encodings
  'hash-max-listpack-entries': int(0n, LONG_MAX, '512', core, {
    alias: 'hash-max-ziplist-entries',
  }),
  'hash-max-listpack-value': size(0n, LONG_MAX, '64', core, { alias: 'hash-max-ziplist-value' }),
  'list-max-listpack-size': int(INT_MIN, INT_MAX, '-2', core, { alias: 'list-max-ziplist-size' }),
  'list-compress-depth': int(0n, INT_MAX, '0', core),
  'set-max-intset-entries': int(0n, LONG_MAX, '512', core),
  'zset-max-listpack-entries': int(0n, LONG_MAX, '128', core, {
    alias: 'zset-max-ziplist-entries',
  }),
  'zset-max-listpack-value': size(0n, LONG_MAX, '64', core, { alias: 'zset-max-ziplist-value' }),
  'hll-sparse-max-bytes': size(0n, LONG_MAX, '3000', core),
  'stream-node-max-bytes': size(0n, LONG_MAX, '4096', core),
  'stream-node-max-entries': int(0n, LONG_MAX, '100', core),

  // Observing
  'slowlog-log-slower-than': int(-1n, LONG_MAX, '10000', core),
  'slowlog-max-len': int(0n, LONG_MAX, '128', core),
  'latency-monitor-threshold': int(0n, LONG_MAX, '0', core),
  'latency-tracking': bool('yes', core),
  'latency-tracking-info-percentiles': words(percentiles, '50 99 99.9', core),

  // Scripts
  'busy-reply-threshold': int(0n, LONG_MAX, '5000', core, { alias: 'lua-time-limit' }),
  'lua-enable-deprecated-api': bool('no', refused('scripts get the current interface only'), {
    ...AT_START,
    hidden: true,
  }),

  // Snapshots
  save: words(savePoints, '3600 1 300 100 60 10000', core),
  dbfilename: define('text', fileName('dbfilename', 'filename', true), 'dump.rdb', disk, {
    change: 'protected',
    keepsEmpty: true,
  }),
  rdbcompression: bool('yes', core),
  rdbchecksum: bool('yes', core, AT_START),
  'rdb-del-sync-files': bool('no', core),
  'rdb-save-incremental-fsync': bool('yes', core),
  'stop-writes-on-bgsave-error': bool('yes', core),
  'sanitize-dump-payload': choice('no', inert('payloads and files are always checked in full'), [
    'no',
    'yes',
    'clients',
  ]),
  'rdb-key-save-delay': int(INT_MIN, INT_MAX, '0', core, { hidden: true }),
  'key-load-delay': int(INT_MIN, INT_MAX, '0', core, { hidden: true }),
  'loading-process-events-interval-bytes': int(1024n, INT_MAX, '2097152', core, {
    hidden: true,
  }),

  // Append-only file
  appendonly: bool('no', core),
  appendfilename: define(
    'text',
    fileName('appendfilename', 'filename', false),
    'appendonly.aof',
    core,
    AT_START,
  ),
  appenddirname: define(
    'text',
    fileName('appenddirname', 'dirname', false),
    'appendonlydir',
    core,
    AT_START,
  ),
  appendfsync: choice('everysec', core, ['everysec', 'always', 'no']),
  'no-appendfsync-on-rewrite': bool('no', core),
  'auto-aof-rewrite-percentage': int(0n, INT_MAX, '100', core),
  'auto-aof-rewrite-min-size': size(0n, LONG_MAX, '67108864', core),
  'aof-load-truncated': bool('yes', core),
  'aof-use-rdb-preamble': bool('yes', core),
  'aof-timestamp-enabled': bool('no', core),
  'aof-disable-auto-gc': bool('no', core),
  'aof-rewrite-incremental-fsync': bool('yes', core),

  // Replication
  replicaof: words(primaryAddress, '', core, {
    ...AT_START,
    alias: 'slaveof',
  }),
  masteruser: string('', core, { secret: true }),
  masterauth: string('', core, { secret: true }),
  'replica-serve-stale-data': bool('yes', core, { alias: 'slave-serve-stale-data' }),
  'replica-read-only': bool('yes', core, { alias: 'slave-read-only' }),
  'replica-ignore-maxmemory': bool('yes', core, { alias: 'slave-ignore-maxmemory' }),
  'replica-lazy-flush': bool('no', core, { alias: 'slave-lazy-flush' }),
  'replica-priority': int(0n, INT_MAX, '100', core, { alias: 'slave-priority' }),
  'replica-announced': bool('yes', core),
  'replica-announce-ip': string('', core, { alias: 'slave-announce-ip' }),
  'replica-announce-port': int(0n, 65535n, '0', core, { alias: 'slave-announce-port' }),
  'replica-ignore-disk-write-errors': bool('no', core),
  'repl-diskless-load': choice('disabled', core, ['disabled', 'on-empty-db', 'swapdb']),
  'repl-timeout': int(1n, INT_MAX, '60', core),
  'repl-ping-replica-period': int(1n, INT_MAX, '10', core, {
    alias: 'repl-ping-slave-period',
  }),
  'repl-backlog-size': size(1n, LONG_MAX, '1048576', coreAndIo),
  'repl-backlog-ttl': int(0n, LONG_MAX, '3600', core),
  'repl-diskless-sync': bool('yes', core),
  'repl-diskless-sync-delay': int(0n, INT_MAX, '5', core),
  'repl-diskless-sync-max-replicas': int(0n, INT_MAX, '0', core),
  'repl-disable-tcp-nodelay': bool('no', SENT_AT_ONCE),
  'min-replicas-to-write': int(0n, INT_MAX, '0', core, {
    alias: 'min-slaves-to-write',
  }),
  'min-replicas-max-lag': int(0n, INT_MAX, '10', core, { alias: 'min-slaves-max-lag' }),
  'propagation-error-behavior': choice('ignore', core, ['ignore', 'panic', 'panic-on-replicas']),

  // Cluster
  'cluster-enabled': bool('no', core, AT_START),
  'cluster-config-file': string('nodes.conf', core, { ...AT_START, keepsEmpty: true }),
  'cluster-port': int(0n, 65535n, '0', core, AT_START),
  'cluster-node-timeout': int(0n, LONG_MAX, '15000', NO_CLUSTER),
  'cluster-replica-validity-factor': int(0n, INT_MAX, '10', NO_CLUSTER, {
    alias: 'cluster-slave-validity-factor',
  }),
  'cluster-replica-no-failover': bool('no', NO_CLUSTER, { alias: 'cluster-slave-no-failover' }),
  'cluster-migration-barrier': int(0n, INT_MAX, '1', NO_CLUSTER),
  'cluster-allow-replica-migration': bool('yes', NO_CLUSTER),
  'cluster-require-full-coverage': bool('yes', core),
  'cluster-allow-reads-when-down': bool('no', core),
  'cluster-allow-pubsubshard-when-down': bool('yes', core),
  'cluster-link-sendbuf-limit': size(0n, ULONG_MAX, '0', NO_CLUSTER),
  'cluster-announce-ip': string('', core),
  'cluster-announce-hostname': define('text', hostName, '', core),
  'cluster-announce-port': int(0n, 65535n, '0', core),
  'cluster-announce-bus-port': int(0n, 65535n, '0', core),
  'cluster-announce-tls-port': int(0n, 65535n, '0', core),
  'cluster-preferred-endpoint-type': choice('ip', core, ['ip', 'hostname', 'unknown-endpoint']),
} as const satisfies Record<string, Definition>

/** The name of a directive that has a value; aliases are not among them. */
export type Name = keyof typeof PARAMS

/** The names whose value is read with `int()`, `bool()` or `text()`. */
export type NameOf<T extends ValueType> = {
  [K in Name]: (typeof PARAMS)[K] extends Definition<T> ? K : never
}[Name]

/** The directives that stand only in a file or on the command line and have no value to ask for. */
export const FILE_ONLY: Readonly<Record<string, Support>> = {
  include: { state: 'full' },
  'rename-command': { state: 'full' },
  user: { state: 'full' },
  loadmodule: refused('modules are compiled for Redis itself').support,
}

/** Old directives that Redis reads and ignores; each takes one word. */
export const OBSOLETE: readonly string[] = [
  'list-max-ziplist-entries',
  'list-max-ziplist-value',
  'lua-replicate-commands',
]

/** All names in the order of the table. */
export const NAMES = Object.keys(PARAMS) as Name[]

const BY_ANY_NAME = new Map<string, Name>()
for (const name of NAMES) {
  BY_ANY_NAME.set(name, name)
  const { alias } = definition(name)
  if (alias !== undefined) BY_ANY_NAME.set(alias, name)
}

/** The directive of that name or alias, which must be in lower case. */
export function findName(anyName: string): Name | undefined {
  return BY_ANY_NAME.get(anyName)
}

/** The definition under a name. */
export function definition(name: Name): Definition {
  return PARAMS[name]
}

/** Every name CONFIG GET knows, aliases and hidden ones included, with the directive it means. */
export function allNames(): IterableIterator<[string, Name]> {
  return BY_ANY_NAME.entries()
}

// ---- how the table is written ----

interface Stance {
  readonly support: Support
  readonly tells: readonly Listener[]
}

function honoured(...tells: Listener[]): Stance {
  return { support: { state: 'full' }, tells }
}

function inert(because: string): Stance {
  return { support: { state: 'inert', because }, tells: [] }
}

function refused(because: string, ...except: string[]): Stance {
  return { support: { state: 'refused', because, except }, tells: [] }
}

function define<T extends ValueType>(
  type: T,
  kind: Kind,
  initial: string,
  stance: Stance,
  rest: Rest = {},
): Definition<T> {
  return { type, kind, initial, change: 'runtime', ...stance, ...rest }
}

function bool(initial: 'yes' | 'no', stance: Stance, rest?: Rest): Definition<'bool'> {
  return define('bool', yesNo, initial, stance, rest)
}

function int(min: bigint, max: bigint, initial: string, stance: Stance, rest?: Rest) {
  return define('int', integer(min, max), initial, stance, rest)
}

function size(min: bigint, max: bigint, initial: string, stance: Stance, rest?: Rest) {
  return define('int', memory(min, max), initial, stance, rest)
}

function string(initial: string, stance: Stance, rest?: Rest): Definition<'text'> {
  return define('text', text(), initial, stance, rest)
}

function choice(initial: string, stance: Stance, choices: readonly string[], rest?: Rest) {
  return define('text', oneOf(choices), initial, stance, rest)
}

function words(kind: Kind, initial: string, stance: Stance, rest?: Rest): Definition<'text'> {
  return define('text', kind, initial, stance, rest)
}
