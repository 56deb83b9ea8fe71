/**
 * Latencies in little memory: buckets whose width is a 64th of their power of two, or a microsecond.
 *
 * Thread: any.
 * Owns: the counts.
 * Never: allocates per value.
 */

const SUB_BITS = 6
const SUB_COUNT = 1 << SUB_BITS
const BUCKET_COUNT = 32 * SUB_COUNT

export class Histogram {
  readonly #counts = new Float64Array(BUCKET_COUNT)
  count = 0
  maxUs = 0

  add(us: number): void {
    const whole = us | 0
    const octave = Math.max(31 - Math.clz32(whole) - SUB_BITS, 0)
    this.#counts[(octave << SUB_BITS) + (whole >> octave)]++
    this.count++
    if (us > this.maxUs) this.maxUs = us
  }

  /** The upper edge of the bucket that holds the value at `percent`, in milliseconds. */
  percentileMs(percent: number): number {
    let left = Math.ceil((this.count * percent) / 100)
    for (let index = 0; index < BUCKET_COUNT; index++) {
      left -= this.#counts[index]
      if (left <= 0) return Math.min(upperUs(index), this.maxUs) / 1000
    }
    return this.maxUs / 1000
  }
}

/** Bucket `(octave << 6) + (value >> octave)`; beyond the first octave the shifted value is 64 to 127. */
function upperUs(index: number): number {
  const octave = Math.max((index >> SUB_BITS) - 1, 0)
  const shifted = index - (octave << SUB_BITS)
  return (shifted + 1) * 2 ** octave
}
