/**
 * The ziplist reader: every encoding, and bytes that somebody has forged.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: lets a forged list read beyond its bytes.
 */
import { describe, expect, test } from 'bun:test'
import { ZiplistReader } from '../../../src/lib/rdb/ziplist.ts'
import { seededRandom } from '../../memory/seeded-random.ts'
import { ziplist } from '../../support/ziplist.ts'

const LISTS: readonly (readonly string[])[] = [
  [],
  ['a'],
  ['0', '12', '13', '-1', '127', '-128', '128', '-32768', '32767', '32768', '-8388608', '8388607'],
  ['8388608', '-2147483648', '2147483647', '2147483648', '9223372036854775807'],
  ['-9223372036854775808', '9223372036854775808', '007', '-0', '1.5', ''],
  ['x'.repeat(63), 'x'.repeat(64), 'x'.repeat(253), 'y'.repeat(16383), 'z'.repeat(16384), 'end'],
]

function read(bytes: Buffer, offset: number, length: number): string[] | undefined {
  const reader = new ZiplistReader()
  if (!reader.open(bytes, offset, length)) return undefined
  const found: string[] = []
  while (reader.next()) {
    const { offset: at } = reader
    expect(at >= 0 && at + reader.length <= reader.bytes.length).toBe(true)
    found.push(reader.bytes.latin1Slice(at, at + reader.length))
  }
  expect(found.length).toBe(reader.count)
  return found
}

describe('a ziplist', () => {
  test('gives all its elements, wherever it begins', () => {
    for (const list of LISTS) {
      const bytes = ziplist(...list)
      expect(read(bytes, 0, bytes.length)).toEqual([...list])
      const shifted = Buffer.concat([Buffer.alloc(3, 0xff), bytes, Buffer.alloc(9, 1)])
      expect(read(shifted, 3, bytes.length)).toEqual([...list])
    }
  })

  test('is refused when it is cut or longer than it says', () => {
    for (const list of LISTS) {
      const bytes = ziplist(...list)
      for (let cut = 0; cut < Math.min(bytes.length, 400); cut++) {
        expect(read(bytes, 0, cut)).toBe(undefined)
      }
      expect(read(Buffer.concat([bytes, Buffer.of(0xff)]), 0, bytes.length + 1)).toBe(undefined)
    }
  })

  test('never leads beyond its bytes when it is forged', () => {
    const random = seededRandom(3, 'forged ziplists')
    let taken = 0
    for (let i = 0; i < 20_000; i++) {
      const bytes = ziplist(...LISTS[Math.floor(random() * 5)])
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
      if (read(bytes, 0, bytes.length) !== undefined) taken++
    }
    expect(taken).toBeGreaterThan(100)
  })
})
