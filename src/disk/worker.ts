/**
 * The disk thread as a Worker: made when there is something to load, or when the core first wants
 * something written.
 *
 * Thread: disk.
 * Owns: nothing but the start.
 * Never: writes the log itself: what it has to say goes through the core.
 */
import type { BridgeMemory } from '../bridge/memory.ts'
import { DiskThread } from './thread.ts'

export interface DiskStart {
  readonly memory: BridgeMemory
}

declare const self: Worker

/** Held for as long as the thread lives: memory that others wait on must not be collected. */
const held: { start?: DiskStart; disk?: DiskThread } = {}

self.onmessage = (event: MessageEvent<DiskStart>) => {
  held.start = event.data
  held.disk = new DiskThread(held.start.memory)
  held.disk.run()
}
