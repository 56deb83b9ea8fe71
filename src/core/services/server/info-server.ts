/**
 * INFO's sections about the process and its clients.
 *
 * Thread: core.
 * Owns: their fields.
 * Never: names a part that this server does not have.
 */
import { arch, release, type } from 'node:os'
import { REDBUN_VERSION, REDIS_VERSION } from '../../../config/version.ts'
import type { Server } from '../../server.ts'

const SECONDS_A_DAY = 24 * 3600
/** By platform, what the runtime waits for sockets with, where it is not epoll. */
const MULTIPLEXING: Readonly<Record<string, string>> = { darwin: 'kqueue', win32: 'iocp' }

export function serverSection(server: Server): string[] {
  const { start, settings, clock, keyspace, shutdown } = server
  const uptimeSeconds = Math.max(0, Math.floor((clock.nowMs - start.startedMs) / 1000))
  return [
    `redis_version:${REDIS_VERSION}`,
    'redis_git_sha1:00000000',
    'redis_git_dirty:0',
    `redis_build_id:${buildId()}`,
    `redbun_version:${REDBUN_VERSION}`,
    `bun_version:${Bun.version}`,
    `redis_mode:${server.cluster.enabled ? 'cluster' : 'standalone'}`,
    `os:${type()} ${release()} ${machine()}`,
    'arch_bits:64',
    'monotonic_clock:POSIX clock_gettime',
    `multiplexing_api:${MULTIPLEXING[process.platform] ?? 'epoll'}`,
    `process_id:${start.processId}`,
    'process_supervised:no',
    `run_id:${start.runId}`,
    `tcp_port:${settings.int('port')}`,
    `server_time_usec:${clock.unixMicroseconds()}`,
    `uptime_in_seconds:${uptimeSeconds}`,
    `uptime_in_days:${Math.floor(uptimeSeconds / SECONDS_A_DAY)}`,
    `hz:${settings.int('hz')}`,
    `configured_hz:${settings.int('hz')}`,
    `lru_clock:${keyspace.lruClock}`,
    `executable:${start.executable}`,
    `config_file:${start.configFile}`,
    `io_threads_active:${settings.int('io-threads') > 1 ? 1 : 0}`,
    ...(shutdown.leftMs < 0 ? [] : [`shutdown_in_milliseconds:${shutdown.leftMs}`]),
  ]
}

export function clientsSection(server: Server): string[] {
  const { clients, replication, settings, pause } = server
  let inputBytes = 0
  let outputBytes = 0
  for (const session of clients.all()) {
    inputBytes = Math.max(inputBytes, session.link.inputBytes(session))
    outputBytes = Math.max(outputBytes, session.link.outputBytes(session))
  }
  return [
    `connected_clients:${clients.count - replication.replicas.count}`,
    'cluster_connections:0',
    `maxclients:${settings.int('maxclients')}`,
    `client_recent_max_input_buffer:${inputBytes}`,
    `client_recent_max_output_buffer:${outputBytes}`,
    `blocked_clients:${pause.waitingCount + server.blocking.count + server.shutdown.waitingCount}`,
    `tracking_clients:${server.tracking.clientCount}`,
    'clients_in_timeout_table:0',
  ]
}

/** As the system itself names its processors, whatever the runtime calls them. */
function machine(): string {
  if (arch() === 'x64') return 'x86_64'
  return arch() === 'arm64' && process.platform === 'linux' ? 'aarch64' : arch()
}

/** Tells builds apart: of the versions that this one is made of. */
function buildId(): string {
  const text = `${REDBUN_VERSION} ${REDIS_VERSION} ${Bun.version} ${Bun.revision}`
  return new Bun.CryptoHasher('sha1').update(text).digest('hex').slice(0, 16)
}
