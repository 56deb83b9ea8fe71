/**
 * Where threads may run: one client that waits for each answer has the core stay on a processor and io
 * keep off it; as soon as many ask, or nobody has for a while, both may run anywhere.
 *
 * Thread: any.
 * Owns: the server it starts.
 * Never: looks at a machine with a processor to spare: nobody settles there.
 */
import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { affinity } from '../../src/bridge/affinity.ts'
import type { Client } from '../support/client.ts'
import { startRedbun } from '../support/server.ts'

const MANY = 10
const WITHIN_MS = 5000
const AT_ONCE = 200

/** The processors that io, which is the main thread, and the core may run on, as the kernel writes them. */
function allowed(processId: number): { readonly io: string; readonly core: string } {
  const tasks = `/proc/${processId}/task`
  const of = (thread: string | number) => {
    const status = readFileSync(`${tasks}/${thread}/status`, 'latin1')
    return /^Cpus_allowed_list:\s+(\S+)$/m.exec(status)?.[1] ?? ''
  }
  const core = readdirSync(tasks)
    .sort((a, b) => Number(a) - Number(b))
    .find((thread) => readFileSync(`${tasks}/${thread}/comm`, 'latin1') === 'Worker\n')
  return { io: of(processId), core: of(core ?? '') }
}

// With one processor nothing shows; with more than three there is one to spare.
test.if(affinity !== undefined && [2, 3].includes(availableParallelism()))(
  'the core settles for one client, and for nobody else',
  async () => {
    const server = await startRedbun()
    const free = allowed(server.pid)
    expect(free.io).toBe(free.core)
    const clients: Client[] = []
    for (let i = 0; i < MANY; i++) clients.push(await server.connect())

    /** Asks by one client after the other's answer until it is so. Gives whether it is. */
    const askUntil = async (isSo: () => boolean, by: readonly Client[]) => {
      const deadlineMs = performance.now() + WITHIN_MS
      while (!isSo() && performance.now() < deadlineMs) {
        await Promise.all(
          by.map(async (client) => {
            for (let i = 0; i < AT_ONCE; i++) expect(await client.text('PING')).toBe('PONG')
          }),
        )
      }
      return isSo()
    }
    const hasSettled = () => {
      const { io, core } = allowed(server.pid)
      return core !== free.core && !io.split(/[-,]/).includes(core)
    }
    const isFree = () => Bun.deepEquals(allowed(server.pid), free)
    expect(await askUntil(hasSettled, clients.slice(0, 1))).toBe(true)
    expect(await askUntil(isFree, clients)).toBe(true)

    expect(await askUntil(hasSettled, clients.slice(0, 1))).toBe(true)
    const deadlineMs = performance.now() + WITHIN_MS
    while (allowed(server.pid).core !== free.core && performance.now() < deadlineMs) {
      await Bun.sleep(20)
    }
    expect(allowed(server.pid).core).toBe(free.core)
    expect(await clients[0].text('PING')).toBe('PONG')
    expect(isFree()).toBe(true)
    expect(await server.stop()).toBe(0)
  },
  30_000,
)
