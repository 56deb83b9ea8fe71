/**
 * Many numbers become one that can be read.
 *
 * Thread: any.
 * Owns: what median, spread and their texts are.
 * Never: hides that a number was measured once.
 */

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** `values`: at least one, in any order. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const median =
    sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  return { median, min: sorted[0], max: sorted[sorted.length - 1] }
}

/** 1.53 M, 482 k, 960: three digits are more than a run repeats. */
export function shortCount(value: number): string {
  if (value >= 999_500) return `${significant(value / 1e6)} M`
  if (value >= 999.5) return `${significant(value / 1e3)} k`
  return significant(value)
}

/** Microseconds, milliseconds, seconds. */
export function shortMs(ms: number): string {
  if (ms >= 999.5) return `${significant(ms / 1000)} s`
  return ms < 0.9995 ? `${Math.round(ms * 1000)} µs` : `${significant(ms)} ms`
}

export function shortBytes(bytes: number): string {
  if (Math.abs(bytes) >= 2 ** 30) return `${significant(bytes / 2 ** 30)} GiB`
  if (Math.abs(bytes) >= 2 ** 20) return `${significant(bytes / 2 ** 20)} MiB`
  if (Math.abs(bytes) >= 2 ** 10) return `${significant(bytes / 2 ** 10)} KiB`
  return `${significant(bytes)} B`
}

export function ratioText(ratio: number): string {
  return `${ratio.toFixed(2)}×`
}

function significant(value: number): string {
  const size = Math.abs(value)
  if (size >= 99.95) return value.toFixed(0)
  return size >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}
