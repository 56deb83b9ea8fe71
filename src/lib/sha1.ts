/**
 * SHA-1, by which scripts are called.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: guards a secret.
 * @see https://www.rfc-editor.org/rfc/rfc3174
 */

const BLOCK_SIZE = 64

/** The digest as 40 lower-case hexadecimal digits. */
export function sha1(bytes: Uint8Array): string {
  const state = new Int32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0])
  const words = new Int32Array(80)
  const whole = bytes.length - (bytes.length % BLOCK_SIZE)
  for (let at = 0; at < whole; at += BLOCK_SIZE) addBlock(state, words, bytes, at)
  const rest = bytes.length - whole
  // A one bit, zeros, and the length in bits as 64 bits end the last block or open one more.
  const tail = new Uint8Array(rest + 9 > BLOCK_SIZE ? 2 * BLOCK_SIZE : BLOCK_SIZE)
  tail.set(bytes.subarray(whole))
  tail[rest] = 0x80
  const lengths = new DataView(tail.buffer)
  lengths.setUint32(tail.length - 8, Math.floor(bytes.length / 0x20000000))
  lengths.setUint32(tail.length - 4, (bytes.length << 3) >>> 0)
  for (let at = 0; at < tail.length; at += BLOCK_SIZE) addBlock(state, words, tail, at)
  let text = ''
  for (const word of state) text += (word >>> 0).toString(16).padStart(8, '0')
  return text
}

function addBlock(state: Int32Array, words: Int32Array, bytes: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++) {
    const from = at + 4 * i
    words[i] =
      (bytes[from] << 24) | (bytes[from + 1] << 16) | (bytes[from + 2] << 8) | bytes[from + 3]
  }
  for (let i = 16; i < 80; i++) {
    words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1)
  }
  let [a, b, c, d, e] = state
  for (let i = 0; i < 80; i++) {
    let mixed: number
    if (i < 20) mixed = ((b & c) | (~b & d)) + 0x5a827999
    else if (i < 40) mixed = (b ^ c ^ d) + 0x6ed9eba1
    else if (i < 60) mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
    else mixed = (b ^ c ^ d) + 0xca62c1d6
    const next = (rotate(a, 5) + mixed + e + words[i]) | 0
    e = d
    d = c
    c = rotate(b, 30)
    b = a
    a = next
  }
  state[0] += a
  state[1] += b
  state[2] += c
  state[3] += d
  state[4] += e
}

function rotate(word: number, count: number): number {
  return (word << count) | (word >>> (32 - count))
}
