/**
 * Redis 7.0's commands as definitions, from the facts in facts.json; they run nothing.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: has a text of Redis.
 */
import {
  type CommandDefinition,
  type CommandFlag,
  type CommandGroup,
  collect,
  command,
  type KeySpec,
} from '../../../src/core/command/command.ts'
import facts from './facts.json'

interface Fact {
  readonly group?: string
  readonly since: string
  readonly usage: string
  readonly arity?: number
  readonly flags: readonly string[]
  readonly access?: string | readonly string[]
  readonly keys?: readonly unknown[]
  readonly categories?: readonly string[]
  readonly tips?: readonly string[]
  readonly internal?: boolean
  readonly deprecated?: string
  readonly subcommands?: Readonly<Record<string, Fact>>
}

const ALL: Readonly<Record<string, Fact>> = facts

/** COMMAND is the one container that is also a command. */
const RUNS_ITSELF = 'COMMAND'

/** By group, in the order of the facts. */
export function factGroups(): CommandGroup[] {
  const groups = new Map<string, Record<string, CommandDefinition>>()
  for (const [name, fact] of Object.entries(ALL)) {
    const group = fact.group ?? ''
    const definitions = groups.get(group) ?? {}
    definitions[name] = command(definitionOf(name, fact))
    groups.set(group, definitions)
  }
  return [...groups].map(([group, definitions]) => collect(group, definitions))
}

export function definitionOf(name: string, fact: Fact): CommandDefinition {
  const { since, usage, arity, access, categories, tips, internal } = fact
  return {
    name,
    usage,
    summary: name,
    since,
    complexity: '',
    flags: fact.flags as readonly CommandFlag[],
    reply: '',
    ...(arity === undefined ? {} : { arity }),
    ...(access === undefined ? {} : { access }),
    ...(fact.keys === undefined ? {} : { keys: fact.keys as readonly KeySpec[] }),
    ...(categories === undefined ? {} : { categories }),
    ...(tips === undefined ? {} : { tips }),
    ...(internal === undefined ? {} : { internal }),
    ...(fact.deprecated === undefined
      ? {}
      : { deprecated: { since: fact.deprecated, replacedBy: '' } }),
    ...(fact.subcommands === undefined
      ? {}
      : {
          subcommands: Object.entries(fact.subcommands).map(([child, own]) =>
            definitionOf(child, own),
          ),
        }),
    ...(fact.subcommands === undefined || name === RUNS_ITSELF ? { run: () => {} } : {}),
  }
}
