/**
 * Lines of words with quotes, as Redis 7.0.15 splits them.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { describe, expect, test } from 'bun:test'
import { Random } from '../../../src/lib/random.ts'
import { splitInline } from '../../../src/lib/resp/inline.ts'

function split(text: string): string[] | undefined {
  const bytes = Buffer.from(text, 'latin1')
  return splitInline(bytes, 0, bytes.length)?.map((word) => Buffer.from(word).toString('latin1'))
}

const ROWS: [string, string[] | undefined][] = [
  ['', []],
  ['  \t ', []],
  ['PING', ['PING']],
  [' a  b\tc\rd ', ['a', 'b', 'c', 'd']],
  ['"a\\x41\\n"', ['aA\n']],
  ['"\\t\\b\\a\\r"', ['\t\b\x07\r']],
  ['"\\xzz\\q\\"\\\\"', ['xzzq"\\']],
  ['"\\x4"', ['x4']],
  ['"\\xfF\\x00"', ['\xff\0']],
  ['""', ['']],
  ["''", ['']],
  ["'it\\'s'", ["it's"]],
  ["'a\\n'", ['a\\n']],
  ["'a\\\\'", undefined],
  ['a"b"', ['ab']],
  ['a"b c"', ['ab c']],
  ["a'b' c", ['ab', 'c']],
  ['"a" "b"', ['a', 'b']],
  ['a\vb\fc', ['a\vb\fc']],
  ['\va', ['a']],
  ['"a"\vb', ['a', 'b']],
  ['\x85\xa0', ['\x85\xa0']],
  ['a\0b c', ['a']],
  ['"a', undefined],
  ["'a", undefined],
  ['"a"b', undefined],
  ["'a'b", undefined],
  ['a"b"c', undefined],
  ['"a\\', undefined],
  ['"a\\"', undefined],
  ["'a\\'", undefined],
  ['"a" "b', undefined],
]

describe('splitInline', () => {
  for (const [text, words] of ROWS) {
    test(`splits ${JSON.stringify(text)}`, () => {
      expect(split(text)).toEqual(words)
    })
  }

  test('reads back any word that was quoted', () => {
    const random = new Random(7)
    for (let turn = 0; turn < 500; turn++) {
      const words = Array.from({ length: random.below(4) }, () =>
        Array.from({ length: random.below(9) }, () => String.fromCharCode(random.below(256))).join(
          '',
        ),
      )
      const line = words.map((word) => `"${word.replace(/./gs, hexEscape)}"`).join(' ')
      expect(split(line)).toEqual(words)
    }
  })

  test('garbage never throws', () => {
    const alphabet = 'ab "\'\\x0n\0\t'
    for (let seed = 1; seed <= 2000; seed++) {
      const random = new Random(seed)
      let text = ''
      for (let n = random.below(20); n > 0; n--) text += alphabet[random.below(alphabet.length)]
      const words = split(text)
      if (words !== undefined) expect(words.join('').length).toBeLessThanOrEqual(text.length)
    }
  })
})

function hexEscape(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}
