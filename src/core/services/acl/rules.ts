/**
 * The language in which users are described: `on >secret ~app:* +@read (%W~log:* +xadd)`.
 *
 * Texts are byte strings: one character a byte.
 *
 * Thread: core.
 * Owns: what each rule does, and what is wrong with one that does nothing.
 * Never: changes anything by a rule that is wrong.
 *
 * @see https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
 */
import { toLower } from '../../../config/byte-text.ts'
import { splitWords } from '../../../config/words.ts'
import { categoryBit } from '../../command/categories.ts'
import type { CommandTable } from '../../command/table.ts'
import { ACCESS_BOTH, ACCESS_READ, ACCESS_WRITE } from './keys.ts'
import { Selector } from './selector.ts'
import { passwordDigest, type User } from './user.ts'

export const UNKNOWN_COMMAND = 'Unknown command or category name in ACL'
const SYNTAX = 'Syntax error'
const AFTER_ALL_KEYS =
  "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns"
const AFTER_ALL_CHANNELS =
  "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels"
const NO_SUCH_PASSWORD = 'The password you are trying to remove from the user does not exist'
const BAD_DIGEST =
  'The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters'
const ARGUMENT_OF_SUBCOMMAND = 'Allowing first-arg of a subcommand is not supported'

/** What rules depend on beside the user. */
export interface RuleWorld {
  readonly commands: CommandTable
  /** Whether new users and selectors may use all channels: `acl-pubsub-default`. */
  allChannels(): boolean
  /** Told of a rule that does what it says, but should not be used. */
  warn(text: string): void
}

/** Applies one rule to a user. Gives what is wrong, in words; undefined: nothing. */
export function applyRule(user: User, rule: string, world: RuleWorld): string | undefined {
  if (rule === '') return undefined
  const simple = USER_RULES.get(keyword(rule))
  if (simple !== undefined) {
    simple(user, world)
    return undefined
  }
  const mark = rule[0]
  if (mark === '>' || mark === '#') return addPassword(user, rule)
  if (mark === '<' || mark === '!') return removePassword(user, rule)
  if (mark === '(' && rule.endsWith(')')) return addSelector(user, rule, world)
  return applySelectorRule(user.root, rule, world)
}

const USER_RULES = mapOf<(user: User, world: RuleWorld) => void>({
  on: (user) => {
    user.enabled = true
  },
  off: (user) => {
    user.enabled = false
  },
  nopass: (user) => {
    user.nopass = true
    user.passwords = []
  },
  resetpass: (user) => {
    user.nopass = false
    user.passwords = []
  },
  'skip-sanitize-payload': (user) => {
    user.skipsSanitizing = true
    user.sanitizes = false
  },
  'sanitize-payload': (user) => {
    user.sanitizes = true
    user.skipsSanitizing = false
  },
  clearselectors: (user) => {
    user.selectors.length = 1
  },
  reset: (user, world) => {
    user.enabled = false
    user.nopass = false
    user.passwords = []
    user.sanitizes = true
    user.skipsSanitizing = false
    user.selectors = [newSelector(world)]
  },
})

/** A selector that allows nothing but perhaps all channels. */
export function newSelector(world: RuleWorld): Selector {
  const selector = new Selector(world.commands)
  selector.allChannels = world.allChannels()
  return selector
}

function addPassword(user: User, rule: string): string | undefined {
  const digest = digestOf(rule, '>')
  if (digest === undefined) return BAD_DIGEST
  if (!user.passwords.includes(digest)) user.passwords.push(digest)
  user.nopass = false
  return undefined
}

function removePassword(user: User, rule: string): string | undefined {
  const digest = digestOf(rule, '<')
  if (digest === undefined) return BAD_DIGEST
  const index = user.passwords.indexOf(digest)
  if (index < 0) return NO_SUCH_PASSWORD
  user.passwords.splice(index, 1)
  return undefined
}

/** The digest that a rule says, or that of the password after `clear`. */
function digestOf(rule: string, clear: string): string | undefined {
  const text = rule.slice(1)
  if (rule[0] === clear) return passwordDigest(Buffer.from(text, 'latin1'))
  return /^[0-9a-f]{64}$/.test(text) ? text : undefined
}

function addSelector(user: User, rule: string, world: RuleWorld): string | undefined {
  const selector = newSelector(world)
  // QUIRK: with quotes that are not closed there is nothing in it.
  for (const part of splitWords(rule.slice(1, -1)) ?? []) {
    const problem = applySelectorRule(selector, part, world)
    if (problem !== undefined) return problem
  }
  user.selectors.push(selector)
  return undefined
}

// ── Rules of a selector ────────────────────────────────────────────────────────────────────────

function applySelectorRule(selector: Selector, rule: string, world: RuleWorld): string | undefined {
  const simple = SELECTOR_RULES.get(keyword(rule))
  if (simple !== undefined) {
    simple(selector)
    return undefined
  }
  const mark = rule[0]
  if (mark === '~' || mark === '%') return allowKeys(selector, rule)
  if (mark === '&') return allowChannels(selector, rule.slice(1))
  if (mark !== '+' && mark !== '-') return SYNTAX
  const isAllowed = mark === '+'
  if (rule[1] === '@') return setCategory(selector, keyword(rule).slice(2), isAllowed)
  return isAllowed ? allowCommand(selector, rule, world) : denyCommand(selector, rule, world)
}

const allKeys = (selector: Selector) => {
  selector.allKeys = true
  selector.keys.length = 0
}
const allChannels = (selector: Selector) => {
  selector.allChannels = true
  selector.channels.length = 0
}
const allCommands = (selector: Selector) => selector.commands.allowAll()
const noCommands = (selector: Selector) => selector.commands.denyAll()

const SELECTOR_RULES = mapOf<(selector: Selector) => void>({
  allkeys: allKeys,
  '~*': allKeys,
  resetkeys: (selector) => {
    selector.allKeys = false
    selector.keys.length = 0
  },
  allchannels: allChannels,
  '&*': allChannels,
  resetchannels: (selector) => {
    selector.allChannels = false
    selector.channels.length = 0
  },
  allcommands: allCommands,
  '+@all': allCommands,
  nocommands: noCommands,
  '-@all': noCommands,
})

/**
 * `~pattern`, or with the kinds of access between percent and tilde.
 * QUIRK: without the tilde, the pattern is an empty one.
 */
function allowKeys(selector: Selector, rule: string): string | undefined {
  if (selector.allKeys) return AFTER_ALL_KEYS
  const tilde = rule.includes('~') ? rule.indexOf('~') : rule.length
  const access = ACCESS_WORDS.get(rule.slice(0, tilde).toUpperCase())
  const pattern = rule.slice(tilde + 1)
  if (access === undefined || hasBlanks(pattern)) return SYNTAX
  selector.addKeys(pattern, access)
  return undefined
}

const ACCESS_WORDS = mapOf<number>({
  '': ACCESS_BOTH,
  '%R': ACCESS_READ,
  '%W': ACCESS_WRITE,
  '%RW': ACCESS_BOTH,
  '%WR': ACCESS_BOTH,
})

function allowChannels(selector: Selector, pattern: string): string | undefined {
  if (selector.allChannels) return AFTER_ALL_CHANNELS
  if (hasBlanks(pattern)) return SYNTAX
  selector.addChannels(pattern)
  return undefined
}

function setCategory(selector: Selector, name: string, allowed: boolean): string | undefined {
  const bit = categoryBit(name)
  if (bit === 0) return UNKNOWN_COMMAND
  selector.commands.setCategory(bit, allowed)
  return undefined
}

function allowCommand(selector: Selector, rule: string, world: RuleWorld): string | undefined {
  const { commands } = world
  const name = untilNul(rule).slice(1)
  const bar = name.lastIndexOf('|')
  const entry = commands.findOriginal(bar < 0 ? name : name.slice(0, bar))
  if (entry === undefined) return UNKNOWN_COMMAND
  if (bar < 0) {
    selector.commands.set(entry, true)
    return undefined
  }
  if (entry.parent !== undefined) return ARGUMENT_OF_SUBCOMMAND
  const word = name.slice(bar + 1)
  if (word === '') return SYNTAX
  if (entry.subcommands === undefined) {
    world.warn(
      `An ACL rule allows ${entry.name} with a first argument only, which is deprecated: +${name}`,
    )
    selector.commands.addFirstArgument(entry, word)
    return undefined
  }
  const child = commands.findOriginal(name)
  if (child === undefined) return UNKNOWN_COMMAND
  selector.commands.set(child, true)
  return undefined
}

function denyCommand(selector: Selector, rule: string, world: RuleWorld): string | undefined {
  const entry = world.commands.findOriginal(untilNul(rule).slice(1))
  if (entry === undefined) return UNKNOWN_COMMAND
  selector.commands.set(entry, false)
  return undefined
}

// ── Words ──────────────────────────────────────────────────────────────────────────────────────

/** What stands in a user's name or in a pattern; a rule could not be read back with one inside. */
export function hasBlanks(text: string): boolean {
  return /[ \t\n\v\f\r\0]/.test(text)
}

/** Joins the words of each selector, which begins with a word `(...` and ends with one `...)`. */
export function joinSelectors(
  words: readonly string[],
): { readonly rules: readonly string[] } | { readonly unclosed: number } {
  const rules: string[] = []
  let open = ''
  let openIndex = -1
  for (const [index, word] of words.entries()) {
    if (word.startsWith('(') && !word.endsWith(')')) {
      // QUIRK: what another one has begun before is forgotten.
      open = word
      openIndex = index
    } else if (openIndex < 0) {
      rules.push(word)
    } else {
      open += ` ${word}`
      if (!word.endsWith(')')) continue
      rules.push(open)
      openIndex = -1
    }
  }
  return openIndex < 0 ? { rules } : { unclosed: openIndex }
}

/**
 * As Redis compares it: without regard to case.
 * QUIRK: a NUL byte ends it, as it ends a text in C.
 */
function keyword(rule: string): string {
  return toLower(untilNul(rule))
}

function untilNul(text: string): string {
  const end = text.indexOf('\0')
  return end < 0 ? text : text.slice(0, end)
}

function mapOf<T>(entries: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(entries))
}
