/**
 * The calls between MULTI and EXEC, copied one behind the other as the request ring held them.
 *
 * Thread: core.
 * Owns: the copies of one session's queue.
 * Never: runs a call.
 */

import { joined, NO_SLOT } from '../../../lib/crc16.ts'
import type { CommandEntry } from '../../command/table.ts'
import type { Args } from '../../engine/args.ts'

const START_WORDS = 256

export class Queue {
  #words = new Int32Array(START_WORDS)
  #bytes = Buffer.from(this.#words.buffer)
  #used = 0
  #next = 0
  readonly entries: CommandEntry[] = []
  /** Flags of any of the calls. */
  flagBits = 0
  /** Flags that any of them lacks. */
  missingBits = 0
  /** A call was refused: EXEC will only say so. */
  broken = false
  /** The slot of all keys in a cluster. */
  slot = NO_SLOT

  get count(): number {
    return this.entries.length
  }

  /** Bytes of all calls. */
  get sizeBytes(): number {
    return this.#used << 2
  }

  /** A further call has keys of this slot. */
  joinSlot(slot: number): void {
    this.slot = joined(this.slot, slot)
  }

  add(entry: CommandEntry, args: Args, flags: number): void {
    const count = args.requestWords
    if (this.#used + count > this.#words.length) this.#grow(this.#used + count)
    this.#words.set(args.words.subarray(args.requestAt, args.requestAt + count), this.#used)
    this.#used += count
    this.entries.push(entry)
    this.flagBits |= flags
    this.missingBits |= ~entry.flagBits
  }

  /** Opens `args` on the next call, from the first on. */
  open(args: Args): void {
    this.#next = args.open(this.#bytes, this.#words, this.#next)
  }

  #grow(neededWords: number): void {
    const words = new Int32Array(Math.max(neededWords, this.#words.length * 2))
    words.set(this.#words.subarray(0, this.#used))
    this.#words = words
    this.#bytes = Buffer.from(words.buffer)
  }
}
