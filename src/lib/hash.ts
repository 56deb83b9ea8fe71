/**
 * The hash of a key: HalfSipHash-1-3, 32 bits out, keyed by a 32-bit seed.
 *
 * Chosen over multiply-and-rotate hashes because nobody who does not know the seed can make keys
 * that collide, at almost the same price.
 * MEASURED: `bench/micro/byte-map.bench.ts` times `hashWords` and `hashBytes`.
 *
 * The bytes are read as little-endian words; the last word holds what is left of the bytes in its
 * low end and the low 8 bits of the length on top.
 *
 * Source: J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF" (2012), and the
 * 32-bit variant by the first author.
 *
 * Thread: any. Hot path.
 * Owns: nothing.
 * Never: reads a byte beyond the input (hashBytes), lets a byte beyond it count (hashWords).
 */

/** The hash of `length` bytes at `offset`, a signed 32-bit integer. */
export function hashBytes(bytes: Uint8Array, offset: number, length: number, seed: number): number {
  let v0 = seed | 0
  let v1 = Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995
  let v2 = 0x6c796765 ^ v0
  let v3 = 0x74656462 ^ v1
  const end = offset + (length & ~3)
  let at = offset
  for (; at < end; at += 4) {
    const word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  let tail = length << 24
  const tailCount = length & 3
  if (tailCount > 0) tail |= bytes[at]
  if (tailCount > 1) tail |= bytes[at + 1] << 8
  if (tailCount > 2) tail |= bytes[at + 2] << 16
  return finish(v0, v1, v2, v3, tail)
}

/**
 * The same hash of `length` bytes that start at word `wordIndex`, a third faster. Bytes of the last
 * word past `length` do not matter. Needs a little-endian machine.
 */
export function hashWords(
  words: Int32Array,
  wordIndex: number,
  length: number,
  seed: number,
): number {
  let v0 = seed | 0
  let v1 = Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995
  let v2 = 0x6c796765 ^ v0
  let v3 = 0x74656462 ^ v1
  const end = wordIndex + (length >>> 2)
  let at = wordIndex
  for (; at < end; at++) {
    const word = words[at]
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  let tail = length << 24
  const tailCount = length & 3
  if (tailCount > 0) tail |= words[at] & ((1 << (tailCount << 3)) - 1)
  return finish(v0, v1, v2, v3, tail)
}

/** Takes the last word in, then mixes three times. */
function finish(a: number, b: number, c: number, d: number, tail: number): number {
  let v0 = a
  let v1 = b
  let v2 = c
  let v3 = d ^ tail
  for (let round = 0; round < 4; round++) {
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    if (round === 0) {
      v0 ^= tail
      v2 ^= 0xff
    }
  }
  return v1 ^ v3
}
