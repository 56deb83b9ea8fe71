/**
 * The sets that SINTER and its kin read, and asking them for members.
 *
 * Thread: core. Hot path.
 * Owns: which sets, and in which order they are asked.
 * Never: changes a set; outlives a change of one.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteMapFind } from '../../../memory/byte-map.ts'
import { entryKeyLength, entryKeyOffset } from '../../../memory/entry.ts'
import { intsetFind, intsetGet, intsetHigh, intsetLow } from '../../../memory/intset.ts'
import { MapCursor } from '../../../memory/map-cursor.ts'
import type { Call } from '../../engine/call.ts'
import { entryEncoding, TYPE_SET } from '../../keyspace/entry.ts'
import type { Found } from './found.ts'
import type { Member } from './member.ts'
import { SET_TABLE, setCount, setStructure } from './set.ts'

export class Sources {
  count = 0
  /** Keys among the arguments that are not there. */
  missingCount = 0
  readonly arenas: Arena[] = []
  readonly structures: Ref[] = []
  readonly tables: boolean[] = []
  readonly sizes: number[] = []
  /** For the walk: the entry or index of the member shown, and in a map its hash. */
  place = 0
  hash = 0
  /** True when all of them are maps, so that `nextEntry` and its kin do. */
  areTables = false
  readonly #cursor = new MapCursor()
  #walked = 0

  /**
   * Reads the sets of arguments `first` to `end`, in their order. False when the first is not there.
   * Throws: CommandError WRONG_TYPE.
   */
  open(call: Call, first: number, end: number): boolean {
    const { args, db } = call
    this.count = 0
    this.missingCount = 0
    this.areTables = true
    let hasFirst = false
    for (let i = first; i < end; i++) {
      const ref = db.readTyped(args, i, TYPE_SET)
      if (ref === 0) {
        this.missingCount++
        continue
      }
      if (i === first) hasFirst = true
      const { arena } = db
      const at = this.count++
      this.arenas[at] = arena
      this.structures[at] = setStructure(arena, ref)
      const isTable = entryEncoding(arena, ref) === SET_TABLE
      this.tables[at] = isTable
      if (!isTable) this.areTables = false
      this.sizes[at] = setCount(arena, ref)
    }
    return hasFirst
  }

  /** Puts the sets from number `from` on in the order of their sizes. */
  sort(from: number, largestFirst: boolean): void {
    const { arenas, structures, tables, sizes } = this
    for (let i = from + 1; i < this.count; i++) {
      const arena = arenas[i]
      const structure = structures[i]
      const table = tables[i]
      const size = sizes[i]
      let to = i
      while (to > from && (largestFirst ? sizes[to - 1] < size : sizes[to - 1] > size)) {
        arenas[to] = arenas[to - 1]
        structures[to] = structures[to - 1]
        tables[to] = tables[to - 1]
        sizes[to] = sizes[to - 1]
        to--
      }
      arenas[to] = arena
      structures[to] = structure
      tables[to] = table
      sizes[to] = size
    }
  }

  /** Members of the sets from number `from` on, counted as often as they are there. */
  sizeFrom(from: number): number {
    let size = 0
    for (let i = from; i < this.count; i++) size += this.sizes[i]
    return size
  }

  /** Whether set number `index` has the member. */
  has(index: number, member: Member): boolean {
    if (this.tables[index]) return this.entryOf(index, member) !== 0
    if (!member.isInteger()) return false
    return intsetFind(this.arenas[index], this.structures[index], member.high, member.low)
  }

  /** The member's entry in set number `index`, which is a map; 0 when it is not there. */
  entryOf(index: number, member: Member): Ref {
    const arena = this.arenas[index]
    const hash = member.hash(arena.hashSeed)
    const { words, offset, length } = member
    return byteMapFind(arena, this.structures[index], hash, words, offset, length)
  }

  /** Whether all sets from number `from` up to `end` have the member. */
  allHave(from: number, end: number, member: Member): boolean {
    for (let i = from; i < end; i++) if (!this.has(i, member)) return false
    return true
  }

  /** Whether a set from number `from` up to `end` has the member. */
  anyHas(from: number, end: number, member: Member): boolean {
    for (let i = from; i < end; i++) if (this.has(i, member)) return true
    return false
  }

  /** Begins a walk over set number `index`. */
  walk(index: number): void {
    this.#walked = index
    this.place = -1
    if (this.tables[index]) this.#cursor.open(this.arenas[index], this.structures[index])
  }

  /** Shows the next member of the walk in `member`. False when there is none. */
  next(member: Member): boolean {
    const index = this.#walked
    const arena = this.arenas[index]
    if (this.tables[index]) {
      const entry = this.#cursor.next()
      if (entry === 0) return false
      this.place = entry
      member.openHashed(arena, entry, this.#cursor.hash)
      return true
    }
    this.place++
    if (this.place === this.sizes[index]) return false
    intsetGet(arena, this.structures[index], this.place)
    member.openInteger(intsetHigh(), intsetLow())
    return true
  }

  /**
   * As `next`, but shows the member in `place` and `hash` only: where all sets are maps nobody needs
   * to know more.
   * MEASURED: bench/micro/set.bench.ts: an intersection takes two thirds of the time.
   */
  nextEntry(): boolean {
    this.place = this.#cursor.next()
    this.hash = this.#cursor.hash
    return this.place !== 0
  }

  /** As `allHave`, for the member that `nextEntry` shows. */
  allHaveEntry(from: number, end: number): boolean {
    for (let i = from; i < end; i++) if (!this.#hasEntry(i)) return false
    return true
  }

  /** As `anyHas`, for the member that `nextEntry` shows. */
  anyHasEntry(from: number, end: number): boolean {
    for (let i = from; i < end; i++) if (this.#hasEntry(i)) return true
    return false
  }

  #hasEntry(index: number): boolean {
    const from = this.arenas[this.#walked]
    const { place } = this
    const at = entryKeyOffset(place)
    const length = entryKeyLength(from, place)
    const { arenas, structures } = this
    return byteMapFind(arenas[index], structures[index], this.hash, from.words, at, length) !== 0
  }

  /** Lets `found` hold places of set number `index`. */
  openFound(index: number, found: Found): void {
    found.open(this.arenas[index], this.structures[index], this.tables[index])
  }
}
