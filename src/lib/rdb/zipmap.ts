/**
 * Reads a zipmap, the compact encoding of hashes that RDB files of Redis before 2.6 hold:
 *
 *     count (1; 254: count them) | field value field value ... | 0xFF
 *
 *     field = length | bytes
 *     value = length | unused count (1) | bytes | unused bytes
 *     length = 1 byte below 254, or 254 and 4 bytes, low byte first
 *
 * Thread: any.
 * Owns: the place reached.
 * Never: takes anything on trust: `open` walks through all of it.
 */
const END = 0xff
const LONG_LENGTH = 0xfe
const COUNT_UNKNOWN = 0xfe
const SIZE_MIN = 2

export class ZipmapReader {
  /** The piece's bytes: a field, then its value, then the next field. */
  bytes: Buffer = Buffer.alloc(0)
  offset = 0
  length = 0
  /** Fields. */
  count = 0
  #at = 0
  #end = 0
  #isValue = false

  /**
   * Begins before the first field. False when the bytes are no zipmap of something, whole
   * and alone.
   */
  open(bytes: Buffer, offset: number, length: number): boolean {
    const end = offset + length - 1
    if (length < SIZE_MIN || bytes[end] !== END) return false
    this.bytes = bytes
    this.#end = end
    this.#begin(offset)
    let pieces = 0
    while (this.next()) pieces++
    if (this.#at !== end || pieces === 0 || pieces % 2 !== 0) return false
    this.count = pieces / 2
    const count = bytes[offset]
    if (count < COUNT_UNKNOWN && count !== this.count) return false
    this.#begin(offset)
    return true
  }

  /** Shows the next piece. False when there is none. */
  next(): boolean {
    const end = this.#end
    let at = this.#at
    if (at >= end || this.bytes[at] === END) return false
    let length = this.bytes[at]
    if (length === LONG_LENGTH) {
      if (at + 5 > end) return false
      length = this.bytes.readUInt32LE(at + 1)
      at += 4
    }
    at++
    let unused = 0
    if (this.#isValue) {
      if (at >= end) return false
      unused = this.bytes[at++]
    }
    if (length + unused > end - at) return false
    this.offset = at
    this.length = length
    this.#at = at + length + unused
    this.#isValue = !this.#isValue
    return true
  }

  #begin(offset: number): void {
    this.#at = offset + 1
    this.#isValue = false
  }
}
