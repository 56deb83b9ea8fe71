/**
 * The options that SET and GETEX share: conditions, and when the value is to expire.
 *
 * Thread: core. Hot path.
 * Owns: the options of the call in progress.
 * Never: looks at a key.
 */
import type { Call } from '../../engine/call.ts'
import { invalidExpire, SYNTAX } from '../../engine/errors.ts'
import { MILLISECONDS, momentArgument, SECONDS } from '../../keyspace/expire-time.ts'

export const OPTION_NX = 1
export const OPTION_XX = 2
export const OPTION_GET = 4
export const OPTION_KEEPTTL = 8
export const OPTION_PERSIST = 16
export const OPTION_EX = 32
export const OPTION_PX = 64
export const OPTION_EXAT = 128
export const OPTION_PXAT = 256
/** Any option that gives a time. */
export const OPTION_TIMED = OPTION_EX | OPTION_PX | OPTION_EXAT | OPTION_PXAT
const LIFETIME = OPTION_KEEPTTL | OPTION_PERSIST | OPTION_TIMED

/** What each option cannot stand beside. The same time option may come twice: the last one counts. */
const OPTIONS = [
  { token: 'EX', bit: OPTION_EX, excludes: LIFETIME & ~OPTION_EX },
  { token: 'PX', bit: OPTION_PX, excludes: LIFETIME & ~OPTION_PX },
  { token: 'NX', bit: OPTION_NX, excludes: OPTION_XX },
  { token: 'XX', bit: OPTION_XX, excludes: OPTION_NX },
  { token: 'GET', bit: OPTION_GET, excludes: 0 },
  { token: 'EXAT', bit: OPTION_EXAT, excludes: LIFETIME & ~OPTION_EXAT },
  { token: 'PXAT', bit: OPTION_PXAT, excludes: LIFETIME & ~OPTION_PXAT },
  { token: 'KEEPTTL', bit: OPTION_KEEPTTL, excludes: LIFETIME & ~OPTION_KEEPTTL },
  { token: 'PERSIST', bit: OPTION_PERSIST, excludes: LIFETIME & ~OPTION_PERSIST },
] as const

let timeIndex = 0

/** The argument that holds the time of the options parsed last. */
export function optionTimeIndex(): number {
  return timeIndex
}

/**
 * Reads the options from argument `first` on: their bits. `allowed`: those that the command has.
 * Throws: CommandError SYNTAX.
 */
export function parseOptions(call: Call, first: number, allowed: number): number {
  const { args } = call
  let found = 0
  for (let i = first; i < args.count; i++) {
    const option = optionAt(call, i, allowed)
    if (option === undefined || (found & option.excludes) !== 0) throw SYNTAX
    found |= option.bit
    if ((option.bit & OPTION_TIMED) !== 0) {
      i++
      if (i >= args.count) throw SYNTAX
      timeIndex = i
    }
  }
  return found
}

function optionAt(call: Call, index: number, allowed: number) {
  for (let i = 0; i < OPTIONS.length; i++) {
    const option = OPTIONS[i]
    if ((option.bit & allowed) !== 0 && call.args.is(index, option.token)) return option
  }
  return undefined
}

/**
 * The deadline that an argument means, Unix milliseconds. `unit`: the option that it belongs to.
 * Throws: CommandError NOT_AN_INTEGER, or that the time is invalid.
 */
export function deadlineOf(call: Call, index: number, unit: number): number {
  const { name } = call.entry
  const unitMs = (unit & (OPTION_EX | OPTION_EXAT)) !== 0 ? SECONDS : MILLISECONDS
  const fromNow = (unit & (OPTION_EX | OPTION_PX)) !== 0
  const deadlineMs = momentArgument(call, index, unitMs, fromNow, name)
  if (deadlineMs <= (fromNow ? call.nowMs : 0)) throw invalidExpire(name)
  return deadlineMs
}
