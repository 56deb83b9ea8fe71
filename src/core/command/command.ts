/**
 * What a command is: the one definition from which everything else about it is derived.
 *
 * Thread: core.
 * Owns: the shape of a definition, and the gathering of the definitions of one group.
 * Never: knows a particular command, a type or a service.
 *
 * @see https://redis.io/docs/latest/commands/command-docs/
 */
import type { Call } from '../engine/call.ts'
import type { ArgumentTexts } from './key-specs.ts'

/** Redis's own flag names, as COMMAND INFO shows them ('movablekeys' is derived, never written). */
export type CommandFlag =
  | 'write'
  | 'readonly'
  | 'denyoom'
  | 'admin'
  | 'pubsub'
  | 'noscript'
  | 'blocking'
  | 'loading'
  | 'stale'
  | 'skip_monitor'
  | 'skip_slowlog'
  | 'asking'
  | 'fast'
  | 'no_auth'
  | 'may_replicate'
  | 'no_mandatory_keys'
  | 'no_async_loading'
  | 'no_multi'
  | 'allow_busy'

/** A key specification written out, for the few commands whose usage line does not say it. */
export interface KeySpec {
  /** Redis's key flags in its order: 'RW access update', 'RO access', 'OW insert', 'not_key'... */
  readonly flags: string
  readonly begin:
    | { readonly index: number }
    | { readonly keyword: string; readonly startFrom: number }
    | 'unknown'
  readonly find:
    | { readonly lastKey: number; readonly step: number; readonly limit: number }
    | { readonly keyNumIndex: number; readonly firstKey: number; readonly step: number }
    | 'unknown'
  /**
   * How the server itself finds the keys where clients are told 'unknown' or 'incomplete': the word
   * after the last `keyword` among the options, each of `skip` being followed by so many words that
   * are no options. `instead`: all words to the end are keys, and argument `instead` must be empty.
   */
  readonly search?: {
    readonly keyword: string
    readonly startFrom: number
    readonly skip: Readonly<Record<string, number>>
    readonly instead?: number
  }
  readonly notes?: string
}

export interface CommandDefinition {
  /** Upper case. In `subcommands` only the second word: 'GETNAME', not 'CLIENT GETNAME'. */
  readonly name: string
  /**
   * The arguments after the name in the documentation's own notation:
   * `key [NX | XX] [GT | LT] [CH] score member [score member ...]`. A word in capitals is a token.
   */
  readonly usage: string
  /** One sentence of our own. */
  readonly summary: string
  readonly since: string
  readonly complexity: string
  readonly flags: readonly CommandFlag[]
  /** How the keys are used, one entry for every key argument of `usage` in order: 'ro access'. */
  readonly access?: string | readonly string[]
  /** The shapes of its replies: 'bulk | nil', 'integer', 'array of bulk'. Tests check them. */
  readonly reply: string
  /** Only where the usage line gives the wrong one. */
  readonly arity?: number
  readonly keys?: readonly KeySpec[]
  /** The key flags of these arguments, for a key whose access says 'variable_flags'. */
  readonly variableAccess?: (args: ArgumentTexts) => string
  /**
   * Extra ACL categories, where group and flags do not give them: 'dangerous'. '-keyspace' takes
   * away the one that the group gives.
   */
  readonly categories?: readonly string[]
  readonly tips?: readonly string[]
  /** The group that COMMAND DOCS reports, where it is not the folder's. */
  readonly group?: string
  /** Allowed to a connection that speaks RESP2 and has subscribed to something. */
  readonly whileSubscribed?: true
  /**
   * Not queued between MULTI and EXEC: it runs at once; ends the transaction, so that it is allowed
   * without memory for more; or executes it, so that the gates look at what is queued, too.
   */
  readonly inTransaction?: 'runs' | 'ends' | 'executes'
  /** For a container: its subcommands leave standing what CLIENT CACHING said of the next call. */
  readonly keepsCaching?: true
  /** Takes a moment only, though it is not flagged as fast: see `isBrief` in `table.ts`. */
  readonly brief?: true
  /** The directive that has to allow it. */
  readonly protectedBy?: 'enable-debug-command' | 'enable-module-command'
  /** May be answered after the call is over, by way of `call.answerLater`. */
  readonly answersLater?: true
  /** Answers whether the server is well: with the error that writes are answered with, if any. */
  readonly tellsHealth?: true
  /** The flags that the gates go by, where they depend on the arguments; bits of `table.ts`. */
  readonly callFlags?: (call: Call, flagBits: number) => number
  /** For the server's own use, says COMMAND DOCS. */
  readonly internal?: boolean
  /** What changed in later versions: version and sentence. */
  readonly history?: readonly (readonly [version: string, change: string])[]
  readonly deprecated?: { readonly since: string; readonly replacedBy: string }
  /** Makes this a container: `run` is then only reached without a known subcommand. */
  readonly subcommands?: readonly CommandDefinition[]
  /** Absent only for a container, whose bare or unknown form is answered by the gates. */
  readonly run?: (call: Call) => void
}

const made = new Set<CommandDefinition>()

/** Declares one command. Exporting the result from a file that `collect` gathers registers it. */
export function command(definition: CommandDefinition): CommandDefinition {
  made.add(definition)
  return definition
}

export interface CommandGroup {
  /** The group as COMMAND DOCS reports it: 'string', 'sorted-set'. */
  readonly name: string
  readonly definitions: readonly CommandDefinition[]
}

/** Gathers every exported command of the given modules as the commands of one group. */
export function collect(name: string, ...modules: readonly object[]): CommandGroup {
  const definitions: CommandDefinition[] = []
  for (const module of modules) {
    for (const exported of Object.values(module)) {
      if (made.has(exported as CommandDefinition)) definitions.push(exported as CommandDefinition)
    }
  }
  return { name, definitions }
}
