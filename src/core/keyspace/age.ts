/**
 * The 24 bits of age in an entry's header. Under most policies they are a clock: the second in which
 * the key was used last. Under an LFU policy they count uses:
 *
 *     bits 8..23   the minute in which the count was looked at last, modulo 2^16
 *     bits 0..7    the count, on a logarithmic scale
 *
 * A use raises the count with a chance that falls as the count grows; minutes without a use take it
 * back. Which of the two the bits are is not written anywhere: after a change of policy they are read
 * in the other way, until uses have put them right.
 *
 * Thread: core. Hot path.
 * Owns: what the bits mean.
 * Never: decides whether an access counts as a use.
 *
 * @see https://redis.io/docs/latest/develop/reference/eviction/
 */
import { Random } from '../../lib/random.ts'
import { AGE_MASK } from './entry.ts'

const MINUTE_SHIFT = 8
const MINUTE_MASK = 0xffff
const COUNT_MASK = 0xff
export const COUNT_MAX = 255
/** A new key has this, so that it is not the first to go. */
const COUNT_START = 5

/** Ages as counts of uses. */
export class Frequencies {
  readonly #random: Random
  /** Unix minutes modulo 2^16. */
  #minute = 0
  #logFactor = 10
  /** Minutes that take one from a count; 0: none do. */
  #decayMinutes = 1

  constructor(seed: number) {
    this.#random = new Random(seed)
  }

  /** `lfu-log-factor` and `lfu-decay-time`. */
  configure(logFactor: number, decayMinutes: number): void {
    this.#logFactor = logFactor
    this.#decayMinutes = decayMinutes
  }

  tick(nowMs: number): void {
    this.#minute = Math.floor(nowMs / 60_000) & MINUTE_MASK
  }

  /** The age of a new key. */
  fresh(): number {
    return this.withCount(COUNT_START)
  }

  /** The age of a key whose count was set just now. */
  withCount(count: number): number {
    return (this.#minute << MINUTE_SHIFT) | count
  }

  /** The count that is left by now. */
  countOf(age: number): number {
    const count = age & COUNT_MASK
    if (this.#decayMinutes === 0) return count
    const minute = age >>> MINUTE_SHIFT
    // QUIRK: once around, the clock's last minute is left out.
    const elapsed = this.#minute >= minute ? 0 : MINUTE_MASK
    const periods = Math.floor((elapsed + this.#minute - minute) / this.#decayMinutes)
    return periods > count ? 0 : count - periods
  }

  /** The age after a use. */
  used(age: number): number {
    let count = this.countOf(age)
    if (count < COUNT_MAX) {
      const above = count > COUNT_START ? count - COUNT_START : 0
      if (this.#random.fraction() * (above * this.#logFactor + 1) < 1) count++
    }
    return this.withCount(count)
  }
}

/**
 * The age of a key that was used `seconds` ago.
 * QUIRK: the ages of the clock's last round begin at its end, one second off, so that `idleSeconds`
 * takes the second back; what is longer than the clock's round wraps. OBJECT IDLETIME shows both.
 */
export function idleAge(lruClock: number, seconds: number): number {
  let age = lruClock - seconds
  if (age < 0) age += AGE_MASK
  return age - Math.floor(age / (AGE_MASK + 1)) * (AGE_MASK + 1)
}

/** Seconds since a key of this age was used. */
export function idleSeconds(lruClock: number, age: number): number {
  return lruClock >= age ? lruClock - age : lruClock + (AGE_MASK - age)
}
