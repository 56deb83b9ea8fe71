/**
 * How long the calls of one command took, counted in buckets of two significant digits, after the
 * High Dynamic Range Histogram: below 256 ns a bucket for each nanosecond, then 128 buckets for each
 * doubling, up to one second.
 *
 * Thread: core. Hot path.
 * Owns: the counts.
 * Never: allocates after its making.
 *
 * @see https://hdrhistogram.github.io/HdrHistogram/
 */

const SUB_BUCKET_COUNT = 256
const SUB_BUCKET_BITS = 8
const SUB_BUCKET_HALF = SUB_BUCKET_COUNT / 2
const LONGEST_NS = 1_000_000_000
/** The bucket after the last one that `LONGEST_NS` needs. */
const BUCKET_COUNT = bucketOf(LONGEST_NS) + 1
/** The first bound that a distribution tells of; each further one is twice it. */
const FIRST_BOUND_NS = 1024

export interface Distribution {
  /** Upper bounds in whole microseconds. */
  readonly boundsUs: readonly number[]
  /** Calls that took no longer than the bound. */
  readonly counts: readonly number[]
}

export class Histogram {
  readonly #counts = new Uint32Array(BUCKET_COUNT)
  count = 0

  /** `count` calls of the same duration; what lies beyond a second counts as a second. */
  record(durationUs: number, count = 1): void {
    const ns = durationUs * 1000
    this.#counts[ns >= LONGEST_NS ? BUCKET_COUNT - 1 : bucketOf(ns | 0)] += count
    this.count += count
  }

  /** Microseconds within which `percentile` percent of the calls were over. */
  percentileUs(percentile: number): number {
    const wanted = Math.max(1, Math.floor((Math.min(percentile, 100) / 100) * this.count + 0.5))
    let seen = 0
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) {
      seen += this.#counts[bucket]
      if (seen >= wanted) return (percentile === 0 ? lowest(bucket) : highest(bucket)) / 1000
    }
    return 0
  }

  /** Cumulative counts at bounds that double, only where a bound adds calls. */
  distribution(): Distribution {
    const boundsUs: number[] = []
    const counts: number[] = []
    let bucket = 0
    let seen = 0
    let told = 0
    for (let boundNs = FIRST_BOUND_NS; told < this.count; boundNs *= 2) {
      const last = Math.min(bucketOf(boundNs), BUCKET_COUNT - 1)
      while (bucket <= last) seen += this.#counts[bucket++]
      if (seen === told) continue
      boundsUs.push(Math.floor(highest(last) / 1000))
      counts.push(seen)
      told = seen
    }
    return { boundsUs, counts }
  }

  /** Forgets all calls. */
  reset(): void {
    this.#counts.fill(0)
    this.count = 0
  }
}

function bucketOf(ns: number): number {
  const shift = 32 - Math.clz32(ns | (SUB_BUCKET_COUNT - 1)) - SUB_BUCKET_BITS
  return shift * SUB_BUCKET_HALF + (ns >>> shift)
}

/** The shift of a bucket: its width is 2 to that power. */
function shiftOf(bucket: number): number {
  return Math.max(0, Math.floor(bucket / SUB_BUCKET_HALF) - 1)
}

function lowest(bucket: number): number {
  const shift = shiftOf(bucket)
  return (bucket - shift * SUB_BUCKET_HALF) * 2 ** shift
}

function highest(bucket: number): number {
  return lowest(bucket) + 2 ** shiftOf(bucket) - 1
}
