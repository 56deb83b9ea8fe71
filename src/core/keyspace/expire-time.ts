/**
 * What an argument that speaks of a key's end means, in seconds or milliseconds, from now or from
 * 1970 on.
 *
 * Thread: core. Hot path.
 * Owns: the bounds.
 * Never: compares with the present.
 */
import type { Call } from '../engine/call.ts'
import { invalidExpire, NOT_AN_INTEGER } from '../engine/errors.ts'

export const SECONDS = 1000
export const MILLISECONDS = 1

/**
 * DIFFERS: the last moment a deadline can be set to, in the year 287396; Redis goes on to the year
 * 292 million. Every millisecond up to here is an exact double.
 */
export const DEADLINE_MS_MAX = 2 ** 53 - 1

/** Arguments up to this size need no arithmetic beyond doubles. */
const PLAIN_MAX = 2 ** 42
const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

/**
 * The moment that an argument names, in Unix milliseconds; it may lie in the past, even before 1970.
 * `unitMs`: SECONDS or MILLISECONDS. `fromNow`: counts from this call's time on. `commandName` is for
 * the error. Throws: CommandError, for what is no integer and for what 64 bits cannot hold.
 */
export function momentArgument(
  call: Call,
  index: number,
  unitMs: number,
  fromNow: boolean,
  commandName: string,
): number {
  const { args } = call
  if (!args.integer64(index)) throw NOT_AN_INTEGER
  const value = args.high * 0x100000000 + (args.low >>> 0)
  const baseMs = fromNow ? call.nowMs : 0
  if (value < PLAIN_MAX && value > -PLAIN_MAX) return value * unitMs + baseMs
  return farMoment(args.high, args.low, unitMs, baseMs, commandName)
}

function farMoment(
  high: number,
  low: number,
  unitMs: number,
  baseMs: number,
  commandName: string,
): number {
  const value = ((BigInt(high) << 32n) | BigInt(low >>> 0)) * BigInt(unitMs)
  if (value > INT64_MAX - BigInt(baseMs) || value < INT64_MIN) throw invalidExpire(commandName)
  return Math.min(Number(value + BigInt(baseMs)), DEADLINE_MS_MAX)
}
