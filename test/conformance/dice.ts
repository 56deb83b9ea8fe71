/**
 * Chance from a seed, with the throws that generators need.
 *
 * Thread: any.
 * Owns: its state.
 * Never: gives two streams for one seed.
 */

export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = Math.imul(seed, 0x9e3779b1) ^ 0x2545f491 || 1
    for (let i = 0; i < 8; i++) this.next()
  }

  /** In [0, 1). */
  next(): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state
    return (state >>> 0) / 2 ** 32
  }

  /** In [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }

  /** True in `percent` of all throws. */
  chance(percent: number): boolean {
    return this.next() * 100 < percent
  }

  pick<Choice>(choices: readonly Choice[]): Choice {
    return choices[this.below(choices.length)]
  }

  /** Like `pick` for words in one text. */
  word(words: string): string {
    return this.pick(words.split(' '))
  }
}
