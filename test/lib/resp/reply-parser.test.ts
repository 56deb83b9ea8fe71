/**
 * The reply parser: all types, every cut, garbage.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { describe, expect, test } from 'bun:test'
import { Random } from '../../../src/lib/random.ts'
import { type Reply, ReplyParser } from '../../../src/lib/resp/reply-parser.ts'
import rows from './reply-rows.json'

function readPieces(text: string, cuts: readonly number[]): [unknown[], string | undefined] {
  const parser = new ReplyParser()
  const replies: unknown[] = []
  let from = 0
  for (const to of [...cuts, text.length]) {
    parser.feed(Buffer.from(text.slice(from, to), 'latin1'))
    from = to
    for (let reply = parser.next(); reply !== undefined; reply = parser.next()) {
      replies.push(plain(reply))
    }
  }
  return [replies, parser.broken]
}

function read(text: string): unknown {
  const [replies, broken] = readPieces(text, [])
  expect(broken).toBeUndefined()
  expect(replies.length).toBe(1)
  return replies[0]
}

/** A reply as nested arrays: type, then text or items. */
function plain(reply: Reply): unknown[] {
  const attributes = reply.attributes === undefined ? [] : [{ with: reply.attributes.map(plain) }]
  if ('items' in reply) return [reply.type, ...reply.items.map(plain), ...attributes]
  if ('value' in reply) return [reply.type, reply.value, ...attributes]
  if (reply.type === 'nil') return ['nil', ...attributes]
  if (reply.type === 'verbatim') return ['verbatim', reply.format, reply.bytes.toString('latin1')]
  return [reply.type, reply.bytes.toString('latin1'), ...attributes]
}

const MIXED = [
  '+OK\r\n-ERR x\r\n:-9223372036854775808\r\n$-1\r\n*-1\r\n_\r\n#t\r\n#f\r\n,inf\r\n(123\r\n',
  '$4\r\n\r\n\r\n\r\n=7\r\ntxt:a\r\n\r\n!3\r\nE x\r\n*0\r\n%0\r\n~0\r\n>1\r\n+p\r\n',
  '*3\r\n*2\r\n:1\r\n$0\r\n\r\n%1\r\n+k\r\n~2\r\n+a\r\n+b\r\n_\r\n',
  '|1\r\n+ttl\r\n:3\r\n*2\r\n|1\r\n+a\r\n*1\r\n+b\r\n:1\r\n:2\r\n+end\r\n',
].join('')

const BROKEN: [string, string][] = [
  ['?\r\n', 'Protocol error, got "?" as reply type byte'],
  [':\r\n', 'Bad integer value'],
  [':1x\r\n', 'Bad integer value'],
  ['$x\r\n', 'Bulk string length out of range'],
  ['$-2\r\n', 'Bulk string length out of range'],
  ['$1\r\nabc\r\n', 'Bad bulk string format'],
  ['*-2\r\n', 'Multi-bulk length out of range'],
  ['*9999999999\r\n', 'Multi-bulk length out of range'],
  ['#x\r\n', 'Bad bool value'],
  ['=3\r\ntxt\r\n', 'Verbatim string 4 bytes of content type are missing'],
  ['*1\r\n'.repeat(600), 'No support for nesting so deep'],
]

describe('reply parser', () => {
  test('reads every type', () => {
    expect(read('+OK\r\n')).toEqual(['status', 'OK'])
    expect(read('-ERR x\r\n')).toEqual(['error', 'ERR x'])
    expect(read('!5\r\nERR x\r\n')).toEqual(['error', 'ERR x'])
    expect(read(':-42\r\n')).toEqual(['integer', '-42'])
    expect(read('$2\r\n\r\n\r\n')).toEqual(['bulk', '\r\n'])
    expect(read('=5\r\nmkd:a\r\n')).toEqual(['verbatim', 'mkd', 'a'])
    expect(read(',0.1\r\n')).toEqual(['double', '0.1'])
    expect(read('(123456789012345678901\r\n')).toEqual(['bigNumber', '123456789012345678901'])
    for (const text of ['$-1\r\n', '*-1\r\n', '_\r\n']) expect(read(text)).toEqual(['nil'])
    expect(read('%1\r\n+k\r\n#t\r\n')).toEqual(['map', ['status', 'k'], ['boolean', true]])
    expect(read('~1\r\n*0\r\n')).toEqual(['set', ['array']])
    expect(read('>1\r\n:1\r\n')).toEqual(['push', ['integer', '1']])
  })

  test('hangs attributes on the reply behind them, an array too', () => {
    expect(read('|1\r\n+a\r\n:1\r\n*1\r\n:5\r\n')).toEqual([
      'array',
      ['integer', '5'],
      {
        with: [
          ['status', 'a'],
          ['integer', '1'],
        ],
      },
    ])
    expect(read('|0\r\n:5\r\n')).toEqual(['integer', '5'])
  })

  test('reads replies cut at every byte', () => {
    const whole = readPieces(MIXED, [])
    expect(whole[0].length).toBe(20)
    for (let cut = 1; cut < MIXED.length; cut++) expect(readPieces(MIXED, [cut])).toEqual(whole)
    const all = Array.from({ length: MIXED.length }, (_, index) => index)
    expect(readPieces(MIXED, all)).toEqual(whole)
  })

  test('joins a long string once', () => {
    const size = 4 * 1024 * 1024
    const parser = new ReplyParser()
    parser.feed(Buffer.from(`$${size}\r\n`))
    const chunk = Buffer.alloc(1024, 'x')
    for (let i = 0; i < size / 1024; i++) {
      parser.feed(chunk)
      expect(parser.next()).toBeUndefined()
    }
    parser.feed(Buffer.from('\r\nrest'))
    const reply = parser.next()
    expect(reply?.type === 'bulk' && reply.bytes.length).toBe(size)
    expect(parser.takeRest().toString()).toBe('rest')
    expect(parser.next()).toBeUndefined()
  })

  for (const [text, error] of BROKEN) {
    test(`is broken by ${JSON.stringify(text.slice(0, 40))}`, () => {
      expect(readPieces(`+a\r\n${text}+b\r\n`, [])).toEqual([[['status', 'a']], error])
    })
  }

  test('garbage is read the same in one piece and in many, and never throws', () => {
    const pieces = ['+', '-', ':', '$', '*', '%', '|', '\r\n', '\r', '\n', '0', '1', '2', 'a']
    pieces.push(...rows.map((row) => row[1]))
    for (let seed = 1; seed <= 2000; seed++) {
      const random = new Random(seed)
      let text = ''
      for (let n = random.below(12); n >= 0; n--) text += pieces[random.below(pieces.length)]
      const cuts: number[] = []
      for (let at = random.below(5); at < text.length; at += 1 + random.below(9)) cuts.push(at)
      expect([seed, readPieces(text, cuts)]).toEqual([seed, readPieces(text, [])])
    }
  })
})
