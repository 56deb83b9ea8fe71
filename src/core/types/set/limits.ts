/**
 * How many integers a set may have and still be an intset: a setting, read once a change.
 *
 * Thread: core. Hot path.
 * Owns: the number, as it was when last asked for.
 * Never: changes a set.
 */
import type { Settings } from '../../../config/settings.ts'

/** What Redis begins with. */
const COUNT_DEFAULT = 512
/** Whatever the setting says. */
const COUNT_MAX = 2 ** 30

let known: Settings | undefined
let generation = -1
let countMax = COUNT_DEFAULT

/** The most integers of an intset. Without settings: what Redis begins with. */
export function intsetCountMax(settings: Settings | undefined): number {
  if (settings === undefined) return COUNT_DEFAULT
  if (settings !== known || settings.generation !== generation) {
    known = settings
    generation = settings.generation
    countMax = Math.min(settings.int('set-max-intset-entries'), COUNT_MAX)
  }
  return countMax
}
