/**
 * Copies and comparisons at every alignment and length.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: depends on chance.
 */

import { expect, test } from 'bun:test'
import {
  compareBytes,
  copyBytes,
  copyBytesPadded,
  equalBytes,
  moveBytes,
} from '../../src/memory/copy.ts'

const source = Buffer.alloc(256)
for (let index = 0; index < 256; index++) source[index] = (index * 37 + 11) & 255
const sourceWords = new Int32Array(source.buffer, source.byteOffset, 64)

test('a copy changes exactly its bytes', () => {
  for (let length = 0; length <= 120; length++) {
    for (const to of [8, 9, 12, 14]) {
      for (const from of [0, 3, 4]) {
        const memory = new SharedArrayBuffer(256)
        const target = Buffer.from(memory).fill(0xee)
        const expected = Buffer.alloc(256, 0xee)
        source.copy(expected, to, from, from + length)
        copyBytes(target, new Int32Array(memory), to, source, sourceWords, from, length)
        expect(target.equals(expected)).toBe(true)
        if (to % 4 !== 0) continue
        target.fill(0xee)
        expected.fill(0, to + length, to + ((length + 3) & ~3))
        copyBytesPadded(target, new Int32Array(memory), to, source, sourceWords, from, length)
        expect(target.equals(expected)).toBe(true)
      }
    }
  }
})

test('a move within a buffer may overlap', () => {
  const bytes = Buffer.from('abcdefgh')
  moveBytes(bytes, 2, 0, 5)
  expect(bytes.toString()).toBe('ababcdeh')
})

test('comparison is that of Buffer, wherever the first difference is', () => {
  for (let length = 0; length <= 80; length++) {
    const a = Buffer.alloc(100, 7)
    const b = Buffer.alloc(100, 7)
    expect(compareBytes(a, 3, length, b, 9, length)).toBe(0)
    expect(equalBytes(a, 3, b, 9, length)).toBe(true)
    expect(compareBytes(a, 3, length, b, 9, length + 1)).toBe(-1)
    expect(compareBytes(a, 3, length + 1, b, 9, length)).toBe(1)
    if (length === 0) continue
    for (const at of [0, length >> 1, length - 1]) {
      for (const byte of [0, 200]) {
        a.fill(7)
        a[3 + at] = byte
        const order = byte > 7 ? 1 : -1
        expect(compareBytes(a, 3, length, b, 9, length)).toBe(order)
        expect(compareBytes(b, 9, length + 4, a, 3, length)).toBe(-order)
        expect(equalBytes(a, 3, b, 9, length)).toBe(false)
      }
    }
  }
})
