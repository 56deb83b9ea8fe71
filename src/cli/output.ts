/**
 * Where the client's words go, and how a reply becomes words.
 *
 * Thread: the client's only one.
 * Owns: standard output and error.
 * Never: waits.
 */
import type { Reply } from '../lib/resp/reply-parser.ts'
import { formatCsv, formatJson, formatPretty, formatRaw } from '../lib/resp/reply-text.ts'
import type { Options, OutputMode } from './options.ts'

/** Commands whose reply is a page of text: shown as it is. Second words, or any. */
const PAGES: Readonly<Record<string, readonly string[] | undefined>> = {
  info: undefined,
  lolwut: undefined,
  debug: ['htstats', 'htstats-key', 'client-eviction'],
  memory: ['malloc-stats', 'doctor'],
  cluster: ['nodes', 'info'],
  client: ['list', 'info'],
  latency: ['graph', 'doctor'],
}

/** What the client needs of the world to speak; tests put their own in its place. */
export interface Streams {
  /** Text for standard output: one character a byte. */
  out(text: string): void
  /** Text for standard error. */
  err(text: string): void
}

export class Output {
  readonly mode: OutputMode
  readonly #streams: Streams
  readonly #options: Options

  constructor(options: Options, streams: Streams, isTerminal: boolean) {
    this.#options = options
    this.#streams = streams
    this.mode = options.output ?? (isTerminal ? 'pretty' : 'raw')
  }

  /** A line of our own. */
  line(text: string): void {
    this.#streams.out(`${text}\n`)
  }

  /** Text as it is. */
  text(text: string): void {
    this.#streams.out(text)
  }

  error(text: string): void {
    this.#streams.err(`${text}\n`)
  }

  reply(reply: Reply, isPage = false): void {
    this.#streams.out(this.format(reply, isPage))
  }

  /** Text of an error that was answered, for standard error. */
  replyError(reply: Reply): void {
    if (reply.type === 'error') this.error(reply.bytes.toString('latin1'))
  }

  /** A message that came unasked. */
  push(reply: Reply): void {
    if (reply.type !== 'push') return
    const [kind, keys] = reply.items
    const isInvalidation = kind?.type === 'bulk' && kind.bytes.toString('latin1') === 'invalidate'
    if (!isInvalidation) return this.reply(reply)
    const names =
      keys !== undefined && 'items' in keys
        ? keys.items.map((key) => ('bytes' in key ? `'${key.bytes.toString('latin1')}'` : ''))
        : ['NULL']
    this.line(`-> invalidate: ${names.join(', ')}`)
  }

  format(reply: Reply, isPage: boolean): string {
    const { itemDelimiter, replyDelimiter } = this.#options
    if (isPage) return formatRaw(reply, itemDelimiter)
    switch (this.mode) {
      case 'pretty':
        return `${formatPretty(reply)}\n`
      case 'csv':
        return `${formatCsv(reply)}\n`
      case 'json':
        return `${formatJson(reply, this.#options.quotedJson)}\n`
      default:
        return `${formatRaw(reply, itemDelimiter)}${replyDelimiter}`
    }
  }
}

/** True when the reply to these arguments is a page of text. */
export function isPage(args: readonly Uint8Array[]): boolean {
  const name = word(args[0])
  if (!Object.hasOwn(PAGES, name)) return false
  const seconds = PAGES[name]
  return seconds === undefined || (args.length > 1 && seconds.includes(word(args[1])))
}

/** The text of a reply that has one; one character a byte. */
export function textOf(reply: Reply): string {
  return 'bytes' in reply ? reply.bytes.toString('latin1') : ''
}

/** An argument in small letters. */
export function word(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString('latin1').toLowerCase()
}
