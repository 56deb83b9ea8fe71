/**
 * The core thread: builds the server, then lives in its loop.
 *
 * Thread: core.
 * Owns: nothing but the start.
 * Never: handles an event: after the first message there is only the loop.
 */
import { Loop } from './loop.ts'
import { type CoreStart, Server } from './server.ts'

declare const self: Worker

/** Held for as long as the thread lives: memory that others wait on must not be collected. */
let held: CoreStart | undefined

self.onmessage = (event: MessageEvent<CoreStart>) => {
  held = event.data
  const server = new Server(held)
  server.begin()
  new Loop(server).run()
}
