/**
 * One message as bytes: made once, sent to everybody.
 *
 * Thread: core. Hot path.
 * Owns: the bytes of the message in the making.
 * Never: knows who gets it.
 */
import { BROADCAST_SIZE } from '../../../config/limits.ts'
import { writeInteger } from '../../../lib/bytes/integer.ts'

const ARRAY = 42
const PUSH = 62
const DOLLAR = 36
const CR = 13
const LF = 10
/** Bytes around those of a bulk string, at most: '$', ten digits and twice a line's end. */
const BULK_OVERHEAD = 15

export class Frame {
  bytes = Buffer.allocUnsafe(BROADCAST_SIZE)
  size = 0

  /** Begins with `head`; `bulkSize` more bytes, in `bulkCount` bulk strings, will follow. */
  begin(head: Buffer, bulkCount: number, bulkSize: number): void {
    const most = head.length + bulkSize + bulkCount * BULK_OVERHEAD
    // alloc: for long messages, and not kept
    if (most > this.bytes.length) this.bytes = Buffer.allocUnsafe(most)
    else if (this.bytes.length > BROADCAST_SIZE && most <= BROADCAST_SIZE) {
      this.bytes = Buffer.allocUnsafe(BROADCAST_SIZE) // alloc: as above
    }
    head.copy(this.bytes, 0)
    this.size = head.length
  }

  bulk(source: Buffer, offset: number, length: number): void {
    const { bytes } = this
    let at = this.size
    bytes[at++] = DOLLAR
    at = writeInteger(bytes, at, length)
    bytes[at++] = CR
    bytes[at++] = LF
    source.copy(bytes, at, offset, offset + length)
    at += length
    bytes[at++] = CR
    bytes[at++] = LF
    this.size = at
  }

  /** The frame for those who speak RESP2, or RESP3: it differs in its first byte. */
  speak(protocol: 2 | 3): void {
    this.bytes[0] = protocol === 3 ? PUSH : ARRAY
  }
}
