/**
 * Places in a string, as arguments give them: any signed 64-bit integer, negative ones counted from
 * the end.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: knows how long the string is.
 */
import { compareInt64 } from '../../../lib/bytes/integer.ts'
import type { Call } from '../../engine/call.ts'
import { NOT_AN_INTEGER } from '../../engine/errors.ts'

/**
 * The place in an argument; beyond 2^53 rounded, which no string is long enough to show.
 * Throws: CommandError NOT_AN_INTEGER.
 */
export function position(call: Call, index: number): number {
  const { args } = call
  if (!args.integer64(index)) throw NOT_AN_INTEGER
  return args.high * 0x100000000 + (args.low >>> 0)
}

/**
 * Whether both places are negative and the start comes after the end. What was rounded is compared
 * exactly.
 * QUIRK: only then two ends before the first byte are no range; GETRANGE k -9 -9 gives that byte.
 */
export function isReversed(
  call: Call,
  startIndex: number,
  endIndex: number,
  start: number,
  end: number,
): boolean {
  if (start >= 0 || end >= 0 || start < end) return false
  if (start > end) return true
  const { args } = call
  args.integer64(startIndex)
  const { high, low } = args
  args.integer64(endIndex)
  return compareInt64(high, low, args.high, args.low) > 0
}
