/**
 * The tail of the commands about the ends of fields: FIELDS numfields field [field ...].
 *
 * Thread: core. Hot path.
 * Owns: how it is refused.
 * Never: looks at a hash.
 */
import type { Args } from '../../engine/args.ts'
import { CommandError } from '../../engine/errors.ts'

const NO_FIELDS = new CommandError(
  'ERR Mandatory argument FIELDS is missing or not at the right position',
)
const OTHER_COUNT = new CommandError(
  'ERR The `numfields` parameter must match the number of arguments',
)
/** What is wrong with `numfields`, as those that only read say it. */
export const NOT_POSITIVE = new CommandError('ERR Number of fields must be a positive integer')

/**
 * The number of the argument that is the first field; all from there on are fields. `at`: where FIELDS
 * should be. Throws: CommandError, `notPositive` for a count that is no number above 0.
 */
export function fieldsArgument(args: Args, at: number, notPositive: CommandError): number {
  if (!args.is(at, 'FIELDS')) throw NO_FIELDS
  if (!args.integer64(at + 1) || args.high < 0 || (args.high | args.low) === 0) throw notPositive
  if (args.high !== 0 || args.low >>> 0 !== args.count - at - 2) throw OTHER_COUNT
  return at + 2
}
