/**
 * How many integers a set may have and still be an intset: a setting, read once a change.
 *
 * Thread: core. Hot path.
 * Owns: the number, as it was when last asked for.
 * Never: changes a set.
 */
import type { Settings } from '../../../config/settings.ts'
import { SettingsWatch } from '../../../config/settings-watch.ts'

/** What Redis begins with. */
const COUNT_DEFAULT = 512
/** Whatever the setting says. */
const COUNT_MAX = 2 ** 30

const watch = new SettingsWatch()
let countMax = COUNT_DEFAULT

/** The most integers of an intset. Without settings: what Redis begins with. */
export function intsetCountMax(settings: Settings | undefined): number {
  if (settings === undefined) return COUNT_DEFAULT
  if (watch.hasChanged(settings)) {
    countMax = Math.min(settings.int('set-max-intset-entries'), COUNT_MAX)
  }
  return countMax
}
