/**
 * Integers as decimal text, both ways, and signed 64-bit arithmetic on two 32-bit words.
 *
 * A 64-bit integer is a pair: `high`, the signed upper word, and `low`, the lower word, also given
 * as a signed 32-bit number. Results of two words lie in registers that the next call of the same
 * kind overwrites: read them at once. A thread has its own registers, and no call can come between.
 * An object per result would cost more than the parsing.
 *
 * Thread: any. Hot path.
 * Owns: the registers of the last parse and the last sum.
 * Never: allocates, accepts text that it would not write itself.
 */

const ZERO = 48
const MINUS = 45
const TWO_32 = 4294967296
/** Decimal digits that surely fit a double exactly. */
const SAFE_DIGITS = 15
/** The longest int64 without its sign: 9223372036854775808. */
const INT64_DIGITS = 19
const INT32_MIN = -2147483648

export const INTEGER_OK = 0
/** Not the canonical text of a signed 64-bit integer. */
export const INTEGER_BAD = 1

let parsedHigh = 0
let parsedLow = 0
let sumHigh = 0
let sumLow = 0

/** Upper word of the last integer parsed. */
export function integerHigh(): number {
  return parsedHigh
}

/** Lower word of the last integer parsed, as a signed 32-bit number. */
export function integerLow(): number {
  return parsedLow
}

/** The last integer parsed as a double: exact up to 2^53 in magnitude, else the nearest. */
export function integerNumber(): number {
  return parsedHigh * TWO_32 + (parsedLow >>> 0)
}

/**
 * Reads the canonical decimal text of a signed 64-bit integer: no plus sign, no space, no leading
 * zero, no minus zero. Gives INTEGER_OK, and then the value is in the registers, or INTEGER_BAD.
 */
export function parseInteger(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  const negative = at < end && bytes[at] === MINUS
  if (negative) at++
  const digits = end - at
  if (digits <= 0 || digits > INT64_DIGITS) return INTEGER_BAD
  const first = bytes[at] - ZERO
  if (first <= 0 || first > 9) {
    if (first !== 0 || digits !== 1 || negative) return INTEGER_BAD
    parsedHigh = 0
    parsedLow = 0
    return INTEGER_OK
  }
  if (digits > SAFE_DIGITS) return parseLong(bytes, at, end, negative)
  let value = first
  for (at++; at < end; at++) {
    const digit = bytes[at] - ZERO
    if (digit < 0 || digit > 9) return INTEGER_BAD
    value = value * 10 + digit
  }
  if (negative) value = -value
  parsedLow = value | 0
  parsedHigh = Math.floor(value / TWO_32)
  return INTEGER_OK
}

/**
 * Reads the same text as a double. NaN when it is not canonical or lies beyond 2^53 - 1 in
 * magnitude.
 */
export function parseSafeInteger(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  const negative = at < end && bytes[at] === MINUS
  if (negative) at++
  const digits = end - at
  if (digits <= 0 || digits > SAFE_DIGITS + 1) return Number.NaN
  const first = bytes[at] - ZERO
  if (first <= 0 || first > 9) return first === 0 && digits === 1 && !negative ? 0 : Number.NaN
  let value = first
  for (at++; at < end; at++) {
    const digit = bytes[at] - ZERO
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  // 16 digits may round, but never from above 2^53 to below it.
  if (value > Number.MAX_SAFE_INTEGER) return Number.NaN
  return negative ? -value : value
}

/** 16 to 19 digits from `at`: an upper part of up to 10 digits and a lower part of 9. */
function parseLong(bytes: Uint8Array, at: number, end: number, negative: boolean): number {
  let upper = 0
  let lower = 0
  for (const middle = end - 9; at < middle; at++) {
    const digit = bytes[at] - ZERO
    if (digit < 0 || digit > 9) return INTEGER_BAD
    upper = upper * 10 + digit
  }
  for (; at < end; at++) {
    const digit = bytes[at] - ZERO
    if (digit < 0 || digit > 9) return INTEGER_BAD
    lower = lower * 10 + digit
  }
  // upper * 10^9 + lower, in words. The product of the low half stays below 2^46.
  const product = (upper & 0xffff) * 1e9 + lower
  const shifted = Math.floor(upper / 65536) * 1e9
  const lowSum = product + (shifted % 65536) * 65536
  let low = (lowSum % TWO_32) | 0
  let high = Math.floor(shifted / 65536) + Math.floor(lowSum / TWO_32)
  if (negative) {
    if (high > 2147483648 || (high === 2147483648 && low !== 0)) return INTEGER_BAD
    low = -low | 0
    high = (low === 0 ? -high : ~high) | 0
  } else if (high > 2147483647) return INTEGER_BAD
  parsedHigh = high
  parsedLow = low
  return INTEGER_OK
}

/** Bytes that `writeInteger` would write. `value`: an integer up to 2^53 in magnitude. */
export function integerSize(value: number): number {
  let size = 1
  if (value < 0) {
    size = 2
    value = -value
  }
  while (value >= 10000) {
    value = Math.floor(value / 10000)
    size += 4
  }
  if (value >= 1000) return size + 3
  if (value >= 100) return size + 2
  return value >= 10 ? size + 1 : size
}

/** Writes `value`, an integer up to 2^53 in magnitude. Gives the offset after it. */
export function writeInteger(bytes: Uint8Array, offset: number, value: number): number {
  if (value < 0) {
    bytes[offset++] = MINUS
    value = -value
  }
  if (value < 10) {
    bytes[offset] = ZERO + value
    return offset + 1
  }
  const end = offset + integerSize(value)
  let at = end
  while (value > 2147483647) {
    const rest = Math.floor(value / 10)
    bytes[--at] = ZERO + (value - rest * 10)
    value = rest
  }
  let small = value | 0
  while (small >= 10) {
    const rest = (small / 10) | 0
    bytes[--at] = ZERO + (small - rest * 10)
    small = rest
  }
  bytes[--at] = ZERO + small
  return end
}

/** Writes a signed 64-bit integer. Gives the offset after it; 20 bytes at most. */
export function writeInteger64(
  bytes: Uint8Array,
  offset: number,
  high: number,
  low: number,
): number {
  let unsignedLow = low >>> 0
  if (high >= -2097152 && high < 2097152) {
    return writeInteger(bytes, offset, high * TWO_32 + unsignedLow)
  }
  let unsignedHigh = high
  if (high < 0) {
    bytes[offset++] = MINUS
    unsignedLow = -low >>> 0
    unsignedHigh = (unsignedLow === 0 ? -high : ~high) >>> 0
  }
  // Divide by 10^9 in two steps of 16 bits: what is left over stays below 2^46.
  let rest = unsignedHigh % 1e9
  const top = Math.floor(unsignedHigh / 1e9)
  rest = rest * 65536 + (unsignedLow >>> 16)
  const middle = Math.floor(rest / 1e9)
  rest = (rest % 1e9) * 65536 + (unsignedLow & 0xffff)
  const upper = top * TWO_32 + middle * 65536 + Math.floor(rest / 1e9)
  rest %= 1e9
  const at = writeInteger(bytes, offset, upper)
  for (let i = 8; i >= 0; i--) {
    const next = (rest / 10) | 0
    bytes[at + i] = ZERO + (rest - next * 10)
    rest = next
  }
  return at + 9
}

/** Upper word of the last sum. */
export function int64SumHigh(): number {
  return sumHigh
}

/** Lower word of the last sum, as a signed 32-bit number. */
export function int64SumLow(): number {
  return sumLow
}

/** Adds two signed 64-bit integers. False on overflow; else the sum is in its registers. */
export function addInt64(aHigh: number, aLow: number, bHigh: number, bLow: number): boolean {
  const low = (aLow >>> 0) + (bLow >>> 0)
  const high = aHigh + bHigh + (low >= TWO_32 ? 1 : 0)
  if (high < INT32_MIN || high > 2147483647) return false
  sumHigh = high
  sumLow = low | 0
  return true
}

/** Subtracts the second from the first. False on overflow; else the result is in the registers. */
export function subtractInt64(aHigh: number, aLow: number, bHigh: number, bLow: number): boolean {
  const low = (aLow >>> 0) - (bLow >>> 0)
  const high = aHigh - bHigh - (low < 0 ? 1 : 0)
  if (high < INT32_MIN || high > 2147483647) return false
  sumHigh = high
  sumLow = low | 0
  return true
}

/** Negative, 0 or positive as the first is less than, equal to or greater than the second. */
export function compareInt64(aHigh: number, aLow: number, bHigh: number, bLow: number): number {
  return aHigh !== bHigh ? aHigh - bHigh : (aLow >>> 0) - (bLow >>> 0)
}

/** Upper word of an integer given as a double, up to 2^53 in magnitude. Its lower word is `| 0`. */
export function highWord(value: number): number {
  return Math.floor(value / TWO_32)
}

/** True when the pair is exactly a double: magnitude below 2^53. */
export function isSafeInt64(high: number, low: number): boolean {
  return high >= -2097152 && high < 2097152 && (high !== -2097152 || low !== 0)
}
