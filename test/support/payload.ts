/**
 * Makes DUMP payloads by hand: of encodings that no server writes any more or yet, and forged ones.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: knows what a server makes of them.
 */
import { Crc64 } from '../../src/lib/crc64.ts'
import { sealPayload } from '../../src/lib/rdb/payload.ts'
import { RdbWriter } from '../../src/lib/rdb/writer.ts'

const CHECKSUM_SIZE = 8
const FOOTER_SIZE = 10

/** A payload of this RDB type, with what `fill` writes. */
export function payload(type: number, fill: (writer: RdbWriter) => void, version = 10): Buffer {
  const writer = new RdbWriter()
  writer.compress = false
  writer.byte(type)
  fill(writer)
  sealPayload(writer, version)
  return Buffer.from(writer.bytes.subarray(0, writer.length))
}

/** A string in its plain form, whatever it says. */
export function plain(writer: RdbWriter, bytes: Buffer | string): void {
  const raw = Buffer.from(bytes as string)
  writer.size(raw.length)
  writer.raw(raw, 0, raw.length)
}

/** A payload that is one string: a packed structure. */
export function wrapped(type: number, bytes: Buffer, version = 10): Buffer {
  return payload(type, (writer) => plain(writer, bytes), version)
}

/** A listpack of strings, and of integers where numbers are given. */
export function listpack(...values: readonly (string | number)[]): Buffer {
  const body = Buffer.concat(values.flatMap(listpackElement))
  const head = Buffer.alloc(6)
  head.writeUInt32LE(6 + body.length + 1, 0)
  head.writeUInt16LE(values.length, 4)
  return Buffer.concat([head, body, Buffer.of(0xff)])
}

function listpackElement(value: string | number): Buffer[] {
  const bytes = typeof value === 'number' ? listpackInteger(value) : listpackString(value)
  const size = bytes.length
  const back = size < 128 ? [size] : [size >> 7, (size & 127) | 128]
  return [bytes, Buffer.from(back)]
}

function listpackInteger(value: number): Buffer {
  if (value >= 0 && value < 128) return Buffer.of(value)
  const bytes = Buffer.alloc(9, 0xf4)
  bytes.writeBigInt64LE(BigInt(value), 1)
  return bytes
}

function listpackString(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  const head =
    bytes.length < 64 ? [0x80 | bytes.length] : [0xe0 | (bytes.length >> 8), bytes.length]
  return Buffer.concat([Buffer.from(head), bytes])
}

/** The same payload with a right checksum. */
export function sealed(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  const sum = new Crc64()
  sum.update(copy, 0, copy.length - CHECKSUM_SIZE)
  copy.writeInt32LE(sum.low | 0, copy.length - CHECKSUM_SIZE)
  copy.writeInt32LE(sum.high | 0, copy.length - CHECKSUM_SIZE + 4)
  return copy
}

/** The payload with up to three bytes or bits changed, cut out or put in, sealed again. */
export function forged(bytes: Buffer, random: () => number): Buffer {
  const body = Array.from(bytes.subarray(0, bytes.length - FOOTER_SIZE))
  for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes--) {
    const at = Math.floor(random() * body.length)
    const kind = random()
    if (kind < 0.5) body[at] = Math.floor(random() * 256)
    else if (kind < 0.6) body[at] ^= 1 << Math.floor(random() * 8)
    else if (kind < 0.8) body.splice(at, 1 + Math.floor(random() * 4))
    else body.splice(at, 0, Math.floor(random() * 256))
  }
  return sealed(Buffer.concat([Buffer.from(body), bytes.subarray(bytes.length - FOOTER_SIZE)]))
}
