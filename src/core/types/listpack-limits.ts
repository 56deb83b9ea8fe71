/**
 * How large a hash or a sorted set may be and still be a listpack: two settings each, read once a
 * change.
 *
 * Thread: core. Hot path.
 * Owns: the two numbers, as they were when last asked for.
 * Never: changes a value.
 */
import type { Settings } from '../../config/settings.ts'
import { SettingsWatch } from '../../config/settings-watch.ts'

export class ListpackLimits {
  /** Fields or members. */
  entries: number
  /** Bytes of a field, a field's value or a member. */
  valueSize = 64
  readonly #entriesName: 'hash-max-listpack-entries' | 'zset-max-listpack-entries'
  readonly #valueName: 'hash-max-listpack-value' | 'zset-max-listpack-value'
  readonly #watch = new SettingsWatch()

  // alloc: once a type
  constructor(type: 'hash' | 'zset') {
    this.#entriesName = `${type}-max-listpack-entries`
    this.#valueName = `${type}-max-listpack-value`
    this.entries = type === 'hash' ? 512 : 128
  }

  /** Takes over the settings' present values. Without settings: those that Redis begins with. */
  follow(settings: Settings | undefined): this {
    if (settings === undefined || !this.#watch.hasChanged(settings)) return this
    this.entries = settings.int(this.#entriesName)
    this.valueSize = settings.int(this.#valueName)
    return this
  }
}
