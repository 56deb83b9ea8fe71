/**
 * One set of permissions: commands, keys and channels that are allowed together. A user has one and
 * may have further ones; a call is allowed when one of them allows all of it.
 *
 * Thread: core. Hot path.
 * Owns: the patterns of keys and channels, and holding a call against them.
 * Never: adds up two selectors.
 */

import { matchGlob } from '../../../lib/glob.ts'
import { CHANNELS_FIRST, CHANNELS_NONE, CHANNELS_PATTERNS } from '../../command/channels.ts'
import type { CommandEntry, CommandTable } from '../../command/table.ts'
import type { Args } from '../../engine/args.ts'
import { CommandSet } from './command-set.ts'
import { accessOf, type KeyPlaces, type KeyRange } from './keys.ts'

/** What became of a check: the larger number says more about the call. */
export const ALLOWED = 0
export const DENIED_COMMAND = 1
export const DENIED_KEY = 2
export const DENIED_CHANNEL = 4

/** A pattern with its bytes; `access`: of keys that match it. */
export interface Pattern {
  readonly text: string
  readonly bytes: Buffer
  access: number
}

export class Selector {
  readonly commands: CommandSet
  allKeys = false
  allChannels = false
  readonly keys: Pattern[] = []
  readonly channels: Pattern[] = []
  /** After a check that a key or channel failed: the number of that argument. */
  deniedIndex = 0

  constructor(table: CommandTable, commands = new CommandSet(table)) {
    this.commands = commands
  }

  // alloc: when a user changes
  copy(table: CommandTable): Selector {
    const copy = new Selector(table, this.commands.copy())
    copy.allKeys = this.allKeys
    copy.allChannels = this.allChannels
    for (let i = 0; i < this.keys.length; i++) copy.addKeys(this.keys[i].text, this.keys[i].access)
    for (let i = 0; i < this.channels.length; i++) copy.addChannels(this.channels[i].text)
    return copy
  }

  get allowsEverything(): boolean {
    return this.allKeys && this.allChannels && this.commands.all
  }

  /** `text`: one character a byte. */
  addKeys(text: string, access: number): void {
    add(this.keys, text, access)
  }

  addChannels(text: string): void {
    add(this.channels, text, 0)
  }

  /** `from`: the number of the argument that is the command's name. */
  check(places: KeyPlaces, entry: CommandEntry, args: Args, from: number): number {
    if (!this.commands.allows(entry, args, from)) return DENIED_COMMAND
    if (!this.allKeys && !this.#allowsKeys(places, entry, args, from)) return DENIED_KEY
    if (this.allChannels || entry.channels === CHANNELS_NONE) return ALLOWED
    return this.#allowsChannels(entry, args, from) ? ALLOWED : DENIED_CHANNEL
  }

  /** True when every key may be used in the way of `access`. */
  allowsAllKeys(access: number): boolean {
    if (this.allKeys) return true
    for (let i = 0; i < this.keys.length; i++) {
      const pattern = this.keys[i]
      if (pattern.text === '*' && (pattern.access & access) === access) return true
    }
    return false
  }

  #allowsKeys(places: KeyPlaces, entry: CommandEntry, args: Args, from: number): boolean {
    const fixed = places.fixed(entry)
    if (fixed !== undefined) {
      if (this.#allowsRanges(fixed.ranges, args, from)) return true
      if (fixed.isExact) return false
    }
    return this.#allowsFoundKeys(places, entry, args, from)
  }

  #allowsRanges(ranges: readonly KeyRange[], args: Args, from: number): boolean {
    for (let i = 0; i < ranges.length; i++) {
      const { first, last, step, access } = ranges[i]
      const end = last < 0 ? args.count + last : from + last
      for (let index = from + first; index <= end; index += step) {
        if (!this.#allowsKey(args, index, access)) return false
      }
    }
    return true
  }

  // alloc: for commands whose keys have no fixed place
  #allowsFoundKeys(places: KeyPlaces, entry: CommandEntry, args: Args, from: number): boolean {
    const found = places.find(entry, args, from)
    return found.every(({ index, flags }) => this.#allowsKey(args, from + index, accessOf(flags)))
  }

  #allowsKey(args: Args, index: number, access: number): boolean {
    const { bytes, offsets, lengths } = args
    const { keys } = this
    for (let i = 0; i < keys.length; i++) {
      const pattern = keys[i]
      if ((pattern.access & access) !== access) continue
      const size = pattern.bytes.length
      if (matchGlob(pattern.bytes, 0, size, bytes, offsets[index], lengths[index])) return true
    }
    this.deniedIndex = index
    return false
  }

  #allowsChannels(entry: CommandEntry, args: Args, from: number): boolean {
    const end = entry.channels === CHANNELS_FIRST ? from + 2 : args.count
    const isPattern = entry.channels === CHANNELS_PATTERNS
    for (let index = from + 1; index < end; index++) {
      const offset = args.offsets[index]
      if (allowsChannel(this.channels, args.bytes, offset, args.lengths[index], isPattern)) continue
      this.deniedIndex = index
      return false
    }
    return true
  }
}

/** A pattern of channels is allowed when it is itself among the patterns. */
export function allowsChannel(
  patterns: readonly Pattern[],
  bytes: Buffer,
  offset: number,
  length: number,
  isPattern: boolean,
): boolean {
  for (let i = 0; i < patterns.length; i++) {
    const pattern = patterns[i].bytes
    if (isPattern) {
      if (pattern.length !== length) continue
      if (pattern.compare(bytes, offset, offset + length) === 0) return true
    } else if (matchGlob(pattern, 0, pattern.length, bytes, offset, length)) {
      return true
    }
  }
  return false
}

// alloc: when a user changes
function add(patterns: Pattern[], text: string, access: number): void {
  const known = patterns.find((pattern) => pattern.text === text)
  if (known !== undefined) known.access |= access
  else patterns.push({ text, bytes: Buffer.from(text, 'latin1'), access })
}
