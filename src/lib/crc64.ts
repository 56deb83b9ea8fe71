/**
 * CRC-64 "Jones", which ends every RDB file and DUMP payload: polynomial ad93d23594c935a9 reflected,
 * start 0, no final inversion; of `123456789` it is e9c6d914c4b8d9ca.
 *
 * JavaScript has no 64-bit integer that is fast: the sum is two words, and eight bytes are taken at a
 * time, each from a table of its own ("slicing by 8", Kounavis and Berry, 2005).
 *
 * Thread: any.
 * Owns: the tables.
 * Never: allocates while it reads.
 */

/** The polynomial, its bits reversed: 95ac9329ac4bc9b5. */
const POLYNOMIAL_HIGH = 0x95ac9329 | 0
const POLYNOMIAL_LOW = 0xac4bc9b5 | 0
const SLICES = 8

/** Entry `slice * 256 + byte`: what `byte` becomes when `slice` more bytes follow it. */
const HIGH = new Int32Array(SLICES * 256)
const LOW = new Int32Array(SLICES * 256)

for (let byte = 0; byte < 256; byte++) {
  let high = 0
  let low = byte
  for (let bit = 0; bit < 8; bit++) {
    const carry = low & 1
    low = (low >>> 1) | (high << 31)
    high >>>= 1
    if (carry !== 0) {
      low ^= POLYNOMIAL_LOW
      high ^= POLYNOMIAL_HIGH
    }
  }
  HIGH[byte] = high
  LOW[byte] = low
}
for (let i = 256; i < SLICES * 256; i++) {
  const byte = LOW[i - 256] & 255
  LOW[i] = ((LOW[i - 256] >>> 8) | (HIGH[i - 256] << 24)) ^ LOW[byte]
  HIGH[i] = (HIGH[i - 256] >>> 8) ^ HIGH[byte]
}

/** A checksum that grows with each piece of bytes. */
export class Crc64 {
  /** The sum so far, in two signed words. */
  high = 0
  low = 0

  reset(): void {
    this.high = 0
    this.low = 0
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    let high = this.high
    let low = this.low
    let at = start
    for (const last = end - 8; at <= last; at += 8) {
      const a =
        low ^ (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24))
      const b =
        high ^
        (bytes[at + 4] | (bytes[at + 5] << 8) | (bytes[at + 6] << 16) | (bytes[at + 7] << 24))
      const i7 = 1792 + (a & 255)
      const i6 = 1536 + ((a >>> 8) & 255)
      const i5 = 1280 + ((a >>> 16) & 255)
      const i4 = 1024 + (a >>> 24)
      const i3 = 768 + (b & 255)
      const i2 = 512 + ((b >>> 8) & 255)
      const i1 = 256 + ((b >>> 16) & 255)
      const i0 = b >>> 24
      low = LOW[i7] ^ LOW[i6] ^ LOW[i5] ^ LOW[i4] ^ LOW[i3] ^ LOW[i2] ^ LOW[i1] ^ LOW[i0]
      high = HIGH[i7] ^ HIGH[i6] ^ HIGH[i5] ^ HIGH[i4] ^ HIGH[i3] ^ HIGH[i2] ^ HIGH[i1] ^ HIGH[i0]
    }
    for (; at < end; at++) {
      const index = (low ^ bytes[at]) & 255
      low = ((low >>> 8) | (high << 24)) ^ LOW[index]
      high = (high >>> 8) ^ HIGH[index]
    }
    this.high = high
    this.low = low
  }

  /** Writes the sum, low byte first: 8 bytes. Gives the offset after it. */
  write(bytes: Uint8Array, offset: number): number {
    for (let i = 0; i < 4; i++) bytes[offset + i] = (this.low >>> (8 * i)) & 255
    for (let i = 0; i < 4; i++) bytes[offset + 4 + i] = (this.high >>> (8 * i)) & 255
    return offset + 8
  }

  /** True when the 8 bytes at `offset` are the sum, low byte first. */
  matches(bytes: Uint8Array, offset: number): boolean {
    for (let i = 0; i < 4; i++) {
      if (bytes[offset + i] !== ((this.low >>> (8 * i)) & 255)) return false
      if (bytes[offset + 4 + i] !== ((this.high >>> (8 * i)) & 255)) return false
    }
    return true
  }
}

/** The checksum of one piece of bytes. */
export function crc64(bytes: Uint8Array, start: number, end: number): Crc64 {
  const crc = new Crc64()
  crc.update(bytes, start, end)
  return crc
}
