/**
 * How long the core looks for the next request before it sleeps: as long as that has paid off
 * lately. A found request doubles the patience, a vain look halves it, and when patience is at its
 * end a short look now and then finds out whether times have changed. With few processors it looks only
 * briefly, and with many connections not at all: what spins then takes the processor from who would
 * send.
 *
 * Thread: core. Hot path.
 * Owns: the patience.
 * Never: looks while nobody has sent anything lately.
 */
import { isRoomy } from '../bridge/wake.ts'
import { yieldProcessor } from '../bridge/yield.ts'
import {
  SPIN_CONNECTIONS_MAX,
  SPIN_PROBE_PERIOD,
  SPIN_TURNS,
  SPIN_TURNS_TIGHT,
  SPIN_YIELD_PERIOD,
} from '../config/limits.ts'
import type { CoreLink } from './engine/link.ts'

export class Spin {
  readonly #links: readonly CoreLink[]
  /** True when there is a processor for every thread and more. */
  readonly #roomy: boolean
  readonly #patienceMax: number
  #patience: number
  #vainLooks = 0
  #worked = false

  constructor(links: readonly CoreLink[], processorCount: number) {
    this.#links = links
    this.#roomy = isRoomy(processorCount, links.length)
    this.#patienceMax = this.#roomy ? SPIN_TURNS : SPIN_TURNS_TIGHT
    this.#patience = this.#patienceMax
  }

  /** A turn has found requests. */
  worked(): void {
    this.#worked = true
  }

  /** Looks for a while. False when it is time to sleep. */
  wait(): boolean {
    if (!this.#worked || !this.#allowed()) return false
    this.#worked = false
    const links = this.#links
    for (let left = this.#patience; left > 0; left--) {
      // A brief look is over before an offer of the processor would be taken.
      if (this.#roomy && left % SPIN_YIELD_PERIOD === 0) yieldProcessor()
      for (let i = 0; i < links.length; i++) {
        if (links[i].requests.isEmpty()) continue
        this.#patience = Math.min(this.#patienceMax, this.#patience * 2)
        this.#vainLooks = 0
        return true
      }
    }
    this.#vainLooks++
    this.#patience >>= 1
    if (this.#vainLooks % SPIN_PROBE_PERIOD === 0) this.#patience = this.#patienceMax
    return false
  }

  #allowed(): boolean {
    if (this.#roomy) return true
    let active = 0
    for (let i = 0; i < this.#links.length; i++) active += this.#links[i].active
    return active <= SPIN_CONNECTIONS_MAX
  }
}
