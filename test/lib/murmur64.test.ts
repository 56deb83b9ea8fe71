/**
 * MurmurHash64A beside the plain way of saying it, in BigInt.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { expect, test } from 'bun:test'
import { murmur64, murmurHigh, murmurLow } from '../../src/lib/murmur64.ts'
import { seededRandom } from '../memory/seeded-random.ts'

const M = 0xc6a4a7935bd1e995n
const WORD = (1n << 64n) - 1n

function plainly(bytes: Uint8Array, seed: number): bigint {
  let hash = BigInt(seed) ^ ((BigInt(bytes.length) * M) & WORD)
  const whole = bytes.length - (bytes.length % 8)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 0; at < whole; at += 8) {
    let part = (view.getBigUint64(at, true) * M) & WORD
    part = ((part ^ (part >> 47n)) * M) & WORD
    hash = ((hash ^ part) * M) & WORD
  }
  let tail = 0n
  for (let i = whole; i < bytes.length; i++) tail |= BigInt(bytes[i]) << BigInt((i - whole) * 8)
  if (whole < bytes.length) hash = ((hash ^ tail) * M) & WORD
  hash = ((hash ^ (hash >> 47n)) * M) & WORD
  return hash ^ (hash >> 47n)
}

test('hashes of any length and content are as defined', () => {
  const random = seededRandom(1, 'murmur')
  const memory = new ArrayBuffer(128)
  const bytes = new Uint8Array(memory)
  const words = new Int32Array(memory)
  for (let round = 0; round < 3000; round++) {
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(random() * 256)
    const offset = 4 * Math.floor(random() * 4)
    const length = round % 100
    const seed = Math.floor(random() * 2 ** 32)
    murmur64(bytes, words, offset, length, seed)
    const hash = (BigInt(murmurHigh()) << 32n) | BigInt(murmurLow() >>> 0)
    const expected = plainly(bytes.slice(offset, offset + length), seed)
    expect([length, hash & WORD]).toEqual([length, expected])
  }
})
