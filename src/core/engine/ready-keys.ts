/**
 * Keys that blocked calls wait for, and those of them that something has happened to.
 *
 * Thread: core.
 * Owns: who is awaited, and in which order keys became ready.
 * Never: runs a call: whoever makes calls looks at `pending` after each.
 */

export class ReadyKeys {
  /** Awaited keys and how many calls wait for each. */
  readonly #awaited = new Map<string, number>()
  #ready = new Set<string>()

  /** How many keys are awaited: nobody has to signal anything while it is 0. */
  awaitedCount = 0

  /** Something became ready, or some wait ended: `Blocking.serve` looks after it. */
  pending = false

  /** `name`: one character a byte. */
  add(dbIndex: number, name: string): void {
    const key = keyOf(dbIndex, name)
    this.#awaited.set(key, (this.#awaited.get(key) ?? 0) + 1)
    this.awaitedCount = this.#awaited.size
  }

  forget(dbIndex: number, name: string): void {
    const key = keyOf(dbIndex, name)
    const count = (this.#awaited.get(key) ?? 0) - 1
    if (count > 0) this.#awaited.set(key, count)
    else this.#awaited.delete(key)
    this.awaitedCount = this.#awaited.size
  }

  /** The key came, went or grew. */
  signal(dbIndex: number, name: string): void {
    const key = keyOf(dbIndex, name)
    if (!this.#awaited.has(key)) return
    this.#ready.add(key)
    this.pending = true
  }

  /** Everything in a database may have changed; -1: in all of them. */
  signalAll(dbIndex: number): void {
    for (const key of this.#awaited.keys()) {
      if (dbIndex < 0 || key.startsWith(`${dbIndex} `)) this.#ready.add(key)
    }
    this.pending ||= this.#ready.size > 0
  }

  /** The keys signalled since the last time, in order, as `keyOf` writes them. */
  take(): ReadonlySet<string> {
    const taken = this.#ready
    this.#ready = new Set()
    this.pending = false
    return taken
  }
}

/** A key of a database as one text. */
export function keyOf(dbIndex: number, name: string): string {
  return `${dbIndex} ${name}`
}
