/**
 * A further io thread, as a Worker.
 *
 * Thread: io.
 * Owns: nothing but the start.
 * Never: writes the log itself.
 */
import type { BridgeMemory } from '../bridge/memory.ts'
import type { LogLevel } from '../config/log-levels.ts'
import { Settings } from '../config/settings.ts'
import type { LookupItem } from '../lib/command-lookup.ts'
import { isAboutListening, listen } from './listen.ts'
import { IoThread } from './thread.ts'

export interface IoStart {
  readonly memory: BridgeMemory
  readonly index: number
  readonly settings: unknown
  readonly hashSeed: number
  readonly processorCount: number
  readonly commands: readonly LookupItem[]
  readonly debugging: boolean
}

declare const self: Worker

/** Held for as long as the thread lives: memory that others wait on must not be collected. */
const held: { start?: IoStart; io?: IoThread } = {}

self.onmessage = (event: MessageEvent<IoStart | 'stop'>) => {
  if (event.data === 'stop') stop()
  else begin(event.data)
}

function begin(start: IoStart): void {
  const settings = Settings.fromPlain(start.settings)
  const log = (level: LogLevel) => (text: string) => self.postMessage({ type: 'log', level, text })
  const debug = log('debug')
  const io = new IoThread({
    memory: start.memory,
    index: start.index,
    settings,
    sharesPort: true,
    hashSeed: start.hashSeed,
    processorCount: start.processorCount,
    onControl: (message) => {
      if (message.type !== 'settings') return
      io.debug = settings.text('loglevel') === 'debug' ? debug : undefined
      if (!message.changed.some(([name]) => isAboutListening(name))) return
      io.listeners.stopTcp()
      const outcome = listen(io.listeners, settings, { unix: false })
      for (const warning of outcome.warnings) log('warning')(warning)
    },
    debug: start.debugging ? debug : undefined,
    warn: log('warning'),
  })
  held.start = start
  held.io = io
  io.useCommands(start.commands)
  const outcome = listen(io.listeners, settings, { unix: false })
  self.postMessage({ type: 'listened', outcome })
}

/** The server has ended; the thread may be given another one. */
function stop(): void {
  held.io?.stop()
  delete held.io
  delete held.start
  Bun.gc(true)
  self.postMessage('stopped')
}
