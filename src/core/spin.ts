/**
 * How long the core looks for the next request before it sleeps: as long as that has paid off
 * lately. A found request doubles the patience, a vain look halves it, and when patience is at its
 * end a short look now and then finds out whether times have changed. With many connections and few
 * processors it does not look at all: what spins then takes the processor from who would send.
 *
 * Where there is no processor to spare and looking pays off, the core gets one for itself, see
 * `placement.ts`; for when a client waits for it nevertheless, the core offers it.
 *
 * Thread: core. Hot path.
 * Owns: the patience.
 * Never: looks while nobody has sent anything lately.
 */
import { fewConnectionsMax, isRoomy } from '../bridge/wake.ts'
import { yieldProcessor } from '../bridge/yield.ts'
import {
  SETTLE_HITS,
  SETTLED_VAIN_LOOKS_MAX,
  SPIN_PROBE_PERIOD,
  SPIN_TURNS,
  SPIN_TURNS_BEFORE_YIELD_TIGHT,
  SPIN_TURNS_SPREADING,
  SPIN_TURNS_TIGHT,
  SPIN_YIELD_PERIOD,
  SPIN_YIELD_PERIOD_TIGHT,
} from '../config/limits.ts'
import type { CoreLink } from './engine/link.ts'
import { Placement } from './placement.ts'

export class Spin {
  readonly #links: readonly CoreLink[]
  readonly #placement: Placement
  /** True when there is a processor for every thread and more. */
  readonly #roomy: boolean
  readonly #patienceMax: number
  readonly #connectionsMax: number
  #patience: number
  #vainLooks = 0
  #hits = 0
  #worked = false
  /** The last requests sent messages to many. */
  #spreading = false
  #broadcastCount = 0

  constructor(links: readonly CoreLink[], process: Int32Array, processorCount: number) {
    this.#links = links
    this.#roomy = isRoomy(processorCount, links.length)
    this.#placement = new Placement(process, processorCount === 2 && links.length === 1)
    this.#connectionsMax = fewConnectionsMax(this.#roomy)
    this.#patienceMax = this.#roomy ? SPIN_TURNS : SPIN_TURNS_TIGHT
    this.#patience = this.#patienceMax
  }

  /** A turn has found requests of clients. `broadcastCount`: messages sent to many since the start. */
  worked(requests: number, broadcastCount: number): void {
    this.#worked = true
    this.#placement.worked(requests)
    this.#spreading = broadcastCount !== this.#broadcastCount
    this.#broadcastCount = broadcastCount
    if (this.#placement.isAlone && (this.#spreading || !this.#allowed())) this.#placement.endAlone()
  }

  /** The core goes to sleep at `nowMs`. */
  sleeps(nowMs: number): void {
    this.#placement.sleeps(!this.#allowed(), nowMs)
  }

  /** Looks for a while. False when it is time to sleep. */
  wait(): boolean {
    if (!this.#worked || !this.#allowed()) {
      this.#hits = 0
      this.#placement.endAlone()
      return false
    }
    this.#worked = false
    const links = this.#links
    const spreading = this.#spreading && !this.#roomy
    const turns = spreading ? Math.min(this.#patience, SPIN_TURNS_SPREADING) : this.#patience
    for (let turn = 1; turn <= turns; turn++) {
      if (!spreading && this.#mayOffer(turn)) yieldProcessor()
      for (let i = 0; i < links.length; i++) {
        if (links[i].requests.isEmpty()) continue
        this.#found(spreading)
        return true
      }
    }
    this.#hits = 0
    this.#vainLooks++
    if (this.#vainLooks > SETTLED_VAIN_LOOKS_MAX) this.#placement.endAlone()
    this.#patience >>= 1
    if (this.#vainLooks % SPIN_PROBE_PERIOD === 0) this.#patience = this.#patienceMax
    return false
  }

  #mayOffer(turn: number): boolean {
    if (this.#roomy) return turn % SPIN_YIELD_PERIOD === 0
    return turn % SPIN_YIELD_PERIOD_TIGHT === 0 && turn > SPIN_TURNS_BEFORE_YIELD_TIGHT
  }

  #found(spreading: boolean): void {
    this.#patience = Math.min(this.#patienceMax, this.#patience * 2)
    this.#vainLooks = 0
    if (this.#roomy || spreading || this.#placement.isAlone) return
    if (++this.#hits < SETTLE_HITS) return
    this.#hits = 0
    this.#placement.alone()
  }

  #allowed(): boolean {
    if (this.#roomy) return true
    let active = 0
    for (let i = 0; i < this.#links.length; i++) active += this.#links[i].active
    return active <= this.#connectionsMax
  }

  /** The core has ended: its thread may be given another server. */
  end(): void {
    this.#placement.anywhere()
  }
}
