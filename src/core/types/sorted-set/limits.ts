/**
 * How large a sorted set may be and still be a listpack: two settings, read once a change.
 *
 * Thread: core. Hot path.
 * Owns: the two numbers, as they were when last asked for.
 * Never: changes a set.
 */
import type { Settings } from '../../../config/settings.ts'

export class SortedSetLimits {
  /** Members. */
  entries = 128
  /** Bytes of a member. */
  valueSize = 64
  #settings: Settings | undefined = undefined
  #generation = -1

  /** Takes over the settings' present values. Without settings: those that Redis begins with. */
  follow(settings: Settings | undefined): this {
    if (settings === undefined) return this
    if (settings === this.#settings && settings.generation === this.#generation) return this
    this.#settings = settings
    this.#generation = settings.generation
    this.entries = settings.int('zset-max-listpack-entries')
    this.valueSize = settings.int('zset-max-listpack-value')
    return this
  }
}
