/**
 * What DUMP puts around a value:
 *
 *     type (1 byte) | value | RDB version (2 bytes, low first) | CRC-64 of all before (8, low first)
 *
 * Thread: any.
 * Owns: the footer.
 * Never: looks at the value.
 */
import { crc64 } from '../crc64.ts'
import { PAYLOAD_FOOTER_SIZE, RDB_VERSION_MAX } from './format.ts'
import type { RdbWriter } from './writer.ts'

const CRC_SIZE = 8

/** Ends a payload that holds type and value. */
export function sealPayload(writer: RdbWriter, version: number): void {
  writer.uint16(version)
  writer.crc64()
}

/** Where the value of a payload ends, -1 when version or checksum are wrong. */
export function payloadEnd(bytes: Buffer, offset: number, length: number): number {
  if (length < PAYLOAD_FOOTER_SIZE) return -1
  const footer = offset + length - PAYLOAD_FOOTER_SIZE
  // DIFFERS: Redis 7.0 refuses what newer servers dumped; here all up to 7.4 can be moved in.
  if (bytes.readUInt16LE(footer) > RDB_VERSION_MAX) return -1
  return footer
}
