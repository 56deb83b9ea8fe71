/**
 * Random commands of users that may not do everything: the same ones are refused, with the same
 * words, and what is refused changes nothing.
 *
 * Thread: any.
 * Owns: the rules that users are given.
 * Never: runs long.
 */
import { expect, test } from 'bun:test'
import { CATEGORIES } from '../../src/core/command/categories.ts'
import { CommandTable } from '../../src/core/command/table.ts'
import { commandGroups } from '../../src/core/commands.ts'
import { showCommand } from '../support/argv.ts'
import { redisServerPath, startRedbun, startRedis } from '../support/server.ts'
import { Dice } from './dice.ts'
import { Differential } from './differential.ts'
import { type Argv, Generator } from './generator.ts'

const SEED = 41_000
const MILLISECONDS = 4000
const USERS_PER_ROUND = 6
const COMMANDS_PER_USER = 120

const { entries } = new CommandTable(commandGroups)
const names = entries
  .filter(({ definition, parent }) => parent === undefined && !/^7\.[1-9]/.test(definition.since))
  .map(({ name }) => name)

function randomRules(dice: Dice): string[] {
  const rules = dice.chance(60) ? ['+@all'] : []
  for (let i = dice.below(4); i > 0; i--) {
    rules.push(`${dice.word('+ -')}@${dice.pick(CATEGORIES)}`)
    rules.push(`${dice.word('+ -')}${dice.pick(names)}`)
  }
  for (let i = dice.below(5); i > 0; i--) {
    const pattern = dice.word('s* h* l* e* z* x* g* p* *0 *[12] ?3 s[^0] z0 *')
    rules.push(`${dice.word('~ ~ ~ %R~ %W~ %RW~')}${pattern}`.replace(/^~\*$/, '%RW~*'))
  }
  return rules
}

function randomUser(dice: Dice): string[] {
  const selectors = dice.chance(30) ? [`(${randomRules(dice).join(' ')})`] : []
  return ['reset', 'on', 'nopass', '+auth', ...randomRules(dice), ...selectors]
}

function streamOf(dice: Dice): Argv[] {
  const generator = new Generator(dice, entries)
  const stream: Argv[] = []
  const addCommands = () => {
    for (let i = 0; i < COMMANDS_PER_USER; i++) {
      const argv = generator.next()
      if (!isAnsweredOtherwise(argv)) stream.push(argv)
    }
  }
  for (let user = 0; user < USERS_PER_ROUND; user++) {
    // Something to find, by somebody who may make it.
    addCommands()
    stream.push(['ACL', 'SETUSER', 'limited', ...randomUser(dice)], ['AUTH', 'limited', 'x'])
    addCommands()
    stream.push(['AUTH', 'default', 'x'])
  }
  return stream
}

/** Calls that are to be answered otherwise than by Redis 7.0. */
function isAnsweredOtherwise(argv: Argv): boolean {
  const name = argv[0].toUpperCase()
  // DIFFERS: see services/acl/keys.ts.
  if (name === 'PFMERGE') return argv.length < 3
  // They take an argument more since Redis 7.2, and numbers of arguments are checked first.
  return (name === 'ZRANK' || name === 'ZREVRANK') && argv.length > 3
}

test.if(redisServerPath !== '')(
  'what a user may not do is refused as Redis refuses it',
  async () => {
    const [ours, theirs] = await Promise.all([startRedbun(), startRedis()])
    try {
      const differential = new Differential(ours.address, theirs.address)
      const withDigest = await differential.canDigest()
      const deadline = performance.now() + Number(process.env['REDBUN_MS'] ?? MILLISECONDS)
      const first = SEED + Number(process.env['REDBUN_SEED'] ?? 0)
      for (let seed = first; performance.now() < deadline; seed++) {
        const stream = streamOf(new Dice(seed))
        const found = await differential.run(stream, withDigest)
        if (found === undefined) continue
        const short = await differential.shrink(stream.slice(0, found.index + 1), withDigest, 5000)
        const shown = short.map((argv) =>
          showCommand(argv.map((word) => Buffer.from(word, 'latin1'))),
        )
        const user = stream.slice(0, found.index).findLast((argv) => argv[1] === 'SETUSER')
        const again = await differential.run(short, withDigest)
        throw new Error(
          `seed ${seed}: by ${user?.join(' ')}, after\n  ${shown.join('\n  ')}\n  ours   ${again?.ours}\n  redis  ${again?.theirs}`,
        )
      }
      expect(differential.comparedCount).toBeGreaterThan(1000)
    } finally {
      await Promise.all([ours.stop(), theirs.stop()])
    }
  },
  60_000,
)
