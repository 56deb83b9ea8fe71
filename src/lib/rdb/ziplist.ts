/**
 * Reads a ziplist, the compact encoding that RDB files of Redis before 7.0 hold:
 *
 *     total bytes (4) | offset of the last element (4) | element count (2) | element ... | 0xFF
 *
 *     element = size of the element before (1, or 0xFE and 4) | encoding | data
 *
 *     00xxxxxx                     string of up to 63 bytes
 *     01xxxxxx x                   string of up to 16383 bytes, high byte first
 *     10------ xxxx                string, length in 4 bytes, high byte first
 *     C0 xx  D0 xxxx  E0 xxxxxxxx  integers of 16, 32 and 64 bits
 *     F0 xxx  FE x                 integers of 24 and 8 bits
 *     F1 to FD                     the integers 0 to 12
 *
 * Thread: any.
 * Owns: the place reached.
 * Never: takes anything on trust: `open` checks all elements, their sizes both ways included.
 *
 * @see https://rdb.fnordig.de/file_format.html
 */
import { writeInteger64 } from '../bytes/integer.ts'

const HEADER_SIZE = 10
const END = 0xff
const LONG_BEFORE = 0xfe
const DIGITS_MAX = 21
/** The count says this when there are as many elements or more. */
const COUNT_UNKNOWN = 0xffff

export class ZiplistReader {
  /** The element's text: in the list, or for an integer in a scratch of this object. */
  bytes: Buffer
  offset = 0
  length = 0
  /** Elements of the list. */
  count = 0
  readonly #digits: Buffer = Buffer.alloc(DIGITS_MAX)
  #list: Buffer
  #at = 0
  #end = 0

  constructor() {
    this.bytes = this.#digits
    this.#list = this.#digits
  }

  /** Begins before the first element. False when the bytes are no ziplist, whole and alone. */
  open(bytes: Buffer, offset: number, length: number): boolean {
    if (length <= HEADER_SIZE || bytes.readUInt32LE(offset) !== length) return false
    const end = offset + length - 1
    if (bytes[end] !== END) return false
    this.#list = bytes
    this.#end = end
    this.#at = offset + HEADER_SIZE
    let sizeBefore = 0
    let last = this.#at
    let found = 0
    while (this.#at < end) {
      const start = this.#at
      if (this.#sizeBefore(start) !== sizeBefore || !this.next()) return false
      sizeBefore = this.#at - start
      last = start
      found++
    }
    const count = bytes.readUInt16LE(offset + 8)
    const countFits = count === found || (count === COUNT_UNKNOWN && found >= COUNT_UNKNOWN)
    if (!countFits || bytes.readUInt32LE(offset + 4) !== last - offset) return false
    this.count = found
    this.#at = offset + HEADER_SIZE
    return true
  }

  /** Shows the next element. False when there is none. */
  next(): boolean {
    const list = this.#list
    if (this.#at >= this.#end) return false
    const at = this.#at + (list[this.#at] === LONG_BEFORE ? 5 : 1)
    if (at >= this.#end) return false
    const encoding = list[at]
    return encoding < 0xc0 ? this.#string(at, encoding) : this.#integer(at, encoding)
  }

  /** The size that an element gives of the one before; -1 when it has no room for it. */
  #sizeBefore(at: number): number {
    const list = this.#list
    if (list[at] < LONG_BEFORE) return list[at]
    return list[at] === END || at + 5 > this.#end ? -1 : list.readUInt32LE(at + 1)
  }

  #string(at: number, encoding: number): boolean {
    const list = this.#list
    const kind = encoding >> 6
    const headerSize = kind === 0 ? 1 : kind === 1 ? 2 : 5
    if (at + headerSize > this.#end) return false
    let length = encoding & 0x3f
    if (kind === 1) length = (length << 8) | list[at + 1]
    else if (kind === 2) length = list.readUInt32BE(at + 1)
    if (length > this.#end - at - headerSize) return false
    this.bytes = list
    this.offset = at + headerSize
    this.length = length
    this.#at = this.offset + length
    return true
  }

  #integer(at: number, encoding: number): boolean {
    const list = this.#list
    const size = integerSize(encoding)
    if (size < 0 || at + 1 + size > this.#end) return false
    let high = 0
    let low = 0
    if (size === 0) low = (encoding & 15) - 1
    else if (size === 8) {
      low = list.readInt32LE(at + 1)
      high = list.readInt32LE(at + 5)
    } else low = list.readIntLE(at + 1, size)
    if (size < 8) high = low >> 31
    this.bytes = this.#digits
    this.offset = 0
    this.length = writeInteger64(this.#digits, 0, high, low)
    this.#at = at + 1 + size
    return true
  }
}

/** Bytes of an integer behind its encoding; -1: there is no such encoding. */
function integerSize(encoding: number): number {
  switch (encoding) {
    case 0xc0:
      return 2
    case 0xd0:
      return 4
    case 0xe0:
      return 8
    case 0xf0:
      return 3
    case 0xfe:
      return 1
    default:
      return encoding > 0xf0 && encoding < 0xfe ? 0 : -1
  }
}
