/**
 * Where the keys of a call are: key specifications from the usage line and `access`, the legacy
 * positions that COMMAND shows, and the keys of actual arguments.
 *
 * Thread: core.
 * Owns: the rules by which a usage line says where keys are.
 * Never: looks at a key's value.
 *
 * @see https://redis.io/docs/latest/develop/reference/key-specs/
 */
import type { CommandDefinition, KeySpec } from './command.ts'
import { type Argument, isFixed, minimumCount } from './usage.ts'

/** Key flags in the order in which Redis lists them. */
const KEY_FLAGS = [
  'RO',
  'RW',
  'OW',
  'RM',
  'access',
  'update',
  'insert',
  'delete',
  'not_key',
  'incomplete',
  'variable_flags',
]

/** True when a word, in capitals, is among the arguments from `first` on, in any case. */
export function hasWord(args: ArgumentTexts, first: number, word: string): boolean {
  for (let i = first; i < args.count; i++) if (args.text(i).toUpperCase() === word) return true
  return false
}

export interface FoundKey {
  /** Number of the argument, 0 being the command's name. */
  readonly index: number
  readonly flags: readonly string[]
}

/** The arguments of a call as text; 0 is the command's name. */
export interface ArgumentTexts {
  readonly count: number
  text(index: number): string
}

/** `nameCount`: 1, or 2 for a subcommand. Throws: Error when `access` doesn't fit the keys. */
export function keySpecsOf(
  definition: CommandDefinition,
  usage: readonly Argument[],
  nameCount: number,
): readonly KeySpec[] {
  if (definition.keys !== undefined) return definition.keys.map(normalized)
  const places: Omit<KeySpec, 'flags'>[] = []
  let before = nameCount
  let exact = true
  for (let i = 0; i < usage.length; i++) {
    const place = placeOf(usage, i, before, exact)
    if (place !== undefined && keyIndexIn(usage[i]) === places.length) places.push(place)
    before += minimumCount(usage[i])
    exact &&= isFixed(usage[i])
  }
  const given = definition.access ?? []
  const access = typeof given === 'string' ? [given] : given
  if (access.length !== places.length) {
    throw new Error(`'access' describes ${access.length} keys, the usage line has ${places.length}`)
  }
  return places.map((place, index) => normalized({ ...place, flags: access[index] }))
}

export function keyFlags(spec: KeySpec): readonly string[] {
  return spec.flags.split(' ')
}

function normalized(spec: KeySpec): KeySpec {
  const given = spec.flags.toLowerCase().split(' ')
  const flags = KEY_FLAGS.filter((flag) => given.includes(flag.toLowerCase()))
  if (flags.length !== given.length) throw new Error(`unknown key flag in '${spec.flags}'`)
  return { ...spec, flags: flags.join(' ') }
}

/** The key specification that an argument or one of its parts belongs to; -1: none. */
function keyIndexIn(argument: Argument): number {
  if (argument.keySpecIndex >= 0) return argument.keySpecIndex
  return argument.parts.reduce((found, part) => (found >= 0 ? found : keyIndexIn(part)), -1)
}

/**
 * Where the keys of the `at`-th argument are. `before`: how many words come first at least;
 * `exact`: always as many.
 */
function placeOf(
  usage: readonly Argument[],
  at: number,
  before: number,
  exact: boolean,
): Omit<KeySpec, 'flags'> | undefined {
  const argument = usage[at]
  if (keyIndexIn(argument) < 0) return undefined
  const counted = at > 0 && usage[at - 1].name === 'numkeys'
  if (counted) return { begin: { index: before - 1 }, find: KEYS_COUNTED }
  if (argument.token !== undefined) {
    const begin = { keyword: argument.token, startFrom: before }
    if (argument.type !== 'block') return { begin, find: rangeOf(argument, []) }
    return { begin, find: rangeOf(argument.parts[0], argument.parts.slice(1)) }
  }
  if (!exact) throw new Error(`the place of '${argument.name}' varies: 'keys' has to say it`)
  return { begin: { index: before }, find: rangeOf(argument, usage.slice(at + 1)) }
}

const KEYS_COUNTED = { keyNumIndex: 0, firstKey: 1, step: 1 }

/** Which words are keys, from the first on, when `after` follows. */
function rangeOf(argument: Argument, after: readonly Argument[]): KeySpec['find'] {
  if (!argument.multiple) {
    // Neighbours of the same specification, such as the two keys of LCS.
    const same = after.findIndex((next) => next.keySpecIndex !== argument.keySpecIndex)
    const lastKey = argument.type === 'block' ? 0 : same < 0 ? after.length : same
    return { lastKey: argument.keySpecIndex < 0 ? 0 : lastKey, step: 1, limit: 0 }
  }
  const step = argument.type === 'block' ? argument.parts.length : 1
  const alike = after.filter((next) => next.multiple).length
  if (alike > 0) return { lastKey: -1, step, limit: alike + 1 }
  return { lastKey: -1 - after.length, step, limit: 0 }
}

// ── Legacy positions ───────────────────────────────────────────────────────────────────────────

export interface LegacyKeys {
  readonly first: number
  /** Negative: counted from the end. */
  readonly last: number
  readonly step: number
  /** The positions do not tell all: clients have to ask COMMAND GETKEYS. */
  readonly movable: boolean
}

/** The first key, last key and step that old clients understand. */
export function legacyKeys(specs: readonly KeySpec[]): LegacyKeys {
  let first = 0
  let last = 0
  let step = 0
  let movable = false
  for (const { begin, find, flags } of specs) {
    if (flags.includes('incomplete')) movable = true
    if (begin === 'unknown' || find === 'unknown' || !('index' in begin) || !('lastKey' in find)) {
      movable = true
      continue
    }
    const end = find.lastKey < 0 ? find.lastKey : begin.index + find.lastKey
    if (first === 0) {
      first = begin.index
      last = end
      step = find.step
    } else if (last === begin.index - 1) {
      last = end
    }
  }
  return { first, last, step, movable }
}

// ── Keys of actual arguments ───────────────────────────────────────────────────────────────────

/**
 * The keys of a call in the order of the specifications; undefined when the arguments leave open
 * which they are.
 */
export function findKeys(
  definition: CommandDefinition,
  specs: readonly KeySpec[],
  args: ArgumentTexts,
): readonly FoundKey[] | undefined {
  const found: FoundKey[] = []
  for (const spec of specs) {
    if (spec.flags.includes('not_key')) continue
    const varies = spec.flags.includes('variable_flags') && definition.variableAccess !== undefined
    const used = varies ? normalized({ ...spec, flags: definition.variableAccess(args) }) : spec
    const flags = keyFlags(used).filter((flag) => flag !== 'incomplete')
    if (!addKeys(used, flags, args, found)) return invalidOr(definition, [])
  }
  if (found.length === 0) return invalidOr(definition, found)
  // QUIRK: where the count of keys is '01' or '1.5', Redis finds them, but not how they are used.
  return specs.some((spec) => hasOddCount(spec, args)) ? found.map(withoutFlags) : found
}

function hasOddCount({ begin, find }: KeySpec, args: ArgumentTexts): boolean {
  if (find === 'unknown' || !('keyNumIndex' in find)) return false
  return !/^[1-9]\d*$/.test(args.text(beginOf(begin, args) + find.keyNumIndex))
}

function withoutFlags({ index }: FoundKey): FoundKey {
  return { index, flags: [] }
}

/** EVAL and its like may have no keys, and count none where their arguments are wrong. */
function invalidOr(
  definition: CommandDefinition,
  found: readonly FoundKey[],
): readonly FoundKey[] | undefined {
  return definition.flags.includes('no_mandatory_keys') ? found : undefined
}

/** False: the arguments contradict the specification. */
function addKeys(
  spec: KeySpec,
  flags: readonly string[],
  args: ArgumentTexts,
  found: FoundKey[],
): boolean {
  const first = beginOf(spec.begin, args)
  if (spec.search !== undefined) {
    // Where the keyword is not even in sight, nobody looks more closely.
    if (spec.begin !== 'unknown' && first < 0) return true
    return addSearched(spec.search, flags, args, found)
  }
  if (first < 0 || spec.find === 'unknown') return true
  if ('lastKey' in spec.find) return addRange(spec.find, first, flags, args, found)
  return addCounted(spec.find, first, flags, args, found)
}

function addRange(
  find: Extract<KeySpec['find'], { readonly lastKey: number }>,
  first: number,
  flags: readonly string[],
  args: ArgumentTexts,
  found: FoundKey[],
): boolean {
  let last = find.lastKey < 0 ? args.count + find.lastKey : first + find.lastKey
  if (find.limit > 1) {
    last = first + Math.floor((args.count - first) / find.limit) - 1
  }
  if (first >= args.count || last >= args.count) return false
  for (let index = first; index <= last; index += find.step) found.push({ index, flags })
  return true
}

function addCounted(
  find: Extract<KeySpec['find'], { readonly keyNumIndex: number }>,
  first: number,
  flags: readonly string[],
  args: ArgumentTexts,
  found: FoundKey[],
): boolean {
  const at = first + find.keyNumIndex
  const count = at < args.count ? Number.parseInt(args.text(at), 10) : 0
  const from = first + find.firstKey
  if (!(count > 0) || from + (count - 1) * find.step >= args.count) return false
  for (let i = 0; i < count; i++) found.push({ index: from + i * find.step, flags })
  return true
}

/** Where a specification begins, -1: nowhere in these arguments. */
function beginOf(begin: KeySpec['begin'], args: ArgumentTexts): number {
  if (begin === 'unknown') return -1
  if ('index' in begin) return begin.index
  const backwards = begin.startFrom < 0
  const from = backwards ? args.count + begin.startFrom : begin.startFrom
  for (let i = from; i > 0 && i < args.count - 1; i += backwards ? -1 : 1) {
    if (args.text(i).toUpperCase() === begin.keyword) return i + 1
  }
  return -1
}

function addSearched(
  search: NonNullable<KeySpec['search']>,
  flags: readonly string[],
  args: ArgumentTexts,
  found: FoundKey[],
): boolean {
  let last = 0
  for (let i = search.startFrom; i < args.count; i++) {
    const word = args.text(i).toUpperCase()
    const skipped = search.skip[word]
    if (skipped !== undefined) {
      i += skipped
    } else if (word === search.keyword) {
      if (search.instead !== undefined) return addInstead(search.instead, i + 1, flags, args, found)
      if (i + 1 < args.count) last = ++i
    }
  }
  if (last > 0) found.push({ index: last, flags })
  return true
}

/** All words from `first` on are keys, in the place of those before; argument `instead` is empty. */
function addInstead(
  instead: number,
  first: number,
  flags: readonly string[],
  args: ArgumentTexts,
  found: FoundKey[],
): boolean {
  if (args.text(instead) !== '') return false
  found.length = 0
  for (let index = first; index < args.count; index++) found.push({ index, flags })
  return true
}
