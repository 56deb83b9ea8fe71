/**
 * Moving and comparing bytes in flat memory, each by the cheapest means for its length.
 *
 * A native call costs about 20 ns whatever the length, a word some 1 ns: short aligned copies are
 * loops over words, the rest is `Buffer.copy`.
 *
 * Thread: any. Hot path.
 * Owns: nothing.
 * Never: reads or changes a byte outside the given ranges (padding only where the name says so).
 */

/** Up to this many bytes an aligned copy is a loop over words. */
const WORD_LOOP_SIZE_MAX = 96
const BYTE_LOOP_SIZE_MAX = 12

/**
 * Copies `length` bytes between two buffers, or within one where the ranges do not overlap. The
 * words are views of the same memory as the bytes beside them.
 */
export function copyBytes(
  dst: Buffer,
  dstWords: Int32Array,
  dstOffset: number,
  src: Buffer,
  srcWords: Int32Array,
  srcOffset: number,
  length: number,
): void {
  if (length <= WORD_LOOP_SIZE_MAX && ((dstOffset | srcOffset) & 3) === 0) {
    let to = dstOffset >> 2
    let from = srcOffset >> 2
    for (const end = from + (length >> 2); from < end; from++) dstWords[to++] = srcWords[from]
    const tailCount = length & 3
    if (tailCount > 0) {
      const mask = (1 << (tailCount << 3)) - 1
      dstWords[to] = (dstWords[to] & ~mask) | (srcWords[from] & mask)
    }
    return
  }
  if (length <= BYTE_LOOP_SIZE_MAX) {
    for (let index = 0; index < length; index++) dst[dstOffset + index] = src[srcOffset + index]
    return
  }
  src.copy(dst, dstOffset, srcOffset, srcOffset + length)
}

/** As `copyBytes`, then zeros up to the next multiple of 4; `dstOffset` is one. */
export function copyBytesPadded(
  dst: Buffer,
  dstWords: Int32Array,
  dstOffset: number,
  src: Buffer,
  srcWords: Int32Array,
  srcOffset: number,
  length: number,
): void {
  const tailCount = length & 3
  if (tailCount > 0) dstWords[(dstOffset + length) >> 2] = 0
  copyBytes(dst, dstWords, dstOffset, src, srcWords, srcOffset, length)
}

/** Moves `length` bytes within one buffer; the ranges may overlap. */
export function moveBytes(
  bytes: Buffer,
  toOffset: number,
  fromOffset: number,
  length: number,
): void {
  bytes.copyWithin(toOffset, fromOffset, fromOffset + length)
}

/** -1, 0 or 1: the order of two byte strings, a prefix before what it is a prefix of. */
export function compareBytes(
  a: Buffer,
  aOffset: number,
  aLength: number,
  b: Buffer,
  bOffset: number,
  bLength: number,
): number {
  const length = Math.min(aLength, bLength)
  const loopLength = Math.min(length, 32)
  for (let index = 0; index < loopLength; index++) {
    const difference = a[aOffset + index] - b[bOffset + index]
    if (difference !== 0) return difference < 0 ? -1 : 1
  }
  if (length > loopLength) {
    const order = a.compare(b, bOffset + 32, bOffset + length, aOffset + 32, aOffset + length)
    if (order !== 0) return order
  }
  return aLength === bLength ? 0 : aLength < bLength ? -1 : 1
}

/** Whether `length` bytes at both places are the same. */
export function equalBytes(
  a: Buffer,
  aOffset: number,
  b: Buffer,
  bOffset: number,
  length: number,
): boolean {
  const loopLength = Math.min(length, 32)
  for (let index = 0; index < loopLength; index++) {
    if (a[aOffset + index] !== b[bOffset + index]) return false
  }
  if (length === loopLength) return true
  return a.compare(b, bOffset + 32, bOffset + length, aOffset + 32, aOffset + length) === 0
}
