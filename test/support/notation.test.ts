/**
 * The tools of the tests: notation, reply parser, command lines.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { describe, expect, test } from 'bun:test'
import { argumentsOf, encodeRequest } from './argv.ts'
import { notation, parseNotation, ReplyParser } from './reply.ts'

const SPELLINGS: readonly (readonly [wire: string, text: string])[] = [
  ['+OK\r\n', '+OK'],
  ['-ERR no "such" key\r\n', '-ERR no "such" key'],
  [':-1\r\n', ':-1'],
  ['$0\r\n\r\n', '$""'],
  ['$3\r\na b\r\n', '$a b'],
  ['$2\r\n a\r\n', '$" a"'],
  ['$4\r\n\r\n\x00\xff\r\n', '$"\\r\\n\\x00\\xff"'],
  ['$-1\r\n', '(nil)'],
  ['$3\r\nnil\r\n', '$nil'],
  ['*-1\r\n', '*nil'],
  ['*0\r\n', '*0'],
  ['*2\r\n$1\r\na\r\n*2\r\n:1\r\n$3\r\nx y\r\n', '*2 $a *2 :1 $"x y"'],
  ['*1\r\n-ERR a b\r\n', '*1 -"ERR a b"'],
  ['%1\r\n$1\r\nk\r\n,1.5\r\n', '%1 $k ,1.5'],
  ['~2\r\n#t\r\n_\r\n', '~2 #t _'],
  ['>2\r\n+a\r\n(12345678901234567890\r\n', '>2 +a (12345678901234567890'],
  ['=7\r\ntxt:a b\r\n', '=txt:a b'],
  ['!5\r\nERR a\r\n', '!ERR a'],
  ['$5\r\na\\"b\n\r\n', '$"a\\\\\\"b\\n"'],
]

describe('notation', () => {
  for (const [wire, text] of SPELLINGS) {
    test(`${text} stands for its bytes, wherever they are cut`, () => {
      const bytes = Buffer.from(wire, 'latin1')
      for (let cut = 0; cut <= bytes.length; cut++) {
        const parser = new ReplyParser()
        const replies = [
          ...parser.feed(bytes.subarray(0, cut)),
          ...parser.feed(bytes.subarray(cut)),
        ]
        expect(replies.map(notation)).toEqual([text])
        expect(parser.pendingSize).toBe(0)
      }
      expect(notation(parseNotation(text))).toBe(text)
    })
  }

  test('wrong counts and unknown words are refused', () => {
    expect(() => parseNotation('*2 $a')).toThrow('too few')
    expect(() => parseNotation('*1 $a $b')).toThrow('too many')
    expect(() => parseNotation('OK')).toThrow('no reply')
    expect(() => new ReplyParser().feed(Buffer.from('garbage\r\n'))).toThrow('begins with')
    expect(() => new ReplyParser().feed(Buffer.from('$2\r\nabcd\r\n'))).toThrow('line end')
  })
})

describe('command lines', () => {
  test('blanks separate, quotes hold together, escapes are bytes', () => {
    const words = argumentsOf('SET "a b" \'c "d"\' "\\x00\\xff\\r\\n\\"" é ""')
    expect(words.map((word) => word.toString('latin1'))).toEqual([
      'SET',
      'a b',
      'c "d"',
      '\x00\xff\r\n"',
      'Ã©',
      '',
    ])
    expect(() => argumentsOf('GET "a')).toThrow('unbalanced')
  })

  test('a list of arguments may hold numbers and bytes', () => {
    const request = encodeRequest(argumentsOf(['SET', 1, 2n, Buffer.of(255)]))
    expect(request.toString('latin1')).toBe(
      '*4\r\n$3\r\nSET\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n\xff\r\n',
    )
  })
})
