/**
 * The fuzzer as a command: `bun run fuzz [--target NAME]... [--seed N] [--seconds N]`.
 * `--help` tells the rest.
 *
 * Thread: main.
 * Owns: the servers that commands are compared on.
 * Never: ends well when a target found something.
 */
import { parseArgs } from 'node:util'
import { fuzz } from '../conformance/rounds.ts'
import { type RunningServer, redisServerPath, startRedbun, startRedis } from '../support/server.ts'
import { attack } from './target.ts'
import { targets } from './targets.ts'

const COMMANDS = 'commands'
const ROWS: readonly (readonly [name: string, summary: string])[] = [
  [COMMANDS, 'random commands to us and to a real Redis, replies and data compared (the default)'],
  ...targets.map(({ name, summary }) => [name, summary] as const),
]
const HELP = `Usage: bun run fuzz [--target NAME]... [--seed N] [--seconds N] [--keep-going]

Each round has a seed of its own and says it where something is found: \`--target NAME --seed N
--seconds 0\` is that round again. Seconds are those of each target, 60 unless told. What is found
ends a target, but for --keep-going.

Targets:
${ROWS.map(([name, summary]) => `  ${name.padEnd(12)} ${summary}`).join('\n')}
  ${'all'.padEnd(12)} one after the other

For commands only:
  --server HOST:PORT   compares that server, not one of our own
  --only NAME,...      only these commands or groups
`

try {
  process.exit((await main()) ? 0 : 1)
} catch (error) {
  console.log(`${(error as Error).message}\n\n${HELP}`)
  process.exit(1)
}

/** True when nothing was found. Throws: an Error about options. */
async function main(): Promise<boolean> {
  const options = parsed()
  if (options.help) {
    console.log(HELP)
    return true
  }
  let isFine = true
  for (const name of options.names) {
    console.log(`${name}: seeds from ${options.seed}, ${options.seconds} seconds`)
    const isClean = name === COMMANDS ? await compare(options) : await attackOne(name, options)
    if (!isClean) isFine = false
  }
  return isFine
}

type Options = ReturnType<typeof parsed>

function parsed() {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      target: { type: 'string', multiple: true, default: [COMMANDS] },
      seed: { type: 'string' },
      seconds: { type: 'string', default: '60' },
      'keep-going': { type: 'boolean', default: false },
      server: { type: 'string' },
      only: { type: 'string' },
    },
  })
  const known = ROWS.map(([name]) => name)
  const names = values.target.flatMap((name) => (name === 'all' ? known : [name]))
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`There is no target '${unknown}'.`)
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  const seconds = Number(values.seconds)
  if (!Number.isInteger(seed) || !(seconds >= 0)) throw new Error('That is not a number.')
  return { ...values, names, seed, seconds }
}

async function attackOne(name: string, options: Options): Promise<boolean> {
  const target = targets.find((one) => one.name === name)
  if (target === undefined) return false
  const outcome = await attack(target, {
    seed: options.seed,
    milliseconds: options.seconds * 1000,
    keepGoing: options['keep-going'],
    say: console.log,
  })
  console.log(`${name}: ${outcome.rounds} rounds, ${outcome.failures.length} failures`)
  return outcome.failures.length === 0
}

async function compare(options: Options): Promise<boolean> {
  if (redisServerPath === '') {
    console.log('There is no redis-server on this machine to compare with.')
    return false
  }
  const theirs = await startRedis()
  let ours: RunningServer | undefined
  if (options.server === undefined) ours = await startRedbun()
  const [host = '', port = ''] = (options.server ?? '').split(':')
  const outcome = await fuzz({
    ours: ours?.address ?? { host, port: Number(port) },
    theirs: theirs.address,
    seed: options.seed,
    milliseconds: options.seconds * 1000,
    keepGoing: options['keep-going'],
    only: options.only?.toLowerCase().split(','),
    say: console.log,
  })
  console.log(`${outcome.compared} replies compared, ${outcome.differences.length} differences`)
  await Promise.all([ours?.stop(), theirs.stop()])
  return outcome.differences.length === 0
}
