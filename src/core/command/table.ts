/**
 * All commands as numbers and bits, made from their definitions once at start, and checked then.
 *
 * Thread: core. Hot path.
 * Owns: one entry for every command and subcommand, with its statistics; the names in use.
 * Never: knows a particular command.
 */
import { CommandLookup, type LookupItem } from '../../lib/command-lookup.ts'
import type { Call } from '../engine/call.ts'
import { categoriesOf } from './categories.ts'
import { channelsOf } from './channels.ts'
import type { CommandDefinition, CommandFlag, CommandGroup, KeySpec } from './command.ts'
import { keySpecsOf, legacyKeys } from './key-specs.ts'
import { type Argument, arityOf, compileUsage } from './usage.ts'

export const FLAG_WRITE = 1 << 0
export const FLAG_READONLY = 1 << 1
export const FLAG_DENYOOM = 1 << 2
export const FLAG_ADMIN = 1 << 3
export const FLAG_PUBSUB = 1 << 4
export const FLAG_NOSCRIPT = 1 << 5
export const FLAG_BLOCKING = 1 << 6
export const FLAG_LOADING = 1 << 7
export const FLAG_STALE = 1 << 8
export const FLAG_SKIP_MONITOR = 1 << 9
export const FLAG_SKIP_SLOWLOG = 1 << 10
export const FLAG_ASKING = 1 << 11
export const FLAG_FAST = 1 << 12
export const FLAG_NO_AUTH = 1 << 13
export const FLAG_MAY_REPLICATE = 1 << 14
export const FLAG_NO_MANDATORY_KEYS = 1 << 15
export const FLAG_NO_ASYNC_LOADING = 1 << 16
export const FLAG_NO_MULTI = 1 << 17
export const FLAG_MOVABLE_KEYS = 1 << 18
export const FLAG_ALLOW_BUSY = 1 << 19
/** Not told by COMMAND INFO. */
export const FLAG_WHILE_SUBSCRIBED = 1 << 20
/** `inTransaction`: any of the three; 'ends' or 'executes'; 'executes'. */
export const FLAG_NOT_QUEUED = 1 << 21
export const FLAG_ENDS_QUEUE = 1 << 22
export const FLAG_EXECUTES_QUEUE = 1 << 23
export const FLAG_ANSWERS_LATER = 1 << 24
export const FLAG_TELLS_HEALTH = 1 << 25

const FLAG_BITS: Readonly<Record<CommandFlag | 'movablekeys', number>> = {
  write: FLAG_WRITE,
  readonly: FLAG_READONLY,
  denyoom: FLAG_DENYOOM,
  admin: FLAG_ADMIN,
  pubsub: FLAG_PUBSUB,
  noscript: FLAG_NOSCRIPT,
  blocking: FLAG_BLOCKING,
  loading: FLAG_LOADING,
  stale: FLAG_STALE,
  skip_monitor: FLAG_SKIP_MONITOR,
  skip_slowlog: FLAG_SKIP_SLOWLOG,
  asking: FLAG_ASKING,
  fast: FLAG_FAST,
  no_auth: FLAG_NO_AUTH,
  may_replicate: FLAG_MAY_REPLICATE,
  no_mandatory_keys: FLAG_NO_MANDATORY_KEYS,
  no_async_loading: FLAG_NO_ASYNC_LOADING,
  no_multi: FLAG_NO_MULTI,
  movablekeys: FLAG_MOVABLE_KEYS,
  allow_busy: FLAG_ALLOW_BUSY,
}

/** The names of flags in the order in which COMMAND INFO lists them; it hides one. */
// alloc: for COMMAND only
export function flagNames(flagBits: number): string[] {
  return Object.entries(FLAG_BITS)
    .filter(([, bit]) => (flagBits & bit & ~FLAG_MAY_REPLICATE) !== 0)
    .map(([name]) => name)
}

/** One command or subcommand. */
export class CommandEntry {
  /** Place in `CommandTable.entries`: the command's number everywhere. */
  readonly index: number
  /** Full name in small letters: 'config|get'. */
  readonly name: string
  /** Full name in capitals: 'CONFIG|GET'. */
  readonly upperName: string
  /** The container of a subcommand. */
  readonly parent: CommandEntry | undefined
  /** By second word in small letters; undefined when this is no container. */
  readonly subcommands: ReadonlyMap<string, CommandEntry> | undefined
  /** Finds a subcommand's index; empty when this is no container. */
  readonly subcommandLookup: CommandLookup
  readonly run: (call: Call) => void
  /** As Redis counts: with the name; negative: at least so many. */
  readonly arity: number
  readonly flagBits: number
  readonly isFast: boolean
  /** Its time may be taken together with that of others. */
  readonly isBrief: boolean
  readonly firstKey: number
  readonly lastKey: number
  readonly keyStep: number
  /**
   * Number of the argument that io hashes as the first key; 0: there is none, its place varies, or
   * this is a subcommand, which io doesn't tell from its container.
   */
  readonly firstKeyIndex: number
  /** See `categories.ts`. */
  readonly categories: number
  readonly definition: CommandDefinition
  readonly group: string
  readonly arguments: readonly Argument[]
  readonly keySpecs: readonly KeySpec[]
  /** Which arguments are channels: see `channels.ts`. */
  readonly channels: number
  calls: number
  microseconds: number
  rejectedCalls: number
  failedCalls: number

  constructor(
    entries: CommandEntry[],
    definition: CommandDefinition,
    group: string,
    parent?: CommandEntry,
  ) {
    const own = definition.name.toLowerCase()
    this.index = entries.push(this) - 1
    this.name = parent === undefined ? own : `${parent.name}|${own}`
    this.upperName = this.name.toUpperCase()
    this.parent = parent
    this.definition = definition
    this.group = definition.group ?? group
    try {
      const nameCount = parent === undefined ? 1 : 2
      this.arguments = compileUsage(definition.usage)
      this.keySpecs = keySpecsOf(definition, this.arguments, nameCount)
      this.arity = definition.arity ?? derivedArity(definition, this.arguments, nameCount)
      const legacy = legacyKeys(this.keySpecs)
      this.firstKey = legacy.first
      this.lastKey = legacy.last
      this.keyStep = legacy.step
      this.firstKeyIndex = parent === undefined && isKey(this.keySpecs) ? legacy.first : 0
      this.flagBits = flagBitsOf(definition.flags) | (legacy.movable ? FLAG_MOVABLE_KEYS : 0)
      if (definition.whileSubscribed === true) this.flagBits |= FLAG_WHILE_SUBSCRIBED
      if (definition.answersLater === true) this.flagBits |= FLAG_ANSWERS_LATER
      if (definition.tellsHealth === true) this.flagBits |= FLAG_TELLS_HEALTH
      this.flagBits |= transactionBits(definition)
      this.isFast = (this.flagBits & FLAG_FAST) !== 0
      this.isBrief =
        (this.isFast || definition.brief === true) &&
        parent === undefined &&
        definition.subcommands === undefined &&
        (this.flagBits & (FLAG_BLOCKING | FLAG_ANSWERS_LATER)) === 0
      this.categories = categoriesOf(definition, group)
      this.channels = channelsOf(definition, this.arguments)
      this.run = runOf(definition)
      this.calls = 0
      this.microseconds = 0
      this.rejectedCalls = 0
      this.failedCalls = 0
    } catch (problem) {
      throw new Error(`command '${this.name}': ${(problem as Error).message}`)
    }
    const children = definition.subcommands?.map(
      (child) => new CommandEntry(entries, child, group, this),
    )
    this.subcommands = children === undefined ? undefined : bySecondWord(this.name, children)
    this.subcommandLookup = new CommandLookup(
      (children ?? []).map((child) => ({
        name: child.definition.name.toLowerCase(),
        index: child.index,
        firstKeyIndex: 0,
      })),
    )
  }
}

export class CommandTable {
  /** Every command and subcommand, by index. */
  readonly entries: readonly CommandEntry[]
  /** Top-level commands by the name that clients use, in small letters: renaming changes it. */
  readonly #byName: Map<string, CommandEntry>
  /** All commands and subcommands by full name, in small letters, whatever clients call them. */
  readonly #originals: ReadonlyMap<string, CommandEntry>
  #lookup: CommandLookup

  /** Throws: Error naming the command when a definition is wrong. */
  constructor(groups: readonly CommandGroup[]) {
    const entries: CommandEntry[] = []
    this.entries = entries
    this.#byName = new Map()
    for (const group of groups) {
      for (const definition of group.definitions) {
        const entry = new CommandEntry(entries, definition, group.name)
        if (this.#byName.has(entry.name)) throw new Error(`command '${entry.name}': defined twice`)
        this.#byName.set(entry.name, entry)
      }
    }
    this.#originals = new Map(entries.map((entry) => [entry.name, entry]))
    this.#lookup = new CommandLookup(this.lookupTable())
  }

  /** The top-level commands, in the order of their definitions. */
  topLevel(): IterableIterator<CommandEntry> {
    return this.#byName.values()
  }

  /** The top-level command named by bytes `start` to `end`, in any case. */
  find(bytes: Uint8Array, start: number, end: number): CommandEntry | undefined {
    const index = this.#lookup.lookup(bytes, start, end)
    return index < 0 ? undefined : this.entries[index]
  }

  findSubcommand(
    container: CommandEntry,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): CommandEntry | undefined {
    const index = container.subcommandLookup.lookup(bytes, start, end)
    return index < 0 ? undefined : this.entries[index]
  }

  /** By text: 'get', 'CONFIG', 'config|get'. Cold paths only. */
  findName(name: string): CommandEntry | undefined {
    const bar = name.indexOf('|')
    if (bar < 0) return this.#byName.get(name.toLowerCase())
    const container = this.#byName.get(name.slice(0, bar).toLowerCase())
    return container?.subcommands?.get(name.slice(bar + 1).toLowerCase())
  }

  /** By the name that it has had from the start: 'GET', 'config|get'. Cold paths only. */
  findOriginal(name: string): CommandEntry | undefined {
    return this.#originals.get(name.toLowerCase())
  }

  /** What the io threads need to know of the commands. */
  // alloc: at start and when a command is renamed
  lookupTable(): LookupItem[] {
    return [...this.#byName].map(([name, { index, firstKeyIndex }]) => ({
      name,
      index,
      firstKeyIndex,
    }))
  }

  /** Renames a top-level command; `to` '': removes it. Gives what is wrong, '' when nothing is. */
  // alloc: at start
  rename(from: string, to: string): string {
    const old = from.toLowerCase()
    const name = to.toLowerCase()
    const entry = this.#byName.get(old)
    if (entry === undefined) return 'No such command in rename-command'
    if (name !== '' && name !== old && this.#byName.has(name)) {
      return 'Target command name already exists'
    }
    this.#byName.delete(old)
    if (name !== '') this.#byName.set(name, entry)
    this.#lookup = new CommandLookup(this.lookupTable())
    return ''
  }
}

function transactionBits({ inTransaction }: CommandDefinition): number {
  if (inTransaction === undefined) return 0
  if (inTransaction === 'runs') return FLAG_NOT_QUEUED
  if (inTransaction === 'ends') return FLAG_NOT_QUEUED | FLAG_ENDS_QUEUE
  return FLAG_NOT_QUEUED | FLAG_ENDS_QUEUE | FLAG_EXECUTES_QUEUE
}

function derivedArity(
  definition: CommandDefinition,
  usage: readonly Argument[],
  nameCount: number,
): number {
  if (definition.subcommands === undefined) return arityOf(nameCount, usage)
  return definition.run === undefined ? -(nameCount + 1) : -Math.abs(arityOf(nameCount, usage))
}

// alloc: at start
function flagBitsOf(flags: readonly CommandFlag[]): number {
  let bits = 0
  for (const flag of flags) bits |= FLAG_BITS[flag]
  if ((bits & FLAG_WRITE) !== 0 && (bits & FLAG_READONLY) !== 0) {
    throw new Error("both 'write' and 'readonly'")
  }
  return bits
}

/** True when the first key specification is about keys of the keyspace, at a fixed place. */
function isKey(specs: readonly KeySpec[]): boolean {
  const first = specs[0]
  return first !== undefined && !first.flags.includes('not_key')
}

function runOf(definition: CommandDefinition): (call: Call) => void {
  if (definition.subcommands?.length === 0) throw new Error('a container without subcommands')
  if (definition.run !== undefined) return definition.run
  if (definition.subcommands === undefined) throw new Error("'run' is missing")
  return unreachable
}

/** The gates answer for a bare container. */
function unreachable(call: Call): void {
  throw new Error(`container '${call.entry.name}' was run`)
}

// alloc: at start
function bySecondWord(
  container: string,
  children: readonly CommandEntry[],
): ReadonlyMap<string, CommandEntry> {
  const map = new Map<string, CommandEntry>()
  for (const child of children) {
    const word = child.definition.name.toLowerCase()
    if (map.has(word)) throw new Error(`command '${container}|${word}': defined twice`)
    map.set(word, child)
  }
  return map
}
