/**
 * 80-bit sums: rows that Redis 7.0.15 answered to INCRBYFLOAT.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { describe, expect, test } from 'bun:test'
import {
  addLongDouble,
  formatLongDouble,
  isInfinityText,
  longDoubleToNumber,
  parseLongDouble,
} from '../../../src/lib/bytes/long-double.ts'
import rows from './number-rows.json'

function sum(a: string, b: string): string {
  const left = parseLongDouble(a)
  const right = parseLongDouble(b)
  if (left === undefined || right === undefined) return '-ERR value is not a valid float'
  const value = addLongDouble(left, right)
  if (value === undefined) return '-ERR increment would produce NaN or Infinity'
  return formatLongDouble(value)
}

describe('long double', () => {
  test('adds and prints as INCRBYFLOAT does', () => {
    expect(rows.sums.length).toBeGreaterThan(200)
    for (const [a, b, reply] of rows.sums) expect([a, b, sum(a, b)]).toEqual([a, b, reply])
  })

  test('keeps 64 bits', () => {
    expect(sum('9007199254740993', '0')).toBe('9007199254740993')
    expect(sum('18446744073709551615', '0')).toBe('18446744073709551615')
    expect(sum('18446744073709551615', '1')).toBe('18446744073709551616')
    expect(sum('18446744073709551616', '1')).toBe('18446744073709551616')
    expect(sum('3.0', '0.1')).toBe('3.1')
    expect(sum('0.1', '-0.1')).toBe('0')
    expect(sum('-1e-400', '0')).toBe('0')
  })

  test('ends where the format ends', () => {
    expect(parseLongDouble('1e4932')).toBeDefined()
    expect(parseLongDouble('1.2e4932')).toBeUndefined()
    expect(parseLongDouble('4e-4951')).toBeDefined()
    expect(parseLongDouble('1e-4951')).toBeUndefined()
    expect(sum('1e4932', '1e4932')).toBe('-ERR increment would produce NaN or Infinity')
    expect(sum('-1e4932', '1e4932')).toBe('0')
  })

  test('refuses what is no number', () => {
    const bad = ['', ' 1', '1 ', '.', '1e', '0x', '0xg', '0x1p', 'nan', 'inf', '1\0', '1,5', '--1']
    for (const text of bad) expect([text, parseLongDouble(text)]).toEqual([text, undefined])
    expect(parseLongDouble('1'.repeat(5120))).toBeUndefined()
  })

  test('knows infinity by its names', () => {
    for (const text of ['inf', '+INF', '-Infinity']) expect(isInfinityText(text)).toBe(true)
    for (const text of ['infinit', ' inf', 'nan', '1']) expect(isInfinityText(text)).toBe(false)
  })

  test('becomes the nearest double', () => {
    for (const value of [0.1, -2.5, 1e300, 123456789]) {
      const long = parseLongDouble(String(value))
      expect(long === undefined ? undefined : longDoubleToNumber(long)).toBe(value)
    }
  })
})
