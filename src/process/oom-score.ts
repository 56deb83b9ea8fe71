/**
 * How soon the system ends this process when memory runs out: `oom-score-adj`.
 *
 * DIFFERS: of the three values the last is for child processes, and there are none here.
 *
 * Thread: main.
 * Owns: the score that the process had before.
 * Never: touches the score while the directive is off.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Settings } from '../config/settings.ts'

const PATH = '/proc/self/oom_score_adj'
const SCORE_MAX = 1000

export class OomScore {
  /** Follows a primary; what REPLICAOF changes is no setting before a rewrite. */
  isReplica: boolean
  readonly #warn: (text: string) => void
  /** Undefined while the score is left alone. */
  #base: number | undefined = undefined

  constructor(isReplica: boolean, warn: (text: string) => void) {
    this.isReplica = isReplica
    this.#warn = warn
  }

  /** Follows the settings. False when the system does not let us. */
  apply(settings: Settings): boolean {
    const mode = settings.text('oom-score-adj')
    if (mode === 'no' && this.#base === undefined) return true
    try {
      this.#base ??= Number(readFileSync(PATH, 'utf8'))
    } catch (error) {
      return this.#failed('read', error)
    }
    const base = this.#base
    if (mode === 'no') this.#base = undefined
    const score = mode === 'no' ? base : (mode === 'absolute' ? 0 : base) + this.#wanted(settings)
    try {
      writeFileSync(PATH, `${Math.max(-SCORE_MAX, Math.min(score, SCORE_MAX))}\n`)
    } catch (error) {
      return this.#failed('write', error)
    }
    return true
  }

  #wanted(settings: Settings): number {
    const [primary, replica] = settings.text('oom-score-adj-values').split(' ')
    return Number(this.isReplica ? replica : primary)
  }

  #failed(what: string, error: unknown): boolean {
    if (!(error instanceof Error)) throw error
    this.#warn(`Unable to ${what} oom_score_adj: ${error.message}`)
    return false
  }
}
