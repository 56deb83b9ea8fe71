/**
 * How many different elements a HyperLogLog has seen, from how many of its registers have which
 * value.
 *
 * Source: O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches",
 * arXiv:1702.01284, algorithm 6.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: sums in another order than Redis: the last digit would differ.
 */
import { REGISTER_COUNT, RUN_BITS } from './registers.ts'

/** 0.5 / ln(2). */
const ALPHA = 0.7213475204444817
/** What there is no number for is stored as this, as an x86 processor converts it. */
const NO_INTEGER = -(2 ** 63)

/** `histogram`: how many registers have which value. */
export function estimate(histogram: Int32Array): number {
  const m = REGISTER_COUNT
  let z = m * tau((m - histogram[RUN_BITS + 1]) / m)
  for (let value = RUN_BITS; value >= 1; value--) {
    z += histogram[value]
    z *= 0.5
  }
  z += m * sigma(histogram[0] / m)
  const count = Math.round((ALPHA * m * m) / z)
  // QUIRK: forged registers can say more than a 64-bit integer can.
  return count < 2 ** 63 ? count : NO_INTEGER
}

function sigma(fraction: number): number {
  if (fraction === 1) return Infinity
  let x = fraction
  let y = 1
  let z = x
  for (let before = Number.NaN; z !== before; ) {
    x *= x
    before = z
    z += x * y
    y += y
  }
  return z
}

function tau(fraction: number): number {
  if (fraction === 0 || fraction === 1) return 0
  let x = fraction
  let y = 1
  let z = 1 - x
  for (let before = Number.NaN; z !== before; ) {
    x = Math.sqrt(x)
    before = z
    y *= 0.5
    z -= (1 - x) * (1 - x) * y
  }
  return z / 3
}
