/**
 * Rules beside a real server: random ones make the same user, which is described in the same words
 * and may make the same calls. The commands are those of Redis 7.0, so that categories are the same.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: expects the order in which the real one names single commands: it follows a random hash.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { CATEGORIES } from '../../../../src/core/command/categories.ts'
import { type CommandEntry, CommandTable } from '../../../../src/core/command/table.ts'
import { commandGroups } from '../../../../src/core/commands.ts'
import { Args } from '../../../../src/core/engine/args.ts'
import {
  describeChannels,
  describeCommands,
  describeKeys,
  describeUser,
  describeUserForFile,
  flagsOf,
} from '../../../../src/core/services/acl/describe.ts'
import { KeyPlaces } from '../../../../src/core/services/acl/keys.ts'
import {
  applyRule,
  joinSelectors,
  newSelector,
  type RuleWorld,
} from '../../../../src/core/services/acl/rules.ts'
import {
  ALLOWED,
  DENIED_COMMAND,
  DENIED_KEY,
  type Selector,
} from '../../../../src/core/services/acl/selector.ts'
import { User } from '../../../../src/core/services/acl/user.ts'
import { hasRedis, type RealReply, type RealServer } from '../../../config/real-server.ts'
import { Dice } from '../../../conformance/dice.ts'
import { factGroups } from '../../command/facts.ts'
import { startReal } from '../../command/shapes.ts'

/** Redis 7.0's commands, and of those that are there already how their keys are found. */
const definitions = new Map(
  commandGroups.flatMap((group) => group.definitions).map((own) => [own.name, own]),
)
const table = new CommandTable(
  factGroups().map(({ name, definitions: facts }) => ({
    name,
    definitions: facts.map((fact) => {
      const { keys, variableAccess } = definitions.get(fact.name) ?? fact
      return {
        ...fact,
        ...(keys === undefined ? {} : { keys }),
        ...(variableAccess === undefined ? {} : { variableAccess }),
      }
    }),
  })),
)
const places = new KeyPlaces(table)
const args = new Args(Buffer.alloc(0), new Int32Array(0), 1)
const world: RuleWorld = { commands: table, allChannels: () => false, warn: () => {} }
const SEED = Number(process.env['REDBUN_SEED'] ?? 1)
const USER_COUNT = Number(process.env['REDBUN_ROUNDS'] ?? 150)
const CALLS_PER_USER = 25
/** The digest of somebody's password. */
const PASSWORD = '2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b'

/** Ours: SETUSER. Gives the error, '' when there is none. */
function setUser(users: Map<string, User>, name: string, words: readonly string[]): string {
  const joined = joinSelectors(words)
  if ('unclosed' in joined) {
    const shown = words[joined.unclosed]
    return `-ERR Unmatched parenthesis in acl selector starting at '${shown}'.`
  }
  let user = users.get(name)?.copy()
  if (user === undefined) {
    user = new User(name, table)
    user.selectors = [newSelector(world)]
  }
  for (const rule of joined.rules) {
    const problem = applyRule(user, rule, world)
    if (problem !== undefined) return `-ERR Error in ACL SETUSER modifier '${rule}': ${problem}`
  }
  user.changed()
  users.set(name, user)
  return ''
}

/** Ours: GETUSER, as RESP2 has it. */
function getUser(user: User): RealReply {
  const fields = (selector: Selector): RealReply[] => [
    'commands',
    describeCommands(selector.commands, table),
    'keys',
    describeKeys(selector),
    'channels',
    describeChannels(selector),
  ]
  const [root, ...others] = user.selectors
  const flags = ['flags', flagsOf(user), 'passwords', user.passwords]
  return [...flags, ...fields(root), 'selectors', others.map(fields)]
}

/** Ours: DRYRUN. */
function dryRun(user: User, entry: CommandEntry, words: readonly string[]): string {
  if (entry.arity >= 0 ? words.length !== entry.arity : words.length < -entry.arity) {
    return `-ERR wrong number of arguments for '${entry.name}' command`
  }
  args.set(words.map((word) => Buffer.from(word)))
  const outcome = user.check(places, entry, args)
  if (outcome === ALLOWED) return 'OK'
  if (outcome === DENIED_COMMAND) {
    return `This user has no permissions to run the '${entry.name}' command`
  }
  const what = outcome === DENIED_KEY ? 'key' : 'channel'
  return `This user has no permissions to access the '${words[user.deniedIndex]}' ${what}`
}

/** Words that describe commands, the single ones in an order of their own. */
function sorted(commands: string): string {
  const words = commands.split(' ')
  const isSingle = (word: string) => !word.includes('@')
  return [...words.filter((word) => !isSingle(word)), ...words.filter(isSingle).sort()].join(' ')
}

function withSortedCommands(reply: RealReply): RealReply {
  if (!Array.isArray(reply)) return reply
  return reply.map((item, index) =>
    reply[index - 1] === 'commands' ? sorted(String(item)) : withSortedCommands(item),
  )
}

/** The words between the last blank before each sign, whatever their order. */
function sortedLine(line: string): string {
  return line.replace(/[+-]@all[^()]*/g, (commands) => sorted(commands.trimEnd()))
}

// ── Chance ─────────────────────────────────────────────────────────────────────────────────────

function randomRule(dice: Dice): string {
  const kind = dice.below(100)
  const sign = dice.word('+ + -')
  if (kind < 30) return `${sign}${dice.pick(table.entries).name}`
  if (kind < 55) return `${sign}@${dice.pick(CATEGORIES)}`
  if (kind < 62) return dice.word('+@all -@all allcommands nocommands +@ALL NoCommands')
  if (kind < 72) return `${dice.word('~ ~ %R~ %W~ %RW~ %wr~')}${dice.word('a* b* ab* * [ab]? x')}`
  if (kind < 75) return dice.word('allkeys resetkeys ~*')
  if (kind < 81) return `&${dice.word('a* b* ab* * x')}`
  if (kind < 83) return dice.word('allchannels resetchannels &*')
  if (kind < 87) return dice.word('+select|0 +select|1 +debug|a +get|b +GET|B +config|get')
  if (kind < 91) return dice.word('on off nopass resetpass reset clearselectors')
  if (kind < 93) return dice.word(`>a >b #${PASSWORD} <a !${PASSWORD}`)
  if (kind < 95) return dice.word('skip-sanitize-payload sanitize-payload')
  if (kind < 99) return ''
  return dice.word('+nosuch -@nosuch %~x %R !x + - bad +config|get|x +config|x -get|x )x ~a\tb #a')
}

function randomSelector(dice: Dice): string {
  const rules: string[] = []
  for (let i = dice.below(4); i >= 0; i--) {
    const rule = randomRule(dice)
    if (/^[+\-~%&]|^all|^reset[kc]/.test(rule)) rules.push(rule)
  }
  const blank = dice.word(' , ').replace(',', ' ')
  return `(${dice.chance(20) ? blank : ''}${rules.join(' ')})`
}

function randomRules(dice: Dice): string[] {
  const rules: string[] = []
  for (let i = dice.below(10); i >= 0; i--) {
    if (dice.chance(90)) rules.push(randomRule(dice))
    else if (dice.chance(50)) rules.push(randomSelector(dice))
    else rules.push(...randomSelector(dice).split(' '))
  }
  return rules
}

/** No containers: a random word after one is no subcommand. */
const runnable = table.entries.filter(({ subcommands }) => subcommands === undefined)
const ARGUMENTS =
  'a b ab ac x 0 1 2 3 -1 STORE STREAMS KEYS AUTH AUTH2 BY GET SET COUNT STOREDIST LIMIT * get set'

function randomCall(dice: Dice): { readonly entry: CommandEntry; readonly words: string[] } {
  const entry = dice.pick(runnable)
  const words = entry.name.split('|')
  const least = Math.abs(entry.arity)
  const wanted = least + (entry.arity < 0 ? dice.below(6) : 0) - (dice.chance(3) ? 1 : 0)
  // DIFFERS: see keys.ts.
  const count = entry.name === 'pfmerge' ? least + 1 : wanted
  while (words.length < count) words.push(dice.chance(3) ? '' : dice.word(ARGUMENTS))
  // Redis falls back to another way to find keys where the call makes no sense.
  if (entry.name === 'xreadgroup') words[1] = 'GROUP'
  return { entry, words }
}

// ── Tests ──────────────────────────────────────────────────────────────────────────────────────

describe.if(hasRedis)('beside redis-server (left out when it is not installed)', () => {
  let real: RealServer
  beforeAll(async () => {
    real = await startReal()
  })
  afterAll(() => real.stop())

  test('every category describes itself, added to nothing and taken from everything', async () => {
    for (const category of CATEGORIES) {
      for (const rules of [
        ['+@all', `-@${category}`],
        ['-@all', `+@${category}`],
      ]) {
        const users = new Map<string, User>()
        expect(setUser(users, 'u', ['reset', ...rules])).toBe('')
        expect(getUser(users.get('u')!)).toContain(rules.join(' '))
      }
      const theirs = (await real.command('ACL', 'CAT', category)) as string[]
      const ours = table.entries.filter(({ categories }) => {
        return (categories & (1 << CATEGORIES.indexOf(category))) !== 0
      })
      expect(ours.map(({ name }) => name).sort()).toEqual(theirs.sort())
    }
  })

  test(`random rules make the same users (seed ${SEED})`, async () => {
    const dice = new Dice(SEED)
    const users = new Map<string, User>()
    for (let round = 0; round < USER_COUNT; round++) {
      const name = `u${dice.below(5)}`
      const rules = randomRules(dice)
      const theirs = await real.command('ACL', 'SETUSER', name, ...rules)
      const told = `round ${round}: ${name} ${rules.join(' ')}`
      const ours = setUser(users, name, rules)
      expect([told, ours === '' ? 'OK' : ours]).toEqual([told, theirs as string])
      const user = users.get(name)
      if (user === undefined) continue
      const described = withSortedCommands(await real.command('ACL', 'GETUSER', name))
      expect([told, withSortedCommands(getUser(user))]).toEqual([told, described])
      for (let i = 0; i < CALLS_PER_USER; i++) {
        const { entry, words } = randomCall(dice)
        const answer = await real.command('ACL', 'DRYRUN', name, ...words)
        const call = `${describeUser(user, table)} DRYRUN ${words.join(' ')}`
        expect([call, dryRun(user, entry, words)]).toEqual([call, answer as string])
      }
    }
    const lines = (await real.command('ACL', 'LIST')) as string[]
    const known = [...users.keys()].sort()
    const ours = known.map((name) => `user ${name} ${describeUser(users.get(name)!, table)}`)
    expect(ours.map(sortedLine)).toEqual(
      lines.filter((line) => !line.startsWith('user default ')).map(sortedLine),
    )
  })

  test('what describes a user makes it again', async () => {
    const dice = new Dice(SEED + 1)
    for (let round = 0; round < USER_COUNT; round++) {
      const users = new Map<string, User>()
      setUser(users, 'u', ['reset', '+@all'])
      setUser(users, 'u', randomRules(dice))
      const user = users.get('u')!
      const line = describeUserForFile(user, table)
      expect([line, setUser(users, 'again', line.split(' '))]).toEqual([line, ''])
      const again = users.get('again')!
      expect(describeUserForFile(again, table)).toBe(line)
      expect(describeUser(again, table)).toBe(describeUser(user, table))
      expect(again.isLimited).toBe(user.isLimited)
    }
  })
})
