/**
 * How rows write a command: a line as one types it into redis-cli, or a list of arguments.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: guesses: an unbalanced quote is an error.
 */
import { quotedBytes } from './reply.ts'

export type Argument = string | number | bigint | Uint8Array
/** `'SET k "a b\x00"'`, or `['SET', 'k', bytes]`. */
export type CommandText = string | readonly Argument[]

/** The arguments of a command, as bytes. */
export function argumentsOf(command: CommandText): Buffer[] {
  if (typeof command === 'string') return splitLine(command)
  return command.map((part) =>
    part instanceof Uint8Array ? Buffer.from(part) : Buffer.from(String(part)),
  )
}

/** One request in RESP. */
export function encodeRequest(argv: readonly Uint8Array[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${argv.length}\r\n`)]
  for (const part of argv) {
    parts.push(Buffer.from(`$${part.length}\r\n`), part, LINE_END)
  }
  return Buffer.concat(parts)
}

const LINE_END = Buffer.from('\r\n')

/** Shows a command in one line, cut where it is long. */
export function showCommand(command: CommandText): string {
  if (typeof command === 'string') return cut(command)
  const words = argumentsOf(command).map((part) => {
    const text = part.subarray(0, 200).toString('latin1')
    return /^[\x21-\x7e]+$/.test(text) ? text : JSON.stringify(text).replaceAll('\\u00', '\\x')
  })
  return cut(words.join(' '))
}

function cut(text: string): string {
  return text.length <= 300 ? text : `${text.slice(0, 300)}... (${text.length} characters)`
}

function splitLine(line: string): Buffer[] {
  const words: Buffer[] = []
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"']+))(?=\s|$)/gsy
  const text = line.trim()
  let end = 0
  for (const match of text.matchAll(pattern)) {
    end = match.index + match[0].length
    if (match[1] !== undefined) words.push(quotedBytes(match[1]))
    else if (match[2] !== undefined) words.push(Buffer.from(match[2].replaceAll("\\'", "'")))
    else words.push(Buffer.from(match[3]))
  }
  if (end !== text.length) throw new Error(`unbalanced quotes in: ${line}`)
  return words
}
