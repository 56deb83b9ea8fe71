/**
 * The core thread: builds the server, then lives in its loop.
 *
 * Thread: core.
 * Owns: nothing but the start.
 * Never: handles an event while a server runs: there is only the loop then.
 */
import { Loop } from './loop.ts'
import { type CoreStart, Server } from './server.ts'

declare const self: Worker

/** Held for as long as the server lives: memory that others wait on must not be collected. */
let held: CoreStart | undefined

self.onmessage = ({ data }: MessageEvent<CoreStart | 'stop'>) => {
  if (data === 'stop') return stop()
  held = data
  const server = new Server(held)
  server.begin()
  new Loop(server).run()
}

/** The server has ended; the thread may be given another one. */
function stop(): void {
  held = undefined
  // The arenas: nothing tells the collector how large they are.
  Bun.gc(true)
  self.postMessage('stopped')
}
