/**
 * The keys of a call as permissions see them: which argument, and whether it is read or written.
 *
 * Most commands have their keys at places that are the same for all calls; for the others the key
 * specifications are followed anew each time.
 *
 * Thread: core. Hot path.
 * Owns: the places of each command's keys.
 * Never: allocates where the places are fixed.
 */
import { type FoundKey, findKeys, keyFlags } from '../../command/key-specs.ts'
import type { CommandEntry, CommandTable } from '../../command/table.ts'
import type { Args } from '../../engine/args.ts'

export const ACCESS_READ = 1
export const ACCESS_WRITE = 2
export const ACCESS_BOTH = 3

/** Keys at fixed places. Numbers count from the command's name; `last` negative: from the end. */
export interface KeyRange {
  readonly first: number
  readonly last: number
  readonly step: number
  /** What the call does to them; 0: neither is needed, being allowed at all is enough. */
  readonly access: number
}

export interface FixedKeys {
  readonly ranges: readonly KeyRange[]
  /** False when some calls do less than the ranges say, which `find` knows. */
  readonly isExact: boolean
}

export class KeyPlaces {
  /** By the command's number; undefined: they have to be looked for. */
  readonly #places: (FixedKeys | undefined)[]

  constructor(table: CommandTable) {
    this.#places = table.entries.map(fixedKeys)
  }

  /**
   * Where a command's keys are; undefined when only `find` knows.
   * DIFFERS: Redis 7.0 looks at no key at all when a call lacks those of one specification, so that
   * PFMERGE with a destination alone may write any key.
   */
  fixed(entry: CommandEntry): FixedKeys | undefined {
    return this.#places[entry.index]
  }

  /** The keys of a call. `from`: the number of the argument that is the command's name. */
  // alloc: for commands whose keys have no fixed place
  find(entry: CommandEntry, args: Args, from: number): readonly FoundKey[] {
    const words = { count: args.count - from, text: (index: number) => args.text(from + index) }
    return findKeys(entry.definition, entry.keySpecs, words) ?? []
  }
}

/** Reading and writing, as the flags of a key say it. */
export function accessOf(flags: readonly string[]): number {
  const reads = flags.includes('access') ? ACCESS_READ : 0
  const writes = flags.includes('insert') || flags.includes('delete') || flags.includes('update')
  return writes ? reads | ACCESS_WRITE : reads
}

// alloc: at start
function fixedKeys({ keySpecs }: CommandEntry): FixedKeys | undefined {
  const ranges: KeyRange[] = []
  let isExact = true
  for (let i = 0; i < keySpecs.length; i++) {
    const { begin, find, flags, search } = keySpecs[i]
    if (flags.includes('not_key')) continue
    if (flags.includes('variable_flags')) isExact = false
    if (search !== undefined) return undefined
    if (begin === 'unknown' || find === 'unknown') return undefined
    if (!('index' in begin) || !('lastKey' in find) || find.limit > 1) return undefined
    const last = find.lastKey < 0 ? find.lastKey : begin.index + find.lastKey
    const access = accessOf(keyFlags(keySpecs[i]))
    ranges.push({ first: begin.index, last, step: find.step, access })
  }
  return { ranges, isExact }
}
