/**
 * The registers of a HyperLogLog, dense: 16384 of them, 6 bits each, the first in the lowest bits of
 * the first byte. Sixteen of them are three words, so most of what goes through all takes three words
 * at a time.
 *
 *     word      0          1          2
 *     register  0..4 .. 5 ..   .. 10 ..  .. 15
 *
 * And what an element says: the register that it belongs to, and how many bits of its hash run out
 * before a 1 ends them.
 *
 * Thread: core. Hot path.
 * Owns: the number and the width of registers.
 * Never: reads or writes beyond them.
 */
import { murmur64, murmurHigh, murmurLow } from '../../../lib/murmur64.ts'

export const INDEX_BITS = 14
export const REGISTER_COUNT = 1 << INDEX_BITS
export const INDEX_MASK = REGISTER_COUNT - 1
/** Bits of a hash that a run is counted in. */
export const RUN_BITS = 64 - INDEX_BITS
export const REGISTERS_SIZE = (REGISTER_COUNT * 6) / 8
/** Values that a register can have. */
export const VALUE_COUNT = 64
const VALUE_MASK = 63
const HASH_SEED = 0xadc83b19 | 0
const GROUP = 16
const GROUP_WORDS = 3

/** What an element says, as `value << INDEX_BITS | register`. `offset`: a multiple of 4. */
export function observe(
  bytes: Uint8Array,
  words: Int32Array,
  offset: number,
  length: number,
): number {
  murmur64(bytes, words, offset, length, HASH_SEED)
  const low = murmurLow()
  const high = murmurHigh()
  const runLow = (low >>> INDEX_BITS) | (high << (32 - INDEX_BITS))
  // A bit behind the hash ends a run that nothing else does.
  const runHigh = (high >>> INDEX_BITS) | (1 << (RUN_BITS - 32))
  const zeros = runLow !== 0 ? trailingZeros(runLow) : 32 + trailingZeros(runHigh)
  return ((zeros + 1) << INDEX_BITS) | (low & INDEX_MASK)
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word)
}

/** `offset`: where the registers begin. */
export function registerValue(bytes: Uint8Array, offset: number, index: number): number {
  const bit = index * 6
  const at = offset + (bit >> 3)
  const shift = bit & 7
  const byte = bytes[at] >> shift
  return (shift > 2 ? byte | (bytes[at + 1] << (8 - shift)) : byte) & VALUE_MASK
}

export function setRegister(bytes: Uint8Array, offset: number, index: number, value: number): void {
  const bit = index * 6
  const at = offset + (bit >> 3)
  const shift = bit & 7
  bytes[at] = (bytes[at] & ~(VALUE_MASK << shift)) | (value << shift)
  if (shift <= 2) return
  const rest = 8 - shift
  bytes[at + 1] = (bytes[at + 1] & ~(VALUE_MASK >> rest)) | (value >> rest)
}

/** Raises a register to `value`. False when it is as high already. */
export function raiseRegister(
  bytes: Uint8Array,
  offset: number,
  index: number,
  value: number,
): boolean {
  if (registerValue(bytes, offset, index) >= value) return false
  setRegister(bytes, offset, index, value)
  return true
}

/**
 * Counts how many registers have which value. `offset`: a multiple of 4.
 * MEASURED: bench/micro/hyperloglog.bench.ts, count of a dense one.
 */
export function countDense(words: Int32Array, offset: number, histogram: Int32Array): void {
  const first = offset >> 2
  const end = first + REGISTERS_SIZE / 4
  for (let at = first; at < end; at += GROUP_WORDS) {
    const a = words[at]
    const b = words[at + 1]
    const c = words[at + 2]
    histogram[a & 63]++
    histogram[(a >>> 6) & 63]++
    histogram[(a >>> 12) & 63]++
    histogram[(a >>> 18) & 63]++
    histogram[(a >>> 24) & 63]++
    histogram[((a >>> 30) | (b << 2)) & 63]++
    histogram[(b >>> 4) & 63]++
    histogram[(b >>> 10) & 63]++
    histogram[(b >>> 16) & 63]++
    histogram[(b >>> 22) & 63]++
    histogram[((b >>> 28) | (c << 4)) & 63]++
    histogram[(c >>> 2) & 63]++
    histogram[(c >>> 8) & 63]++
    histogram[(c >>> 14) & 63]++
    histogram[(c >>> 20) & 63]++
    histogram[c >>> 26]++
  }
}

/** As `countDense`, of registers that have a byte each. */
export function countBytes(registers: Uint8Array, histogram: Int32Array): void {
  for (let i = 0; i < REGISTER_COUNT; i++) histogram[registers[i]]++
}

/** Raises registers of a byte each to what dense ones have. `offset`: a multiple of 4. */
export function mergeDense(words: Int32Array, offset: number, into: Uint8Array): void {
  let at = offset >> 2
  for (let i = 0; i < REGISTER_COUNT; i += GROUP) {
    const a = words[at++]
    const b = words[at++]
    const c = words[at++]
    if ((a | b | c) === 0) continue
    raise(into, i, a & 63)
    raise(into, i + 1, (a >>> 6) & 63)
    raise(into, i + 2, (a >>> 12) & 63)
    raise(into, i + 3, (a >>> 18) & 63)
    raise(into, i + 4, (a >>> 24) & 63)
    raise(into, i + 5, ((a >>> 30) | (b << 2)) & 63)
    raise(into, i + 6, (b >>> 4) & 63)
    raise(into, i + 7, (b >>> 10) & 63)
    raise(into, i + 8, (b >>> 16) & 63)
    raise(into, i + 9, (b >>> 22) & 63)
    raise(into, i + 10, ((b >>> 28) | (c << 4)) & 63)
    raise(into, i + 11, (c >>> 2) & 63)
    raise(into, i + 12, (c >>> 8) & 63)
    raise(into, i + 13, (c >>> 14) & 63)
    raise(into, i + 14, (c >>> 20) & 63)
    raise(into, i + 15, c >>> 26)
  }
}

function raise(registers: Uint8Array, index: number, value: number): void {
  if (registers[index] < value) registers[index] = value
}

/** Writes registers of a byte each as dense ones. `offset`: a multiple of 4. */
export function packDense(registers: Uint8Array, words: Int32Array, offset: number): void {
  let at = offset >> 2
  for (let i = 0; i < REGISTER_COUNT; i += GROUP) {
    const r5 = registers[i + 5]
    const r10 = registers[i + 10]
    words[at++] =
      registers[i] |
      (registers[i + 1] << 6) |
      (registers[i + 2] << 12) |
      (registers[i + 3] << 18) |
      (registers[i + 4] << 24) |
      (r5 << 30)
    words[at++] =
      (r5 >> 2) |
      (registers[i + 6] << 4) |
      (registers[i + 7] << 10) |
      (registers[i + 8] << 16) |
      (registers[i + 9] << 22) |
      (r10 << 28)
    words[at++] =
      (r10 >> 4) |
      (registers[i + 11] << 2) |
      (registers[i + 12] << 8) |
      (registers[i + 13] << 14) |
      (registers[i + 14] << 20) |
      (registers[i + 15] << 26)
  }
}
