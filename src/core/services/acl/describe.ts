/**
 * Users in the words of ACL LIST, which are rules that make the same user again.
 *
 * Commands are described by categories as far as that is shorter: the category that comes nearest to
 * what is left to be said is named, then the next, and single commands make up the difference.
 *
 * Thread: core.
 * Owns: the order of the words.
 * Never: shows a password.
 */
import { CATEGORIES, categoryBit } from '../../command/categories.ts'
import type { CommandEntry, CommandTable } from '../../command/table.ts'
import { CommandSet } from './command-set.ts'
import { ACCESS_BOTH, ACCESS_READ } from './keys.ts'
import type { Pattern, Selector } from './selector.ts'
import type { User } from './user.ts'

/** `on nopass ~* &* +@all`. */
export function describeUser(user: User, table: CommandTable): string {
  user.description ??= describe(user, table)
  return user.description
}

/**
 * The same for a file.
 * DIFFERS: Redis says `~*` for the pattern that `%RW~*` adds, and then does not load its own file
 * when another pattern follows.
 */
export function describeUserForFile(user: User, table: CommandTable): string {
  const isAmbiguous = ({ keys }: Selector) =>
    keys.some(({ text, access }) => text === '*' && access === ACCESS_BOTH)
  if (!user.selectors.some(isAmbiguous)) return describeUser(user, table)
  return describe(user, table, '%RW~*')
}

function describe(user: User, table: CommandTable, everyKey?: string): string {
  const words = [...flagsOf(user), ...user.passwords.map((digest) => `#${digest}`)]
  const [root, ...others] = user.selectors.map((selector) =>
    describeSelector(selector, table, everyKey),
  )
  words.push(root, ...others.map((text) => `(${text})`))
  return words.join(' ')
}

export function flagsOf(user: User): string[] {
  const flags = [user.enabled ? 'on' : 'off']
  if (user.nopass) flags.push('nopass')
  if (user.skipsSanitizing) flags.push('skip-sanitize-payload')
  if (user.sanitizes) flags.push('sanitize-payload')
  return flags
}

function describeSelector(selector: Selector, table: CommandTable, everyKey?: string): string {
  const channels = describeChannels(selector)
  return [
    describeKeys(selector, everyKey),
    selector.allChannels ? channels : `resetchannels ${channels}`.trimEnd(),
    describeCommands(selector.commands, table),
  ]
    .filter((words) => words !== '')
    .join(' ')
}

/** `~app:* %R~config`. `everyKey`: how a pattern is written that every key matches. */
export function describeKeys({ allKeys, keys }: Selector, everyKey = '~*'): string {
  return allKeys ? '~*' : keys.map((pattern) => describeKey(pattern, everyKey)).join(' ')
}

function describeKey({ text, access }: Pattern, everyKey: string): string {
  if (access === ACCESS_BOTH) return text === '*' ? everyKey : `~${text}`
  return access === ACCESS_READ ? `%R~${text}` : `%W~${text}`
}

/** `&news &chat:*`. */
export function describeChannels({ allChannels, channels }: Selector): string {
  return allChannels ? '&*' : channels.map(({ text }) => `&${text}`).join(' ')
}

/** `+@all -@dangerous +debug`. */
export function describeCommands(wanted: CommandSet, table: CommandTable): string {
  const adds = !wanted.future
  const sign = adds ? '+' : '-'
  const words = [adds ? '-@all' : '+@all']
  // What the words make, and what is left to be said: the latter ends as what they start from.
  const made = new CommandSet(table)
  if (!adds) made.allowAll()
  const left = wanted.copy()
  const named = new Set<string>()
  for (;;) {
    const best = nearestCategory(left, table, named, adds)
    if (best === undefined) break
    named.add(best)
    made.setCategory(categoryBit(best), adds)
    left.setCategory(categoryBit(best), !adds)
    words.push(`${sign}@${best}`)
  }
  for (const entry of table.entries) words.push(...difference(entry, wanted, made))
  return words.join(' ')
}

/** The category of which the most is to be named and the least is not. */
function nearestCategory(
  left: CommandSet,
  table: CommandTable,
  named: ReadonlySet<string>,
  adds: boolean,
): string | undefined {
  let best: string | undefined
  let fewestWrong = Number.POSITIVE_INFINITY
  let mostRight = 0
  for (const category of CATEGORIES) {
    if (named.has(category)) continue
    const bit = categoryBit(category)
    let right = 0
    let wrong = 0
    for (const entry of table.entries) {
      if ((entry.categories & bit) === 0 || isLater(entry)) continue
      if (left.has(entry) === adds) right++
      else wrong++
    }
    const isNearer = wrong < fewestWrong || (wrong === fewestWrong && right > mostRight)
    if (right > wrong && isNearer) {
      best = category
      fewestWrong = wrong
      mostRight = right
    }
  }
  return best
}

/** The words that say of one command what `made` has wrong; `made` has it right then. */
function difference(entry: CommandEntry, wanted: CommandSet, made: CommandSet): string[] {
  const words: string[] = []
  const isAllowed = wanted.has(entry)
  if (isAllowed !== made.has(entry)) {
    words.push(`${isAllowed ? '+' : '-'}${entry.name}`)
    made.set(entry, isAllowed)
  }
  if (isAllowed) return words
  for (const word of wanted.firstArguments.get(entry.index) ?? []) {
    words.push(`+${entry.name}|${word}`)
  }
  return words
}

/**
 * True for commands that Redis 7.0 does not have: they do not count, so that the same rules are
 * described in the same words.
 */
function isLater({ definition }: CommandEntry): boolean {
  const [major, minor] = definition.since.split('.').map(Number)
  return major > 7 || (major === 7 && minor > 0)
}
