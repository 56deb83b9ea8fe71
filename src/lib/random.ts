/**
 * Chance that repeats: the same seed gives the same numbers.
 *
 * The generator is sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, one of them a counter,
 * so that no seed falls into a short cycle.
 *
 * Thread: any.
 * Owns: its own state.
 * Never: used where somebody must not guess the next number.
 */

const WARM_UP_ROUNDS = 12

export class Random {
  #a: number
  #b: number
  #c: number
  #counter: number

  /** `seed`: any number; its low 32 bits and the 32 above count. */
  constructor(seed: number) {
    this.#a = seed | 0
    this.#b = Math.floor(seed / 4294967296) | 0
    this.#c = 0x2f6e2b1
    this.#counter = 1
    for (let i = 0; i < WARM_UP_ROUNDS; i++) this.next()
  }

  /** 32 random bits as an unsigned number. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return sum >>> 0
  }

  /** An integer in [0, n), each as likely as any other. `n`: 1 to 2^32. */
  below(n: number): number {
    // Whatever lies past the last full multiple of n would favour the small results.
    const limit = 4294967296 - (4294967296 % n)
    let bits = this.next()
    while (bits >= limit) bits = this.next()
    return bits % n
  }

  /** A double in [0, 1) with 53 random bits. */
  fraction(): number {
    const high = this.next() >>> 5
    return (high * 67108864 + (this.next() >>> 6)) / 9007199254740992
  }
}
