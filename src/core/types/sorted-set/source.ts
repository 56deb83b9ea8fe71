/**
 * A key that set algebra reads: a sorted set, or a plain set whose members all count 1.
 *
 * Thread: core.
 * Owns: a walk over its members.
 * Never: changes it; outlives a change of it.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import type { Call } from '../../engine/call.ts'
import { WRONG_TYPE } from '../../engine/errors.ts'
import { TYPE_SET, TYPE_SORTED_SET } from '../../keyspace/entry.ts'
import { SetCursor, setContains, setCount } from '../set/set.ts'
import { SortedSetCursor } from './cursor.ts'
import { sortedSetCount, sortedSetScoreOf } from './sorted-set.ts'

const SET_SCORE = 1

const NO_BYTES = Buffer.alloc(0)

export class Source {
  readonly arena: Arena
  /** 0: there is no such key. */
  readonly ref: Ref
  readonly count: number
  weight = 1
  /** The member that is shown. */
  bytes: Buffer = NO_BYTES
  offset = 0
  length = 0
  score = SET_SCORE
  readonly #isSet: boolean
  readonly #members = new SetCursor()
  readonly #scored = new SortedSetCursor()

  /** Reads the key of argument `index`. Throws: CommandError WRONG_TYPE. */
  constructor(call: Call, index: number) {
    const { args, db } = call
    const ref = db.read(args, index)
    const { arena } = db
    const type = ref === 0 ? TYPE_SORTED_SET : db.typeOf(ref)
    if (type !== TYPE_SORTED_SET && type !== TYPE_SET) throw WRONG_TYPE
    this.arena = arena
    this.ref = ref
    this.#isSet = type === TYPE_SET
    if (ref === 0) this.count = 0
    else this.count = this.#isSet ? setCount(arena, ref) : sortedSetCount(arena, ref)
  }

  /** Begins a walk, in no order that means anything. */
  open(): void {
    if (this.ref === 0) return
    if (this.#isSet) this.#members.open(this.arena, this.ref)
    else this.#scored.open(this.arena, this.ref)
  }

  /** Shows the next member. False when there is none. */
  next(): boolean {
    if (this.ref === 0) return false
    const cursor = this.#isSet ? this.#members : this.#scored
    if (!cursor.next()) return false
    this.bytes = cursor.bytes
    this.offset = cursor.offset
    this.length = cursor.length
    this.score = this.#isSet ? SET_SCORE : this.#scored.score
    return true
  }

  /** The score here of the member that `other` shows; NaN when it is not here. */
  scoreOf(other: Source): number {
    const { arena, ref } = this
    const { bytes, offset, length } = other
    if (ref === 0) return Number.NaN
    if (!this.#isSet) return sortedSetScoreOf(arena, ref, bytes, offset, length)
    return setContains(arena, ref, bytes, offset, length) ? SET_SCORE : Number.NaN
  }
}
