/**
 * Doubles as text: rows that Redis 7.0.15 answered to ZADD and ZSCORE, and the edges of strtod.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { describe, expect, test } from 'bun:test'
import { formatDouble, parseDouble, parseRangeLimit } from '../../../src/lib/bytes/double.ts'
import { Random } from '../../../src/lib/random.ts'
import rows from './number-rows.json'

const NOT_A_FLOAT = '-ERR value is not a valid float'

function parse(text: string): number {
  const bytes = Buffer.from(`7${text}7`, 'latin1')
  return parseDouble(bytes, 1, bytes.length - 1)
}

function limit(text: string): number {
  const bytes = Buffer.from(`7${text}7`, 'latin1')
  return parseRangeLimit(bytes, 1, bytes.length - 1)
}

test('reads and prints a score as ZADD and ZSCORE do', () => {
  expect(rows.doubles.length).toBeGreaterThan(200)
  for (const [text, reply] of rows.doubles) {
    const value = parse(text)
    const ours = Number.isNaN(value) ? NOT_A_FLOAT : formatDouble(value === 0 ? 0 : value)
    expect([text, ours]).toEqual([text, reply])
  }
})

describe('parseDouble', () => {
  const good: [string, number][] = [
    ['+1', 1],
    ['01', 1],
    ['1.', 1],
    ['.5', 0.5],
    ['-.5', -0.5],
    ['1E5', 1e5],
    ['1e-320', 1e-320],
    ['5e-324', 5e-324],
    ['-0', -0],
    ['0e99999999999999999999', 0],
    ['inf', Infinity],
    ['+INF', Infinity],
    ['-Infinity', -Infinity],
    ['0x10', 16],
    ['0X1P3', 8],
    ['0x.8', 0.5],
    ['0x1.', 1],
    ['-0x1.8p+1', -3],
    ['0x1p-1074', 5e-324],
    ['0x1.fffffffffffffp1023', Number.MAX_VALUE],
    ['0x1.00000000000008', 1],
    ['0x1.00000000000008000000000001', 1.0000000000000002],
    ['0x1.00000000000018', 1.0000000000000004],
    ['0x0', 0],
    ['9007199254740993', 9007199254740992],
    ['1.7976931348623158e308', Number.MAX_VALUE],
    [`0.${'1'.repeat(300)}`, 0.1111111111111111],
  ]
  for (const [text, value] of good) {
    test(`reads ${text.slice(0, 40)}`, () => {
      expect(parse(text)).toBe(value)
    })
  }

  test('refuses white space, NaN, leftovers and what leaves the range', () => {
    const bad = [
      '',
      ' 1',
      '1 ',
      '\t1',
      '1\n',
      '.',
      '+',
      '-',
      '1e',
      '1e+',
      'e5',
      '++1',
      '- 1',
      '1_0',
    ]
    bad.push(
      '1,5',
      '1d5',
      '1f',
      '1\0',
      '\0',
      'nan',
      'NaN',
      '-nan',
      'nan(1)',
      'infinit',
      'inf ',
      'infi',
    )
    bad.push('0x', '0x1p', '0xg', '0x.', '0b1', '1.5.5', '1e400', '-1e400', '1e-400', '2e-324')
    bad.push('1.7976931348623159e308', '0x1p1024', '0x1p-1076', '1e99999999999999999999')
    for (const text of bad) expect([text, parse(text)]).toEqual([text, Number.NaN])
  })

  test('reads back what JavaScript prints', () => {
    const random = new Random(3)
    const view = new DataView(new ArrayBuffer(8))
    for (let i = 0; i < 5000; i++) {
      view.setUint32(0, random.next())
      view.setUint32(4, random.next())
      const value = view.getFloat64(0)
      if (Number.isFinite(value)) expect(parse(String(value))).toBe(value)
    }
  })

  test('garbage never throws', () => {
    const alphabet = '01.+-eExXpPinfa\0 '
    for (let seed = 1; seed <= 3000; seed++) {
      const random = new Random(seed)
      let text = ''
      for (let n = random.below(12); n > 0; n--) text += alphabet[random.below(alphabet.length)]
      expect(typeof parse(text)).toBe('number')
      const hasSpace = /[\0 ]/.test(text)
      if (!Number.isNaN(parse(text))) expect(hasSpace).toBe(false)
    }
  })
})

test('parseRangeLimit takes what ZCOUNT takes', () => {
  const good: [string, number][] = [
    ['', 0],
    ['\0', 0],
    ['\0junk', 0],
    [' 1', 1],
    ['\t\n\v\f\r1', 1],
    ['1\0junk', 1],
    ['1e400', Infinity],
    ['-1e400', -Infinity],
    ['1e-400', 0],
    [' inf', Infinity],
    ['0x1p1024', Infinity],
  ]
  for (const [text, value] of good) expect([text, limit(text)]).toEqual([text, value])
  for (const text of ['1 ', '1e', 'nan', 'a', '.', ' ', '(1']) {
    expect([text, limit(text)]).toEqual([text, Number.NaN])
  }
})

test('formatDouble prints %.17g', () => {
  const lines: [number, string][] = [
    [0, '0'],
    [-0, '-0'],
    [3, '3'],
    [-17, '-17'],
    [0.1, '0.10000000000000001'],
    [-3.14, '-3.1400000000000001'],
    [0.5, '0.5'],
    [100.25, '100.25'],
    [1e-4, '0.0001'],
    [1e-5, '1.0000000000000001e-05'],
    [1e16, '10000000000000000'],
    [12345678901234568, '12345678901234568'],
    [1e17, '1e+17'],
    [1.5e300, '1.5000000000000001e+300'],
    [5e-324, '4.9406564584124654e-324'],
    [Number.MAX_VALUE, '1.7976931348623157e+308'],
    [Infinity, 'inf'],
    [-Infinity, '-inf'],
    [Number.NaN, 'nan'],
    // Ties go to the even digit.
    [1125899906842624 + 0.25, '1125899906842624.2'],
    [1125899906842624 + 0.75, '1125899906842624.8'],
    [1125899906842623 + 0.25, '1125899906842623.2'],
    [-1125899906842625 - 0.75, '-1125899906842625.8'],
  ]
  for (const [value, text] of lines) expect(formatDouble(value)).toBe(text)
})
