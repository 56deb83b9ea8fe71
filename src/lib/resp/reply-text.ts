/**
 * Replies as redis-cli shows them: for people, raw, as CSV and as JSON.
 *
 * Text here is latin1: one character stands for one byte, so that whatever the server sent comes out
 * unchanged.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: adds the line end behind a whole reply.
 */
import type { Reply } from './reply-parser.ts'

type Aggregate = Extract<Reply, { items: readonly Reply[] }>

const MARKS = { array: ')', set: '~', map: '#', push: '>' } as const
const EMPTY = {
  array: '(empty array)',
  set: '(empty set)',
  map: '(empty hash)',
  push: '(empty push)',
} as const

/** For people: types are told apart, strings are quoted, items numbered and indented. */
export function formatPretty(reply: Reply, indent = ''): string {
  switch (reply.type) {
    case 'status':
    case 'verbatim':
    case 'bigNumber':
      return latin1(reply.bytes)
    case 'error':
      return `(error) ${latin1(reply.bytes)}`
    case 'integer':
      return `(integer) ${latin1(reply.bytes)}`
    case 'double':
      return `(double) ${latin1(reply.bytes)}`
    case 'bulk':
      return quote(reply.bytes)
    case 'boolean':
      return reply.value ? '(true)' : '(false)'
    case 'nil':
      return '(nil)'
    default:
      return prettyItems(reply, indent)
  }
}

function prettyItems(reply: Aggregate, indent: string): string {
  const { type, items } = reply
  if (items.length === 0) return EMPTY[type]
  const step = type === 'map' ? 2 : 1
  const width = String(items.length / step).length
  const inner = indent + ' '.repeat(width + 2)
  const lines: string[] = []
  for (let i = 0; i < items.length; i += step) {
    const number = String(i / step + 1).padStart(width)
    let line = `${i === 0 ? '' : indent}${number}${MARKS[type]} ${formatPretty(items[i], inner)}`
    if (step === 2) {
      const value = items[i + 1]
      // QUIRK: a single item stays on the line of its key.
      const breaks = 'items' in value && value.items.length > 1
      line += ` => ${breaks ? `\n${inner}` : ''}${formatPretty(value, inner)}`
    }
    lines.push(line)
  }
  return lines.join('\n')
}

/** As it came. `delimiter` stands between items. */
export function formatRaw(reply: Reply, delimiter = '\n'): string {
  switch (reply.type) {
    case 'nil':
      return ''
    case 'error':
      // QUIRK: an error has a line end of its own.
      return `${latin1(reply.bytes)}\n`
    case 'boolean':
      return reply.value ? '(true)' : '(false)'
    case 'map': {
      const pairs: string[] = []
      for (let i = 0; i < reply.items.length; i += 2) {
        const value = formatRaw(reply.items[i + 1], delimiter)
        pairs.push(`${formatRaw(reply.items[i], delimiter)} ${value}`)
      }
      return pairs.join(delimiter)
    }
    case 'array':
    case 'set':
    case 'push':
      return reply.items.map((item) => formatRaw(item, delimiter)).join(delimiter)
    default:
      return latin1(reply.bytes)
  }
}

/** Comma-separated values; nesting disappears. */
export function formatCsv(reply: Reply): string {
  switch (reply.type) {
    case 'nil':
      return 'NULL'
    case 'error':
      return `ERROR,${quote(reply.bytes)}`
    case 'boolean':
      return String(reply.value)
    case 'integer':
    case 'double':
    case 'bigNumber':
      return latin1(reply.bytes)
    case 'array':
    case 'set':
    case 'map':
    case 'push':
      return reply.items.map(formatCsv).join(',')
    default:
      return quote(reply.bytes)
  }
}

/**
 * JSON; strings keep their bytes, so it is valid where they are UTF-8. `isQuoted`: they are written
 * with the escapes of `quote` instead, in ASCII.
 */
export function formatJson(reply: Reply, isQuoted = false): string {
  switch (reply.type) {
    case 'nil':
      return 'null'
    case 'error':
      // QUIRK: no JSON, but what redis-cli prints: an error cannot be taken for a string.
      return `error:${quoteJson(reply.bytes)}`
    case 'boolean':
      return String(reply.value)
    case 'integer':
    case 'double':
    case 'bigNumber':
      return latin1(reply.bytes)
    case 'map': {
      const pairs: string[] = []
      for (let i = 0; i < reply.items.length; i += 2) {
        const key = formatJson(reply.items[i], isQuoted)
        const name = key.startsWith('"') ? key : `"${key}"`
        pairs.push(`${name}:${formatJson(reply.items[i + 1], isQuoted)}`)
      }
      return `{${pairs.join(',')}}`
    }
    case 'array':
    case 'set':
    case 'push':
      return `[${reply.items.map((item) => formatJson(item, isQuoted)).join(',')}]`
    default:
      // DIFFERS: redis-cli leaves a quote inside as it is, which is no JSON.
      return isQuoted ? JSON.stringify(quote(reply.bytes).slice(1, -1)) : quoteJson(reply.bytes)
  }
}

/** Quoted, with escapes for all that a terminal would not show. */
export function quote(bytes: Buffer): string {
  return `"${latin1(bytes).replace(/[^ !#-[\]-~]/g, escapeByte)}"`
}

function escapeByte(character: string): string {
  switch (character) {
    case '"':
    case '\\':
      return `\\${character}`
    case '\n':
      return '\\n'
    case '\r':
      return '\\r'
    case '\t':
      return '\\t'
    case '\x07':
      return '\\a'
    case '\b':
      return '\\b'
    default:
      return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  }
}

function quoteJson(bytes: Buffer): string {
  // JSON.stringify leaves everything from U+0020 on as it is, but for quote and backslash.
  return JSON.stringify(latin1(bytes))
}

function latin1(bytes: Buffer): string {
  return bytes.toString('latin1')
}
