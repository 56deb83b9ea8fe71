/**
 * MurmurHash64A: the hash that decides which register of a HyperLogLog an element belongs to. What
 * another server counted can only be counted on with the very same one.
 *
 * A 64-bit number is two words here: BigInt takes some fifty times as long.
 *
 * Thread: any. Hot path.
 * Owns: the last hash, until the next one.
 * Never: serves a hash table: that is `hash.ts`.
 *
 * @see https://github.com/aappleby/smhasher (MurmurHash2.cpp, public domain)
 */
const M_HIGH = 0xc6a4a793 | 0
const M_LOW = 0x5bd1e995
const M_0 = M_LOW & 0xffff
const M_1 = M_LOW >>> 16
const R = 47

let high = 0
let low = 0

/** High word of the last hash. */
export function murmurHigh(): number {
  return high
}

/** Low word of the last hash. */
export function murmurLow(): number {
  return low
}

/** Hashes `length` bytes from `offset`, a multiple of 4. `seed` is 32 bits. */
export function murmur64(
  bytes: Uint8Array,
  words: Int32Array,
  offset: number,
  length: number,
  seed: number,
): void {
  let h1 = Math.imul(length, M_HIGH) + carry(length)
  let h0 = seed ^ Math.imul(length, M_LOW)
  const tailSize = length & 7
  const end = offset + length - tailSize
  for (let word = offset >> 2; word < end >> 2; word += 2) {
    let k0 = words[word]
    let k1 = words[word + 1]
    k1 = Math.imul(k1, M_LOW) + Math.imul(k0, M_HIGH) + carry(k0)
    k0 = Math.imul(k0, M_LOW)
    k0 ^= k1 >>> (R - 32)
    k1 = Math.imul(k1, M_LOW) + Math.imul(k0, M_HIGH) + carry(k0)
    k0 = Math.imul(k0, M_LOW)
    h1 ^= k1
    h0 ^= k0
    h1 = Math.imul(h1, M_LOW) + Math.imul(h0, M_HIGH) + carry(h0)
    h0 = Math.imul(h0, M_LOW)
  }
  if (tailSize > 0) {
    for (let i = 0; i < tailSize; i++) {
      if (i < 4) h0 ^= bytes[end + i] << (i * 8)
      else h1 ^= bytes[end + i] << ((i - 4) * 8)
    }
    h1 = Math.imul(h1, M_LOW) + Math.imul(h0, M_HIGH) + carry(h0)
    h0 = Math.imul(h0, M_LOW)
  }
  h0 ^= h1 >>> (R - 32)
  h1 = Math.imul(h1, M_LOW) + Math.imul(h0, M_HIGH) + carry(h0)
  h0 = Math.imul(h0, M_LOW)
  high = h1 | 0
  low = h0 ^ (h1 >>> (R - 32))
}

/** The high word of `word` times M_LOW, both without a sign: by halves, as at school. */
function carry(word: number): number {
  const w0 = word & 0xffff
  const w1 = word >>> 16
  const middle = (Math.imul(w1, M_0) + (Math.imul(w0, M_0) >>> 16)) | 0
  const other = (Math.imul(w0, M_1) + (middle & 0xffff)) | 0
  return (Math.imul(w1, M_1) + (middle >>> 16) + (other >>> 16)) | 0
}
