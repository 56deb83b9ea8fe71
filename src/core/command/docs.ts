/**
 * What the server tells of its commands: the shapes of COMMAND INFO and COMMAND DOCS, and the lines
 * of a container's HELP.
 *
 * Thread: core.
 * Owns: the shapes.
 * Never: knows a particular command.
 *
 * @see https://redis.io/docs/latest/commands/command-docs/
 */
import type { Reply } from '../engine/reply.ts'
import { categoryNames } from './categories.ts'
import type { CommandDefinition, KeySpec } from './command.ts'
import { keyFlags } from './key-specs.ts'
import { type CommandEntry, flagNames } from './table.ts'
import { type Argument, compileUsage } from './usage.ts'

// ── COMMAND INFO ───────────────────────────────────────────────────────────────────────────────

/** Answers one element of COMMAND and COMMAND INFO. */
export function replyInfo(reply: Reply, entry: CommandEntry): void {
  reply.array(10)
  reply.bulkText(entry.name)
  reply.integer(entry.arity)
  replyNames(reply, flagNames(entry.flagBits))
  reply.integer(entry.firstKey)
  reply.integer(entry.lastKey)
  reply.integer(entry.keyStep)
  const categories = categoryNames(entry.categories)
  replyNames(
    reply,
    categories.map((name) => `@${name}`),
  )
  const tips = entry.definition.tips ?? []
  reply.set(tips.length)
  for (const tip of tips) reply.bulkText(tip)
  reply.set(entry.keySpecs.length)
  for (const spec of entry.keySpecs) replyKeySpec(reply, spec)
  const children = [...(entry.subcommands?.values() ?? [])]
  reply.array(children.length)
  for (const child of children) replyInfo(reply, child)
}

/** A set of status replies, which is how Redis writes flags. */
export function replyNames(reply: Reply, names: readonly string[]): void {
  reply.set(names.length)
  for (const name of names) reply.simple(name)
}

function replyKeySpec(reply: Reply, spec: KeySpec): void {
  reply.map(spec.notes === undefined ? 3 : 4)
  if (spec.notes !== undefined) replyText(reply, 'notes', spec.notes)
  reply.bulkText('flags')
  replyNames(reply, keyFlags(spec))
  reply.bulkText('begin_search')
  const { begin, find } = spec
  if (begin === 'unknown') replySearch(reply, 'unknown', {})
  else if ('index' in begin) replySearch(reply, 'index', { index: begin.index })
  else replySearch(reply, 'keyword', { keyword: begin.keyword, startfrom: begin.startFrom })
  reply.bulkText('find_keys')
  if (find === 'unknown') {
    replySearch(reply, 'unknown', {})
  } else if ('lastKey' in find) {
    const { lastKey, step, limit } = find
    replySearch(reply, 'range', { lastkey: lastKey, keystep: step, limit })
  } else {
    const { keyNumIndex, firstKey, step } = find
    replySearch(reply, 'keynum', { keynumidx: keyNumIndex, firstkey: firstKey, keystep: step })
  }
}

function replySearch(
  reply: Reply,
  type: string,
  spec: Readonly<Record<string, number | string>>,
): void {
  reply.map(2)
  replyText(reply, 'type', type)
  reply.bulkText('spec')
  const fields = Object.entries(spec)
  reply.map(fields.length)
  for (const [name, value] of fields) {
    if (typeof value === 'number') replyInteger(reply, name, value)
    else replyText(reply, name, value)
  }
}

// ── COMMAND DOCS ───────────────────────────────────────────────────────────────────────────────

/** A field of a map, written when its turn comes. */
type Field = (reply: Reply) => void

/** Answers a command's name and its documentation: one pair of the map of COMMAND DOCS. */
export function replyDocs(reply: Reply, entry: CommandEntry): void {
  const { definition } = entry
  const fields: Field[] = []
  addText(fields, 'summary', definition.summary)
  addText(fields, 'since', definition.since)
  addText(fields, 'group', entry.group)
  addText(fields, 'complexity', definition.complexity)
  const flags: string[] = []
  if (definition.deprecated !== undefined) flags.push('deprecated')
  if (definition.internal) flags.push('syscmd')
  if (flags.length > 0) addNames(fields, 'doc_flags', flags)
  addText(fields, 'deprecated_since', definition.deprecated?.since)
  addText(fields, 'replaced_by', definition.deprecated?.replacedBy)
  addHistory(fields, definition.history ?? [])
  addArguments(fields, entry.arguments)
  const children = [...(entry.subcommands?.values() ?? [])]
  if (children.length > 0) {
    fields.push(() => {
      reply.bulkText('subcommands')
      reply.map(children.length)
      for (const child of children) replyDocs(reply, child)
    })
  }
  reply.bulkText(entry.name)
  replyFields(reply, fields)
}

function replyArgument(reply: Reply, argument: Argument): void {
  const fields: Field[] = []
  addText(fields, 'name', argument.name)
  addText(fields, 'type', argument.type)
  const { keySpecIndex, token } = argument
  if (keySpecIndex >= 0) fields.push(() => replyInteger(reply, 'key_spec_index', keySpecIndex))
  if (token !== undefined) fields.push(() => replyText(reply, 'token', token))
  addText(fields, 'since', argument.since)
  addText(fields, 'deprecated_since', argument.deprecatedSince)
  const flags: string[] = []
  if (argument.optional) flags.push('optional')
  if (argument.multiple) flags.push('multiple')
  if (argument.multipleToken) flags.push('multiple_token')
  if (flags.length > 0) addNames(fields, 'flags', flags)
  addArguments(fields, argument.parts)
  replyFields(reply, fields)
}

function replyFields(reply: Reply, fields: readonly Field[]): void {
  reply.map(fields.length)
  for (const field of fields) field(reply)
}

/** Nothing to say means no field. */
function addText(fields: Field[], name: string, text: string | undefined): void {
  if (text !== undefined && text !== '') fields.push((reply) => replyText(reply, name, text))
}

function addNames(fields: Field[], name: string, names: readonly string[]): void {
  fields.push((reply) => {
    reply.bulkText(name)
    replyNames(reply, names)
  })
}

function addHistory(fields: Field[], history: NonNullable<CommandDefinition['history']>): void {
  if (history.length === 0) return
  fields.push((reply) => {
    reply.bulkText('history')
    reply.set(history.length)
    for (const [version, change] of history) {
      reply.array(2)
      reply.bulkText(version)
      reply.bulkText(change)
    }
  })
}

function addArguments(fields: Field[], list: readonly Argument[]): void {
  if (list.length === 0) return
  fields.push((reply) => {
    reply.bulkText('arguments')
    reply.array(list.length)
    for (const argument of list) replyArgument(reply, argument)
  })
}

function replyText(reply: Reply, name: string, text: string): void {
  reply.bulkText(name)
  reply.bulkText(text)
}

function replyInteger(reply: Reply, name: string, value: number): void {
  reply.bulkText(name)
  reply.integer(value)
}

// ── HELP ───────────────────────────────────────────────────────────────────────────────────────

const HELP_INDENT = '    '
const HELP_WIDTH = 80

/** The lines of `<container> HELP`. `container`: in capitals. */
export function helpLines(
  container: string,
  subcommands: readonly CommandDefinition[],
): readonly string[] {
  const lines = [`${container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`]
  for (const { name, usage, summary } of subcommands) {
    if (name === 'HELP') continue
    lines.push(`${name} ${helpUsage(compileUsage(usage))}`.trimEnd(), ...helpText(summary))
  }
  lines.push('HELP', ...helpText('Prints this help.'))
  return lines
}

/** A usage line as people read it: `<key> [NX | XX] <score> <member> [<score> <member> ...]`. */
export function helpUsage(usage: readonly Argument[]): string {
  return usage.map(helpArgument).join(' ')
}

function helpArgument(argument: Argument): string {
  const token = argument.token === '' ? '""' : argument.token
  let core = `<${argument.name}>`
  if (argument.type === 'pure-token') {
    core = token ?? ''
  } else {
    if (argument.type === 'block') core = helpUsage(argument.parts)
    if (argument.type === 'oneof') core = argument.parts.map(helpArgument).join(' | ')
    const bracketed = argument.optional && token === undefined && !argument.multiple
    if (argument.type === 'oneof' && !bracketed) core = `(${core})`
    const first = token === undefined ? core : `${token} ${core}`
    const again = argument.multipleToken ? first : core
    core = argument.multiple ? `${first} [${again} ...]` : first
  }
  return argument.optional ? `[${core}]` : core
}

/** Indented lines of whole words. */
function helpText(text: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && HELP_INDENT.length + line.length + 1 + word.length > HELP_WIDTH) {
      lines.push(HELP_INDENT + line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  lines.push(HELP_INDENT + line)
  return lines
}
