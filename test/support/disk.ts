/**
 * The disk thread for tests of it: played by the thread that plays the core, and what it is ordered.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: works by itself.
 */
import type { ToDisk } from '../../src/bridge/disk-control.ts'
import { createBridgeMemory } from '../../src/bridge/memory.ts'
import { DiskLink } from '../../src/core/engine/disk-link.ts'
import { DiskThread } from '../../src/disk/thread.ts'

/** Both ends in this thread: whoever waits for the disk does its work. */
export function diskInThisThread(): { readonly disk: DiskLink; readonly thread: DiskThread } {
  const memory = createBridgeMemory(1, 4096, 4096, 1)
  const disk = new DiskLink(memory, true, () => {})
  const thread = new DiskThread(memory, { log: () => {}, fatal: () => {} })
  disk.idle = () => thread.turn()
  return { disk, thread }
}

export function rdbOrder(
  directory: string,
  name: string,
  temporaryName = `temp-${name}`,
): Extract<ToDisk, { type: 'rdb-save' }> {
  return {
    type: 'rdb-save',
    directory,
    name,
    temporaryName,
    checksum: true,
    givesWay: true,
    syncsAsItGoes: true,
  }
}
