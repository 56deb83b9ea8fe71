/**
 * How large a hash may be and still be a listpack: two settings, read once a change.
 *
 * Thread: core.
 * Owns: the two numbers, as they were when last asked for.
 * Never: changes a hash.
 */
import type { Settings } from '../../../config/settings.ts'

export class HashLimits {
  /** Fields. */
  entries = 512
  /** Bytes of a field or a value. */
  valueSize = 64
  #settings: Settings | undefined = undefined
  #generation = -1

  /** Takes over the settings' present values. Without settings: those that Redis begins with. */
  follow(settings: Settings | undefined): this {
    if (settings === undefined) return this
    if (settings === this.#settings && settings.generation === this.#generation) return this
    this.#settings = settings
    this.#generation = settings.generation
    this.entries = settings.int('hash-max-listpack-entries')
    this.valueSize = settings.int('hash-max-listpack-value')
    return this
  }
}
