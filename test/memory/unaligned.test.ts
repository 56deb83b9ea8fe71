/**
 * Copies of every length between all alignments, and nothing beside them.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks at the views.
 */
import { describe, expect, test } from 'bun:test'
import { copyUnaligned } from '../../src/memory/unaligned.ts'

const LENGTH_MAX = 120
const SIZES = [512, 8192]

describe('copyUnaligned', () => {
  for (const toSize of SIZES) {
    for (const fromSize of SIZES) {
      test(`copies from ${fromSize} bytes into ${toSize}`, () => {
        const to = Buffer.alloc(toSize)
        const from = Buffer.alloc(fromSize)
        for (let i = 0; i < fromSize; i++) from[i] = (i * 31 + (i >> 8)) & 255
        for (let length = 0; length <= LENGTH_MAX; length++) {
          for (let at = 0; at < 4; at++) {
            for (let by = 0; by < 4; by++) {
              to.fill(255)
              copyUnaligned(to, 100 + at, from, 50 + by, length)
              const expected = Buffer.alloc(toSize, 255)
              from.copy(expected, 100 + at, 50 + by, 50 + by + length)
              expect(to.equals(expected)).toBe(true)
            }
          }
        }
      })
    }
  }

  test('copies within one memory', () => {
    const bytes = Buffer.alloc(8192)
    for (let i = 0; i < 64; i++) bytes[1000 + i] = i
    copyUnaligned(bytes, 3001, bytes, 1000, 64)
    expect(bytes.subarray(3001, 3065)).toEqual(bytes.subarray(1000, 1064))
    expect(bytes[3000]).toBe(0)
    expect(bytes[3065]).toBe(0)
  })
})
