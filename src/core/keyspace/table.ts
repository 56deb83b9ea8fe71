/**
 * The keys of one database: a byte map in each arena, and the walks over all of them. A walk says in
 * `arenaIndex` where the entries that it gives live.
 *
 * Thread: core.
 * Owns: the maps and which arena has one.
 * Never: frees an entry or its value, knows what an entry holds.
 */
import type { Random } from '../../lib/random.ts'
import type { Arena, Ref } from '../../memory/arena.ts'
import {
  byteMapAtHome,
  byteMapCount,
  byteMapCreate,
  byteMapForEach,
  byteMapFree,
  byteMapRandom,
  byteMapReserve,
  byteMapScan,
  type EntryCollector,
} from '../../memory/byte-map.ts'

/** A slot is empty as often as it is filled. */
const TRIES_PER_KEY = 8
const CURSOR_ARENA = 0x100000000

export class KeyTable {
  readonly #arenas: readonly Arena[]
  /** Byte map of the keys in each arena; 0 until there is one. */
  readonly maps: Int32Array
  /** Where the last walk has been. */
  arenaIndex = 0

  constructor(arenas: readonly Arena[]) {
    this.#arenas = arenas
    this.maps = new Int32Array(arenas.length)
  }

  /** The map of an arena, made if there is none. Throws: ARENA_FULL. */
  mapIn(index: number): Ref {
    if (this.maps[index] === 0) this.maps[index] = byteMapCreate(this.#arenas[index])
    return this.maps[index]
  }

  /** Makes sure that a key of this hash, in its arena, finds room. Throws: ARENA_FULL. */
  reserve(index: number, hash: number): void {
    byteMapReserve(this.#arenas[index], this.mapIn(index), hash)
  }

  size(): number {
    let count = 0
    for (let i = 0; i < this.maps.length; i++) count += this.#count(i)
    return count
  }

  /**
   * Visits about `wantedCount` keys from `cursor` on. 0 begins and ends. What is there throughout a
   * whole scan is visited. One call gives keys of one arena only.
   */
  scan(cursor: number, wantedCount: number, out: EntryCollector): number {
    const from = Math.floor(cursor / CURSOR_ARENA)
    let index = this.#nextWithKeys(from)
    if (index < 0) return 0
    this.arenaIndex = index
    const start = index === from ? cursor % CURSOR_ARENA : 0
    const at = byteMapScan(this.#arenas[index], this.maps[index], start, wantedCount, out)
    if (at === 0) index = this.#nextWithKeys(index + 1)
    return index < 0 ? 0 : index * CURSOR_ARENA + at
  }

  /** A key chosen evenly; 0 when there is none. `random` answers numbers in [0, 1). */
  random(random: () => number): Ref {
    const size = this.size()
    if (size === 0) return 0
    let at = Math.floor(random() * size)
    for (let i = 0; i < this.maps.length; i++) {
      const count = this.#count(i)
      if (at < count) {
        this.arenaIndex = i
        return byteMapRandom(this.#arenas[i], this.maps[i], random)
      }
      at -= count
    }
    return 0
  }

  /** An arena chosen as evenly as its keys would be, -1 when there are no keys. */
  drawArena(random: Random): number {
    if (this.maps.length === 1) return this.#count(0) > 0 ? 0 : -1
    let at = Math.floor(random.fraction() * this.size())
    for (let i = 0; i < this.maps.length; i++) {
      const count = this.#count(i)
      if (at < count) return i
      at -= count
    }
    return -1
  }

  /**
   * Gives `count` keys of an arena to `out`, drawn about evenly; none if there are none. Neighbours in
   * a row would be cheaper, but where keys were evicted the same few would be drawn again and again.
   * MEASURED: test/process/eviction-quality.test.ts.
   */
  sample(index: number, count: number, random: Random, out: Ref[]): void {
    if (this.#count(index) === 0) return
    const arena = this.#arenas[index]
    const map = this.maps[index]
    let tries = count * TRIES_PER_KEY
    while (out.length < count && tries-- > 0) {
      const ref = byteMapAtHome(arena, map, random.next() | 0)
      if (ref !== 0) out.push(ref)
    }
    if (out.length === 0) out.push(byteMapRandom(arena, map, () => random.fraction()))
  }

  /** Every key, arena by arena. `visit` may not add or remove keys. */
  forEach(visit: (ref: Ref) => void): void {
    for (let i = 0; i < this.maps.length; i++) {
      if (this.maps[i] === 0) continue
      this.arenaIndex = i
      byteMapForEach(this.#arenas[i], this.maps[i], visit)
    }
  }

  /** Frees the maps, whose entries are freed already. */
  free(): void {
    for (let i = 0; i < this.maps.length; i++) {
      if (this.maps[i] !== 0) byteMapFree(this.#arenas[i], this.maps[i])
    }
    this.forget()
  }

  /** Forgets everything, after the arenas themselves were emptied. */
  forget(): void {
    this.maps.fill(0)
  }

  /** Takes over the maps of another table, whose arenas are this one's from now on. */
  adopt(other: KeyTable): void {
    this.maps.set(other.maps)
  }

  #count(index: number): number {
    const map = this.maps[index]
    return map === 0 ? 0 : byteMapCount(this.#arenas[index], map)
  }

  /** The first arena from `index` on that holds keys, -1 when there is none. */
  #nextWithKeys(index: number): number {
    for (let i = index; i < this.maps.length; i++) if (this.#count(i) > 0) return i
    return -1
  }
}
