/**
 * Doubles as text both ways: what C's strtod accepts, as Redis lets it through, and what `%.17g`
 * prints.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: gives NaN for anything but text that is no number: Redis takes no NaN from clients.
 */
import { parseSafeInteger } from './integer.ts'

const PLUS = 43
const MINUS = 45
const DOT = 46
const ZERO = 48
/** Digits, and a power of ten, that multiply and divide without any rounding but the last. */
const EXACT_DIGITS = 15
const EXACT_POWER = 22
const POWERS_OF_TEN = Array.from({ length: EXACT_POWER + 1 }, (_, power) => 10 ** power)
/** Beyond this magnitude `%.17g` turns to exponents; below, integers print as they are. */
const PLAIN_INTEGER_MAX = 1e16
const PRECISION = 17
const EXPONENT_MIN = -4
/** Within these, the power of ten that brings 17 digits before the point is exact. */
const FAST_MIN = 1e-5
const FAST_MAX = 1e17
/** 2^27 + 1 cuts a double into two halves of at most 26 bits. */
const SPLITTER = 134217729
/** Decimal digits that tell a tie from anything near it: more than any double close to one has. */
const TIE_DIGITS = 100
const HEX_DIGITS_MAX = 16
/** Numbers nearer to 0 have fewer digits than others. */
const NORMAL_MIN = 2 ** -1022
/** Every exponent beyond it is infinity or zero, whatever the digits before. */
const EXPONENT_CAP = 1e9

/**
 * Reads a score or an increment as Redis does: strtod without white space, without NaN, and without
 * a result that overflows, or underflows to zero. NaN when it is none.
 */
export function parseDouble(bytes: Uint8Array, start: number, end: number): number {
  const integer = parseSafeInteger(bytes, start, end)
  return Number.isNaN(integer) ? parseFloating(bytes, start, end, true) : integer
}

/**
 * Reads the limit of a score range. NaN when it is none.
 * QUIRK: here white space may lead, a NUL ends the text, no text is 0, and what is out of range
 * becomes infinity or zero: seen as `ZCOUNT key "" 1e400`.
 */
export function parseRangeLimit(bytes: Uint8Array, start: number, end: number): number {
  return parseText(bytes, start, end, false)
}

/**
 * Reads what SORT sorts by. NaN when it is none.
 * QUIRK: as for a limit, but what is out of range is no number, nor is what is so small that it loses
 * digits: seen as `SORT key` of `1e-310`.
 */
export function parseWeight(bytes: Uint8Array, start: number, end: number): number {
  const integer = parseSafeInteger(bytes, start, end)
  if (!Number.isNaN(integer)) return integer
  const value = parseText(bytes, start, end, true)
  return value !== 0 && Math.abs(value) < NORMAL_MIN ? Number.NaN : value
}

/** As C reads it: white space may lead, a NUL ends it, and nothing at all is 0. */
function parseText(bytes: Uint8Array, start: number, end: number, strict: boolean): number {
  let stop = start
  while (stop < end && bytes[stop] !== 0) stop++
  if (stop === start) return 0
  let at = start
  while (at < stop && (bytes[at] === 32 || (bytes[at] >= 9 && bytes[at] <= 13))) at++
  return parseFloating(bytes, at, stop, strict)
}

function parseFloating(bytes: Uint8Array, start: number, end: number, strict: boolean): number {
  let at = start
  const negative = at < end && bytes[at] === MINUS
  if (negative || (at < end && bytes[at] === PLUS)) at++
  if (at >= end) return Number.NaN
  const lower = bytes[at] | 32
  if (lower === 105) return isInfinity(bytes, at, end) ? signed(Infinity, negative) : Number.NaN
  if (bytes[at] === ZERO && at + 1 < end && (bytes[at + 1] | 32) === 120) {
    return parseHex(bytes, at + 2, end, negative, strict)
  }
  let digits = 0
  let mantissa = 0
  let power = 0
  let any = false
  let sawDot = false
  for (; at < end; at++) {
    const digit = bytes[at] - ZERO
    if (digit >= 0 && digit <= 9) {
      any = true
      if (digits > 0 || digit > 0) {
        digits++
        if (digits <= EXACT_DIGITS) mantissa = mantissa * 10 + digit
      }
      if (sawDot) power--
    } else if (bytes[at] === DOT && !sawDot) sawDot = true
    else break
  }
  if (!any) return Number.NaN
  if (at < end) {
    if ((bytes[at] | 32) !== 101) return Number.NaN
    const exponent = parseExponent(bytes, at + 1, end)
    if (Number.isNaN(exponent)) return Number.NaN
    power += exponent
  }
  if (digits === 0) return signed(0, negative)
  if (digits <= EXACT_DIGITS && power >= -EXACT_POWER && power <= EXACT_POWER) {
    const value = power < 0 ? mantissa / POWERS_OF_TEN[-power] : mantissa * POWERS_OF_TEN[power]
    return signed(value, negative)
  }
  return inRange(Number(asText(bytes, start, end)), strict)
}

function signed(value: number, negative: boolean): number {
  return negative ? -value : value
}

function inRange(value: number, strict: boolean): number {
  return strict && (value === 0 || value === Infinity || value === -Infinity) ? Number.NaN : value
}

function asText(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at])
  return text
}

/** `inf` or `infinity` in any case. */
function isInfinity(bytes: Uint8Array, start: number, end: number): boolean {
  const size = end - start
  return (
    (size === 3 || size === 8) &&
    asText(bytes, start, end).toLowerCase() === 'infinity'.slice(0, size)
  )
}

/** A sign and digits up to the end; NaN when there are none. Capped where its size ceases to matter. */
function parseExponent(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  const negative = at < end && bytes[at] === MINUS
  if (negative || (at < end && bytes[at] === PLUS)) at++
  if (at >= end) return Number.NaN
  let exponent = 0
  for (; at < end; at++) {
    const digit = bytes[at] - ZERO
    if (digit < 0 || digit > 9) return Number.NaN
    if (exponent < EXPONENT_CAP) exponent = exponent * 10 + digit
  }
  return negative ? -exponent : exponent
}

function hexDigit(byte: number): number {
  if (byte >= ZERO && byte <= 57) return byte - ZERO
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** A hexadecimal float behind its `0x`: digits, a dot, and a power of two behind `p`. */
function parseHex(
  bytes: Uint8Array,
  start: number,
  end: number,
  negative: boolean,
  strict: boolean,
): number {
  let mantissa = 0n
  let digits = 0
  let power = 0
  let any = false
  let sawDot = false
  let at = start
  for (; at < end; at++) {
    const digit = hexDigit(bytes[at])
    if (digit >= 0) {
      any = true
      if (digits > 0 || digit > 0) digits++
      if (digits <= HEX_DIGITS_MAX) mantissa = mantissa * 16n + BigInt(digit)
      else {
        // Behind the digits that count, all that matters is whether anything is there.
        if (digit > 0) mantissa |= 1n
        power += 4
      }
      if (sawDot) power -= 4
    } else if (bytes[at] === DOT && !sawDot) sawDot = true
    else break
  }
  if (!any) return Number.NaN
  if (at < end) {
    if ((bytes[at] | 32) !== 112) return Number.NaN
    const exponent = parseExponent(bytes, at + 1, end)
    if (Number.isNaN(exponent)) return Number.NaN
    power += exponent
  }
  if (mantissa === 0n) return signed(0, negative)
  return signed(inRange(scale(mantissa, power), strict), negative)
}

/** mantissa * 2^power, rounded once to the nearest double, ties to even. */
function scale(mantissa: bigint, power: number): number {
  const size = mantissa.toString(2).length
  if (size + power > 1024) return Infinity
  if (size + power < -1075) return 0
  // The lowest bit of a result of this magnitude; -1074 is that of the smallest double.
  const lowest = Math.max(size + power - 53, -1074)
  const drop = lowest - power
  let kept = mantissa
  if (drop > 0) {
    const half = 1n << BigInt(drop - 1)
    const rest = mantissa & ((half << 1n) - 1n)
    kept = mantissa >> BigInt(drop)
    if (rest > half || (rest === half && (kept & 1n) === 1n)) kept++
  }
  // Two steps: 2^lowest alone may be too small, or too large with the rest, for a double.
  const exponent = drop > 0 ? lowest : power
  const step = Math.trunc(exponent / 2)
  return Number(kept) * 2 ** step * 2 ** (exponent - step)
}

/** The text of C's `%.17g`, as Redis 7.0 prints scores. */
export function formatDouble(value: number): string {
  if (value === Math.trunc(value) && value < PLAIN_INTEGER_MAX && value > -PLAIN_INTEGER_MAX) {
    return value === 0 && 1 / value < 0 ? '-0' : String(value)
  }
  if (value === Infinity) return 'inf'
  if (value === -Infinity) return '-inf'
  if (Number.isNaN(value)) return 'nan'
  const sign = value < 0 ? '-' : ''
  const magnitude = Math.abs(value)
  if (magnitude >= FAST_MIN && magnitude < FAST_MAX) return sign + formatFast(magnitude)
  const text = roundToEven(magnitude)
  const mark = text.indexOf('e')
  return sign + layOut(text[0] + text.slice(2, mark), Number(text.slice(mark + 1)))
}

/**
 * 17 digits of a magnitude near one. A power of ten up to 10^22 is a double without error, so the
 * product that has 17 digits before its point is known exactly as the sum of two doubles (Dekker,
 * 1971); rounding their sum to an integer gives the digits.
 * It takes a quarter of the time of toExponential.
 */
function formatFast(magnitude: number): string {
  let exponent = Math.floor(Math.log10(magnitude))
  for (;;) {
    const factor = POWERS_OF_TEN[PRECISION - 1 - exponent]
    const product = magnitude * factor
    const rest = productError(magnitude, factor, product)
    if (product < 1e16 || (product === 1e16 && rest < 0)) exponent--
    else if (product > 1e17 || (product === 1e17 && rest >= 0)) exponent++
    else {
      // The product is an even integer here: a tie goes by the rest alone.
      let whole = Math.floor(rest)
      const fraction = rest - whole
      if (fraction > 0.5 || (fraction === 0.5 && whole % 2 !== 0)) whole++
      let upper = Math.floor(product / 1e8)
      let lower = product - upper * 1e8 + whole
      if (lower < 0) {
        lower += 1e8
        upper--
      } else if (lower >= 1e8) {
        lower -= 1e8
        upper++
      }
      if (upper === 1e9) return layOut('1', exponent + 1)
      return layOut(String(upper) + String(lower).padStart(8, '0'), exponent)
    }
  }
}

/** a * b - product, exactly, where `product` is the rounded one. */
function productError(a: number, b: number, product: number): number {
  const aUpper = a * SPLITTER - (a * SPLITTER - a)
  const bUpper = b * SPLITTER - (b * SPLITTER - b)
  const aLower = a - aUpper
  const bLower = b - bUpper
  return aUpper * bUpper - product + aUpper * bLower + aLower * bUpper + aLower * bLower
}

/** Digits, the first standing for 10^exponent, as `%g` lays them out: no zeros at the end. */
function layOut(digits: string, exponent: number): string {
  let size = digits.length
  while (size > 1 && digits.charCodeAt(size - 1) === ZERO) size--
  const kept = digits.slice(0, size)
  if (exponent < EXPONENT_MIN || exponent >= PRECISION) {
    const point = size > 1 ? `.${kept.slice(1)}` : ''
    const magnitude = Math.abs(exponent)
    const padded = magnitude < 10 ? `0${magnitude}` : magnitude
    return `${kept[0]}${point}e${exponent < 0 ? '-' : '+'}${padded}`
  }
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${kept}`
  if (size <= exponent + 1) return kept.padEnd(exponent + 1, '0')
  return `${kept.slice(0, exponent + 1)}.${kept.slice(exponent + 1)}`
}

/** 17 digits and an exponent. JavaScript rounds a tie up, C to the even digit. */
function roundToEven(value: number): string {
  const text = value.toExponential(PRECISION - 1)
  const longer = value.toExponential(PRECISION + 2)
  const mark = longer.indexOf('e')
  if (longer.slice(mark - 3, mark) !== '500') return text
  const exact = value.toExponential(TIE_DIGITS)
  const dot = exact.indexOf('.')
  const last = dot + PRECISION - 1
  if (!/^50*e/.test(exact.slice(last + 1))) return text
  const isEven = (exact.charCodeAt(last) & 1) === 0
  return isEven ? exact.slice(0, last + 1) + exact.slice(exact.indexOf('e')) : text
}
