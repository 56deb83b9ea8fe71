/**
 * The request parser: every cut, every error of Redis 7.0.15, and garbage.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server: what the real one answered stands here as rows.
 */
import { describe, expect, test } from 'bun:test'
import { Random } from '../../../src/lib/random.ts'
import {
  BROKEN,
  COMPLETE,
  INCOMPLETE,
  RequestParser,
} from '../../../src/lib/resp/request-parser.ts'

const BULK_SIZE_MAX = 512 * 1024 * 1024
const PING = '*1\r\n$4\r\nPING\r\n'

function argumentsOf(parser: RequestParser): string[] {
  const words: string[] = []
  for (let i = 0; i < parser.argc; i++) {
    const [start, end] = [parser.offsets[2 * i], parser.offsets[2 * i + 1]]
    words.push(parser.bytes.latin1Slice(start, end))
  }
  return words
}

interface Outcome {
  requests: string[][]
  error: string | undefined
}

function readAll(text: string, options: { authenticated?: boolean } = {}): Outcome {
  const bytes = Buffer.from(text, 'latin1')
  const parser = new RequestParser(BULK_SIZE_MAX)
  parser.authenticated = options.authenticated ?? true
  parser.reset(bytes, 0, bytes.length)
  return drain(parser, [])
}

function drain(parser: RequestParser, requests: string[][]): Outcome {
  for (;;) {
    const outcome = parser.next()
    if (outcome === COMPLETE) requests.push(argumentsOf(parser))
    else return { requests, error: outcome === BROKEN ? parser.error : undefined }
  }
}

/** Feeds pieces, moving the unfinished bytes to another place of another buffer each time. */
function readPieces(text: string, cuts: readonly number[]): Outcome {
  const parser = new RequestParser(BULK_SIZE_MAX)
  const requests: string[][] = []
  let kept = Buffer.alloc(0)
  let from = 0
  for (const [index, to] of [...cuts, text.length].entries()) {
    const piece = Buffer.from(text.slice(from, to), 'latin1')
    const margin = (index * 7) % 13
    const moved = Buffer.concat([Buffer.alloc(margin, 42), kept, piece])
    parser.resume(moved, margin, moved.length)
    const { error } = drain(parser, requests)
    if (error !== undefined) return { requests, error }
    kept = moved.subarray(parser.position)
    from = to
  }
  return { requests, error: undefined }
}

/** Input, requests read, error. As Redis 7.0.15 answered over a raw socket. */
const ROWS: [string, string[][], string?][] = [
  [PING + PING, [['PING'], ['PING']]],
  ['*2\r\n$4\r\nECHO\r\n$2\r\n\r\n\r\n', [['ECHO', '\r\n']]],
  ['*1\r\n$0\r\n\r\n', [['']]],
  [`*12\r\n${'$1\r\na\r\n'.repeat(12)}`, [Array(12).fill('a')]],
  ['*x', []],
  ['*x\n', []],
  ['*1\r', []],
  ['*1\r\nx', []],
  ['*1\r\n\0\r\n', []],
  ['*1\r\n$4\r', []],
  ['PING\r', []],
  ['PING\0abc\r\n', []],
  ['*x\r\n', [], 'invalid multibulk length'],
  ['*1x\r\n', [], 'invalid multibulk length'],
  ['*01\r\n$4\r\nPING\r\n', [], 'invalid multibulk length'],
  ['*+1\r\n', [], 'invalid multibulk length'],
  ['* 1\r\n', [], 'invalid multibulk length'],
  ['*1 \r\n', [], 'invalid multibulk length'],
  [`*\r\n${PING}`, [], 'invalid multibulk length'],
  [`*-0\r\n${PING}`, [], 'invalid multibulk length'],
  [`*0\r\n${PING}`, [['PING']]],
  [`*-1\r\n${PING}`, [['PING']]],
  [`*-5\r\n${PING}`, [['PING']]],
  ['*1048577\r\n', []],
  ['*2147483647\r\n', []],
  ['*2147483648\r\n', [], 'invalid multibulk length'],
  [`*-2147483649\r\n${PING}`, [['PING']]],
  ['*9223372036854775807\r\n', [], 'invalid multibulk length'],
  [`*-9223372036854775808\r\n${PING}`, [['PING']]],
  [`*-9223372036854775809\r\n${PING}`, [], 'invalid multibulk length'],
  ['*1\n$4\r\nPING\r\n', [], 'invalid multibulk length'],
  ['*1\r\nPING\r\n', [], "expected '$', got 'P'"],
  ['*1\r\n\r\n\r\n', [], "expected '$', got ' '"],
  ['*1\r\n\n\r\n', [], "expected '$', got ' '"],
  ['*1\r\n\xff\r\n', [], "expected '$', got '\xff'"],
  ["*1\r\n'\r\n", [], "expected '$', got '''"],
  ['*1\r\r\n$4\r\nPING\r\n', [], "expected '$', got ' '"],
  ['*1\r\n$x\r\n', [], 'invalid bulk length'],
  ['*1\r\n$\r\n', [], 'invalid bulk length'],
  ['*1\r\n$-1\r\n', [], 'invalid bulk length'],
  ['*1\r\n$-0\r\n', [], 'invalid bulk length'],
  ['*1\r\n$04\r\n', [], 'invalid bulk length'],
  ['*1\r\n$+4\r\n', [], 'invalid bulk length'],
  ['*1\r\n$4 \r\n', [], 'invalid bulk length'],
  ['*1\r\n$4\nPING\r\n', [], 'invalid bulk length'],
  ['*1\r\n$536870912\r\n', []],
  ['*1\r\n$536870913\r\n', [], 'invalid bulk length'],
  ['*1\r\n$9223372036854775807\r\n', [], 'invalid bulk length'],
  ['*1\rX$4\r\nPING\r\n', [['PING']]],
  ['*1\r\n$4\rXPING\r\n', [['PING']]],
  [`*1\r\n$4\r\nPINGXX${PING}`, [['PING'], ['PING']]],
  ['*1\r\n$4\r\r\nPING\r\n', [['\nPIN']]],
  [`\r\n${PING}`, [['PING']]],
  [`\n${PING}`, [['PING']]],
  [`   \r\n${PING}`, [['PING']]],
  ['PING\n', [['PING']]],
  [' PING  a\tb\r\n', [['PING', 'a', 'b']]],
  ['PING a\rb\r\n', [['PING', 'a', 'b']]],
  ['PING a\r\r\n', [['PING', 'a']]],
  [
    'SET k "a b"\r\nGET k\r\n',
    [
      ['SET', 'k', 'a b'],
      ['GET', 'k'],
    ],
  ],
  ['PING "a\r\n', [], 'unbalanced quotes in request'],
  ['PING "a"b\r\n', [], 'unbalanced quotes in request'],
  [`PING ${'a'.repeat(65531)}`, []],
  [`PING ${'a'.repeat(65532)}`, [], 'too big inline request'],
  [`PING ${'a'.repeat(70000)}\r\n`, [['PING', 'a'.repeat(70000)]]],
  [`PING ${'a'.repeat(120000)}\r\n`, [], 'too big inline request'],
  [`*${'1'.repeat(65535)}`, []],
  [`*${'1'.repeat(65536)}`, [], 'too big mbulk count string'],
  [`*${'1'.repeat(65536)}\r\n`, [], 'invalid multibulk length'],
  [`*1\r\n$${'1'.repeat(65535)}`, []],
  [`*1\r\n$${'1'.repeat(65536)}`, [], 'too big bulk count string'],
  [`*1\r\nx${'1'.repeat(65536)}`, [], 'too big bulk count string'],
  [`*1\r\n$${'1'.repeat(65536)}\r\n`, [], 'invalid bulk length'],
]

const UNAUTHENTICATED_ROWS: [string, string?][] = [
  ['*10\r\n'],
  ['*11\r\n', 'unauthenticated multibulk length'],
  ['*0\r\n*11\r\n', 'unauthenticated multibulk length'],
  ['*11x\r\n', 'invalid multibulk length'],
  ['*2147483648\r\n', 'invalid multibulk length'],
  ['*1\r\n$16384\r\n'],
  ['*1\r\n$16385\r\n', 'unauthenticated bulk length'],
  ['*1\r\n$536870913\r\n', 'invalid bulk length'],
]

function nameOf(text: string): string {
  const size = text.length > 60 ? ` (${text.length} bytes)` : ''
  return JSON.stringify(text.slice(0, 60)) + size
}

function errorText(text: string | undefined): string | undefined {
  return text === undefined ? undefined : `ERR Protocol error: ${text}`
}

describe('request parser', () => {
  for (const [text, requests, error] of ROWS) {
    test(`reads ${nameOf(text)} as Redis does`, () => {
      expect(readAll(text)).toEqual({ requests, error: errorText(error) })
    })
  }

  for (const [text, error] of UNAUTHENTICATED_ROWS) {
    test(`limits an unauthenticated client: ${nameOf(text)}`, () => {
      expect(readAll(text, { authenticated: false }).error).toBe(errorText(error))
      const same = readAll(text).error === errorText(error)
      expect(same).toBe(!error?.startsWith('unauthenticated'))
    })
  }

  test('reads a request cut at every byte', () => {
    for (const [text, requests, error] of ROWS) {
      if (text.length > 200) continue
      for (let cut = 0; cut <= text.length; cut++) {
        expect(readPieces(text, [cut])).toEqual({ requests, error: errorText(error) })
      }
      const all = Array.from({ length: text.length }, (_, index) => index)
      expect(readPieces(text, all)).toEqual({ requests, error: errorText(error) })
    }
  })

  test('goes on in a long request without looking back', () => {
    const count = 50_000
    const text = `*${count}\r\n${'$3\r\nabc\r\n'.repeat(count)}`
    const bytes = Buffer.from(text)
    const parser = new RequestParser(BULK_SIZE_MAX)
    parser.reset(bytes, 0, 0)
    for (let end = 1; end < bytes.length; end += 61) {
      parser.resume(bytes, 0, end)
      expect(parser.next()).toBe(INCOMPLETE)
      expect(parser.position).toBe(0)
      expect(parser.neededBytes).toBeLessThanOrEqual(bytes.length - end)
      // Whatever was read must not be needed again.
      bytes.fill(0, 0, Math.max(0, end - 12))
    }
    parser.resume(bytes, 0, bytes.length)
    expect(parser.next()).toBe(COMPLETE)
    expect(parser.argc).toBe(count)
    expect(parser.offsets[2 * count - 1] - parser.offsets[2 * count - 2]).toBe(3)
    expect(parser.position).toBe(bytes.length)
  })

  test('says how many bytes of a long argument are missing', () => {
    const bytes = Buffer.from('*2\r\n$3\r\nSET\r\n$536870912\r\nabc')
    const parser = new RequestParser(BULK_SIZE_MAX)
    parser.reset(bytes, 0, bytes.length)
    expect(parser.next()).toBe(INCOMPLETE)
    expect(parser.neededBytes).toBe(536870912 + 2 - 3)
  })

  test('stays broken until it is reset', () => {
    const parser = new RequestParser(BULK_SIZE_MAX)
    const bytes = Buffer.from('*x\r\n')
    parser.reset(bytes, 0, bytes.length)
    expect(parser.next()).toBe(BROKEN)
    expect(parser.next()).toBe(BROKEN)
    const good = Buffer.from(PING)
    parser.reset(good, 0, good.length)
    expect(parser.next()).toBe(COMPLETE)
  })

  test('leaves the bytes of an inline request as they are, so that it can be read again', () => {
    const bytes = Buffer.from('SET k "a\\x41 b"\r\n')
    const parser = new RequestParser(BULK_SIZE_MAX)
    for (let turn = 0; turn < 2; turn++) {
      parser.reset(bytes, 0, bytes.length)
      expect(parser.next()).toBe(COMPLETE)
      expect(argumentsOf(parser)).toEqual(['SET', 'k', 'aA b'])
    }
  })

  test('garbage is read the same in one piece and in many, and never throws', () => {
    const alphabet = [
      '*',
      '$',
      '\r\n',
      '\r',
      '\n',
      '0',
      '1',
      '2',
      '3',
      '-',
      'x',
      '"',
      "'",
      '\\',
      ' ',
      '\0',
      'PING',
      PING,
    ]
    for (let seed = 1; seed <= 3000; seed++) {
      const random = new Random(seed)
      let text = ''
      for (let n = random.below(25); n >= 0; n--) text += alphabet[random.below(alphabet.length)]
      const whole = readAll(text)
      const cuts: number[] = []
      for (let at = random.below(4); at < text.length; at += 1 + random.below(4)) cuts.push(at)
      expect({ seed, ...readPieces(text, cuts) }).toEqual({ seed, ...whole })
    }
  })
})
