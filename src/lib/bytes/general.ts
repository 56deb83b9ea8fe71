/**
 * Doubles as C's `%.Ng` prints them.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: rounds a tie away from the even digit, as JavaScript's own functions do.
 */

/** More digits than any double has beyond its first one, where it is near a tie. */
const EXACT_DIGITS = 100
const EXPONENT_MIN = -4

/** `precision`: significant digits, at least 1. `value` is finite. */
export function formatGeneral(value: number, precision: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const text = rounded(Math.abs(value), precision)
  const mark = text.indexOf('e')
  const digits = text.slice(0, mark).replace('.', '').replace(/0+$/, '')
  const exponent = Number(text.slice(mark + 1))
  return (value < 0 ? '-' : '') + layOut(digits, exponent, precision)
}

function layOut(digits: string, exponent: number, precision: number): string {
  if (exponent < EXPONENT_MIN || exponent >= precision) {
    const point = digits.length > 1 ? `.${digits.slice(1)}` : ''
    const size = String(Math.abs(exponent)).padStart(2, '0')
    return `${digits[0]}${point}e${exponent < 0 ? '-' : '+'}${size}`
  }
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`
  if (digits.length <= exponent + 1) return digits.padEnd(exponent + 1, '0')
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`
}

/** In scientific notation; a tie goes to the even digit. */
function rounded(value: number, precision: number): string {
  const text = value.toExponential(precision - 1)
  const exact = value.toExponential(EXACT_DIGITS)
  const dot = exact.indexOf('.')
  const rest = exact.slice(dot + precision, exact.indexOf('e'))
  if (!/^50*$/.test(rest)) return text
  const last = precision === 1 ? exact[0] : exact[dot + precision - 1]
  if (Number(last) % 2 !== 0) return text
  const kept = precision === 1 ? exact[0] : exact.slice(0, dot + precision)
  return kept + exact.slice(exact.indexOf('e'))
}
