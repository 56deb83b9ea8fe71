/**
 * The 80-bit floating point of x86, in which Redis adds for INCRBYFLOAT and HINCRBYFLOAT, and its
 * text by `%.17Lf`.
 *
 * A value is `mantissa * 2^power`, the mantissa a BigInt of up to 64 bits with its sign. Every
 * result is rounded once, to the nearest, ties to even, as the hardware does.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: gives infinity or NaN: what leaves the range is `undefined`.
 */

const MANTISSA_BITS = 64
/** The power of the lowest bit of the smallest value. */
const POWER_MIN = -16445
/** A value reaches 2^16384 nowhere. */
const MAGNITUDE_MAX = 16384
/** Longer text is no number to Redis. */
const TEXT_SIZE_MAX = 5 * 1024
/** Decimal exponents beyond it surely overflow or underflow, whatever 5 KiB of digits stand before. */
const EXPONENT_CAP = 20_000
const DECIMALS = 17
const TEN_TO_DECIMALS = 10n ** BigInt(DECIMALS)

export interface LongDouble {
  readonly mantissa: bigint
  readonly power: number
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/
const HEXADECIMAL = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?\d+))?$/
const INFINITE = /^[+-]?inf(inity)?$/i

/** True for `inf` and `infinity` with or without a sign: a number, but one no sum may become. */
export function isInfinityText(text: string): boolean {
  return INFINITE.test(text)
}

/**
 * Reads what strtold accepts and Redis lets through. Undefined for all else: white space, NaN, what
 * overflows or underflows to zero, and infinity (ask `isInfinityText`).
 */
export function parseLongDouble(text: string): LongDouble | undefined {
  if (text.length >= TEXT_SIZE_MAX) return undefined
  const decimal = DECIMAL.exec(text)
  const match = decimal ?? HEXADECIMAL.exec(text)
  if (match === null) return undefined
  const whole = match[2]
  const fraction = match[3] ?? ''
  if (whole.length + fraction.length === 0) return undefined
  const digits = BigInt((decimal === null ? '0x' : '') + whole + fraction)
  if (digits === 0n) return { mantissa: 0n, power: 0 }
  const negative = match[1] === '-'
  const exponent = Math.max(-1e9, Math.min(1e9, Number(match[4] ?? 0)))
  const unit = decimal === null ? 4 : 1
  const scale = exponent - fraction.length * unit
  if (Math.abs(scale) > EXPONENT_CAP * unit) return undefined
  let value: LongDouble | undefined
  if (decimal === null) value = round(digits, scale, false)
  else if (scale >= 0) value = round(digits * 10n ** BigInt(scale), 0, false)
  else value = divide(digits, 10n ** BigInt(-scale))
  if (value === undefined || value.mantissa === 0n) return undefined
  return negative ? { mantissa: -value.mantissa, power: value.power } : value
}

/** The sum, rounded; undefined when it overflows. */
export function addLongDouble(a: LongDouble, b: LongDouble): LongDouble | undefined {
  const power = Math.min(a.power, b.power)
  const left = a.mantissa << BigInt(a.power - power)
  const sum = left + (b.mantissa << BigInt(b.power - power))
  const value = round(sum < 0n ? -sum : sum, power, false)
  return value !== undefined && sum < 0n ? { mantissa: -value.mantissa, power: value.power } : value
}

/** 17 decimals, then without trailing zeros and point: how Redis prints it. */
export function formatLongDouble(value: LongDouble): string {
  const negative = value.mantissa < 0n
  const magnitude = negative ? -value.mantissa : value.mantissa
  const scaled =
    value.power >= 0
      ? (magnitude << BigInt(value.power)) * TEN_TO_DECIMALS
      : shiftToEven(magnitude * TEN_TO_DECIMALS, -value.power, false)
  if (scaled === 0n) return '0'
  const digits = scaled.toString().padStart(DECIMALS + 1, '0')
  const whole = digits.slice(0, -DECIMALS)
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, '')
  return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

/** The nearest double. */
export function longDoubleToNumber(value: LongDouble): number {
  const half = Math.trunc(value.power / 2)
  return Number(value.mantissa) * 2 ** half * 2 ** (value.power - half)
}

/** numerator / denominator, with two bits more than are kept, and what is left over as one more. */
function divide(numerator: bigint, denominator: bigint): LongDouble | undefined {
  const gap = bitSize(numerator) - bitSize(denominator)
  const shift = Math.max(MANTISSA_BITS + 2 - gap, 0)
  const shifted = numerator << BigInt(shift)
  const quotient = shifted / denominator
  return round(quotient, -shift, quotient * denominator !== shifted)
}

/** magnitude * 2^power in the format. `sticky`: the exact value is a little larger. */
function round(magnitude: bigint, power: number, sticky: boolean): LongDouble | undefined {
  const size = bitSize(magnitude)
  const lowest = Math.max(size + power - MANTISSA_BITS, POWER_MIN)
  const drop = lowest - power
  const kept = drop > 0 ? shiftToEven(magnitude, drop, sticky) : magnitude
  const keptPower = drop > 0 ? lowest : power
  if (bitSize(kept) + keptPower > MAGNITUDE_MAX) return undefined
  return { mantissa: kept, power: keptPower }
}

/** Drops `count` bits, rounding to the nearest, ties to even. */
function shiftToEven(magnitude: bigint, count: number, sticky: boolean): bigint {
  const half = 1n << BigInt(count - 1)
  const rest = magnitude & ((half << 1n) - 1n)
  const kept = magnitude >> BigInt(count)
  const up = rest > half || (rest === half && (sticky || (kept & 1n) === 1n))
  return up ? kept + 1n : kept
}

function bitSize(magnitude: bigint): number {
  if (magnitude === 0n) return 0
  const hex = magnitude.toString(16)
  return hex.length * 4 - Math.clz32(Number.parseInt(hex[0], 16)) + 28
}
