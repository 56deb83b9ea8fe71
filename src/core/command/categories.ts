/**
 * ACL categories: which there are, and which a command is in, by its group and its flags.
 *
 * Thread: core.
 * Owns: the names and bits of the categories.
 * Never: knows a user.
 */
import type { CommandDefinition } from './command.ts'

/** In Redis's order, which is the order of ACL CAT; a category's bit is `1 << index`. */
export const CATEGORIES: readonly string[] = [
  'keyspace',
  'read',
  'write',
  'set',
  'sortedset',
  'list',
  'hash',
  'string',
  'bitmap',
  'hyperloglog',
  'geo',
  'stream',
  'pubsub',
  'admin',
  'fast',
  'slow',
  'blocking',
  'dangerous',
  'connection',
  'transaction',
  'scripting',
]

const CATEGORY_OF_GROUP: Readonly<Record<string, string>> = {
  generic: 'keyspace',
  string: 'string',
  bitmap: 'bitmap',
  list: 'list',
  'sorted-set': 'sortedset',
  hash: 'hash',
  set: 'set',
  hyperloglog: 'hyperloglog',
  geo: 'geo',
  stream: 'stream',
  connection: 'connection',
  transactions: 'transaction',
  scripting: 'scripting',
}

/** The bit of a category; 0: there is none of that name (lower case). */
export function categoryBit(name: string): number {
  const index = CATEGORIES.indexOf(name)
  return index < 0 ? 0 : 1 << index
}

/** The names of the categories of `bits`, in order, without '@'. */
export function categoryNames(bits: number): string[] {
  return CATEGORIES.filter((_, index) => (bits & (1 << index)) !== 0)
}

/** Throws: Error when the definition names a category that doesn't exist. */
export function categoriesOf(definition: CommandDefinition, group: string): number {
  const { flags } = definition
  const names = new Set<string>()
  const ofGroup = CATEGORY_OF_GROUP[group]
  // A mere container does nothing that a category could be asked about.
  if (ofGroup !== undefined && definition.run !== undefined) names.add(ofGroup)
  if (flags.includes('write')) names.add('write')
  if (flags.includes('readonly') && ofGroup !== 'scripting') names.add('read')
  if (flags.includes('admin')) names.add('admin').add('dangerous')
  if (flags.includes('pubsub')) names.add('pubsub')
  if (flags.includes('blocking')) names.add('blocking')
  names.add(flags.includes('fast') ? 'fast' : 'slow')
  for (const extra of definition.categories ?? []) {
    if (extra.startsWith('-')) names.delete(extra.slice(1))
    else names.add(extra)
  }
  return bitsOf(names)
}

function bitsOf(names: ReadonlySet<string>): number {
  let bits = 0
  for (const name of names) {
    const bit = categoryBit(name)
    if (bit === 0) throw new Error(`there is no ACL category '${name}'`)
    bits |= bit
  }
  return bits
}
