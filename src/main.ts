#!/usr/bin/env bun
/**
 * The server's entry: `bun run server [redis.conf] [--directive value ...]`.
 *
 * The core thread loads its modules while this one loads its own: that is half of the time to the
 * first answer.
 *
 * Thread: main.
 * Owns: the order of loading.
 * Never: reads an argument.
 */
const core = new Worker(new URL('./core/thread.ts', import.meta.url).href)
core.onerror = (event) => {
  console.error(`The core thread cannot be loaded: ${event.message}`)
  process.exit(1)
}

const { main } = await import('./process/command.ts')
main({
  isOwn: true,
  sharesPort: false,
  // All are named here, beside the entry: in an executable nothing else knows where it lies.
  thread(kind) {
    if (kind === 'core') return core
    if (kind === 'io') return new Worker(new URL('./io/worker.ts', import.meta.url).href)
    return new Worker(new URL('./disk/worker.ts', import.meta.url).href)
  },
  ready() {},
  shutdownFailed() {},
  exit: (status) => process.exit(status),
})
