/**
 * The key hash: both variants agree, every input bit moves every output bit.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: depends on chance.
 */

import { expect, test } from 'bun:test'
import { hashBytes, hashWords } from '../../src/lib/hash.ts'

const words = new Int32Array(64)
const bytes = new Uint8Array(words.buffer)
for (let index = 0; index < bytes.length; index++) bytes[index] = (index * 73 + 5) & 255

test('words and bytes give the same hash, and what follows does not count', () => {
  for (let length = 0; length <= 100; length++) {
    const value = hashWords(words, 3, length, 12345)
    expect(hashBytes(bytes, 12, length, 12345)).toBe(value)
    const shifted = new Uint8Array(200).fill(0xaa)
    shifted.set(bytes.subarray(12, 12 + length), 7)
    expect(hashBytes(shifted, 7, length, 12345)).toBe(value)
    const other = Int32Array.from(words)
    new Uint8Array(other.buffer).fill(0x55, 12 + length)
    expect(hashWords(other, 3, length, 12345)).toBe(value)
    expect(value | 0).toBe(value)
  }
})

test('length, seed and trailing zeros count', () => {
  const zeros = new Uint8Array(64)
  const values = new Set<number>()
  for (let length = 0; length <= 64; length++) values.add(hashBytes(zeros, 0, length, 1))
  for (let seed = 2; seed < 200; seed++) values.add(hashBytes(zeros, 0, 16, seed))
  expect(values.size).toBe(65 + 198)
})

test('each bit of a key flips each bit of the hash about half the time', () => {
  const key = new Int32Array(4)
  const rounds = 400
  for (let bit = 0; bit < 128; bit += 5) {
    const flips = new Int32Array(32)
    for (let round = 0; round < rounds; round++) {
      key[0] = round
      key[3] = Math.imul(round, 0x1234567)
      const before = hashWords(key, 0, 16, 99)
      key[bit >> 5]! ^= 1 << (bit & 31)
      const difference = before ^ hashWords(key, 0, 16, 99)
      key[bit >> 5]! ^= 1 << (bit & 31)
      for (let out = 0; out < 32; out++) flips[out]! += (difference >>> out) & 1
    }
    for (const count of flips) expect(Math.abs(count - rounds / 2)).toBeLessThan(rounds * 0.14)
  }
})

test('counting keys spread evenly over the top and the low bits', () => {
  const top = new Int32Array(256)
  const low = new Int32Array(256)
  const keyCount = 51200
  for (let index = 0; index < keyCount; index++) {
    const key = Buffer.from(`key:${String(index).padStart(12, '0')}`)
    const value = hashBytes(key, 0, key.length, 7)
    top[value >>> 24]!++
    low[value & 255]!++
  }
  for (const counts of [top, low]) {
    let chiSquare = 0
    for (const count of counts) chiSquare += (count - 200) ** 2 / 200
    expect(Math.abs(chiSquare - 255)).toBeLessThan(5 * Math.sqrt(510))
  }
})
