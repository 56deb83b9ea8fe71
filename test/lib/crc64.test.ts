/**
 * CRC-64 Jones against its check value, a bitwise model and a payload of the real server.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { describe, expect, test } from 'bun:test'
import { Crc64, crc64 } from '../../src/lib/crc64.ts'
import { Random } from '../../src/lib/random.ts'

function hex(crc: Crc64): string {
  const word = (value: number) => (value >>> 0).toString(16).padStart(8, '0')
  return word(crc.high) + word(crc.low)
}

function model(bytes: Uint8Array): string {
  let sum = 0n
  for (const byte of bytes) {
    sum ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) sum = (sum >> 1n) ^ ((sum & 1n) * 0x95ac9329ac4bc9b5n)
  }
  return sum.toString(16).padStart(16, '0')
}

describe('crc64', () => {
  test('gives the check value', () => {
    expect(hex(crc64(Buffer.from('123456789'), 0, 9))).toBe('e9c6d914c4b8d9ca')
  })

  test('agrees with the bitwise model at every length and alignment, in pieces or whole', () => {
    const random = new Random(1)
    const bytes = Buffer.from(Array.from({ length: 100 }, () => random.below(256)))
    for (let start = 0; start < 9; start++) {
      for (let end = start; end <= bytes.length; end++) {
        const crc = new Crc64()
        const middle = start + random.below(end - start + 1)
        crc.update(bytes, start, middle)
        crc.update(bytes, middle, end)
        expect(hex(crc)).toBe(model(bytes.subarray(start, end)))
      }
    }
  })

  test('ends a payload that Redis dumped', () => {
    const payload = Buffer.from(REDIS_DUMP, 'hex')
    const crc = crc64(payload, 0, payload.length - 8)
    expect(crc.matches(payload, payload.length - 8)).toBe(true)
    const copy = Buffer.from(payload)
    expect(crc.write(copy.fill(0, payload.length - 8), payload.length - 8)).toBe(payload.length)
    expect(copy.equals(payload)).toBe(true)
    copy[copy.length - 1] ^= 1
    expect(crc.matches(copy, copy.length - 8)).toBe(false)
    copy[copy.length - 1] ^= 1
    copy[copy.length - 8] ^= 1
    expect(crc.matches(copy, copy.length - 8)).toBe(false)
  })
})

/** DUMP of 100 times the letter a, by Redis 7.0.15. */
const REDIS_DUMP = '00c3094064016161e057000161610a00e8a3b507b06df271'
