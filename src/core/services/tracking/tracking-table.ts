/**
 * Which clients may have cached which keys: a byte map in an arena of its own. An entry is a key and
 * behind it the numbers of the clients, ascending, in a block that grows by doubling:
 *
 *     header: count | key length | key, padded | number | number | ... | unused
 *
 * Thread: core. Hot path.
 * Owns: the arena, which there is once a key has been tracked.
 * Never: knows what a number stands for, takes memory as long as nobody tracks.
 */

import { hashWords } from '../../../lib/hash.ts'
import { Arena, type Ref } from '../../../memory/arena.ts'
import {
  byteMapCount,
  byteMapCreate,
  byteMapFind,
  byteMapForEach,
  byteMapFree,
  byteMapInsert,
  byteMapRandom,
  byteMapRemove,
  byteMapReplace,
  byteMapReserve,
  byteMapVisit,
} from '../../../memory/byte-map.ts'
import type { VisitBlock } from '../../../memory/check.ts'
import {
  ENTRY_KEY_OFFSET,
  entryCreateAligned,
  entryKeyLength,
  entryKeyOffset,
  entryPayloadOffset,
} from '../../../memory/entry.ts'
import type { Args } from '../../engine/args.ts'

const SCRATCH_SIZE = 256
/** An arena that has touched less is emptied and kept. */
const KEPT_ARENA_SIZE = 8 * 1024 * 1024

export class TrackingTable {
  readonly #hashSeed: number
  readonly #arenaSize: number | undefined
  #arena: Arena | undefined = undefined
  #map: Ref = 0
  /** The key that is looked for, where words can be compared. */
  #scratchWords = new Int32Array(SCRATCH_SIZE / 4)
  #scratch = Buffer.from(this.#scratchWords.buffer)
  /** Pairs of key and client. */
  itemCount = 0

  /** `arenaSize`: undefined: the largest there can be. */
  constructor(hashSeed: number, arenaSize?: number) {
    this.#hashSeed = hashSeed
    this.#arenaSize = arenaSize
  }

  get keyCount(): number {
    return this.#arena === undefined ? 0 : byteMapCount(this.#arena, this.#map)
  }

  /** Notes that the client may have cached the key of an argument. Throws: ARENA_FULL. */
  add(args: Args, index: number, client: number): void {
    const arena = this.#arena ?? this.#begin()
    const hash = args.hash(index)
    const at = args.offsets[index]
    const length = args.lengths[index]
    const ref = byteMapFind(arena, this.#map, hash, args.words, at, length)
    if (ref === 0) {
      byteMapReserve(arena, this.#map, hash)
      const made = entryCreateAligned(arena, args.words, at, length, 4)
      arena.words[made << 1] = 1
      arena.words[entryPayloadOffset(arena, made) >> 2] = client
      byteMapInsert(arena, this.#map, hash, made)
      this.itemCount++
      return
    }
    const position = this.#position(arena, ref, client)
    if (position >= 0) this.#insert(arena, hash, ref, position, client)
  }

  /** Forgets the key. Gives the clients that may have cached it; undefined when there are none. */
  // alloc: what is given
  take(bytes: Buffer, offset: number, length: number): Int32Array | undefined {
    const arena = this.#arena
    if (arena === undefined) return undefined
    // One word more than the key has, so that the last one can be read whole.
    if (length + 4 > this.#scratch.length) {
      this.#scratchWords = new Int32Array((length >> 2) * 2)
      this.#scratch = Buffer.from(this.#scratchWords.buffer)
    }
    bytes.copy(this.#scratch, 0, offset, offset + length)
    const hash = hashWords(this.#scratchWords, 0, length, this.#hashSeed)
    const ref = byteMapFind(arena, this.#map, hash, this.#scratchWords, 0, length)
    if (ref === 0) return undefined
    const count = arena.words[ref << 1]
    const first = entryPayloadOffset(arena, ref) >> 2
    const clients = arena.words.slice(first, first + count)
    byteMapRemove(arena, this.#map, hash, ref)
    arena.free(ref)
    this.itemCount -= count
    return clients
  }

  /** A copy of a key chosen evenly, undefined when there is none. `random`: numbers in [0, 1). */
  // alloc: for a key that is about to be forgotten
  randomKey(random: () => number): Buffer | undefined {
    const arena = this.#arena
    if (arena === undefined) return undefined
    const ref = byteMapRandom(arena, this.#map, random)
    if (ref === 0) return undefined
    const at = entryKeyOffset(ref)
    return Buffer.from(arena.bytes.subarray(at, at + entryKeyLength(arena, ref)))
  }

  /** Forgets everything. True when there is memory that the collector should give back. */
  // alloc: once for the whole table
  clear(): boolean {
    const arena = this.#arena
    if (arena === undefined) return false
    this.itemCount = 0
    if (arena.touchedBytes > KEPT_ARENA_SIZE) {
      this.#arena = undefined
      this.#map = 0
      return true
    }
    const entries: Ref[] = []
    byteMapForEach(arena, this.#map, (ref) => entries.push(ref))
    for (const ref of entries) arena.free(ref)
    byteMapFree(arena, this.#map)
    this.#map = byteMapCreate(arena)
    return false
  }

  /** For the checker: every block of `arena`. */
  // alloc: for the checker
  visit(visitBlock: VisitBlock): void {
    if (this.#arena === undefined) return
    byteMapVisit(this.#arena, this.#map, visitBlock)
    byteMapForEach(this.#arena, this.#map, visitBlock)
  }

  /** For the checker; undefined when nothing is tracked. */
  get arena(): Arena | undefined {
    return this.#arena
  }

  // alloc: once a life
  #begin(): Arena {
    const arena = this.#arenaSize === undefined ? new Arena() : new Arena(this.#arenaSize)
    arena.hashSeed = this.#hashSeed
    this.#map = byteMapCreate(arena)
    this.#arena = arena
    return arena
  }

  /** Where the client belongs among those of the entry; -1 when it is there. */
  #position(arena: Arena, ref: Ref, client: number): number {
    const words = arena.words
    const first = entryPayloadOffset(arena, ref) >> 2
    let low = 0
    let high = words[ref << 1]
    while (low < high) {
      const middle = (low + high) >> 1
      const there = words[first + middle]
      if (there === client) return -1
      if (there < client) low = middle + 1
      else high = middle
    }
    return low
  }

  #insert(arena: Arena, hash: number, ref: Ref, position: number, client: number): void {
    let entry = ref
    const count = arena.words[ref << 1]
    const keyLength = entryKeyLength(arena, ref)
    const start = ENTRY_KEY_OFFSET + ((keyLength + 3) & ~3)
    if (start + (count + 1) * 4 > arena.blockSizeBytes(ref)) {
      entry = arena.allocate(start + count * 8)
      arena.bytes.copyWithin(entry << 3, ref << 3, (ref << 3) + start + count * 4)
      byteMapReplace(arena, this.#map, hash, ref, entry)
      arena.free(ref)
    }
    const words = arena.words
    const at = ((entry << 3) + start) >> 2
    words.copyWithin(at + position + 1, at + position, at + count)
    words[at + position] = client
    words[entry << 1] = count + 1
    this.itemCount++
  }
}
