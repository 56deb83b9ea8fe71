/**
 * Freeing large values little by little, for whoever asks for it: UNLINK, and DEL and expiry when
 * they are told to. A value that waits is in no database, and nobody sees it; what it still holds
 * counts as used.
 *
 * Thread: core.
 * Owns: the values that wait to be freed.
 * Never: takes longer than about a millisecond at once, but for a list or a stream of millions.
 */
import { LAZY_FREE_SLICE_COUNT } from '../../config/limits.ts'
import type { Arena, Ref } from '../../memory/arena.ts'
import { byteMapScan } from '../../memory/byte-map.ts'
import type { VisitBlock } from '../../memory/check.ts'
import { entryType } from './entry.ts'
import { type ValueType, valueType } from './value.ts'

/** Values of no more blocks are freed at once: Redis's own measure. */
const EFFORT_MAX = 64

interface Job {
  readonly arena: Arena
  /** The entry that the key had. */
  readonly ref: Ref
  /** How far the walk over its elements has come: those before are freed. */
  cursor: number
}

const scanned: Ref[] = []

export class LazyFree {
  #jobs: Job[] = []
  /** Values freed, for INFO. */
  freedCount = 0
  /** Called when there is something to do: `turn` is to be called until it says otherwise. */
  begin: () => void = () => {}

  get pendingCount(): number {
    return this.#jobs.length
  }

  /** Takes over an entry that is in no database any more. False: it is so small, free it at once. */
  take(arena: Arena, ref: Ref): boolean {
    const { freeEffort } = valueType(entryType(arena, ref))
    if (freeEffort === undefined || freeEffort(arena, ref) <= EFFORT_MAX) return false
    this.#jobs.push({ arena, ref, cursor: 0 })
    this.begin()
    return true
  }

  /** Frees some of what waits. False when nothing is left. */
  turn(): boolean {
    if (this.#jobs.length === 0) return false
    const [job] = this.#jobs
    const { arena, ref } = job
    const type = valueType(entryType(arena, ref))
    const map = type.elementMap?.(arena, ref) ?? 0
    if (map !== 0) {
      job.cursor = byteMapScan(arena, map, job.cursor, LAZY_FREE_SLICE_COUNT, scanned)
      for (const entry of scanned) arena.free(entry)
      scanned.length = 0
      if (job.cursor !== 0) return true
    }
    this.#jobs.shift()
    if (map === 0) type.free(arena, ref)
    else type.freeWithoutElements?.(arena, ref)
    arena.free(ref)
    this.freedCount++
    return this.#jobs.length > 0
  }

  /** The arenas were emptied. */
  forget(): void {
    this.freedCount += this.#jobs.length
    this.#jobs = []
  }

  /** Every block of an arena that waits to be freed: for the checker. */
  visit(arena: Arena, visit: VisitBlock): void {
    for (const job of this.#jobs) {
      if (job.arena !== arena) continue
      const type = valueType(entryType(arena, job.ref))
      visit(job.ref)
      if (job.cursor === 0) type.visit(arena, job.ref, visit)
      else visitRest(job, type, visit)
    }
  }
}

/** What is left of a value whose elements are being freed: they come one after the other. */
function visitRest({ arena, ref, cursor }: Job, type: ValueType, visit: VisitBlock): void {
  const left = new Set<Ref>()
  const found: Ref[] = []
  const map = type.elementMap?.(arena, ref) ?? 0
  for (let at = cursor; at !== 0; ) at = byteMapScan(arena, map, at, LAZY_FREE_SLICE_COUNT, found)
  for (const entry of found) left.add(entry)
  const all: Ref[] = []
  for (let at = 0, more = true; more; more = at !== 0) {
    at = byteMapScan(arena, map, at, LAZY_FREE_SLICE_COUNT, all)
  }
  const freed = new Set(all.filter((entry) => !left.has(entry)))
  type.visit(arena, ref, (block) => {
    if (!freed.has(block)) visit(block)
  })
}
