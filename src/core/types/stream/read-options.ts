/**
 * What XREAD and XREADGROUP are asked for, up to the keys.
 *
 * Thread: core. Hot path.
 * Owns: the order of these options, and what is wrong with them.
 * Never: looks at a key.
 */
import type { Args } from '../../engine/args.ts'
import { parseTimeoutMs } from '../../engine/blocking.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, SYNTAX } from '../../engine/errors.ts'
import { StreamCursor } from './cursor.ts'
import { ID_WORDS } from './id.ts'
import { count } from './range.ts'

const UNBALANCED = new CommandError(
  "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
)
const GROUP_ALIEN = new CommandError(
  'ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.',
)
const NOACK_ALIEN = new CommandError(
  'ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.',
)
const GROUP_MISSING = new CommandError('ERR Missing GROUP option for XREADGROUP')

/** What becomes of a stream of the call. */
export const NOTHING = 0
export const NEW_ENTRIES = 1
export const HISTORY = 2

const STREAMS_START = 16

/** QUIRK: other calls that would wait are answered as after a timeout when a script makes them. */
// alloc: an error
function notFromScript(isGroup: boolean): CommandError {
  const name = isGroup ? 'xreadgroup' : 'xread'
  return new CommandError(`ERR ${name} command is not allowed with BLOCK option from scripts`)
}

export class ReadOptions {
  isGroup = false
  #isScript = false
  /** Entries of each stream, at most. */
  limit = Number.POSITIVE_INFINITY
  /** -1: does not wait; 0: for ever. */
  timeoutMs = -1
  noAck = false
  /** The group's argument, which the consumer's follows; 0: none. */
  groupIndex = 0
  streamsIndex = 0
  streamCount = 0
  /** By stream: the words of the id after which to read. */
  ids = new Int32Array(STREAMS_START * ID_WORDS)
  /** By stream: NOTHING, NEW_ENTRIES or HISTORY. */
  served = new Uint8Array(STREAMS_START)
  /** By stream: entries to be answered. */
  counts = new Float64Array(STREAMS_START)
  /** By stream: before the first of these entries. */
  readonly cursors: StreamCursor[] = []

  /** Throws: CommandError. */
  parse({ args, session }: Call, isGroup: boolean): void {
    this.isGroup = isGroup
    this.#isScript = session.isScript
    this.limit = Number.POSITIVE_INFINITY
    this.timeoutMs = -1
    this.noAck = false
    this.groupIndex = 0
    this.streamsIndex = 0
    for (let i = 1; i < args.count && this.streamsIndex === 0; i++) i = this.#option(args, i)
    if (this.streamsIndex === 0) throw SYNTAX
    if (isGroup && this.groupIndex === 0) throw GROUP_MISSING
    if (this.streamCount > this.served.length) this.#grow()
    this.served.fill(NOTHING, 0, this.streamCount)
    while (this.cursors.length < this.streamCount) this.cursors.push(new StreamCursor()) // alloc: as #grow
  }

  /** Gives the last argument that belongs to the option at `index`. */
  #option(args: Args, index: number): number {
    const left = args.count - index - 1
    if (left > 0 && args.is(index, 'BLOCK')) {
      if (this.#isScript) throw notFromScript(this.isGroup)
      this.timeoutMs = parseTimeoutMs(args, index + 1)
      return index + 1
    }
    if (left > 0 && args.is(index, 'COUNT')) {
      const limit = count(args, index + 1)
      this.limit = limit === 0 ? Number.POSITIVE_INFINITY : limit
      return index + 1
    }
    if (left > 0 && args.is(index, 'STREAMS')) {
      if (left % 2 !== 0) throw UNBALANCED
      this.streamsIndex = index + 1
      this.streamCount = left / 2
      return index
    }
    if (left > 1 && args.is(index, 'GROUP')) {
      if (!this.isGroup) throw GROUP_ALIEN
      this.groupIndex = index + 1
      return index + 2
    }
    if (!args.is(index, 'NOACK')) throw SYNTAX
    if (!this.isGroup) throw NOACK_ALIEN
    this.noAck = true
    return index
  }

  // alloc: only for a call with more streams than all before
  #grow(): void {
    this.ids = new Int32Array(this.streamCount * ID_WORDS)
    this.served = new Uint8Array(this.streamCount)
    this.counts = new Float64Array(this.streamCount)
  }
}
