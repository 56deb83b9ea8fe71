/**
 * Counting, finding and combining the bits of flat memory, by words of 32.
 *
 * Bit 0 of a bitmap is the highest bit of its first byte. Words are little-endian, so where the order
 * of bits counts a word is turned round first.
 *
 * All functions take bytes and words that are views of the same memory.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: reads beyond the words that hold the given bytes.
 */

export const BITOP_AND = 0
export const BITOP_OR = 1
export const BITOP_XOR = 2

/** How many bits are set in `length` bytes from `offset` on. */
export function countBits(
  bytes: Buffer,
  words: Int32Array,
  offset: number,
  length: number,
): number {
  const end = offset + length
  let at = offset
  let count = 0
  for (; at < end && (at & 3) !== 0; at++) count += countWord(bytes[at])
  const wordEnd = end >> 2
  if (at >> 2 < wordEnd) {
    count += countWords(words, at >> 2, wordEnd)
    at = wordEnd << 2
  }
  for (; at < end; at++) count += countWord(bytes[at])
  return count
}

/** Bits set in one word. */
function countWord(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555)
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333)
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/**
 * Bits set in words: eight at a time are added like digits of a binary number (carry-save), so that
 * only the eights column has to be counted in the loop.
 * Source: R. W. Harley and D. Seal, in H. S. Warren, "Hacker's Delight", section 5-1.
 * MEASURED: `bench/micro/bits.bench.ts` compares it with counting word by word.
 */
function countWords(words: Int32Array, from: number, to: number): number {
  let ones = 0
  let twos = 0
  let fours = 0
  let eightsCount = 0
  let at = from
  for (; at + 8 <= to; at += 8) {
    const a0 = words[at]
    const b0 = words[at + 1]
    const c0 = a0 ^ b0
    const twosA = (a0 & b0) | (ones & c0)
    ones ^= c0
    const a1 = words[at + 2]
    const b1 = words[at + 3]
    const c1 = a1 ^ b1
    const twosB = (a1 & b1) | (ones & c1)
    ones ^= c1
    const d0 = twosA ^ twosB
    const foursA = (twosA & twosB) | (twos & d0)
    twos ^= d0
    const a2 = words[at + 4]
    const b2 = words[at + 5]
    const c2 = a2 ^ b2
    const twosC = (a2 & b2) | (ones & c2)
    ones ^= c2
    const a3 = words[at + 6]
    const b3 = words[at + 7]
    const c3 = a3 ^ b3
    const twosD = (a3 & b3) | (ones & c3)
    ones ^= c3
    const d1 = twosC ^ twosD
    const foursB = (twosC & twosD) | (twos & d1)
    twos ^= d1
    const e = foursA ^ foursB
    const eights = (foursA & foursB) | (fours & e)
    fours ^= e
    eightsCount += countWord(eights)
  }
  let count = 8 * eightsCount + 4 * countWord(fours) + 2 * countWord(twos) + countWord(ones)
  for (; at < to; at++) count += countWord(words[at])
  return count
}

/**
 * The first bit of value `bit` in `length` bytes from `offset` on, counted from there; -1 if there
 * is none.
 */
export function findBit(
  bytes: Buffer,
  words: Int32Array,
  offset: number,
  length: number,
  bit: number,
): number {
  const end = offset + length
  // A word or byte of this value has no such bit.
  const without = bit === 1 ? 0 : -1
  let at = offset
  for (; at < end && (at & 3) !== 0; at++) {
    if (bytes[at] !== (without & 255)) return bitInByte(at - offset, bytes[at] ^ without)
  }
  if (at < end) {
    let word = at >> 2
    const wordEnd = end >> 2
    while (word + 4 <= wordEnd && areAll(words, word, without)) word += 4
    while (word < wordEnd && words[word] === without) word++
    at = word << 2
  }
  for (; at < end; at++) {
    if (bytes[at] !== (without & 255)) return bitInByte(at - offset, bytes[at] ^ without)
  }
  return -1
}

/** Whether four words have this value. */
function areAll(words: Int32Array, at: number, value: number): boolean {
  const left = (words[at] ^ value) | (words[at + 1] ^ value)
  return (left | (words[at + 2] ^ value) | (words[at + 3] ^ value)) === 0
}

/** The first set bit of a byte of which one is set, by the byte's place. */
function bitInByte(index: number, byte: number): number {
  return index * 8 + Math.clz32((byte & 255) << 24)
}

/**
 * Combines `length` bytes at `offset` into those at `into`, where `intoLength` is at least as much:
 * the source counts as followed by zeros. Both places are multiples of 4. The last word of the
 * target is changed whole.
 */
export function combineBits(
  operation: number,
  into: Int32Array,
  intoOffset: number,
  intoLength: number,
  from: Int32Array,
  fromOffset: number,
  length: number,
): void {
  let to = intoOffset >> 2
  let at = fromOffset >> 2
  const wordEnd = at + (length >> 2)
  if (operation === BITOP_AND) {
    while (at < wordEnd) into[to++] &= from[at++]
  } else if (operation === BITOP_OR) {
    while (at < wordEnd) into[to++] |= from[at++]
  } else {
    while (at < wordEnd) into[to++] ^= from[at++]
  }
  const tailCount = length & 3
  if (tailCount > 0) {
    const tail = from[at] & ((1 << (tailCount << 3)) - 1)
    if (operation === BITOP_AND) into[to++] &= tail
    else if (operation === BITOP_OR) into[to++] |= tail
    else into[to++] ^= tail
  }
  if (operation === BITOP_AND) into.fill(0, to, (intoOffset + intoLength + 3) >> 2)
}

/** Turns every bit of `length` bytes round, and of the last word all. `offset`: a multiple of 4. */
export function invertBits(words: Int32Array, offset: number, length: number): void {
  const end = (offset + length + 3) >> 2
  for (let at = offset >> 2; at < end; at++) words[at] = ~words[at]
}

/**
 * An unsigned field of up to 32 bits that begins `bitOffset` bits into `length` bytes at `offset`;
 * what lies beyond them counts as zeros.
 */
export function readField(
  bytes: Buffer,
  offset: number,
  length: number,
  bitOffset: number,
  bitCount: number,
): number {
  const first = Math.floor(bitOffset / 8)
  let five = 0
  for (let i = 0; i < 5; i++) {
    const index = first + i
    five = five * 256 + (index < length ? bytes[offset + index] : 0)
  }
  const behind = 40 - (bitOffset % 8) - bitCount
  return Math.floor(five / 2 ** behind) % 2 ** bitCount
}

/** Overwrites an unsigned field of up to 32 bits, all of which is there. */
export function writeField(
  bytes: Buffer,
  offset: number,
  bitOffset: number,
  bitCount: number,
  value: number,
): void {
  let at = offset + Math.floor(bitOffset / 8)
  let before = bitOffset % 8
  let left = bitCount
  while (left > 0) {
    const taken = Math.min(8 - before, left)
    const shift = 8 - before - taken
    const mask = (1 << taken) - 1
    left -= taken
    const part = Math.floor(value / 2 ** left) & mask
    bytes[at] = (bytes[at] & ~(mask << shift)) | (part << shift)
    at++
    before = 0
  }
}
