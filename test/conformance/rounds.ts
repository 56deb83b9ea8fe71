/**
 * Rounds of fuzzing: each has a seed of its own and begins with empty servers, so that a difference
 * can be had again by its seed alone.
 *
 * Thread: any.
 * Owns: the length of a round.
 * Never: reports a difference that does not show twice.
 */
import { CommandTable } from '../../src/core/command/table.ts'
import { commandGroups } from '../../src/core/commands.ts'
import { showCommand } from '../support/argv.ts'
import type { Address } from '../support/client.ts'
import { Dice } from './dice.ts'
import { Differential } from './differential.ts'
import { type Argv, Generator } from './generator.ts'

export interface FuzzOptions {
  readonly ours: Address
  readonly theirs: Address
  readonly seed: number
  readonly milliseconds: number
  /** Goes on after a difference. */
  readonly keepGoing: boolean
  /** Only these commands; undefined: all. */
  readonly only?: readonly string[] | undefined
  readonly say: (line: string) => void
}

export interface FuzzOutcome {
  readonly compared: number
  readonly differences: readonly string[]
}

const ROUND_COMMANDS = 1500

/** Limits of small encodings: those that Redis begins with, and some that a few elements pass. */
const LIMITS: readonly (readonly (readonly [name: string, value: string])[])[] = [
  [
    ['hash-max-listpack-entries', '512'],
    ['hash-max-listpack-value', '64'],
    ['list-max-listpack-size', '-2'],
    ['list-compress-depth', '0'],
    ['set-max-intset-entries', '512'],
    ['zset-max-listpack-entries', '128'],
    ['zset-max-listpack-value', '64'],
    ['stream-node-max-entries', '100'],
  ],
  [
    ['hash-max-listpack-entries', '3'],
    ['hash-max-listpack-value', '5'],
    ['list-max-listpack-size', '3'],
    ['list-compress-depth', '1'],
    ['set-max-intset-entries', '3'],
    ['zset-max-listpack-entries', '3'],
    ['zset-max-listpack-value', '5'],
    ['stream-node-max-entries', '3'],
  ],
]
const SHRINK_MS = 8000

export async function fuzz(options: FuzzOptions): Promise<FuzzOutcome> {
  const { entries } = new CommandTable(commandGroups)
  const only = options.only
  const wanted =
    only === undefined
      ? entries
      : entries.filter(({ name, group }) => only.includes(name) || only.includes(group))
  const differential = new Differential(options.ours, options.theirs)
  const withDigest = await differential.canDigest()
  if (!withDigest) options.say('A server does not tell DEBUG DIGEST: only replies are compared.')
  const differences: string[] = []
  const deadline = performance.now() + options.milliseconds
  const isFirst = (seed: number) => seed === options.seed
  for (let { seed } = options; isFirst(seed) || performance.now() < deadline; seed++) {
    differential.settings = LIMITS[seed % LIMITS.length].flat()
    const generator = new Generator(new Dice(seed), wanted)
    const stream = Array.from({ length: ROUND_COMMANDS }, () => generator.next())
    const found = await differential.run(stream, withDigest)
    if (found === undefined) continue
    const short = await differential.shrink(stream.slice(0, found.index + 1), withDigest, SHRINK_MS)
    const again = await differential.run(short, withDigest)
    if (again === undefined) {
      options.say(`seed ${seed}: once, ${found.ours} against ${found.theirs}; not again`)
      continue
    }
    const text = describeDifference(seed, short, again.ours, again.theirs)
    differences.push(text)
    options.say(text)
    if (!options.keepGoing) break
  }
  return { compared: differential.comparedCount, differences }
}

function describeDifference(
  seed: number,
  stream: readonly Argv[],
  ours: string,
  theirs: string,
): string {
  const lines = stream.map(
    (argv) => `  ${showCommand(argv.map((word) => Buffer.from(word, 'latin1')))}`,
  )
  return [`seed ${seed}: after`, ...lines, `  ours   ${ours}`, `  redis  ${theirs}`].join('\n')
}
