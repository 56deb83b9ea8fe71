/**
 * Makes a set that no key has yet: the results of the STORE commands, values from files.
 *
 * Thread: core. Hot path.
 * Owns: the structure, until an entry takes it.
 * Never: keeps a block when it throws and is then freed.
 */
import { integerHigh, integerLow } from '../../../lib/bytes/integer.ts'
import { AlignedBytes } from '../../../memory/aligned.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteMapCount, byteMapFind } from '../../../memory/byte-map.ts'
import {
  intsetAdd,
  intsetChanged,
  intsetCount,
  intsetCreate,
  intsetRemove,
} from '../../../memory/intset.ts'
import { entryValueWord, TYPE_SET } from '../../keyspace/entry.ts'
import type { CopyTarget } from '../../keyspace/value.ts'
import { isIntegerText, type Member, type MemberBytes } from './member.ts'
import {
  mapAdd,
  mapInsert,
  mapOfIntset,
  SET_INTSET,
  SET_TABLE,
  SET_VALUE_SIZE,
  setFreeStructure,
} from './set.ts'

const scratch = new AlignedBytes()

export class SetBuilder {
  /** The intset or the map; 0: an entry's by now. */
  structure: Ref
  encoding = SET_INTSET
  readonly #arena: Arena
  readonly #intsetMax: number
  readonly #expectedCount: number

  /**
   * `arena`: that of the key to be. `intsetMax`: the most integers of an intset. `expectedCount`: of
   * members; a guess. Throws: ARENA_FULL.
   */
  constructor(arena: Arena, intsetMax: number, expectedCount: number) {
    this.#arena = arena
    this.#intsetMax = intsetMax
    this.#expectedCount = expectedCount
    this.structure = intsetCreate(arena)
  }

  get count(): number {
    const isIntset = this.encoding === SET_INTSET
    return isIntset
      ? intsetCount(this.#arena, this.structure)
      : byteMapCount(this.#arena, this.structure)
  }

  /** Adds a member that lies anywhere. False when it is there already. Throws: ARENA_FULL. */
  push(bytes: Buffer, offset: number, length: number): boolean {
    scratch.set(bytes, offset, length)
    return this.add(scratch, 0, length)
  }

  /** As `push`, for a member that begins at a word. */
  add(from: MemberBytes, offset: number, length: number): boolean {
    if (this.encoding === SET_INTSET) {
      if (isIntegerText(from.bytes, offset, length)) {
        return this.#addInteger(integerHigh(), integerLow())
      }
      this.#becomeMap()
    }
    return mapAdd(this.#arena, this.structure, from, offset, length)
  }

  /** As `push`, for a member that may know its hash. */
  addMember(member: Member): boolean {
    const arena = this.#arena
    if (this.encoding === SET_INTSET) {
      if (member.isInteger()) return this.#addInteger(member.high, member.low)
      this.#becomeMap()
    }
    const hash = member.hash(arena.hashSeed)
    const { words, offset, length } = member
    if (byteMapFind(arena, this.structure, hash, words, offset, length) !== 0) return false
    mapInsert(arena, this.structure, member)
    return true
  }

  /** Lets `target` make the entry, and gives it the set. Throws: ARENA_FULL. */
  finish(target: CopyTarget): void {
    const arena = this.#arena
    const ref = target.create(TYPE_SET, this.encoding, SET_VALUE_SIZE)
    arena.words[entryValueWord(arena, ref)] = this.structure
    this.structure = 0
  }

  /** Frees what no entry has taken. */
  free(): void {
    if (this.structure !== 0) setFreeStructure(this.#arena, this.structure, this.encoding)
    this.structure = 0
  }

  #addInteger(high: number, low: number): boolean {
    const arena = this.#arena
    this.structure = intsetAdd(arena, this.structure, high, low)
    if (!intsetChanged()) return false
    if (intsetCount(arena, this.structure) <= this.#intsetMax) return true
    let done = false
    try {
      this.#becomeMap()
      done = true
    } finally {
      if (!done) this.structure = intsetRemove(arena, this.structure, high, low)
    }
    return true
  }

  #becomeMap(): void {
    const arena = this.#arena
    const map = mapOfIntset(arena, this.structure, this.#expectedCount)
    arena.free(this.structure)
    this.structure = map
    this.encoding = SET_TABLE
  }
}
