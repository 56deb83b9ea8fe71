/**
 * Numbers that the hot path keeps beside the settings are looked up again only when some setting has
 * changed: this notices.
 *
 * Thread: core. Hot path.
 * Owns: which settings were seen last, and when.
 * Never: knows which of them matter.
 */
import type { Settings } from './settings.ts'

export class SettingsWatch {
  #settings: Settings | undefined = undefined
  #generation = -1

  /** True when these are others than the last time, or some have changed since. */
  hasChanged(settings: Settings): boolean {
    if (settings === this.#settings && settings.generation === this.#generation) return false
    this.#settings = settings
    this.#generation = settings.generation
    return true
  }
}
