/**
 * Writes replies in RESP2 or RESP3, straight into the reply ring or into a private buffer.
 *
 * Thread: core. Hot path.
 * Owns: the write position inside the space that its sink gave it.
 * Never: decides where the bytes go: the sink gives more space and takes the full one away.
 *
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
import { assert } from '../../lib/assert.ts'
import { formatDouble } from '../../lib/bytes/double.ts'
import { isSafeInt64, writeInteger } from '../../lib/bytes/integer.ts'
import type { Arena } from '../../memory/arena.ts'
import { ENTRY_KEY_LENGTH_MASK, ENTRY_KEY_OFFSET } from '../../memory/entry.ts'
import {
  fullSize,
  LISTPACK_END,
  ListpackElement,
  listpackInteger,
  listpackNext,
  listpackRead,
} from '../../memory/listpack.ts'
import { copyViewed, VIEWED_SIZE_MIN, viewOf } from '../../memory/unaligned.ts'
import type { CommandError } from './errors.ts'

/** Where reply bytes go. */
export interface ReplySink {
  /** Takes what was written and gives at least `needed` bytes by `reply.useSpace`. */
  more(reply: Reply, needed: number): void
}

/** No header, integer or fixed reply is longer; `more` is always asked for at least this. */
const SMALL = 64
/**
 * A longer bulk is copied by the system, which then is cheaper. Three digits.
 * MEASURED: bench/micro/reply.bench.ts, array of 10 bulks of 32 bytes.
 */
const SHORT_SIZE_MAX = 128
/** `$0\r\n`, `$00\r`, `$000` and `\r\n` as numbers whose first byte is the lowest. */
const HEADER_1 = 0x0a0d3024
const HEADER_2 = 0x0d303024
const HEADER_3 = 0x30303024
const LINE_END = 0x0a0d
/** The first four bytes of a bulk, by its length. */
const HEADERS = Int32Array.from({ length: 100 }, (_, length) => {
  const tens = Math.trunc(length / 10)
  return length < 10 ? HEADER_1 + (length << 8) : HEADER_2 + (tens << 8) + ((length % 10) << 16)
})
/** Whole numbers below this are told by their digits. */
const WHOLE_MAX = 1e15
/** The most that a single step of a long bulk asks of the sink. */
const PIECE_SIZE = 64 * 1024

const NOTHING = Buffer.alloc(0)
const OK = Buffer.from('+OK\r\n')
const QUEUED = Buffer.from('+QUEUED\r\n')
const NIL_BULK = Buffer.from('$-1\r\n')
const NIL_ARRAY = Buffer.from('*-1\r\n')
const NULL = Buffer.from('_\r\n')
const TRUE = Buffer.from('#t\r\n')
const FALSE = Buffer.from('#f\r\n')

const CR = 13
const LF = 10

/** The first byte of a listpack's element that is a string of up to 63 bytes, less its length. */
const SHORT_STRING = 0x80
const SHORT_STRING_SIZE_MAX = 63
/** That of an integer of 32 bits; longer ones and the pack's end are above. */
const INTEGER_32 = 0xf3

/** Numbers below this have nine characters at most. */
const SHORT_NUMBER_MAX = 1e8

const element = new ListpackElement()

/** Writes the header of a bulk below 100 bytes. Gives the offset behind it. */
function bulkHeader(view: DataView, at: number, length: number): number {
  view.setInt32(at, HEADERS[length], true)
  if (length < 10) return at + 4
  view.setInt8(at + 4, LF)
  return at + 5
}

/** Writes a whole number of up to nine characters as a bulk. Gives the offset behind it. */
function numberBulk(bytes: Buffer, at: number, value: number): number {
  const end = writeInteger(bytes, at + 4, value)
  bytes[at] = 36
  bytes[at + 1] = 48 + end - at - 4
  bytes[at + 2] = CR
  bytes[at + 3] = LF
  bytes[end] = CR
  bytes[end + 1] = LF
  return end + 2
}

export class Reply {
  bytes: Buffer = NOTHING
  position = 0
  /** Words of any alignment in `bytes`, and in the last long enough source. */
  #view: DataView = new DataView(NOTHING.buffer)
  #source: Buffer = NOTHING
  #sourceView: DataView = this.#view
  #limit = 0
  /** Where the reply in progress began in this space. */
  #mark = 0
  /** Part of the reply in progress is no longer in this space. */
  #left = false
  /** See `#packedShort`. */
  #runLeft = 0
  readonly #sink: ReplySink
  /** 2 or 3. */
  protocol = 2
  /** Nobody gets what is written: a handler that writes without end may stop. */
  isVain = false
  /** Errors written; a call that runs others sets it back. */
  errorCount = 0
  /** Text of the last error written; empty when it must not be counted again. */
  lastError = ''

  constructor(sink: ReplySink) {
    this.#sink = sink
  }

  /** For the sink: write from `position` up to `limit` of `bytes`. */
  useSpace(bytes: Buffer, position: number, limit: number): void {
    if (this.position !== this.#mark) this.#left = true
    if (bytes !== this.bytes) {
      this.bytes = bytes
      this.#view = viewOf(bytes)
    }
    this.position = position
    this.#mark = position
    this.#limit = limit
  }

  /** A call begins: until the next mark its reply can be taken back. */
  mark(): void {
    this.#mark = this.position
    this.#left = false
  }

  /** Takes back what was written since `mark`; undefined when part of it has left. Cold. */
  takeBack(): Buffer | undefined {
    if (this.#left) return undefined
    const taken = Buffer.from(this.bytes.subarray(this.#mark, this.position)) // alloc: debug level
    this.position = this.#mark
    return taken
  }

  /** Forgets everything written since `mark`. */
  rollback(): void {
    assert(!this.#left, 'a reply that has left cannot be taken back')
    this.position = this.#mark
  }

  ok(): void {
    this.#fixed(OK)
  }

  queued(): void {
    this.#fixed(QUEUED)
  }

  /** Nothing, where a bulk string was expected. */
  nil(): void {
    this.#fixed(this.protocol === 3 ? NULL : NIL_BULK)
  }

  /** Nothing, where an array was expected. */
  nilArray(): void {
    this.#fixed(this.protocol === 3 ? NULL : NIL_ARRAY)
  }

  boolean(value: boolean): void {
    if (this.protocol === 3) this.#fixed(value ? TRUE : FALSE)
    else this.integer(value ? 1 : 0)
  }

  /** A safe integer (magnitude up to 2^53). */
  integer(value: number): void {
    this.#header(58, value)
  }

  /** A signed 64-bit integer in two words. */
  // alloc: only beyond what a double can tell
  integer64(high: number, low: number): void {
    if (high === low >> 31) this.#header(58, low)
    else if (isSafeInt64(high, low)) this.#header(58, high * 0x100000000 + (low >>> 0))
    else this.raw(`:${(BigInt(high) << 32n) | BigInt(low >>> 0)}\r\n`)
  }

  /** A status line. `text` has no line break. */
  // alloc: words that are not among the fixed replies
  simple(text: string): void {
    this.raw(`+${text}\r\n`)
  }

  /** Answers a mistake. Line breaks inside the text become blanks, as Redis does. */
  // alloc: an error with a text of its own
  error(error: CommandError | string): void {
    const text = typeof error === 'string' ? error : error.text
    this.errorCount++
    this.lastError = text
    this.raw(`-${text.replace(/[\r\n]/g, ' ')}\r\n`)
  }

  /** As `error`, for one that was counted when it first came up: in a call of a script. */
  // alloc: an error with a text of its own
  countedError(text: string): void {
    this.errorCount++
    this.lastError = ''
    this.raw(`-${text.replace(/[\r\n]/g, ' ')}\r\n`)
  }

  /** `length` bytes of `source` from `offset`. */
  bulk(source: Buffer, offset: number, length: number): void {
    if (length <= SHORT_SIZE_MAX && this.#limit - this.position >= SHORT_SIZE_MAX + SMALL) {
      if (source.length >= VIEWED_SIZE_MIN) this.#viewed(source)
      return this.#shortBulk(source, offset, length)
    }
    this.#header(36, length)
    this.#copy(source, offset, length)
    this.#lineEnd()
  }

  /** All of a short bulk in one go: of such replies there are hundreds in one. */
  #shortBulk(source: Buffer, offset: number, length: number): void {
    const view = this.#view
    let at = this.position
    if (length < 100) {
      at = bulkHeader(view, at, length)
    } else {
      const tens = (length / 10) | 0
      const digits = (1 << 8) + ((tens - 10) << 16) + ((length - tens * 10) << 24)
      view.setInt32(at, HEADER_3 + digits, true)
      view.setInt16(at + 4, LINE_END, true)
      at += 6
    }
    if (source === this.#source && length >= 4) {
      copyViewed(view, at, this.#sourceView, offset, length)
    } else {
      const bytes = this.bytes
      for (let i = 0; i < length; i++) bytes[at + i] = source[offset + i]
    }
    at += length
    view.setInt16(at, LINE_END, true)
    this.position = at + 2
  }

  /**
   * Elements of a listpack from a position on, up to `count`, each a bulk. Gives how many of them
   * lie beyond the pack's end. One loop over all takes half the time of a call for each.
   * MEASURED: bench/micro/reply.bench.ts, 100 elements of a listpack.
   */
  packed(arena: Arena, from: number, count: number): number {
    const source = arena.bytes
    const sourceView = this.#viewed(source)
    let at = from
    let left = count
    while (left > 0 && at !== 0 && source[at] !== LISTPACK_END) {
      const view = this.#view
      const limit = this.#limit - SHORT_SIZE_MAX
      let to = this.position
      while (left > 0 && to < limit) {
        const length = source[at] - SHORT_STRING
        if (length < 4 || length > SHORT_STRING_SIZE_MAX) break
        to = bulkHeader(view, to, length)
        copyViewed(view, to, sourceView, at + 1, length)
        to += length
        view.setInt16(to, LINE_END, true)
        to += 2
        at += length + 2
        left--
      }
      this.position = to
      if (left === 0 || source[at] === LISTPACK_END) break
      at = this.#packedShort(arena, at, left)
      if (this.#runLeft < left) {
        left = this.#runLeft
        continue
      }
      listpackRead(arena, at, element)
      this.bulk(element.bytes, element.offset, element.length)
      at = listpackNext(arena, at)
      left--
    }
    return left
  }

  /**
   * The keys of `count` entries as bulks. Their refs stand `stride` words apart from word `from` on,
   * forwards or backwards; zeros between them are passed over.
   * MEASURED: bench/micro/reply.bench.ts, keys of 100 entries.
   */
  keys(arena: Arena, from: number, stride: number, count: number): void {
    const { words } = arena
    const source = arena.bytes
    const sourceView = this.#viewed(source)
    let word = from
    let left = count
    while (left > 0) {
      const view = this.#view
      const limit = this.#limit - SHORT_SIZE_MAX
      let to = this.position
      for (; left > 0 && to < limit; word += stride) {
        const entry = words[word]
        if (entry === 0) continue
        const length = words[(entry << 1) + 1] & ENTRY_KEY_LENGTH_MASK
        if (length < 4 || length > SHORT_STRING_SIZE_MAX) break
        to = bulkHeader(view, to, length)
        copyViewed(view, to, sourceView, (entry << 3) + ENTRY_KEY_OFFSET, length)
        to += length
        view.setInt16(to, LINE_END, true)
        to += 2
        left--
      }
      this.position = to
      if (left === 0) break
      const entry = words[word]
      word += stride
      if (entry === 0) continue
      const length = words[(entry << 1) + 1] & ENTRY_KEY_LENGTH_MASK
      this.bulk(source, (entry << 3) + ENTRY_KEY_OFFSET, length)
      left--
    }
  }

  /**
   * A run of short strings and small numbers. Gives where it ends; `#runLeft` says how many of `count`
   * follow. Apart from the loop above: with this in it, that takes half as long again.
   */
  #packedShort(arena: Arena, from: number, count: number): number {
    const source = arena.bytes
    const { bytes } = this
    const limit = this.#limit - SHORT_SIZE_MAX
    let at = from
    let to = this.position
    let left = count
    while (left > 0 && to < limit) {
      const first = source[at]
      const length = first - SHORT_STRING
      if (length >= 0 && length < 4) {
        bytes[to] = 36
        bytes[to + 1] = 48 + length
        bytes[to + 2] = CR
        bytes[to + 3] = LF
        to += 4
        at++
        for (let i = 0; i < length; i++) bytes[to++] = source[at++]
        at++
        bytes[to] = CR
        bytes[to + 1] = LF
        to += 2
      } else {
        if (first > INTEGER_32) break
        const number = listpackInteger(arena, at)
        if (!(number > -SHORT_NUMBER_MAX && number < SHORT_NUMBER_MAX)) break
        to = numberBulk(bytes, to, number)
        at += fullSize(source, at)
      }
      left--
    }
    this.position = to
    this.#runLeft = left
    return at
  }

  #viewed(source: Buffer): DataView {
    if (source !== this.#source) {
      this.#source = source
      this.#sourceView = viewOf(source)
    }
    return this.#sourceView
  }

  /** Text as bytes, one a character; characters beyond 255 are written as UTF-8. */
  bulkText(text: string): void {
    for (let i = 0; i < text.length; i++) {
      if (text.charCodeAt(i) > 255) return this.bulkBytes(Buffer.from(text, 'utf8'))
    }
    this.#header(36, text.length)
    this.raw(text)
    this.#lineEnd()
  }

  bulkBytes(bytes: Uint8Array): void {
    this.#header(36, bytes.length)
    this.rawBytes(bytes)
    this.#lineEnd()
  }

  /** A safe integer in a bulk string. */
  bulkInteger(value: number): void {
    if (this.#limit - this.position < SMALL) this.#sink.more(this, SMALL)
    const bytes = this.bytes
    const start = this.position
    const end = writeInteger(bytes, start + 4, value)
    const digits = end - start - 4
    if (digits < 10) {
      bytes[start] = 36
      bytes[start + 1] = 48 + digits
      bytes[start + 2] = CR
      bytes[start + 3] = LF
      bytes[end] = CR
      bytes[end + 1] = LF
      this.position = end + 2
      return
    }
    this.#header(36, digits)
    this.position = writeInteger(this.bytes, this.position, value)
    this.#lineEnd()
  }

  array(count: number): void {
    this.#header(42, count)
  }

  /** `count` pairs follow: a map in RESP3, a flat array in RESP2. */
  map(count: number): void {
    if (this.protocol === 3) this.#header(37, count)
    else this.#header(42, count * 2)
  }

  set(count: number): void {
    this.#header(this.protocol === 3 ? 126 : 42, count)
  }

  /** Out-of-band data: a push in RESP3, an array in RESP2. */
  push(count: number): void {
    this.#header(this.protocol === 3 ? 62 : 42, count)
  }

  /** A pair of attributes precedes a reply; RESP3 only. */
  attribute(count: number): void {
    assert(this.protocol === 3, 'attributes exist in RESP3 only')
    this.#header(124, count)
  }

  // alloc: only for what is not whole, whose text is a new one anyway
  double(value: number): void {
    if (value === Math.trunc(value) && Math.abs(value) < WHOLE_MAX && !Object.is(value, -0)) {
      if (this.protocol === 3) this.#header(44, value)
      else this.bulkInteger(value)
      return
    }
    const text = formatDouble(value)
    if (this.protocol === 3) this.raw(`,${text}\r\n`)
    else this.bulkText(text)
  }

  // alloc: seldom asked for
  bigNumber(digits: string): void {
    if (this.protocol === 3) this.raw(`(${digits}\r\n`)
    else this.bulkText(digits)
  }

  /** `format` has three characters: 'txt' or 'mkd'. */
  // alloc: texts for people
  verbatim(text: string, format: string): void {
    this.verbatimBytes(Buffer.from(text, 'utf8'), format)
  }

  /** As `verbatim`. What is not three characters long is cut or filled up with blanks. */
  // alloc: seldom asked for
  verbatimBytes(bytes: Uint8Array, format: string): void {
    if (this.protocol !== 3) return this.bulkBytes(bytes)
    this.#header(61, bytes.length + 4)
    this.raw(`${format.slice(0, 3).padEnd(3)}:`)
    this.rawBytes(bytes)
    this.#lineEnd()
  }

  /** Bytes that are a reply already; one a character. */
  raw(text: string): void {
    if (text.length > PIECE_SIZE) return this.rawBytes(Buffer.from(text, 'latin1'))
    if (this.#limit - this.position < text.length) this.#sink.more(this, text.length)
    this.bytes.latin1Write(text, this.position)
    this.position += text.length
  }

  rawBytes(bytes: Uint8Array): void {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#copy(view, 0, bytes.length)
  }

  #copy(source: Buffer, offset: number, length: number): void {
    if (length <= this.#limit - this.position) {
      if (length <= SHORT_SIZE_MAX) {
        const bytes = this.bytes
        const at = this.position
        for (let i = 0; i < length; i++) bytes[at + i] = source[offset + i]
      } else {
        source.copy(this.bytes, this.position, offset, offset + length)
      }
      this.position += length
      return
    }
    this.#copyInPieces(source, offset, length)
  }

  #copyInPieces(source: Buffer, offset: number, length: number): void {
    let from = offset
    const end = offset + length
    while (from < end) {
      const left = end - from
      if (this.position === this.#limit) this.#sink.more(this, Math.min(left, PIECE_SIZE))
      const size = Math.min(left, this.#limit - this.position)
      source.copy(this.bytes, this.position, from, from + size)
      this.position += size
      from += size
    }
  }

  #fixed(reply: Buffer): void {
    if (this.#limit - this.position < SMALL) this.#sink.more(this, SMALL)
    const bytes = this.bytes
    let at = this.position
    for (let i = 0; i < reply.length; i++) bytes[at++] = reply[i]
    this.position = at
  }

  #header(type: number, value: number): void {
    if (this.#limit - this.position < SMALL) this.#sink.more(this, SMALL)
    const bytes = this.bytes
    let at = this.position
    bytes[at++] = type
    if (value >= 0 && value < 10) bytes[at++] = 48 + value
    else at = writeInteger(bytes, at, value)
    bytes[at] = CR
    bytes[at + 1] = LF
    this.position = at + 2
  }

  #lineEnd(): void {
    if (this.#limit - this.position < 2) this.#sink.more(this, SMALL)
    this.bytes[this.position] = CR
    this.bytes[this.position + 1] = LF
    this.position += 2
  }
}
