/**
 * Members that were found in sets, as places in the sets themselves: the entry in a map, the index in
 * an intset. Nothing is copied until a reply or a new set takes it.
 *
 * Thread: core. Hot path.
 * Owns: the list of places.
 * Never: outlives a change of the sets.
 */
import { writeInteger64 } from '../../../lib/bytes/integer.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { entryKeyLength, entryKeyOffset } from '../../../memory/entry.ts'
import { intsetGet, intsetHigh, intsetLow } from '../../../memory/intset.ts'
import type { Reply } from '../../engine/reply.ts'
import type { Member } from './member.ts'

/** A list that grew beyond this is not kept for the next call. */
const KEPT_COUNT_MAX = 65_536

const digits = Buffer.alloc(24)

/** Places in one set. */
export class Found {
  places: number[] = []
  arena: Arena | undefined = undefined
  isTable = false
  /** The intset. */
  structure: Ref = 0

  open(arena: Arena, structure: Ref, isTable: boolean): void {
    this.arena = arena
    this.structure = structure
    this.isTable = isTable
    if (this.places.length > KEPT_COUNT_MAX)
      this.places = [] // alloc: seldom
    else this.places.length = 0
  }

  get count(): number {
    return this.places.length
  }

  /** Shows one of them. */
  read(index: number, member: Member): void {
    const { arena, places } = this
    if (arena === undefined) return
    if (this.isTable) return member.openEntry(arena, places[index])
    intsetGet(arena, this.structure, places[index])
    member.openInteger(intsetHigh(), intsetLow())
  }

  /** Answers all of them, without a header. */
  reply(reply: Reply): void {
    const { arena, places } = this
    if (arena === undefined) return
    if (this.isTable) {
      const { bytes } = arena
      for (let i = 0; i < places.length; i++) {
        reply.bulk(bytes, entryKeyOffset(places[i]), entryKeyLength(arena, places[i]))
      }
      return
    }
    for (let i = 0; i < places.length; i++) {
      intsetGet(arena, this.structure, places[i])
      reply.bulk(digits, 0, writeInteger64(digits, 0, intsetHigh(), intsetLow()))
    }
  }
}
