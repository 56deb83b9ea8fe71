/**
 * The disk thread as a Worker: made when there is something to load, or when the core first wants
 * something written.
 *
 * Thread: disk.
 * Owns: nothing but the start.
 * Never: writes the log itself: the main thread does.
 */
import type { BridgeMemory } from '../bridge/memory.ts'
import type { LogLevel } from '../config/log-levels.ts'
import { DiskThread } from './thread.ts'

/** To the main thread. */
export type DiskSays =
  | { readonly type: 'log'; readonly level: LogLevel; readonly text: string }
  /** There is no way on. */
  | { readonly type: 'fatal'; readonly text: string }

export interface DiskStart {
  readonly memory: BridgeMemory
}

declare const self: Worker

/** Held for as long as the thread lives: memory that others wait on must not be collected. */
const held: { start?: DiskStart; disk?: DiskThread } = {}

self.onmessage = (event: MessageEvent<DiskStart | 'stop'>) => {
  if (event.data === 'stop') return stop()
  held.start = event.data
  held.disk = new DiskThread(held.start.memory, {
    log: (level, text) => say({ type: 'log', level, text }),
    fatal: (text) => say({ type: 'fatal', text }),
  })
  held.disk.run()
}

/** The server has ended; the thread may be given another one. */
function stop(): void {
  held.disk?.stop()
  delete held.disk
  delete held.start
  Bun.gc(true)
  postMessage('stopped')
}

function say(what: DiskSays): void {
  postMessage(what)
}
