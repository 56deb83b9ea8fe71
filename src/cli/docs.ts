/**
 * What the server says of its commands, for completion, hints and help.
 *
 * Thread: the client's only one.
 * Owns: nothing.
 * Never: knows a command by itself: all comes from COMMAND DOCS.
 */
import type { Reply } from '../lib/resp/reply-parser.ts'

export interface CommandDoc {
  /** In capitals, with its container: `CONFIG GET`. */
  readonly name: string
  readonly summary: string
  readonly since: string
  readonly group: string
  readonly args: readonly ArgumentDoc[]
}

export interface ArgumentDoc {
  readonly text: string
  readonly isOptional: boolean
  /** The token a user types to choose it, in small letters; empty when it has none. */
  readonly token: string
}

export type CommandDocs = ReadonlyMap<string, CommandDoc>

/** Reads the reply of COMMAND DOCS. No docs where the server has none. */
export function readDocs(reply: Reply | undefined): CommandDocs {
  const docs = new Map<string, CommandDoc>()
  if (reply !== undefined) readCommands(reply, docs)
  return docs
}

function readCommands(reply: Reply, docs: Map<string, CommandDoc>): void {
  for (const [name, details] of entries(reply)) {
    const fields = new Map(entries(details))
    const command = name.replace('|', ' ').toUpperCase()
    docs.set(command, {
      name: command,
      summary: text(fields.get('summary')),
      since: text(fields.get('since')),
      group: text(fields.get('group')),
      args: items(fields.get('arguments')).map(readArgument),
    })
    const subcommands = fields.get('subcommands')
    if (subcommands !== undefined) readCommands(subcommands, docs)
  }
}

function readArgument(reply: Reply): ArgumentDoc {
  const fields = new Map(entries(reply))
  const flags = items(fields.get('flags')).map(text)
  const type = text(fields.get('type'))
  const token = text(fields.get('token'))
  const parts = items(fields.get('arguments')).map((part) => readArgument(part).text)
  let inner = text(fields.get('display_text')) || text(fields.get('name'))
  if (type === 'pure-token') inner = token
  else if (type === 'oneof') inner = parts.join('|')
  else if (type === 'block') inner = parts.join(' ')
  const isChoice = token !== '' && type !== 'pure-token'
  const full = isChoice ? `${token} ${inner}` : inner
  let shown = full
  if (flags.includes('multiple_token')) shown = `${full} [${full} ...]`
  else if (flags.includes('multiple')) shown = `${full} [${inner} ...]`
  const isOptional = flags.includes('optional')
  return { text: isOptional ? `[${shown}]` : shown, isOptional, token: token.toLowerCase() }
}

/** Names that begin with what was typed, in the typed case. */
export function completions(line: string, docs: CommandDocs): string[] {
  const isHelp = /^help /i.test(line)
  const prefix = isHelp ? line.slice(5) : line
  const isLower = prefix !== '' && prefix === prefix.toLowerCase()
  const found: string[] = []
  for (const name of docs.keys()) {
    if (!name.startsWith(prefix.toUpperCase())) continue
    found.push((isHelp ? line.slice(0, 5) : '') + (isLower ? name.toLowerCase() : name))
  }
  return found.sort()
}

/** What may follow a line that was typed so far, with a space in front where one is needed. */
export function hintFor(line: string, docs: CommandDocs): string {
  const words = line.trimStart().split(/\s+/)
  const endsWord = words.at(-1) === ''
  if (endsWord) words.pop()
  if (words.length === 0) return ''
  const upper = words.map((typed) => typed.toUpperCase())
  const longer = docs.get(upper.slice(0, 2).join(' '))
  const doc = upper.length > 1 && longer !== undefined ? longer : docs.get(upper[0])
  if (doc === undefined) return ''
  const typed = words.slice(doc.name.split(' ').length).map((one) => one.toLowerCase())
  const left = remaining(doc.args, typed)
  if (left.length === 0) return ''
  return `${endsWord ? '' : ' '}${left.join(' ')}`
}

/** Arguments not typed yet: a word takes the option whose token it is, else the next that must be. */
function remaining(args: readonly ArgumentDoc[], typed: readonly string[]): string[] {
  const left = [...args]
  for (const one of typed) {
    const option = left.findIndex((arg) => arg.isOptional && arg.token === one)
    const next = option >= 0 ? option : left.findIndex((arg) => !arg.isOptional)
    if (next >= 0) {
      const many = / (\[.* \.\.\.\])$/.exec(left[next].text)
      if (many === null) left.splice(next, 1)
      else left.splice(next, 1, { text: many[1], isOptional: true, token: '' })
    }
  }
  return left.map((arg) => arg.text)
}

const GENERAL_HELP = [
  'help <command>    what a command does and takes',
  'help @<group>     the commands of a group, as @string or @list',
  'connect <host> <port>, clear, quit',
  'A number in front of a command repeats it; Tab completes its name.',
].join('\n')

/** The text of `help`. `topic`: words in small letters. */
export function helpText(topic: readonly string[], docs: CommandDocs): string {
  if (topic.length === 0) return GENERAL_HELP
  const wanted = topic.join(' ').toUpperCase()
  const found = [...docs.values()].filter((doc) =>
    wanted.startsWith('@')
      ? doc.group === wanted.slice(1).toLowerCase()
      : doc.name === wanted || doc.name.startsWith(`${wanted} `),
  )
  if (found.length === 0) return `No help for ${topic.join(' ')}.`
  return found.map(describe).join('\n')
}

function describe(doc: CommandDoc): string {
  const usage = [doc.name, ...doc.args.map((arg) => arg.text)].join(' ')
  return [
    '',
    `  ${usage}`,
    `  summary: ${doc.summary}`,
    `  since: ${doc.since}`,
    `  group: ${doc.group}`,
    '',
  ].join('\n')
}

function items(reply: Reply | undefined): readonly Reply[] {
  return reply !== undefined && 'items' in reply ? reply.items : []
}

/** Pairs of a map, or of RESP2's flat array. */
function entries(reply: Reply): [string, Reply][] {
  const list = items(reply)
  const pairs: [string, Reply][] = []
  for (let i = 0; i + 1 < list.length; i += 2) pairs.push([text(list[i]), list[i + 1]])
  return pairs
}

function text(reply: Reply | undefined): string {
  return reply !== undefined && 'bytes' in reply ? reply.bytes.toString() : ''
}
