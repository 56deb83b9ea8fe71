/**
 * The usage line of a command, compiled once at start: its argument tree and its arity.
 *
 * The notation is the documentation's own, made exact:
 *
 *   key               a value; its type comes from a short table, else `name:type`
 *   NX                a token: a word without small letters; `name:TOKEN` where the argument's name
 *                     is not the token in small letters: `approximately:~`, `empty_string:""`
 *   EX seconds        a token before a value or before `<...>` belongs to it
 *   [X]               X may be left out
 *   <X>               only groups
 *   <A | B>  [A | B]  one of them; its name is the first alternative's
 *   [LIMIT offset count]   several in brackets or in an alternative are a block, named by joining
 *                     the names: offset_count. A token that opens it is the block's own
 *   [count: COUNT count [ANY]]   a word ending in a colon names the group. A named group is a group
 *                     even around a single thing, and a token inside it belongs to what follows it
 *   member [member ...]    what stands before may be repeated; so `score member [score member ...]`
 *                     (a block) and `[GET pattern [GET pattern ...]]` (the token is repeated too);
 *                     `[...]` repeats the one thing before it, `[TOKEN ...]` it and its token
 *   [GET]@6.2.0       since which version, after anything; `id!2.8.12`: deprecated since
 *   shardchannel#0    belongs to key specification 0; arguments of type `key` count up by themselves
 *
 * Thread: core.
 * Owns: the notation.
 * Never: runs after the start; knows a particular command.
 *
 * @see https://redis.io/docs/latest/commands/command-docs/
 */

export type ArgumentType =
  | 'string'
  | 'integer'
  | 'double'
  | 'key'
  | 'pattern'
  | 'unix-time'
  | 'pure-token'
  | 'oneof'
  | 'block'

/** One argument as COMMAND DOCS describes it. */
export interface Argument {
  readonly name: string
  readonly type: ArgumentType
  /** The token before it, or itself when it is a pure token; undefined: none. */
  readonly token: string | undefined
  /** -1: not a key. */
  readonly keySpecIndex: number
  readonly since: string | undefined
  readonly deprecatedSince: string | undefined
  readonly optional: boolean
  readonly multiple: boolean
  /** Repeated with its token. */
  readonly multipleToken: boolean
  /** Parts of a block, alternatives of a oneof. */
  readonly parts: readonly Argument[]
}

/** Types of argument names; every other name is a string. */
const TYPE_OF_NAME: ReadonlyMap<string, ArgumentType> = new Map(
  Object.entries({
    key: 'destination destkey dst key key1 key2 newkey source sourcekey src',
    integer:
      'bit bits client-id cluster_bus_port config-epoch count cursor db decrement destination-db ' +
      'end-slot entries_added entries_read frequency index index1 index2 len limit milliseconds ms ' +
      'num-matches numkeys numreplicas offset port protover rank seconds slot start-slot ttl ' +
      'version weight',
    double: 'height latitude longitude radius score timeout width',
    pattern: 'pattern',
    'unix-time': 'unix-time-milliseconds unix-time-seconds',
  }).flatMap(([type, names]) => names.split(' ').map((name) => [name, type as ArgumentType])),
)

const VALUE_TYPES: ReadonlySet<string> = new Set([
  'string',
  'integer',
  'double',
  'key',
  'pattern',
  'unix-time',
])

/** Compiles a usage line. Throws: Error when it is not in the notation. */
export function compileUsage(usage: string): readonly Argument[] {
  const scanner: Scanner = { words: usage.match(WORD) ?? [], at: 0 }
  const alternatives = parseAlternatives(scanner)
  if (scanner.at < scanner.words.length)
    throw new Error(`unexpected '${scanner.words[scanner.at]}'`)
  if (alternatives.length > 1) throw new Error("'|' stands outside of a group")
  const keys = { next: 0 }
  return buildSequence(fold(alternatives[0])).map((draft) => finish(draft, keys))
}

/** How many words an argument takes at least. */
export function minimumCount(argument: Argument): number {
  if (argument.optional) return 0
  const own = argument.token === undefined ? 0 : 1
  if (argument.type === 'pure-token') return 1
  if (argument.type === 'block') return own + sum(argument.parts.map(minimumCount))
  if (argument.type === 'oneof') return own + Math.min(...argument.parts.map(minimumCount))
  return own + 1
}

/** True when an argument always takes `minimumCount` words. */
export function isFixed(argument: Argument): boolean {
  if (argument.optional || argument.multiple) return false
  if (!argument.parts.every(isFixed)) return false
  if (argument.type !== 'oneof') return true
  return new Set(argument.parts.map(minimumCount)).size === 1
}

/** Redis's arity: words with the name's own; negative: at least so many. */
export function arityOf(nameCount: number, usage: readonly Argument[]): number {
  const least = nameCount + sum(usage.map(minimumCount))
  return usage.every(isFixed) ? least : -least
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

// ── Words to elements ──────────────────────────────────────────────────────────────────────────

interface Scanner {
  readonly words: readonly string[]
  at: number
}

/** What is written, before it is known which token belongs to what. */
interface Element {
  kind: 'token' | 'value' | 'group' | 'repeat' | 'many'
  /** As written, without versions; repetitions are recognised by it. */
  text: string
  name: string
  type: ArgumentType
  token: string
  keySpecIndex: number
  label: string
  optional: boolean
  alternatives: Element[][]
  versions: Versions
}

interface Versions {
  since: string | undefined
  deprecatedSince: string | undefined
}

const SUFFIX = '(?:[@!][0-9][0-9.]*)*'
const VERSIONS = new RegExp(`${SUFFIX}$`)
const WORD = new RegExp(`[[<|]|[\\]>]${SUFFIX}|[^\\s[\\]<>|]+`, 'g')

function parseAlternatives(scanner: Scanner): Element[][] {
  const alternatives: Element[][] = [[]]
  for (; scanner.at < scanner.words.length; scanner.at++) {
    const word = scanner.words[scanner.at]
    if (word[0] === ']' || word[0] === '>') break
    if (word === '|') alternatives.push([])
    else alternatives[alternatives.length - 1].push(parseElement(scanner, word))
  }
  return alternatives
}

function parseElement(scanner: Scanner, word: string): Element {
  if (word === '[' || word === '<') return parseGroup(scanner, word)
  return parseWord(word)
}

/** Leaves `scanner.at` at the closing bracket. */
function parseGroup(scanner: Scanner, open: string): Element {
  const from = scanner.at++
  let label = ''
  const first = scanner.words[scanner.at] ?? ''
  const named = splitVersions(first)
  if (named.text.length > 1 && named.text.endsWith(':')) {
    label = named.text.slice(0, -1)
    scanner.at++
  }
  const alternatives = parseAlternatives(scanner)
  const close = scanner.words[scanner.at] ?? ''
  if (close[0] !== (open === '[' ? ']' : '>')) throw new Error(`'${open}' is not closed`)
  const last = alternatives[alternatives.length - 1]
  const repeat = last.length > 0 && last[last.length - 1].text === '...'
  if (repeat) last.pop()
  return {
    ...element(repeat ? 'repeat' : 'group'),
    text: scanner.words
      .slice(from, scanner.at + 1)
      .map(plain)
      .join(' '),
    label,
    optional: open === '[',
    alternatives,
    versions: splitVersions(close).versions,
  }
}

function parseWord(word: string): Element {
  const { text, versions } = splitVersions(word)
  const colon = text.lastIndexOf(':')
  const before = text.slice(0, Math.max(colon, 0))
  const after = text.slice(colon + 1)
  if (isToken(text)) {
    return { ...element('token'), text, name: text.toLowerCase(), token: unquote(text), versions }
  }
  if (before !== '' && isToken(after)) {
    return { ...element('token'), text, name: before, token: unquote(after), versions }
  }
  const hash = text.indexOf('#')
  const keySpecIndex = hash < 0 ? -1 : Number(text.slice(hash + 1))
  const value = hash < 0 ? text : text.slice(0, hash)
  const typed = /^(.+):([a-z-]+)$/.exec(value)
  if (typed !== null && VALUE_TYPES.has(typed[2])) {
    const type = typed[2] as ArgumentType
    return { ...element('value'), text, name: typed[1], type, keySpecIndex, versions }
  }
  const type = TYPE_OF_NAME.get(value) ?? 'string'
  return { ...element('value'), text, name: value, type, keySpecIndex, versions }
}

function element(kind: Element['kind']): Element {
  return {
    kind,
    text: '',
    name: '',
    type: 'string',
    token: '',
    keySpecIndex: -1,
    label: '',
    optional: false,
    alternatives: [],
    versions: { since: undefined, deprecatedSince: undefined },
  }
}

function isToken(text: string): boolean {
  return text === '""' || (text !== '...' && text !== '' && !/[a-z]/.test(text))
}

function unquote(token: string): string {
  return token === '""' ? '' : token
}

function plain(word: string): string {
  return splitVersions(word).text
}

function splitVersions(word: string): { text: string; versions: Versions } {
  const start = word.search(VERSIONS)
  const suffix = word.slice(start)
  return {
    text: word.slice(0, start),
    versions: {
      since: /@([0-9.]+)/.exec(suffix)?.[1],
      deprecatedSince: /!([0-9.]+)/.exec(suffix)?.[1],
    },
  }
}

// ── Repetitions ────────────────────────────────────────────────────────────────────────────────

/** Joins every `X [X ...]` to one element of kind 'many'. */
function fold(elements: readonly Element[]): Element[] {
  const folded: Element[] = []
  for (const next of elements) {
    if (next.kind !== 'repeat') {
      folded.push(next)
      continue
    }
    const count = repeatedCount(folded, next.alternatives[0])
    const what = folded.splice(folded.length - count, count)
    folded.push({
      ...element('many'),
      text: next.text,
      label: next.label,
      alternatives: [what],
      versions: next.versions,
    })
  }
  return folded
}

/** How many of the last elements a repetition repeats. */
function repeatedCount(before: readonly Element[], again: readonly Element[]): number {
  const tokenOnly = again.length === 1 && again[0].kind === 'token'
  const count = tokenOnly ? 2 : Math.max(again.length, 1)
  if (count > before.length) throw new Error('a repetition has nothing before it')
  const last = before.slice(before.length - count)
  for (let i = 0; i < again.length; i++) {
    if (last[i].text === again[i].text) continue
    throw new Error(`'${again[i].text}' repeats '${last[i].text}'`)
  }
  return count
}

// ── Elements to arguments ──────────────────────────────────────────────────────────────────────

type Draft = {
  -readonly [Field in keyof Argument]: Field extends 'parts' ? Draft[] : Argument[Field]
}

function draft(name: string, type: ArgumentType, parts: Draft[] = []): Draft {
  return {
    name,
    type,
    token: undefined,
    keySpecIndex: -1,
    since: undefined,
    deprecatedSince: undefined,
    optional: false,
    multiple: false,
    multipleToken: false,
    parts,
  }
}

function buildSequence(elements: readonly Element[]): Draft[] {
  const drafts: Draft[] = []
  for (let i = 0; i < elements.length; i++) {
    const next = elements[i]
    if (next.kind !== 'token') {
      drafts.push(buildOne(next))
    } else if (i + 1 < elements.length && takesToken(elements[i + 1])) {
      drafts.push({ ...buildOne(elements[++i]), token: next.token })
    } else {
      drafts.push(withVersions({ ...draft(next.name, 'pure-token'), token: next.token }, next))
    }
  }
  return drafts
}

function takesToken(next: Element): boolean {
  if (next.kind === 'value') return true
  if (next.kind === 'many') return next.alternatives[0][0].kind !== 'token'
  return next.kind === 'group' && !next.optional
}

function buildOne(one: Element): Draft {
  if (one.kind === 'value') {
    const value = draft(one.name, one.type)
    value.keySpecIndex = one.keySpecIndex
    return withVersions(value, one)
  }
  if (one.kind === 'many') {
    const opensWithToken = one.alternatives[0][0].kind === 'token'
    const many = buildBlock(one.alternatives[0], one.label)
    many.multiple = true
    many.multipleToken = opensWithToken && many.token !== undefined
    return withVersions(many, one)
  }
  const group = withVersions(buildGroup(one), one)
  if (one.optional) group.optional = true
  return group
}

function buildGroup(group: Element): Draft {
  if (group.alternatives.length === 1) return buildBlock(fold(group.alternatives[0]), group.label)
  const parts = group.alternatives.map((elements) => buildBlock(fold(elements), ''))
  return draft(group.label === '' ? parts[0].name : group.label, 'oneof', parts)
}

/** One thing as itself; several, or anything that has a label, as a block. */
function buildBlock(elements: readonly Element[], label: string): Draft {
  if (elements.length === 0) throw new Error('a group is empty')
  const ownToken =
    label === '' && elements.length > 2 && elements[0].kind === 'token' && takesToken(elements[1])
  const parts = buildSequence(ownToken ? elements.slice(1) : elements)
  if (parts.length === 1 && label === '') return parts[0]
  const block = draft(
    label === '' ? parts.map((part) => part.name).join('_') : label,
    'block',
    parts,
  )
  if (ownToken) block.token = elements[0].token
  return block
}

function withVersions(argument: Draft, { versions }: Element): Draft {
  if (versions.since !== undefined) argument.since = versions.since
  if (versions.deprecatedSince !== undefined) argument.deprecatedSince = versions.deprecatedSince
  return argument
}

/** Numbers the key arguments in the order of the line. */
function finish(argument: Draft, keys: { next: number }): Argument {
  if (argument.type === 'key' && argument.keySpecIndex < 0) argument.keySpecIndex = keys.next
  keys.next = Math.max(keys.next, argument.keySpecIndex + 1)
  for (const part of argument.parts) finish(part, keys)
  return argument
}
