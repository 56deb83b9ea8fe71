/**
 * Bytes of a client become requests: where each argument lies, nothing copied.
 *
 *   *2\r\n $3\r\n GET\r\n $1\r\n k\r\n          offsets = [8, 11, 17, 18], argc = 2
 *          ^ header  ^ argument
 *
 * A request may arrive in any number of pieces. The parser remembers how far it came, so that no
 * byte of a long request is looked at twice, and counts from where the request begins, so that the
 * caller may move the bytes in between.
 *
 * QUIRK: as in Redis, the byte after a line's \r and the two bytes after an argument are skipped
 * unseen, and a NUL hides the rest of its line until 64 KiB have arrived.
 *
 * Thread: any. Hot path.
 * Owns: how far the current request has been read; the offsets of its arguments.
 * Never: throws, waits, or reads outside the window it was given.
 * @see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
import { INTEGER_OK, integerNumber, parseInteger } from '../bytes/integer.ts'
import { splitInline } from './inline.ts'

/** A whole request was read. */
export const COMPLETE = 1
/** The window ends before the request does. */
export const INCOMPLETE = 0
/** The bytes are no request, and what follows cannot be understood. */
export const BROKEN = -1

/** An empty request was passed over: the next one may begin. Inside this file only. */
const SKIPPED = 2
/** The header of a request was read. Inside this file only. */
const BEGUN = 3

const STAR = 42
const DOLLAR = 36
const CR = 13
const LF = 10
const ZERO = 48
/** Digits that the fast path reads; more go through the exact one. */
const FAST_DIGITS = 9
/** A line may be this long and unfinished, not longer. */
const LINE_SIZE_MAX = 64 * 1024
/** A finished line may be longer by what one read of Redis can add. */
const INLINE_SIZE_MAX = LINE_SIZE_MAX + 16 * 1024
const ARGC_MAX = 2147483647
const UNAUTHENTICATED_ARGC_MAX = 10
const UNAUTHENTICATED_BULK_SIZE_MAX = 16384
const START_CAPACITY = 64
const EMPTY = Buffer.alloc(0)

export class RequestParser {
  /** Arguments of the request just completed. */
  argc = 0
  /**
   * What `offsets` points into, as long as the request just completed is the current one: the
   * window, or for an inline request the words themselves.
   */
  bytes: Buffer
  /**
   * [start, end) pairs in `bytes`, `2 * argc` long, valid until the next call. Another array may
   * stand here after each call.
   */
  offsets: Int32Array
  /** After COMPLETE: behind the request. After INCOMPLETE: where the unfinished request begins. */
  position = 0
  /** After INCOMPLETE: at least so many bytes are missing. Else 0. */
  neededBytes = 0
  /** After BROKEN: the text of the error without its `-` and line end; one character a byte. */
  error = ''
  /** Longest argument allowed: `proto-max-bulk-len`. */
  bulkSizeMax: number
  /** False: the stricter limits for clients that have yet to authenticate hold. */
  authenticated = true

  #window: Buffer
  #end = 0
  /** Where the current request begins. */
  #start = 0
  /** The next byte to look at is here: the beginning of a line or of an argument. */
  #cursor = 0
  /** How far the line at the cursor was searched for its end. */
  #searched = 0
  /** Arguments still to come; 0 between requests. */
  #remaining = 0
  /** Length of the argument at the cursor; -1 when its header comes first. */
  #bulkSize = -1
  #argumentCount = 0
  #broken = false
  /** The number in the line just read, and the offset behind the line. */
  #number = 0
  #lineEnd = 0

  constructor(bulkSizeMax: number) {
    this.bulkSizeMax = bulkSizeMax
    this.offsets = new Int32Array(START_CAPACITY * 2)
    this.#window = EMPTY
    this.bytes = EMPTY
  }

  /** Bytes of the unfinished request that were read: whole arguments and the lines between them. */
  get readSize(): number {
    return this.#cursor - this.#start
  }

  /** Length of the argument that is not whole yet; -1 when its length is not known either. */
  get unfinishedSize(): number {
    return this.#bulkSize
  }

  /** Begins anew with the window [start, end): a request begins at `start`. */
  reset(bytes: Buffer, start: number, end: number): void {
    this.#window = bytes
    this.bytes = bytes
    this.#end = end
    this.#start = start
    this.#cursor = start
    this.#searched = start
    this.#remaining = 0
    this.#bulkSize = -1
    this.#argumentCount = 0
    this.#broken = false
    this.argc = 0
    this.position = start
    this.neededBytes = 0
  }

  /**
   * Goes on with a window that holds all bytes from the beginning of the unfinished request, which
   * lies at `start` now. Where no request is unfinished, one begins at `start`.
   */
  resume(bytes: Buffer, start: number, end: number): void {
    const moved = start - this.#start
    this.#window = bytes
    this.bytes = bytes
    this.#end = end
    this.position = start
    if (this.#argumentCount === 0 && this.#remaining === 0 && this.#searched <= this.#start) {
      this.#start = start
      this.#cursor = start
      this.#searched = start
      return
    }
    if (moved === 0) return
    this.#start = start
    this.#cursor += moved
    this.#searched += moved
    const { offsets } = this
    const count = 2 * this.#argumentCount
    for (let i = 0; i < count; i++) offsets[i] += moved
  }

  /** Reads one request from the window. Gives COMPLETE, INCOMPLETE or BROKEN. */
  next(): number {
    if (this.#broken) return BROKEN
    this.bytes = this.#window
    while (this.#remaining === 0) {
      const outcome = this.#begin()
      if (outcome <= COMPLETE) return outcome
    }
    const end = this.#end
    let at = this.#cursor
    let size = this.#bulkSize
    for (;;) {
      if (size < 0) {
        if (!this.#readCount(at, DOLLAR)) {
          const outcome = this.#readLine(at, DOLLAR)
          if (outcome !== COMPLETE) return outcome
        }
        size = this.#number
        if (size < 0 || size > this.bulkSizeMax) return this.#break('invalid bulk length')
        if (size > UNAUTHENTICATED_BULK_SIZE_MAX && !this.authenticated) {
          return this.#break('unauthenticated bulk length')
        }
        at = this.#lineEnd
      }
      const missing = size + 2 - (end - at)
      if (missing > 0) return this.#suspend(at, size, missing)
      const index = 2 * this.#argumentCount++
      if (index >= this.offsets.length) this.#grow()
      this.offsets[index] = at
      this.offsets[index + 1] = at + size
      at += size + 2
      size = -1
      if (--this.#remaining === 0) return this.#complete(at)
    }
  }

  #complete(at: number): number {
    this.argc = this.#argumentCount
    this.#argumentCount = 0
    this.#start = at
    this.#cursor = at
    this.#searched = at
    this.#bulkSize = -1
    this.position = at
    this.neededBytes = 0
    return COMPLETE
  }

  #suspend(at: number, size: number, missing: number): number {
    this.#cursor = at
    this.#bulkSize = size
    if (this.#searched < at) this.#searched = at
    this.position = this.#start
    this.neededBytes = missing
    return INCOMPLETE
  }

  #break(text: string): number {
    this.#broken = true
    this.error = `ERR Protocol error: ${text}` // alloc: the connection ends here
    this.position = this.#start
    this.neededBytes = 0
    return BROKEN
  }

  /** Reads the header of a request, or an inline request. */
  #begin(): number {
    const at = this.#cursor
    this.#start = at
    if (at >= this.#end) return this.#suspend(at, -1, 1)
    if (this.#window[at] !== STAR) return this.#readInline(at)
    if (!this.#readCount(at, STAR)) {
      const outcome = this.#readLine(at, STAR)
      if (outcome !== COMPLETE) return outcome
      if (this.#number > ARGC_MAX) return this.#break('invalid multibulk length')
    }
    const count = this.#number
    if (count > UNAUTHENTICATED_ARGC_MAX && !this.authenticated) {
      return this.#break('unauthenticated multibulk length')
    }
    this.#cursor = this.#lineEnd
    this.#searched = this.#lineEnd
    if (count <= 0) return SKIPPED
    this.#remaining = count
    return BEGUN
  }

  /** The usual line: `marker`, a few digits, \r and one more byte. False: it is not, or not yet. */
  #readCount(at: number, marker: number): boolean {
    const bytes = this.#window
    const last = this.#end - 2
    if (at + 1 > last || bytes[at] !== marker) return false
    let digit = bytes[at + 1] - ZERO
    if (digit < 0 || digit > 9) return false
    let value = digit
    let next = at + 2
    if (bytes[next] !== CR) {
      if (digit === 0) return false
      const stop = Math.min(at + FAST_DIGITS, last)
      for (; next <= stop; next++) {
        digit = bytes[next] - ZERO
        if (digit < 0 || digit > 9) break
        value = value * 10 + digit
      }
    }
    if (next > last || bytes[next] !== CR) return false
    this.#number = value
    this.#lineEnd = next + 2
    return true
  }

  /** Any line that begins with `marker` and holds an integer, told apart from what is none. */
  #readLine(at: number, marker: number): number {
    const bytes = this.#window
    const end = this.#end
    let found = Math.max(this.#searched, at)
    while (found < end && bytes[found] !== CR && bytes[found] !== 0) found++
    if (found >= end || bytes[found] === 0) {
      if (end - at > LINE_SIZE_MAX) {
        return this.#break(
          marker === STAR ? 'too big mbulk count string' : 'too big bulk count string',
        )
      }
      this.#searched = found
      return this.#suspend(at, -1, found < end ? 1 : 2)
    }
    if (found + 1 >= end) {
      this.#searched = found
      return this.#suspend(at, -1, 1)
    }
    if (bytes[at] !== marker) return this.#break(expectedDollar(bytes[at]))
    if (parseInteger(bytes, at + 1, found) !== INTEGER_OK) {
      return this.#break(marker === STAR ? 'invalid multibulk length' : 'invalid bulk length')
    }
    this.#number = integerNumber()
    this.#lineEnd = found + 2
    return COMPLETE
  }

  /** A line of words instead of a request in RESP. Its words, unescaped, are in a buffer of their own. */
  #readInline(at: number): number {
    const bytes = this.#window
    const limit = Math.min(this.#end, at + INLINE_SIZE_MAX)
    let found = Math.max(this.#searched, at)
    while (found < limit && bytes[found] !== LF && bytes[found] !== 0) found++
    if (found >= limit || bytes[found] === 0) {
      if (this.#end - at > LINE_SIZE_MAX) return this.#break('too big inline request')
      this.#searched = found
      return this.#suspend(at, -1, 1)
    }
    const lineEnd = found > at && bytes[found - 1] === CR ? found - 1 : found
    const words = splitInline(bytes, at, lineEnd)
    if (words === undefined) return this.#break('unbalanced quotes in request')
    this.#cursor = found + 1
    this.#searched = found + 1
    if (words.length === 0) return SKIPPED
    const joined = Buffer.concat(words) // alloc: people type inline requests, programs do not
    this.bytes = joined
    let to = 0
    for (let i = 0; i < words.length; i++) {
      if (2 * i >= this.offsets.length) this.#grow()
      this.offsets[2 * i] = to
      to += words[i].length
      this.offsets[2 * i + 1] = to
    }
    this.#argumentCount = words.length
    return this.#complete(found + 1)
  }

  #grow(): void {
    const offsets = new Int32Array(this.offsets.length * 4) // alloc: for more arguments than ever
    offsets.set(this.offsets)
    this.offsets = offsets
  }
}

/** What Redis says of a byte that should have been `$`; a line end would break the reply. */
function expectedDollar(byte: number): string {
  const shown = byte === CR || byte === LF ? ' ' : String.fromCharCode(byte)
  return `expected '$', got '${shown}'` // alloc: the connection ends here
}
