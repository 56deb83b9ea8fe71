/**
 * Sleeping on a word by the system's own call.
 *
 * Thread: any.
 * Owns: the words slept on.
 * Never: wakes anybody.
 */
import { expect, test } from 'bun:test'
import { futex } from '../../src/bridge/futex.ts'

/** Calls after which the runtime has made machine code of them. */
const COMPILED_AFTER = 300_000
/** What a busy machine may add. */
const LATE_MS_MAX = 1000

// Elsewhere there is no such call; musl's loader does not give it either.
test.if(futex !== undefined)('a sleep takes as long as it should, also in machine code', () => {
  const { wait } = futex as NonNullable<typeof futex>
  const words = new Int32Array(new SharedArrayBuffer(64))
  const slept = (timeoutMs: number) => {
    const startMs = performance.now()
    wait(words, 0, 0, timeoutMs)
    return performance.now() - startMs
  }
  for (let i = 0; i < COMPILED_AFTER; i++) wait(words, 0, 1, i % 2 === 0 ? 5 : 3000)
  for (const timeoutMs of [200, 1.5, 100]) {
    const sleptMs = slept(timeoutMs)
    expect(sleptMs).toBeGreaterThanOrEqual(timeoutMs - 0.1)
    expect(sleptMs).toBeLessThan(timeoutMs + LATE_MS_MAX)
  }
})
