/**
 * Replies that nobody may see yet: with `appendfsync always` a reply goes out when the disk holds
 * every write that was made before it, so that no write is lost that somebody knows of.
 *
 * The core does not wait: it goes on executing while the disk works, and replies gather in their
 * rings. Each time they would have been published it is noted how far they have come, and how much of
 * the append-only file has to be on the disk for that. So one sync serves all batches before it.
 *
 * Thread: core. Hot path.
 * Owns: how far each reply ring may be published.
 * Never: keeps a reply from somebody who has only read, and has read nothing that could be lost.
 */
import { IO_PARKED } from '../../bridge/memory.ts'
import { wake } from '../../bridge/wake.ts'
import { WITHHELD_COUNT_MAX } from '../../config/limits.ts'
import type { CoreLink } from './link.ts'

/** What the disk has to hold, and what it does. */
export interface Durability {
  /** Sends what was written so far on its way. Gives its end: a position, modulo 2^32. */
  seal(): number
  /** Up to which position the disk holds everything, modulo 2^32. */
  durable(): number
  /** Waits a little for `durable` to grow. */
  wait(): void
}

export class Withheld {
  readonly #links: readonly CoreLink[]
  #durability: Durability | undefined = undefined
  /** What each entry waits for, and how far each link may go then; a ring of entries. */
  readonly #needed = new Int32Array(WITHHELD_COUNT_MAX)
  readonly #ends: Int32Array
  #first = 0
  /** Entries that wait. */
  count = 0
  /** True when replies have to be looked at before they are published. */
  isOn = false

  constructor(links: readonly CoreLink[]) {
    this.#links = links
    this.#ends = new Int32Array(WITHHELD_COUNT_MAX * links.length)
  }

  /** Replies wait for `durability` from now on; undefined: for nothing, once those that wait are out. */
  use(durability: Durability | undefined): void {
    if (durability === undefined) this.drain()
    this.#durability = durability
    this.isOn = durability !== undefined
  }

  /** Publishes what may be published of what is committed. */
  publish(): void {
    const durability = this.#durability
    if (durability === undefined) return
    const needed = durability.seal()
    if (this.count > 0) this.release()
    if (this.count === 0 && ((needed - durability.durable()) | 0) <= 0) return this.#publishAll()
    this.#note(needed)
  }

  /** Publishes what the disk has caught up with. */
  release(): void {
    const durability = this.#durability
    if (durability === undefined) return
    const durable = durability.durable()
    let last = -1
    while (this.count > 0 && ((this.#needed[this.#first] - durable) | 0) <= 0) {
      last = this.#first
      this.#first = (last + 1) % WITHHELD_COUNT_MAX
      this.count--
    }
    if (last >= 0) this.#publishUpTo(last)
  }

  /** True when `release` has something to do. */
  isReleasable(): boolean {
    if (this.count === 0) return false
    const durable = this.#durability?.durable() ?? 0
    return ((this.#needed[this.#first] - durable) | 0) <= 0
  }

  /** Waits until something was released, if something is withheld. */
  wait(): void {
    if (this.count === 0) return
    if (!this.isReleasable()) this.#durability?.wait()
    this.release()
  }

  /** Waits until nothing is withheld. */
  drain(): void {
    while (this.count > 0) this.wait()
  }

  #note(needed: number): void {
    const links = this.#links
    let entry = (this.#first + this.count) % WITHHELD_COUNT_MAX
    // Without room the last entry stands for this one too.
    if (this.count === WITHHELD_COUNT_MAX) entry = (entry + WITHHELD_COUNT_MAX - 1) % this.count
    else this.count++
    this.#needed[entry] = needed
    for (let i = 0; i < links.length; i++) {
      this.#ends[entry * links.length + i] = links[i].replies.committed
    }
  }

  #publishUpTo(entry: number): void {
    const links = this.#links
    for (let i = 0; i < links.length; i++) {
      const link = links[i]
      const end = this.#ends[entry * links.length + i]
      if (link.replies.publishTo(end)) wake(link.words, IO_PARKED)
    }
  }

  #publishAll(): void {
    const links = this.#links
    for (let i = 0; i < links.length; i++) {
      if (links[i].replies.publish()) wake(links[i].words, IO_PARKED)
    }
  }
}
