/**
 * On which processors a thread may run, as the system tells it.
 *
 * Thread: any.
 * Owns: where this thread runs.
 * Never: leaves it confined.
 */
import { afterEach, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { affinity } from '../../src/bridge/affinity.ts'

/** Calls after which the runtime has made machine code of them. */
const COMPILED_AFTER = 100_000

afterEach(() => affinity?.anywhere())

/** As the kernel writes it: `0-3,6`. */
function allowed(): string {
  const status = readFileSync('/proc/thread-self/status', 'latin1')
  return /^Cpus_allowed_list:\s+(\S+)$/m.exec(status)?.[1] ?? ''
}

// Elsewhere there are no such calls; musl's loader does not give them either.
test.if(affinity !== undefined)('a thread stays, keeps off, and may go anywhere again', () => {
  const calls = affinity as NonNullable<typeof affinity>
  const before = allowed()
  const here = calls.current()
  calls.only(here)
  expect(allowed()).toBe(String(here))
  expect(calls.current()).toBe(here)
  calls.without(here)
  const many = before !== String(here)
  if (many) expect(allowed().split(/[-,]/)).not.toContain(String(here))
  // With nowhere else to go it stays.
  else expect(allowed()).toBe(before)
  calls.anywhere()
  expect(allowed()).toBe(before)
})

// With one processor there is no other place.
test.if(affinity !== undefined && availableParallelism() > 1)(
  'a thread is still where it is told to be when the calls have been compiled',
  () => {
    const calls = affinity as NonNullable<typeof affinity>
    const here = calls.current()
    calls.without(here)
    const there = Number.parseInt(allowed(), 10)
    for (let i = 0; i < COMPILED_AFTER; i++) {
      calls.only(i % 2 === 0 ? here : there)
      if (i % 1000 === 0) calls.anywhere()
    }
    calls.only(here)
    expect(allowed()).toBe(String(here))
    calls.only(there)
    expect(allowed()).toBe(String(there))
  },
)
