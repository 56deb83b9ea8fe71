/**
 * The fuzzer as a command: `bun run fuzz [--seed N] [--seconds N] [--target host:port] [--only NAME,...]`.
 * Our server is started unless a target is named; the real one always is.
 *
 * Thread: main.
 * Owns: the servers it starts.
 * Never: ends well when a difference was found.
 */
import { parseArgs } from 'node:util'
import { type RunningServer, redisServerPath, startRedbun, startRedis } from '../support/server.ts'
import { fuzz } from './rounds.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    target: { type: 'string' },
    only: { type: 'string' },
    'keep-going': { type: 'boolean', default: false },
  },
})

if (redisServerPath === '') {
  console.log('There is no redis-server on this machine to compare with.')
  process.exit(1)
}
const theirs = await startRedis()
let ours: RunningServer | undefined
if (values.target === undefined) ours = await startRedbun()
const [host = '', port = ''] = (values.target ?? '').split(':')
const outcome = await fuzz({
  ours: ours?.address ?? { host, port: Number(port) },
  theirs: theirs.address,
  seed: Number(values.seed ?? Date.now() % 1_000_000),
  milliseconds: Number(values.seconds) * 1000,
  keepGoing: values['keep-going'],
  only: values.only?.toLowerCase().split(','),
  say: (line) => console.log(line),
})
console.log(`${outcome.compared} replies compared, ${outcome.differences.length} differences`)
await Promise.all([ours?.stop(), theirs.stop()])
process.exit(outcome.differences.length === 0 ? 0 : 1)
