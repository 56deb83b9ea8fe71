/**
 * What both threads of the ring tests know: the shared words and the sizes of records.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: differs between the two.
 */
import type { Dice } from '../conformance/dice.ts'

const LINE = 32
export const HEAD = 0 * LINE
export const TAIL = 1 * LINE
export const READER_PARKED = 2 * LINE
export const WRITER_PARKED = 3 * LINE
export const PING = 4 * LINE
export const PONG = 5 * LINE
/** Sleeps that ended by their limit. */
export const STALLS = 6 * LINE
export const CONTROL_WORDS = 7 * LINE

/** Far beyond what a wake-up takes, even on a busy machine. */
export const SLEEP_MS = 3000

export interface PeerOrder {
  readonly task: 'write' | 'answer'
  readonly control: SharedArrayBuffer
  readonly ring: SharedArrayBuffer
  readonly seed: number
  readonly count: number
}

/** Mostly small, sometimes up to half the ring: pads, wraps and a full ring all come. */
export function recordSize(dice: Dice, capacity: number): number {
  const most = dice.chance(90) ? 256 : capacity / 2
  return 8 + ((dice.below(most - 8) >> 3) << 3)
}
