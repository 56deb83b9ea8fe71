/**
 * Replies as the tests see them: bytes of the wire become a tree, a tree becomes one line of text.
 *
 * Thread: any.
 * Owns: the notation that rows are written in.
 * Never: shares code with the server: what it checks must not be checked by itself.
 *
 *     +OK  -ERR text  :1  $value  $"a b\r\n\xff"  (nil)   simple, error, integer, bulk, no bulk
 *     *2 $a :1        *0  *nil                            array; count first, then the elements
 *     %1 $k $v   ~2 $a $b   >3 ...                        map (pairs counted), set, push
 *     ,1.5  #t  _  (123  ="txt:a b"  !"ERR a"             double, boolean, null, big number, verbatim
 *
 * A bulk is quoted where it is empty, holds a blank or a quote, or is not printable ASCII. A line
 * that is one simple string, error or bulk may hold blanks without quotes: `$a b` is `$"a b"`.
 */

export type ReplyKind =
  | '+'
  | '-'
  | ':'
  | '$'
  | '*'
  | '%'
  | '~'
  | '>'
  | '|'
  | ','
  | '#'
  | '_'
  | '('
  | '='
  | '!'

export interface Reply {
  readonly kind: ReplyKind
  /** What a scalar says; undefined for nil and for everything that has items. */
  readonly bytes: Buffer | undefined
  /** Elements; keys and values in turn for a map; undefined for scalars and nil. */
  readonly items: Reply[] | undefined
}

const AGGREGATES = '*%~>|'
const KINDS = '+-:$*%~>|,#_(=!'

/** Bytes of replies, in pieces of any size, become replies. */
export class ReplyParser {
  #bytes: Buffer = Buffer.alloc(0)
  #start = 0
  #end = 0
  /** Aggregates that wait for more elements. */
  readonly #open: { reply: Reply; left: number }[] = []

  /** Bytes that are no whole reply yet. */
  get pendingSize(): number {
    return this.#end - this.#start
  }

  /** Gives the replies that are whole with this chunk. Throws: an Error for anything malformed. */
  feed(chunk: Uint8Array): Reply[] {
    this.#append(chunk)
    const replies: Reply[] = []
    for (;;) {
      const reply = this.#next()
      if (reply === undefined) return replies
      replies.push(reply)
    }
  }

  #append(chunk: Uint8Array): void {
    const size = this.#end - this.#start
    if (size === 0) {
      this.#bytes = Buffer.from(chunk)
      this.#start = 0
      this.#end = chunk.length
      return
    }
    if (this.#end + chunk.length > this.#bytes.length) {
      const bytes = Buffer.allocUnsafe(Math.max(2 * size, size + chunk.length, this.#wanted))
      this.#bytes.copy(bytes, 0, this.#start, this.#end)
      this.#bytes = bytes
      this.#start = 0
      this.#end = size
    }
    this.#bytes.set(chunk, this.#end)
    this.#end += chunk.length
  }

  /** Bytes that the bulk in progress needs, head included. */
  #wanted = 0

  #next(): Reply | undefined {
    for (;;) {
      const frame = this.#frame()
      if (frame === undefined) return undefined
      let reply = frame.reply
      if (frame.count > 0) {
        this.#open.push({ reply, left: frame.count })
        continue
      }
      for (;;) {
        const top = this.#open.at(-1)
        if (top === undefined) return reply
        top.reply.items?.push(reply)
        if (--top.left > 0) break
        this.#open.pop()
        reply = top.reply
      }
    }
  }

  /** One scalar, or the head of an aggregate with its element count. */
  #frame(): { reply: Reply; count: number } | undefined {
    if (this.#wanted > this.#end - this.#start) return undefined
    const newline = this.#bytes.indexOf('\r\n', this.#start)
    if (newline < 0 || newline + 2 > this.#end) return undefined
    const kind = String.fromCharCode(this.#bytes[this.#start]) as ReplyKind
    if (!KINDS.includes(kind)) throw new Error(`reply begins with byte ${this.#bytes[this.#start]}`)
    const line = this.#bytes.subarray(this.#start + 1, newline)
    const next = newline + 2
    if (AGGREGATES.includes(kind)) {
      const count = wholeNumber(line)
      this.#start = next
      const items = count < 0 ? undefined : []
      return {
        reply: { kind, bytes: undefined, items },
        count: kind === '%' || kind === '|' ? 2 * count : count,
      }
    }
    if (!'$=!'.includes(kind)) {
      this.#start = next
      return { reply: { kind, bytes: Buffer.from(line), items: undefined }, count: 0 }
    }
    const size = wholeNumber(line)
    if (size < 0) {
      this.#start = next
      return { reply: { kind, bytes: undefined, items: undefined }, count: 0 }
    }
    if (this.#end < next + size + 2) {
      this.#wanted = next + size + 2 - this.#start
      return undefined
    }
    this.#wanted = 0
    if (this.#bytes[next + size] !== 13 || this.#bytes[next + size + 1] !== 10) {
      throw new Error(`bulk of ${size} bytes does not end in a line end`)
    }
    this.#start = next + size + 2
    const bytes = Buffer.from(this.#bytes.subarray(next, next + size))
    return { reply: { kind, bytes, items: undefined }, count: 0 }
  }
}

function wholeNumber(line: Buffer): number {
  const text = line.toString('latin1')
  if (!/^-?\d+$/.test(text)) throw new Error(`length '${text}' in a reply`)
  return Number(text)
}

/** A reply in the notation, in its one canonical spelling. */
export function notation(reply: Reply): string {
  return line(reply, true)
}

function line(reply: Reply, top: boolean): string {
  const { kind, bytes, items } = reply
  if (items !== undefined) {
    const count = kind === '%' || kind === '|' ? items.length / 2 : items.length
    return [`${kind}${count}`, ...items.map((item) => line(item, false))].join(' ')
  }
  if (bytes === undefined) return kind === '$' ? '(nil)' : `${kind}nil`
  const text = bytes.toString('latin1')
  if (kind === '+' || kind === '-') {
    return kind + (/^[\x20-\x7e]*$/.test(text) && (top || !/[ "]/.test(text)) ? text : quote(text))
  }
  if (!'$=!'.includes(kind)) return kind + text
  const plain = top ? /^[\x21\x23-\x7e][\x20-\x7e]*$/ : /^[\x21\x23-\x5b\x5d-\x7e]+$/
  return kind + (plain.test(text) ? text : quote(text))
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '"': '\\"',
  '\\': '\\\\',
}

function quote(text: string): string {
  const escaped = text.replace(/[^\x20-\x7e]|["\\]/g, (byte) => {
    return ESCAPES[byte] ?? `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
  return `"${escaped}"`
}

/** What a line of the notation means. Throws: an Error for what is not in the notation. */
export function parseNotation(text: string): Reply {
  const kind = text[0]
  const scalar = kind !== undefined && '+-$=!'.includes(kind)
  if (scalar && text[1] !== '"') {
    return { kind: kind as ReplyKind, bytes: Buffer.from(text.slice(1)), items: undefined }
  }
  const reader = { words: notationWords(text), at: 0 }
  const reply = parseWord(reader, text)
  if (reader.at !== reader.words.length) throw new Error(`too many elements in '${text}'`)
  return reply
}

function parseWord(reader: { words: string[]; at: number }, text: string): Reply {
  const word = reader.words[reader.at++]
  if (word === undefined) throw new Error(`too few elements in '${text}'`)
  if (word === '(nil)') return { kind: '$', bytes: undefined, items: undefined }
  const kind = word[0] as ReplyKind
  if (!KINDS.includes(kind)) throw new Error(`'${word}' in '${text}' is no reply`)
  const rest = word.slice(1)
  if (rest === 'nil' && '*%~>'.includes(kind)) return { kind, bytes: undefined, items: undefined }
  if (word === '_') return { kind, bytes: Buffer.alloc(0), items: undefined }
  if (!AGGREGATES.includes(kind)) return { kind, bytes: unquote(rest), items: undefined }
  if (!/^\d+$/.test(rest)) throw new Error(`'${word}' in '${text}' is no count`)
  const items: Reply[] = []
  const count = kind === '%' || kind === '|' ? 2 * Number(rest) : Number(rest)
  while (items.length < count) items.push(parseWord(reader, text))
  return { kind, bytes: undefined, items }
}

function notationWords(text: string): string[] {
  return text.match(/[^\s"](?:"(?:[^"\\]|\\.)*"|[^\s"]*)(?:[^\s]*)/g) ?? []
}

function unquote(text: string): Buffer {
  return text.startsWith('"') ? quotedBytes(text.slice(1, -1)) : Buffer.from(text)
}

const UNESCAPED: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\x07',
  b: '\b',
}

/** The bytes of what stands between double quotes. */
export function quotedBytes(text: string): Buffer {
  const parts = text.split(/(\\x[0-9a-fA-F]{2}|\\.)/s).map((part) => {
    if (part.length === 4 && part.startsWith('\\x')) return Buffer.from(part.slice(2), 'hex')
    if (part.startsWith('\\')) return Buffer.from(UNESCAPED[part[1]] ?? part[1])
    return Buffer.from(part)
  })
  return Buffer.concat(parts)
}
