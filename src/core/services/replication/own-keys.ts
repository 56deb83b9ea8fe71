/**
 * Keys that clients of a writable replica gave a deadline. A replica leaves expired keys to its
 * primary, which knows nothing of these: they are deleted here.
 *
 * Thread: core.
 * Owns: their names.
 * Never: deletes what came from the primary.
 */
import { OWN_KEYS_PERIOD_MS } from '../../../config/limits.ts'
import type { Ref } from '../../../memory/arena.ts'
import { entryKeyLength, entryKeyOffset } from '../../../memory/entry.ts'
import { Args } from '../../engine/args.ts'
import type { Db } from '../../keyspace/db.ts'
import { entryDeadline } from '../../keyspace/entry.ts'
import type { Server } from '../../server.ts'

const NO_DEADLINE = -1

export class OwnKeys {
  readonly #server: Server
  /** Names as Latin-1 text, by database. */
  readonly #names = new Map<Db, Set<string>>()
  readonly #setPeriod: (periodMs: number) => void

  constructor(server: Server) {
    this.#server = server
    this.#setPeriod = server.timers.every(Number.POSITIVE_INFINITY, () => this.#tick())
  }

  /** Keys that may have to be deleted. */
  get count(): number {
    let count = 0
    for (const names of this.#names.values()) count += names.size
    return count
  }

  /** An entry of the database's arena has got a deadline. */
  note(db: Db, ref: Ref): void {
    const { bytes } = db.arena
    const at = entryKeyOffset(ref)
    const name = bytes.latin1Slice(at, at + entryKeyLength(db.arena, ref))
    const names = this.#names.get(db)
    if (names !== undefined) names.add(name)
    else this.#names.set(db, new Set([name]))
    this.#setPeriod(OWN_KEYS_PERIOD_MS)
  }

  /** The data are others. */
  forget(): void {
    this.#names.clear()
    this.#setPeriod(Number.POSITIVE_INFINITY)
  }

  #tick(): void {
    for (const [db, names] of this.#names) {
      for (const name of names) if (this.#isDone(db, name)) names.delete(name)
      if (names.size === 0) this.#names.delete(db)
    }
    if (this.#names.size === 0) this.#setPeriod(Number.POSITIVE_INFINITY)
  }

  /** Deletes the key if its time is over. True when there is nothing more to do about it. */
  #isDone(db: Db, name: string): boolean {
    const { keyspace, clock, start } = this.#server
    const memory = new ArrayBuffer((name.length + 7) & ~7)
    const bytes = Buffer.from(memory)
    bytes.latin1Write(name, 0)
    const args = new Args(bytes, new Int32Array(memory), start.hashSeed)
    args.count = 1
    args.offsets[0] = 0
    args.lengths[0] = name.length
    const ref = db.find(args, 0)
    if (ref === 0) return true
    const deadlineMs = entryDeadline(db.arena, ref)
    if (deadlineMs === NO_DEADLINE) return true
    if (deadlineMs >= clock.nowMs || keyspace.isPaused) return false
    db.removeUnasked(ref, 'expired')
    keyspace.expiredCount++
    return true
  }
}
