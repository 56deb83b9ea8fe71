/**
 * Glob patterns: what KEYS, CONFIG GET and PSUBSCRIBE of Redis 7.0.15 matched, and a model that
 * recurses.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { describe, expect, test } from 'bun:test'
import { matchGlob } from '../../src/lib/glob.ts'
import { Random } from '../../src/lib/random.ts'

function match(pattern: string, text: string, ignoreCase = false): boolean {
  const p = Buffer.from(`[${pattern}]`, 'latin1')
  const t = Buffer.from(`*${text}*`, 'latin1')
  return matchGlob(p, 1, p.length - 2, t, 1, t.length - 2, ignoreCase)
}

/** The obvious slow way for patterns of letters, stars and question marks. */
function model(pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  if (pattern[0] === '*') {
    for (let skip = 0; skip <= text.length; skip++) {
      if (model(pattern.slice(1), text.slice(skip))) return true
    }
    return false
  }
  if (text === '') return false
  return (pattern[0] === '?' || pattern[0] === text[0]) && model(pattern.slice(1), text.slice(1))
}

const ROWS: [string, string, boolean][] = [
  ['', '', true],
  ['', 'a', false],
  ['*', 'a', true],
  ['a*', 'a', true],
  ['a**', 'ab', true],
  ['*a*b', 'xaxxb', true],
  ['*a*b', 'xaxxbx', false],
  ['h?llo', 'hello', true],
  ['h?llo', 'hllo', false],
  ['h[ae]llo', 'hallo', true],
  ['h[ae]llo', 'hillo', false],
  ['h[^e]llo', 'hallo', true],
  ['h[^e]llo', 'hello', false],
  ['h[a-b]llo', 'hbllo', true],
  ['h[b-a]llo', 'hallo', true],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['\\', '\\', true],
  ['a\\', 'a\\', true],
  ['[a', 'a', true],
  ['[a', 'b', false],
  ['[ab', 'b', true],
  ['[', 'a', false],
  ['[^', 'a', true],
  ['[]', 'a', false],
  ['[]a', 'a', false],
  ['[^]', 'a', true],
  ['[\\]]', ']', true],
  ['[\\', '\\', true],
  ['[a-]', 'b', false],
  ['[a-]', 'a', true],
  ['[a-]x]', ']', true],
  ['[a-]x]', '^', true],
  ['[--0]', '.', true],
  ['[a\\-z]', '-', true],
  ['[a\\-z]', 'b', false],
]

describe('matchGlob', () => {
  for (const [pattern, text, matches] of ROWS) {
    test(`${JSON.stringify(pattern)} ${matches ? 'matches' : 'leaves'} ${JSON.stringify(text)}`, () => {
      expect(match(pattern, text)).toBe(matches)
    })
  }

  test('QUIRK: no star matches an empty text', () => {
    expect(match('*', '')).toBe(false)
    expect(match('**', '')).toBe(false)
  })

  test('ignores the case of letters, but for an escaped member of a set', () => {
    const text = 'appendonly'
    for (const pattern of ['APPEND*', '[A]ppend*', '\\Append*', '[A-B]ppend*', '[@-Z]ppendonly']) {
      expect([pattern, match(pattern, text, true)]).toEqual([pattern, true])
      expect([pattern, match(pattern, text)]).toEqual([pattern, false])
    }
    for (const pattern of ['[\\A]ppend*', '[^A]ppendonly', '[a-Z]ppendonly', '[Z-a]ppendonly']) {
      expect([pattern, match(pattern, text, true)]).toEqual([pattern, false])
    }
    expect(match('[^\\A]ppendonly', text, true)).toBe(true)
  })

  test('agrees with a recursive model', () => {
    const random = new Random(11)
    const pick = (alphabet: string, size: number) =>
      Array.from({ length: size }, () => alphabet[random.below(alphabet.length)]).join('')
    for (let i = 0; i < 20_000; i++) {
      const pattern = pick('aab*?', random.below(8))
      const text = pick('ab', 1 + random.below(8))
      expect([pattern, text, match(pattern, text)]).toEqual([pattern, text, model(pattern, text)])
    }
  })

  test('a pattern of many stars takes no exponential time', () => {
    const startMs = performance.now()
    expect(match(`${'a*'.repeat(50)}b`, 'a'.repeat(10_000))).toBe(false)
    expect(performance.now() - startMs).toBeLessThan(1000)
  })
})
