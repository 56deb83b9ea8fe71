/**
 * How long the core looks for the next request before it sleeps.
 *
 * Thread: core. Hot path.
 * Owns: the decision, from what the io threads see of their connections.
 * Never: spins while nobody has sent anything lately.
 */
import { SPIN_CONNECTIONS_MAX, SPIN_TURNS } from '../config/limits.ts'
import type { CoreLink } from './engine/link.ts'

export class Spin {
  readonly #links: readonly CoreLink[]
  /** Spins left until the next request comes or the core sleeps. */
  #left = 0

  constructor(links: readonly CoreLink[]) {
    this.#links = links
  }

  /** A turn has found requests. */
  worked(): void {
    let active = 0
    for (let i = 0; i < this.#links.length; i++) active += this.#links[i].active
    this.#left = active <= SPIN_CONNECTIONS_MAX ? SPIN_TURNS : 0
  }

  /** Looks for a while. False when it is time to sleep. */
  wait(): boolean {
    const links = this.#links
    while (this.#left > 0) {
      this.#left--
      for (let i = 0; i < links.length; i++) {
        if (!links[i].requests.isEmpty()) return true
      }
    }
    return false
  }
}
