/**
 * Bytes of a server become replies: RESP2 and RESP3, in any number of pieces, as a tree.
 *
 * Nesting is kept on a stack of our own, so that a reply cut anywhere goes on where it was, and no
 * depth can overflow the runtime's. A long string is joined from its pieces once, when it is whole.
 *
 * Thread: any.
 * Owns: bytes that aren't a whole reply yet; the aggregates that are open.
 * Never: throws, turns bytes into text.
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
import { INTEGER_OK, integerNumber, parseInteger } from '../bytes/integer.ts'

/**
 * One reply. `bytes` are what the server sent without framing, also of numbers, and are views of the
 * chunks. `items` of a map are key, value, key, value.
 */
export type Reply =
  | { readonly type: TextType; readonly bytes: Buffer; attributes?: readonly Reply[] }
  | {
      readonly type: 'verbatim'
      readonly format: string
      readonly bytes: Buffer
      attributes?: readonly Reply[]
    }
  | { readonly type: 'boolean'; readonly value: boolean; attributes?: readonly Reply[] }
  | { readonly type: 'nil'; attributes?: readonly Reply[] }
  | {
      readonly type: AggregateType
      readonly items: readonly Reply[]
      attributes?: readonly Reply[]
    }

type TextType = 'status' | 'error' | 'integer' | 'bulk' | 'double' | 'bigNumber'
type AggregateType = 'array' | 'map' | 'set' | 'push'

interface Frame {
  readonly type: AggregateType | 'attributes'
  /** Attributes that came before the aggregate. */
  readonly attributes: readonly Reply[] | undefined
  readonly items: Reply[]
  left: number
}

const DEPTH_MAX = 512
/** No server sends a longer line than this of a number, a status or an error. */
const LINE_SIZE_MAX = 1024 * 1024
const STRING_SIZE_MAX = 4 * 1024 * 1024 * 1024
const ITEM_COUNT_MAX = 4294967295
/** Answer of a reading step: bytes are missing. */
const MORE = 0
const CR = 13
const LF = 10
const EMPTY = Buffer.alloc(0)
/** Bytes before the text of a verbatim string: its format and a colon. */
const FORMAT_SIZE = 4

export class ReplyParser {
  /** What is wrong with the bytes; then no more replies come. Undefined while all is well. */
  broken: string | undefined
  #bytes: Buffer = EMPTY
  #position = 0
  #chunks: Buffer[] = []
  #chunkSize = 0
  /** Bytes from `#position` without which nothing can be read. */
  #needed = 1
  /** How many bytes from `#position` were searched for the end of their line. */
  #searched = 0
  #stack: Frame[] = []
  #attributes: readonly Reply[] | undefined

  /** Takes a chunk, which must not change afterwards. */
  feed(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#chunkSize += chunk.length
  }

  /** The next whole reply; undefined when bytes are missing, or when they are broken. */
  next(): Reply | undefined {
    while (this.broken === undefined) {
      if (!this.#gather()) return undefined
      const reply = this.#readOne()
      if (reply === undefined) continue
      if (reply === MORE) return undefined
      const whole = this.#place(reply)
      if (whole !== undefined) return whole
    }
    return undefined
  }

  /** The bytes that follow the last whole reply; the parser forgets them. */
  takeRest(): Buffer {
    const rest = Buffer.concat([this.#bytes.subarray(this.#position), ...this.#chunks])
    this.#bytes = EMPTY
    this.#position = 0
    this.#chunks = []
    this.#chunkSize = 0
    this.#needed = 1
    this.#searched = 0
    return rest
  }

  /** Joins the chunks to one window, once there are enough of them. */
  #gather(): boolean {
    const held = this.#bytes.length - this.#position
    if (held + this.#chunkSize < this.#needed) return false
    if (this.#chunks.length > 0) {
      const parts = this.#chunks
      this.#chunks = []
      this.#chunkSize = 0
      if (held > 0) parts.unshift(this.#bytes.subarray(this.#position))
      this.#bytes = parts.length === 1 ? parts[0] : Buffer.concat(parts)
      this.#position = 0
    }
    return true
  }

  /** Reads one scalar, or opens an aggregate. MORE: bytes are missing; undefined: go on. */
  #readOne(): Reply | undefined | typeof MORE {
    const bytes = this.#bytes
    const start = this.#position
    const lineEnd = this.#lineEnd(start)
    if (lineEnd < 0) return MORE
    const line = bytes.subarray(start + 1, lineEnd)
    const next = lineEnd + 2
    const marker = String.fromCharCode(bytes[start])
    switch (marker) {
      case '+':
        return this.#text('status', line, next)
      case '-':
        return this.#text('error', line, next)
      case ',':
        return this.#text('double', line, next)
      case '(':
        return this.#text('bigNumber', line, next)
      case ':':
        if (parseInteger(line, 0, line.length) !== INTEGER_OK)
          return this.#break('Bad integer value')
        return this.#text('integer', line, next)
      case '_':
        this.#advance(next)
        return { type: 'nil' }
      case '#':
        return this.#boolean(line, next)
      case '$':
      case '=':
      case '!':
        return this.#string(marker, line, next)
      case '*':
        return this.#open('array', 1, line, next)
      case '%':
        return this.#open('map', 2, line, next)
      case '~':
        return this.#open('set', 1, line, next)
      case '>':
        return this.#open('push', 1, line, next)
      case '|':
        return this.#open('attributes', 2, line, next)
      default:
        return this.#break(`Protocol error, got ${JSON.stringify(marker)} as reply type byte`)
    }
  }

  /** Offset of the \r\n of the line at `start`, or -1 when it has yet to come. */
  #lineEnd(start: number): number {
    const bytes = this.#bytes
    let at = bytes.indexOf(CR, start + this.#searched)
    while (at >= 0 && at + 1 < bytes.length && bytes[at + 1] !== LF) at = bytes.indexOf(CR, at + 1)
    if (at >= 0 && at + 1 < bytes.length) return at
    const size = bytes.length - start
    if (size > LINE_SIZE_MAX) this.#break('Protocol error, line too long')
    this.#needed = size + 1
    this.#searched = Math.max(size - 1, 0)
    return -1
  }

  #advance(position: number): void {
    this.#position = position
    this.#needed = 1
    this.#searched = 0
  }

  #text(type: TextType, bytes: Buffer, next: number): Reply {
    this.#advance(next)
    return { type, bytes }
  }

  #boolean(line: Buffer, next: number): Reply | undefined {
    const letter = line.length === 1 ? line[0] : 0
    if (letter !== 116 && letter !== 102) return this.#break('Bad bool value')
    this.#advance(next)
    return { type: 'boolean', value: letter === 116 }
  }

  #string(marker: string, line: Buffer, next: number): Reply | undefined | typeof MORE {
    const size = this.#count(line, STRING_SIZE_MAX)
    if (size === -1) {
      this.#advance(next)
      return { type: 'nil' }
    }
    if (size === undefined) return this.#break('Bulk string length out of range')
    const end = next + size
    if (this.#bytes.length < end + 2) {
      this.#needed = end + 2 - this.#position
      return undefined
    }
    if (this.#bytes[end] !== CR || this.#bytes[end + 1] !== LF) {
      return this.#break('Bad bulk string format')
    }
    const bytes = this.#bytes.subarray(next, end)
    if (marker === '$') return this.#text('bulk', bytes, end + 2)
    if (marker === '!') return this.#text('error', bytes, end + 2)
    if (size < FORMAT_SIZE)
      return this.#break('Verbatim string 4 bytes of content type are missing')
    this.#advance(end + 2)
    const format = bytes.latin1Slice(0, FORMAT_SIZE - 1)
    return { type: 'verbatim', format, bytes: bytes.subarray(FORMAT_SIZE) }
  }

  #open(type: Frame['type'], factor: number, line: Buffer, next: number): Reply | undefined {
    const count = this.#count(line, ITEM_COUNT_MAX)
    if (count === undefined) return this.#break('Multi-bulk length out of range')
    this.#advance(next)
    if (count === -1) return { type: 'nil' }
    if (count > 0) {
      if (this.#stack.length >= DEPTH_MAX) return this.#break('No support for nesting so deep')
      this.#stack.push({ type, attributes: this.#attributes, items: [], left: count * factor })
      this.#attributes = undefined
      return undefined
    }
    return type === 'attributes' ? undefined : { type, items: [] }
  }

  /** A length: -1 stands for nil; undefined for no length. */
  #count(line: Buffer, max: number): number | undefined {
    if (parseInteger(line, 0, line.length) !== INTEGER_OK) return undefined
    const count = integerNumber()
    return count < -1 || count > max ? undefined : count
  }

  /** Puts a reply where it belongs. Gives the outermost one when that is whole. */
  #place(first: Reply): Reply | undefined {
    let reply = first
    let attributes = this.#attributes
    this.#attributes = undefined
    for (;;) {
      if (attributes !== undefined) reply.attributes = attributes
      const frame = this.#stack.at(-1)
      if (frame === undefined) return reply
      frame.items.push(reply)
      if (--frame.left > 0) return undefined
      this.#stack.pop()
      if (frame.type === 'attributes') {
        this.#attributes = frame.items
        return undefined
      }
      attributes = frame.attributes
      reply = { type: frame.type, items: frame.items }
    }
  }

  #break(text: string): undefined {
    this.broken = text
    return undefined
  }
}
