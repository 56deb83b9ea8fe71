/**
 * The commands of an append-only file, read as Redis reads them when it loads one.
 *
 *     #TS:1700000000\r\n                          an annotation, passed over
 *     *2\r\n $6\r\n SELECT\r\n $1\r\n 0\r\n       a command
 *
 * QUIRK: a line is what one read of 127 bytes gives; numbers end where their digits end, and the two
 * bytes behind an argument are passed over unseen. So a damaged file is understood, or not, at the
 * same place as by Redis.
 * DIFFERS: an annotation that the file ends in counts as cut off. Redis takes it as whole, writes on
 * behind it, and may refuse the file at the next start.
 *
 * Thread: any.
 * Owns: bytes that are not a whole command yet.
 * Never: throws, or looks at what a command means.
 */

/** `next` has read a command. */
export const AOF_COMMAND = 1
/** More bytes are needed. */
export const AOF_MORE = 0
/** What follows is no command. */
export const AOF_BAD = -1

const STAR = 42
const DOLLAR = 36
const HASH = 35
const LF = 10
/** What C's fgets gets into Redis's buffer at most. */
const LINE_SIZE_MAX = 127
const START_CAPACITY = 64
const START_SIZE = 64 * 1024
const ARGUMENT_SIZE_MAX = 2 ** 31

export class AofCommandReader {
  /** Arguments of the command just read. */
  argc = 0
  /** What the offsets point into. Another buffer may stand here after `feed`. */
  bytes = Buffer.allocUnsafe(START_SIZE)
  /** Where each argument begins and ends in `bytes`, two numbers each; valid until the next call. */
  offsets = new Int32Array(START_CAPACITY)
  /** Bytes of the file up to behind the last whole command. */
  position: number
  /** The latest annotated time, Unix seconds; 0: none. */
  timestamp = 0
  #start = 0
  #end = 0
  /** The command in progress, from `#start` on: the next byte to look at. */
  #cursor = 0
  #count = 0
  #wanted = 0

  /** `position`: how far in the file the first byte is that will be fed. */
  constructor(position = 0) {
    this.position = position
  }

  /** Takes `size` bytes of `source` from `offset` on. */
  feed(source: Uint8Array, offset: number, size: number): void {
    if (this.#end + size > this.bytes.length) this.#makeRoom(size)
    this.bytes.set(source.subarray(offset, offset + size), this.#end)
    this.#end += size
  }

  /** Reads one command: AOF_COMMAND, AOF_MORE or AOF_BAD. */
  next(): number {
    const { bytes } = this
    for (;;) {
      if (this.#wanted === 0) {
        const outcome = this.#begin()
        if (outcome !== AOF_COMMAND) return outcome
      }
      while (this.#count < this.#wanted) {
        const at = this.#cursor
        if (at >= this.#end) return AOF_MORE
        if (bytes[at] !== DOLLAR) return AOF_BAD
        const lineEnd = this.#lineEnd(at)
        if (lineEnd < 0) return AOF_MORE
        const length = number(bytes, at + 1, lineEnd)
        if (length < 0 || length > ARGUMENT_SIZE_MAX) return AOF_BAD
        if (lineEnd + length + 2 > this.#end) return AOF_MORE
        this.#add(lineEnd, length)
        this.#cursor = lineEnd + length + 2
      }
      this.argc = this.#wanted
      this.#pass()
      return AOF_COMMAND
    }
  }

  /** After the last byte: AOF_COMMAND when nothing was cut off, else AOF_MORE, or AOF_BAD. */
  end(): number {
    if (this.#start === this.#end) return AOF_COMMAND
    // A number that the file ends in is as long as it is.
    const at = this.#start
    const isCount = this.#wanted === 0 && this.bytes[at] === STAR && this.#end - at > 1
    return isCount && number(this.bytes, at + 1, this.#end) < 1 ? AOF_BAD : AOF_MORE
  }

  /** Reads the line that a command begins with; passes over annotations. */
  #begin(): number {
    const { bytes } = this
    for (;;) {
      const at = this.#cursor
      if (at >= this.#end) return AOF_MORE
      if (bytes[at] !== STAR && bytes[at] !== HASH) return AOF_BAD
      const lineEnd = this.#lineEnd(at)
      if (lineEnd < 0) return AOF_MORE
      this.#cursor = lineEnd
      if (bytes[at] === STAR) {
        this.#wanted = number(bytes, at + 1, lineEnd)
        this.#count = 0
        return this.#wanted < 1 ? AOF_BAD : AOF_COMMAND
      }
      if (bytes.latin1Slice(at, at + 4) === '#TS:') this.timestamp = number(bytes, at + 4, lineEnd)
      this.#pass()
    }
  }

  /** What lies before the cursor is done with. */
  #pass(): void {
    this.position += this.#cursor - this.#start
    this.#start = this.#cursor
    this.#wanted = 0
  }

  /** The offset behind the line at `at`, -1 when it has not come as a whole. */
  #lineEnd(at: number): number {
    const end = Math.min(this.#end, at + LINE_SIZE_MAX)
    for (let i = at; i < end; i++) if (this.bytes[i] === LF) return i + 1
    return end === at + LINE_SIZE_MAX ? end : -1
  }

  #add(offset: number, length: number): void {
    const at = 2 * this.#count++
    if (at === this.offsets.length) {
      const offsets = new Int32Array(at * 2)
      offsets.set(this.offsets)
      this.offsets = offsets
    }
    this.offsets[at] = offset
    this.offsets[at + 1] = offset + length
  }

  /** Moves what is kept to the front, into a longer buffer if need be. */
  #makeRoom(size: number): void {
    const kept = this.#end - this.#start
    let capacity = this.bytes.length
    while (capacity < kept + size) capacity *= 2
    const into = capacity === this.bytes.length ? this.bytes : Buffer.allocUnsafe(capacity)
    this.bytes.copy(into, 0, this.#start, this.#end)
    const moved = this.#start
    for (let i = 0; i < 2 * this.#count; i++) this.offsets[i] -= moved
    this.bytes = into
    this.#cursor -= moved
    this.#start = 0
    this.#end = kept
  }
}

/** Like C's atoi: the digits, whatever follows them; 0 without any. */
function number(bytes: Uint8Array, at: number, end: number): number {
  let value = 0
  const negative = bytes[at] === 45
  for (let i = negative ? at + 1 : at; i < end; i++) {
    const digit = bytes[i] - 48
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
  }
  return negative ? -value : value
}
