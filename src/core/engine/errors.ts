/**
 * Every error text that more than one command answers with, byte for byte as Redis 7.0 words it.
 * Clients match on them. A text that belongs to one command alone stands in its file.
 *
 * Thread: core.
 * Owns: the texts.
 * Never: carries a stack: a fixed object is thrown, which costs about a microsecond.
 */

/** The client's mistake, thrown before anything changed; answered in `call.ts`, nowhere else. */
export class CommandError {
  /** Code and text without the leading '-': 'ERR syntax error'. */
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export const WRONG_TYPE = new CommandError(
  'WRONGTYPE Operation against a key holding the wrong kind of value',
)
export const SYNTAX = new CommandError('ERR syntax error')
export const NOT_AN_INTEGER = new CommandError('ERR value is not an integer or out of range')
export const NOT_A_FLOAT = new CommandError('ERR value is not a valid float')
export const OUT_OF_RANGE = new CommandError('ERR value is out of range')
export const OUT_OF_RANGE_POSITIVE = new CommandError('ERR value is out of range, must be positive')
export const NO_SUCH_KEY = new CommandError('ERR no such key')
export const SAME_OBJECT = new CommandError('ERR source and destination objects are the same')
export const INDEX_OUT_OF_RANGE = new CommandError('ERR index out of range')
export const INVALID_DB_INDEX = new CommandError('ERR DB index is out of range')
export const INVALID_CURSOR = new CommandError('ERR invalid cursor')
export const INCREMENT_OVERFLOW = new CommandError('ERR increment or decrement would overflow')
export const STRING_TOO_LARGE = new CommandError(
  'ERR string exceeds maximum allowed size (proto-max-bulk-len)',
)
export const OFFSET_OUT_OF_RANGE = new CommandError('ERR offset is out of range')
export const BIT_OFFSET = new CommandError('ERR bit offset is not an integer or out of range')
export const BIT_VALUE = new CommandError('ERR bit is not an integer or out of range')
export const NO_AUTH = new CommandError('NOAUTH Authentication required.')
export const NO_AUTH_HELLO = new CommandError(
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
)
export const NO_PROTO = new CommandError('NOPROTO unsupported protocol version')
export const WRONG_PASS = new CommandError(
  'WRONGPASS invalid username-password pair or user is disabled.',
)
export const LOADING = new CommandError('LOADING Redis is loading the dataset in memory')
export const OUT_OF_MEMORY = new CommandError(
  "OOM command not allowed when used memory > 'maxmemory'.",
)
export const PRIMARY_DOWN = new CommandError(
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
)
export const NOT_AN_INTEGER_TIMEOUT = new CommandError(
  'ERR timeout is not an integer or out of range',
)

/** `name`: lower case, 'config|get' for a subcommand. */
export function wrongArity(name: string): CommandError {
  return new CommandError(`ERR wrong number of arguments for '${name}' command`)
}

export function invalidExpire(name: string): CommandError {
  return new CommandError(`ERR invalid expire time in '${name}' command`)
}
