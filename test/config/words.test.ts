/**
 * Splitting and quoting of configuration lines.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { describe, expect, test } from 'bun:test'
import { quoteWord, splitWords } from '../../src/config/words.ts'

describe('splitWords', () => {
  const rows: [line: string, words: string[] | undefined][] = [
    ['', []],
    ['  a\tb  c ', ['a', 'b', 'c']],
    ['a "b c" d', ['a', 'b c', 'd']],
    ["logfile ''", ['logfile', '']],
    ['""', ['']],
    ['"\\n\\r\\t\\b\\a\\x41\\"\\\\\\q"', ['\n\r\t\b\x07A"\\q']],
    ['"\\xzz"', ['xzz']],
    ["'a\\'b\\n'", ["a'b\\n"]],
    ["'a\\\\'", undefined],
    ['a"b c"', ['ab c']],
    ["a'b'", ['ab']],
    ['"a"b', undefined],
    ["'a'b", undefined],
    ['"a', undefined],
    ["'a", undefined],
    ['"a\\"', undefined],
    ["'a\\'", undefined],
    ['"a\\', undefined],
    ['a\\"b', undefined],
    ['a\vb', ['a\vb']],
    ['\va', ['a']],
    ['a # b', ['a', '#', 'b']],
    ['a\0b c', ['a']],
    ['a "b"\0 c', ['a', 'b']],
    ['a "b\0"', undefined],
    ['\0', []],
  ]
  for (const [line, words] of rows) {
    test(`${JSON.stringify(line)} is ${JSON.stringify(words) ?? 'unbalanced'}`, () => {
      expect(splitWords(line)).toEqual(words)
    })
  }
})

test('a quoted word comes back whatever its bytes are', () => {
  for (let first = 0; first < 256; first++) {
    const word = `${String.fromCharCode(first)}x\\"' ${String.fromCharCode(255 - first)}`
    expect(quoteWord(word)).toMatch(/^"[ -~]*"$/)
    expect(splitWords(`a ${quoteWord(word)} b`)).toEqual(['a', word, 'b'])
  }
})
