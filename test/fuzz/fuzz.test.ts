/**
 * A short run of each target of the fuzzer with fixed seeds, and what its command line says.
 *
 * Thread: any.
 * Owns: the seeds.
 * Never: runs long; `bun run fuzz` does.
 */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { attack } from './target.ts'
import { targets } from './targets.ts'

const SEED = 1
const MILLISECONDS = 1500
const TIMEOUT_MS = 120_000

test.each(targets.map((target) => [target.name, target] as const))(
  'the server survives what is done to it: %s',
  async (_name, target) => {
    const options = { seed: SEED, milliseconds: MILLISECONDS, keepGoing: false, say: console.log }
    const outcome = await attack(target, options)
    expect(outcome.failures).toEqual([])
    expect(outcome.rounds).toBeGreaterThan(0)
  },
  TIMEOUT_MS,
)

test.each([
  ['--help', 0],
  ['--target=nonsense', 1],
  ['--nonsense', 1],
])('the command line lists all targets at %s', async (option, status) => {
  const main = join(import.meta.dir, 'main.ts')
  const child = Bun.spawn([process.execPath, main, option], { stdout: 'pipe', stderr: 'pipe' })
  const text = await new Response(child.stdout).text()
  expect(await child.exited).toBe(status)
  for (const { name, summary } of targets) expect(text).toContain(`${name.padEnd(12)} ${summary}`)
})
