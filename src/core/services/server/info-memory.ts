/**
 * INFO's section about memory.
 *
 * Thread: core.
 * Owns: its fields.
 * Never: calls an estimate exact: what is told as used is the arenas' own account, and what waits for
 * replicas and the disk.
 */
import { totalmem } from 'node:os'
import type { Server } from '../../server.ts'
import { arenaAccount, human, overheadBytes, percent, ratio, uncountedBytes } from './account.ts'

export function memorySection(server: Server): string[] {
  const { aof, keyspace, settings, stats, clients, replication } = server
  stats.notePeak()
  const { usedBytes: allocatedBytes, activeBytes, touchedBytes } = arenaAccount(keyspace)
  const notCountedBytes = uncountedBytes(server)
  const usedBytes = allocatedBytes + notCountedBytes
  const peakBytes = stats.peakUsedBytes
  const residentBytes = Number(server.control.process.rss ?? 0)
  const overhead = overheadBytes(keyspace) + notCountedBytes
  const limit = settings.int('maxmemory')
  const backlogBytes = replication.backlog?.capacity ?? 0
  const replicaBytes = clients.bufferedBytes(true)
  return [
    `used_memory:${usedBytes}`,
    `used_memory_human:${human(usedBytes)}`,
    `used_memory_rss:${residentBytes}`,
    `used_memory_rss_human:${human(residentBytes)}`,
    `used_memory_peak:${peakBytes}`,
    `used_memory_peak_human:${human(peakBytes)}`,
    `used_memory_peak_perc:${percent(usedBytes, peakBytes)}`,
    `used_memory_overhead:${overhead}`,
    `used_memory_startup:${keyspace.fixedBytes}`,
    `used_memory_dataset:${usedBytes - overhead}`,
    `used_memory_dataset_perc:${percent(usedBytes - overhead, usedBytes - keyspace.fixedBytes)}`,
    `allocator_allocated:${allocatedBytes}`,
    `allocator_active:${activeBytes}`,
    `allocator_resident:${touchedBytes}`,
    `total_system_memory:${totalmem()}`,
    `total_system_memory_human:${human(totalmem())}`,
    ...scriptFields(server),
    `maxmemory:${limit}`,
    `maxmemory_human:${human(limit)}`,
    `maxmemory_policy:${settings.text('maxmemory-policy')}`,
    `allocator_frag_ratio:${ratio(activeBytes, allocatedBytes)}`,
    `allocator_frag_bytes:${activeBytes - allocatedBytes}`,
    `allocator_rss_ratio:${ratio(touchedBytes, activeBytes)}`,
    `allocator_rss_bytes:${touchedBytes - activeBytes}`,
    `rss_overhead_ratio:${ratio(residentBytes, touchedBytes)}`,
    `rss_overhead_bytes:${residentBytes - touchedBytes}`,
    `mem_fragmentation_ratio:${ratio(residentBytes, usedBytes)}`,
    `mem_fragmentation_bytes:${residentBytes - usedBytes}`,
    `mem_not_counted_for_evict:${notCountedBytes}`,
    `mem_replication_backlog:${backlogBytes}`,
    `mem_total_replication_buffers:${backlogBytes + replicaBytes}`,
    `mem_clients_slaves:${replicaBytes}`,
    `mem_clients_normal:${clients.bufferedBytes()}`,
    'mem_cluster_links:0',
    `mem_aof_buffer:${aof.bufferedSize}`,
    'mem_allocator:libc',
    'active_defrag_running:0',
    `lazyfree_pending_objects:${keyspace.lazyFree.pendingCount}`,
    `lazyfreed_objects:${keyspace.lazyFree.freedCount}`,
  ]
}

/** What scripts and functions take: Lua's values, and what is known of them outside Lua. */
function scriptFields({ scripting }: Server): string[] {
  const { scripts, functions } = scripting
  const evalBytes = scripts.machineBytes
  const functionBytes = functions.machineBytes
  const machineBytes = evalBytes + functionBytes
  const cachedBytes = scripts.cachedBytes + functions.cachedBytes
  return [
    `used_memory_lua:${evalBytes}`,
    `used_memory_vm_eval:${evalBytes}`,
    `used_memory_lua_human:${human(evalBytes)}`,
    `used_memory_scripts_eval:${scripts.cachedBytes}`,
    `number_of_cached_scripts:${scripts.count}`,
    `number_of_functions:${functions.functionCount}`,
    `number_of_libraries:${functions.libraryCount}`,
    `used_memory_vm_functions:${functionBytes}`,
    `used_memory_vm_total:${machineBytes}`,
    `used_memory_vm_total_human:${human(machineBytes)}`,
    `used_memory_functions:${functions.cachedBytes}`,
    `used_memory_scripts:${cachedBytes}`,
    `used_memory_scripts_human:${human(cachedBytes)}`,
  ]
}
