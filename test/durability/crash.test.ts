/**
 * A few crashes; `bun run test:crash` makes a hundred more.
 *
 * Thread: any.
 * Owns: which seeds are tried.
 * Never: tries a seed that it does not name.
 */
import { expect, test } from 'bun:test'
import { crash, type Plan, planOf } from './crash.ts'

const LONG_COUNT = 100
const LONG_TIMEOUT_MS = 60_000
const FIRST_SEED = 1 + Number(process.env['REDBUN_SEED'] ?? 0)

const COMMON = { rewrites: true, preamble: true, writers: 4, writeMs: 250 }

const PLANS: readonly Plan[] = [
  { ...COMMON, seed: 1, policy: 'always', fault: '' },
  { ...COMMON, seed: 2, policy: 'always', fault: 'aof-write:12:tear', rewrites: false },
  { ...COMMON, seed: 5, policy: 'always', fault: 'manifest-rename:4:die', preamble: false },
  { ...COMMON, seed: 6, policy: 'everysec', fault: 'aof-write:9:ENOSPC' },
]

for (const plan of PLANS) {
  const what = plan.fault === '' ? 'kill -9' : plan.fault
  test(`${plan.policy} keeps its promise after ${what}`, async () => {
    expect(await crash(plan)).toEqual([])
  })
}

if (process.env['REDBUN_CRASH'] !== undefined) {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + LONG_COUNT; seed++) {
    const plan = planOf(seed)
    test(
      `seed ${seed}: ${JSON.stringify(plan)}`,
      async () => {
        expect(await crash(plan)).toEqual([])
      },
      LONG_TIMEOUT_MS,
    )
  }
}
