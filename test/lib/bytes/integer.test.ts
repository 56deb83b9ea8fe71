/**
 * Integers as text both ways and 64-bit arithmetic, against BigInt.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { describe, expect, test } from 'bun:test'
import {
  addInt64,
  compareInt64,
  highWord,
  INTEGER_BAD,
  INTEGER_OK,
  int64SumHigh,
  int64SumLow,
  integerHigh,
  integerLow,
  integerNumber,
  integerSize,
  isSafeInt64,
  parseInteger,
  parseSafeInteger,
  subtractInt64,
  writeInteger,
  writeInteger64,
} from '../../../src/lib/bytes/integer.ts'
import { Random } from '../../../src/lib/random.ts'

const MIN = -(1n << 63n)
const MAX = (1n << 63n) - 1n

function parse(text: string): bigint | undefined {
  const bytes = Buffer.from(`9${text}9`, 'latin1')
  const outcome = parseInteger(bytes, 1, bytes.length - 1)
  if (outcome !== INTEGER_OK) {
    expect(outcome).toBe(INTEGER_BAD)
    return undefined
  }
  return join(integerHigh(), integerLow())
}

function join(high: number, low: number): bigint {
  expect(high).toBe(high | 0)
  expect(low).toBe(low | 0)
  return (BigInt(high) << 32n) | BigInt(low >>> 0)
}

function split(value: bigint): [number, number] {
  return [Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value))]
}

function randomInt64(random: Random): bigint {
  const bits = BigInt(random.below(65))
  const raw = (BigInt(random.next()) << 32n) | BigInt(random.next())
  return BigInt.asIntN(64, random.below(2) === 0 ? raw >> (64n - bits) : -(raw >> (64n - bits)))
}

const EDGES = [0n, 1n, -1n, 9n, 10n, 99n, 100n, MIN, MAX, MIN + 1n, MAX - 1n]
for (let bit = 1n; bit < 63n; bit++) {
  for (const near of [-1n, 0n, 1n]) EDGES.push((1n << bit) + near, -(1n << bit) + near)
}
for (let digits = 1; digits < 19; digits++) {
  for (const near of [-1n, 0n, 1n]) EDGES.push(10n ** BigInt(digits) + near)
}

describe('parseInteger', () => {
  test('reads every canonical 64-bit integer', () => {
    const random = new Random(1)
    const values = [...EDGES, ...Array.from({ length: 5000 }, () => randomInt64(random))]
    for (const value of values) {
      expect(parse(String(value))).toBe(value)
      expect(integerNumber()).toBe(Number(value))
    }
  })

  test('refuses what lies outside, and what Redis would not write', () => {
    const bad = ['', '-', '+1', ' 1', '1 ', '01', '-01', '-0', '00', '1.0', '1e3', '0x1', '1a', 'a']
    bad.push('9223372036854775808', '-9223372036854775809', '9999999999999999999')
    bad.push('18446744073709551616', '18446744073709551617', '10000000000000000000', '--1', '1-')
    bad.push('123456789012345a', '1234567890a2345678', '12345678901234567/', '/', ':')
    for (const text of bad) {
      expect([text, parse(text)]).toEqual([text, undefined])
      expect(parseSafeInteger(Buffer.from(text), 0, text.length)).toBeNaN()
    }
  })
})

test('parseSafeInteger reads up to 2^53 - 1 and nothing beyond', () => {
  const read = (text: string) => parseSafeInteger(Buffer.from(text), 0, text.length)
  for (const value of [0, 7, -7, 10, 999999999999999, 9007199254740991, -9007199254740991]) {
    expect(read(String(value))).toBe(value)
  }
  for (const text of ['9007199254740992', '9007199254740993', '-9007199254740992']) {
    expect(read(text)).toBeNaN()
  }
})

describe('writeInteger', () => {
  test('writes what String writes, and integerSize foresees it', () => {
    const random = new Random(2)
    const bytes = Buffer.alloc(40)
    const values = EDGES.map(Number).filter(Number.isSafeInteger)
    for (let i = 0; i < 3000; i++) values.push(Number(randomInt64(random) >> 11n))
    for (const value of values) {
      const end = writeInteger(bytes, 3, value)
      expect(bytes.latin1Slice(3, end)).toBe(String(value))
      expect(integerSize(value)).toBe(end - 3)
    }
  })

  test('writes 64-bit integers from two words', () => {
    const random = new Random(3)
    const bytes = Buffer.alloc(40)
    const values = [...EDGES, ...Array.from({ length: 5000 }, () => randomInt64(random))]
    for (const value of values) {
      const end = writeInteger64(bytes, 5, ...split(value))
      expect(bytes.latin1Slice(5, end)).toBe(String(value))
    }
  })
})

describe('64-bit arithmetic', () => {
  test('adds, subtracts and compares as BigInt does, and sees every overflow', () => {
    const random = new Random(4)
    for (let i = 0; i < 20_000; i++) {
      const pick = () =>
        random.below(4) === 0 ? EDGES[random.below(EDGES.length)] : randomInt64(random)
      const a = pick()
      const b = pick()
      const [words, other] = [split(a), split(b)]
      const sum = a + b
      expect(addInt64(...words, ...other)).toBe(sum >= MIN && sum <= MAX)
      if (sum >= MIN && sum <= MAX) expect(join(int64SumHigh(), int64SumLow())).toBe(sum)
      const difference = a - b
      expect(subtractInt64(...words, ...other)).toBe(difference >= MIN && difference <= MAX)
      if (difference >= MIN && difference <= MAX) {
        expect(join(int64SumHigh(), int64SumLow())).toBe(difference)
      }
      expect(Math.sign(compareInt64(...words, ...other))).toBe(a < b ? -1 : a > b ? 1 : 0)
      expect(isSafeInt64(...words)).toBe(Number.isSafeInteger(Number(a)))
    }
  })

  test('highWord splits a safe integer', () => {
    for (const value of EDGES.map(Number).filter(Number.isSafeInteger)) {
      expect(join(highWord(value), value | 0)).toBe(BigInt(value))
    }
  })
})
