/**
 * The lookup of command names against a map of texts.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a command table.
 */
import { describe, expect, test } from 'bun:test'
import { CommandLookup, type LookupItem } from '../../src/lib/command-lookup.ts'
import { Random } from '../../src/lib/random.ts'

const SEED = 20_260_101

function item(name: string, index: number): LookupItem {
  return { name, index, firstKeyIndex: index % 3 }
}

function find(lookup: CommandLookup, name: string): number {
  const bytes = Buffer.from(`<${name}>`, 'latin1')
  return lookup.lookup(bytes, 1, bytes.length - 1)
}

describe('CommandLookup', () => {
  test('finds names in any case, and nothing else', () => {
    const lookup = new CommandLookup([item('get', 7), item('restore-asking', 2), item('a', 0)])
    expect(find(lookup, 'get')).toBe(7)
    expect(find(lookup, 'GeT')).toBe(7)
    expect(find(lookup, 'RESTORE-ASKING')).toBe(2)
    expect(find(lookup, 'A')).toBe(0)
    for (const name of ['', 'ge', 'gets', 'GETT', 'restore\rasking', 'g\xe5t', 'ge\xd4', '!']) {
      expect([name, find(lookup, name)]).toEqual([name, -1])
    }
    expect([lookup.firstKeyIndex(7), lookup.firstKeyIndex(2), lookup.firstKeyIndex(0)]).toEqual([
      1, 2, 0,
    ])
  })

  test('an empty one finds nothing', () => {
    expect(find(new CommandLookup([]), 'get')).toBe(-1)
  })

  test('folds no byte but ASCII letters', () => {
    const lookup = new CommandLookup([item('@[\\]^_`{|}~\xe9', 1)])
    expect(find(lookup, '@[\\]^_`{|}~\xe9')).toBe(1)
    expect(find(lookup, '@[\\]^_@{|}~\xe9')).toBe(-1)
    expect(find(lookup, '@{|}~_`[\\]^\xe9')).toBe(-1)
    expect(find(lookup, '@[\\]^_`{|}~\xc9')).toBe(-1)
  })

  test('agrees with a map over random names, and over names with a byte changed', () => {
    const random = new Random(SEED)
    const names = new Map<string, number>()
    for (let i = 0; i < 700; i++) {
      let name = ''
      const length = 1 + random.below(12)
      for (let j = 0; j < length; j++) name += 'abcdez-_|'[random.below(9)]
      names.set(name, i)
    }
    const lookup = new CommandLookup([...names].map(([name, index]) => item(name, index)))
    for (const [name, index] of names) {
      expect(find(lookup, name.toUpperCase())).toBe(index)
      const at = random.below(name.length)
      const other = `${name.slice(0, at)}${'xaz-'[random.below(4)]}${name.slice(at + 1)}`
      expect([SEED, other, find(lookup, other)]).toEqual([SEED, other, names.get(other) ?? -1])
    }
  })
})
