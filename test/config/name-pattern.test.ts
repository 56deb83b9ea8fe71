/**
 * Patterns of CONFIG GET against names.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { describe, expect, test } from 'bun:test'
import { matchesName } from '../../src/config/name-pattern.ts'

describe('matchesName', () => {
  const rows: [pattern: string, name: string, fits: boolean][] = [
    ['*', '', true],
    ['*', 'port', true],
    ['p?rt', 'port', true],
    ['p?rt', 'prt', false],
    ['*a*b*c', 'xxaybzc', true],
    ['*a*b*c', 'xxaybz', false],
    ['[^p]ort', 'port', false],
    ['[o-q]ort', 'port', true],
    ['[q-o]ort', 'port', true],
    ['[p', 'p', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['po', 'port', false],
    ['port*', 'port', true],
    ['', '', true],
    ['a*', '', false],
  ]
  for (const [pattern, name, fits] of rows) {
    test(`${pattern} ${fits ? 'fits' : 'does not fit'} '${name}'`, () => {
      expect(matchesName(pattern, name)).toBe(fits)
    })
  }
  test('many stars do not take forever', () => {
    expect(matchesName(`${'*a'.repeat(40)}b`, 'a'.repeat(60))).toBe(false)
  })
})
