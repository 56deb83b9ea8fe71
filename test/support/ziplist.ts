/**
 * Writes ziplists, which no server of today does: for tests of those who still have to read them.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: shares code with the reader.
 */
const LONG_SIZE_MIN = 254

/** A ziplist of these texts; what is an integer becomes one. */
export function ziplist(...elements: readonly string[]): Buffer {
  const parts: Buffer[] = []
  let sizeBefore = 0
  let lastOffset = 10
  let offset = 10
  for (const element of elements) {
    const part = Buffer.concat([before(sizeBefore), encoded(element)])
    parts.push(part)
    sizeBefore = part.length
    lastOffset = offset
    offset += part.length
  }
  const head = Buffer.alloc(10)
  head.writeUInt32LE(offset + 1)
  head.writeUInt32LE(lastOffset, 4)
  head.writeUInt16LE(elements.length, 8)
  return Buffer.concat([head, ...parts, Buffer.of(0xff)])
}

function before(size: number): Buffer {
  if (size < LONG_SIZE_MIN) return Buffer.of(size)
  const bytes = Buffer.alloc(5, 0xfe)
  bytes.writeUInt32LE(size, 1)
  return bytes
}

function encoded(text: string): Buffer {
  const value = /^(0|-?[1-9]\d{0,18})$/.test(text) ? BigInt(text) : undefined
  if (value !== undefined && BigInt.asIntN(64, value) === value) return integer(value)
  const bytes = Buffer.from(text, 'latin1')
  if (bytes.length < 64) return Buffer.concat([Buffer.of(bytes.length), bytes])
  if (bytes.length < 16384) {
    return Buffer.concat([Buffer.of(0x40 | (bytes.length >> 8), bytes.length & 255), bytes])
  }
  const head = Buffer.alloc(5, 0x80)
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

function integer(value: bigint): Buffer {
  if (value >= 0n && value <= 12n) return Buffer.of(0xf1 + Number(value))
  for (const [encoding, size] of [
    [0xfe, 1],
    [0xc0, 2],
    [0xf0, 3],
    [0xd0, 4],
  ]) {
    const limit = 1n << BigInt(size * 8 - 1)
    if (value < -limit || value >= limit) continue
    const bytes = Buffer.alloc(1 + size, encoding)
    bytes.writeIntLE(Number(value), 1, size)
    return bytes
  }
  const bytes = Buffer.alloc(9, 0xe0)
  bytes.writeBigInt64LE(value, 1)
  return bytes
}
