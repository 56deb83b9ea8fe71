/**
 * What DUMP puts around a value:
 *
 *     type (1 byte) | value | RDB version (2 bytes, low first) | CRC-64 of all before (8, low first)
 *
 * Thread: any.
 * Owns: the footer.
 * Never: looks at the value.
 */
import { Crc64 } from '../crc64.ts'
import { PAYLOAD_FOOTER_SIZE, RDB_VERSION_MAX } from './format.ts'
import type { RdbWriter } from './writer.ts'

const VERSION_SIZE = 2

/** Ends a payload that holds type and value. */
export function sealPayload(writer: RdbWriter, version: number): void {
  writer.uint16(version)
  const sum = new Crc64()
  sum.update(writer.bytes, 0, writer.length)
  writer.int64(sum.high, sum.low)
}

/** Where the value of a payload ends, -1 when version or (`checks`) checksum are wrong. */
export function payloadEnd(bytes: Buffer, offset: number, length: number, checks: boolean): number {
  if (length < PAYLOAD_FOOTER_SIZE) return -1
  const end = offset + length - PAYLOAD_FOOTER_SIZE
  // DIFFERS: Redis 7.0 refuses what newer servers dumped; here all up to 7.4 can be moved in.
  if (bytes.readUInt16LE(end) > RDB_VERSION_MAX) return -1
  if (!checks) return end
  const checked = end + VERSION_SIZE
  const sum = new Crc64()
  sum.update(bytes, offset, checked)
  const sameLow = bytes.readInt32LE(checked) === sum.low
  return sameLow && bytes.readInt32LE(checked + 4) === sum.high ? end : -1
}
