/**
 * Freeing large values little by little, for whoever asks for it: UNLINK, and each other way for a key
 * to go of which a directive says so; and the tables of emptied databases, key by key. What waits is in
 * no database, and nobody sees it; what it still holds counts as used. So nothing is evicted for memory
 * that is about to be free: eviction calls for it first.
 *
 * A table that a snapshot has to give waits until that is over; where memory is short, the snapshot gives
 * all the rest at once.
 *
 * Thread: core.
 * Owns: the values and tables that wait to be freed.
 * Never: takes longer than about a millisecond at once, but for a list or a stream of millions.
 */
import { LAZY_FREE_SLICE_COUNT } from '../../config/limits.ts'
import type { Settings } from '../../config/settings.ts'
import type { Arena, Ref } from '../../memory/arena.ts'
import { byteMapScan, byteMapVisit } from '../../memory/byte-map.ts'
import type { VisitBlock } from '../../memory/check.ts'
import { entryType } from './entry.ts'
import type { KeyTable } from './table.ts'
import { type ValueType, valueType } from './value.ts'

/** Values of no more blocks are freed at once: Redis's own measure. */
const EFFORT_MAX = 64
/** Keys of a table looked up together. */
const STRIDE = 32

interface ValueJob {
  readonly arena: Arena
  /** The entry that the key had. */
  readonly ref: Ref
  /** How far the walk over its elements has come: those before are freed. */
  cursor: number
}

interface TableJob {
  readonly table: KeyTable
  /** How far the walk over its keys has come: those before are freed, or wait as values do. */
  cursor: number
  keysLeft: number
  /** A snapshot may still have to give it. */
  isHeld: boolean
}

const scanned: Ref[] = []

export class LazyFree {
  readonly #arenas: readonly Arena[]
  #values: ValueJob[] = []
  #tables: TableJob[] = []
  /** Keys freed, for INFO. */
  freedCount = 0
  /** What goes lazily without being asked to: keys whose time is over, evicted ones, replaced ones. */
  ofExpired = false
  ofEvicted = false
  ofReplaced = false
  /** Called when there is something to do: `turn` is to be called until it says otherwise. */
  begin: () => void = () => {}

  constructor(arenas: readonly Arena[]) {
    this.#arenas = arenas
  }

  follow(settings: Settings): void {
    this.ofExpired = settings.bool('lazyfree-lazy-expire')
    this.ofEvicted = settings.bool('lazyfree-lazy-eviction')
    this.ofReplaced = settings.bool('lazyfree-lazy-server-del')
  }

  /** Keys that wait to be freed. */
  get pendingCount(): number {
    return this.#tables.reduce((sum, { keysLeft }) => sum + keysLeft, this.#values.length)
  }

  /** True while databases that were emptied wait. */
  get hasTables(): boolean {
    return this.#tables.length > 0
  }

  /** True when `turn` would free something. */
  get canGoOn(): boolean {
    return this.#values.length > 0 || this.#tables.some(({ isHeld }) => !isHeld)
  }

  /** Takes over an entry that is in no database any more. False: it is so small, free it at once. */
  take(arena: Arena, ref: Ref): boolean {
    if (effortOf(arena, ref) <= EFFORT_MAX) return false
    this.#values.push({ arena, ref, cursor: 0 }) // alloc: for a value of many blocks
    this.begin()
    return true
  }

  /** Takes over the keys of a database; `isHeld`: not to be freed before `release`. */
  takeTable(table: KeyTable, isHeld: boolean): void {
    this.#tables.push({ table, cursor: 0, keysLeft: table.size(), isHeld })
    if (!isHeld) this.begin()
  }

  /** The snapshot is over. */
  release(): void {
    if (this.#tables.length === 0) return
    for (const job of this.#tables) job.isHeld = false
    this.begin()
  }

  /** Frees some of what waits. False when nothing is left that may be freed. */
  turn(): boolean {
    if (this.#values.length > 0) this.#freeFromValue(this.#values[0])
    else {
      const job = this.#tables.find(({ isHeld }) => !isHeld)
      if (job !== undefined) this.#freeFromTable(job)
    }
    return this.canGoOn
  }

  /** The arenas were emptied. */
  forget(): void {
    this.freedCount += this.pendingCount
    this.#values = []
    this.#tables = []
  }

  /** Every block of an arena that waits to be freed: for the checker. */
  visit(arena: Arena, visit: VisitBlock): void {
    for (const job of this.#values) {
      if (job.arena !== arena) continue
      const type = valueType(entryType(arena, job.ref))
      visit(job.ref)
      if (job.cursor === 0) type.visit(arena, job.ref, visit)
      else visitRest(job, type, visit)
    }
    for (const job of this.#tables) this.#visitTable(job, arena, visit)
  }

  #freeFromValue(job: ValueJob): void {
    const { arena, ref } = job
    const type = valueType(entryType(arena, ref))
    const map = type.elementMap?.(arena, ref) ?? 0
    if (map !== 0) {
      job.cursor = byteMapScan(arena, map, job.cursor, LAZY_FREE_SLICE_COUNT, scanned)
      for (const entry of scanned) arena.free(entry)
      scanned.length = 0
      if (job.cursor !== 0) return
    }
    this.#values.shift()
    if (map === 0) type.free(arena, ref)
    else type.freeWithoutElements?.(arena, ref)
    arena.free(ref)
    this.freedCount++
  }

  #freeFromTable(job: TableJob): void {
    const { table } = job
    let blocks = 0
    do {
      job.cursor = table.scan(job.cursor, STRIDE, scanned)
      const arena = this.#arenas[table.arenaIndex]
      for (const ref of scanned) {
        if (this.take(arena, ref)) continue
        blocks += 1 + effortOf(arena, ref)
        valueType(entryType(arena, ref)).free(arena, ref)
        arena.free(ref)
        this.freedCount++
      }
      job.keysLeft -= scanned.length
      scanned.length = 0
    } while (job.cursor !== 0 && blocks < LAZY_FREE_SLICE_COUNT)
    if (job.cursor !== 0) return
    table.free()
    this.#tables = this.#tables.filter((other) => other !== job)
  }

  #visitTable({ table, cursor }: TableJob, arena: Arena, visit: VisitBlock): void {
    table.maps.forEach((map, index) => {
      if (map !== 0 && this.#arenas[index] === arena) byteMapVisit(arena, map, visit)
    })
    const found: Ref[] = []
    let at = cursor
    do {
      found.length = 0
      at = table.scan(at, STRIDE, found)
      if (this.#arenas[table.arenaIndex] !== arena) continue
      for (const ref of found) {
        visit(ref)
        valueType(entryType(arena, ref)).visit(arena, ref, visit)
      }
    } while (at !== 0)
  }
}

function effortOf(arena: Arena, ref: Ref): number {
  return valueType(entryType(arena, ref)).freeEffort?.(arena, ref) ?? 0
}

/** What is left of a value whose elements are being freed: they come one after the other. */
function visitRest({ arena, ref, cursor }: ValueJob, type: ValueType, visit: VisitBlock): void {
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
