/**
 * A short run of the fuzzer with fixed seeds: the same streams every time.
 *
 * Thread: any.
 * Owns: the seeds.
 * Never: runs long; `bun run fuzz` does.
 */
import { expect, test } from 'bun:test'
import { redisServerPath, startRedbun, startRedis } from '../support/server.ts'
import { fuzz } from './rounds.ts'

const SEED = 20_000
const MILLISECONDS = 8000

test.if(redisServerPath !== '')(
  'random commands are answered as Redis answers them',
  async () => {
    const [ours, theirs] = await Promise.all([startRedbun(), startRedis()])
    try {
      const outcome = await fuzz({
        ours: ours.address,
        theirs: theirs.address,
        seed: SEED + Number(process.env['REDBUN_SEED'] ?? 0),
        milliseconds: MILLISECONDS,
        keepGoing: false,
        say: console.log,
      })
      expect(outcome.differences).toEqual([])
      expect(outcome.compared).toBeGreaterThan(1000)
    } finally {
      await Promise.all([ours.stop(), theirs.stop()])
    }
  },
  60_000,
)
