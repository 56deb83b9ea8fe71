/**
 * A server that has lost a thread: it ends at once, says why, and does not end well.
 *
 * Thread: any.
 * Owns: the processes it starts.
 * Never: leaves one behind.
 */
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { freePort } from '../support/server.ts'

const PROGRAM = join(import.meta.dir, 'broken-threads.ts')

const CASES: readonly (readonly [how: string, log: RegExp])[] = [
  ['core-ends', /# The core thread ended unexpectedly\n/],
  ['core-throws', /# The core thread failed: /],
  ['io-ends', /# The io 1 thread ended unexpectedly\n/],
  ['io-throws', /# The io 1 thread failed: /],
]

describe('a thread that fails takes the server down', () => {
  for (const [how, log] of CASES) {
    test(how, async () => {
      const port = freePort()
      const child = Bun.spawn([process.execPath, PROGRAM, how, String(port)], {
        stdout: 'pipe',
        stderr: 'ignore',
        timeout: 8000,
      })
      const said = await new Response(child.stdout).text()
      expect(said).toMatch(log)
      expect(await child.exited).toBe(1)
      expect(said).toContain('Ready to accept connections')
    }, 15_000)
  }
})
