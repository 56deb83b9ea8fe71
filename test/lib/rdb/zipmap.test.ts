/**
 * Reading zipmaps: what they hold, cut at every byte, and whatever bytes.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: shares code with the reader.
 */
import { describe, expect, test } from 'bun:test'
import { ZipmapReader } from '../../../src/lib/rdb/zipmap.ts'
import { seededRandom } from '../../memory/seeded-random.ts'
import { zipmap } from '../../support/zipmap.ts'

const PIECES = [
  'a',
  '1',
  '',
  '',
  'long',
  'x'.repeat(253),
  'longer',
  'y'.repeat(254),
  '\xff',
  '\xfe',
]

function piecesOf(bytes: Buffer, offset: number, length: number): string[] | undefined {
  const reader = new ZipmapReader()
  if (!reader.open(bytes, offset, length)) return undefined
  const pieces: string[] = []
  while (reader.next()) {
    pieces.push(reader.bytes.latin1Slice(reader.offset, reader.offset + reader.length))
  }
  expect(pieces.length).toBe(2 * reader.count)
  return pieces
}

describe('ZipmapReader', () => {
  test('shows fields and values, wherever they lie', () => {
    for (const unused of [0, 1, 255]) {
      const bytes = zipmap(PIECES, unused)
      const padded = Buffer.concat([Buffer.alloc(7, 0xff), bytes, Buffer.alloc(9, 1)])
      expect(piecesOf(padded, 7, bytes.length)).toEqual(PIECES)
    }
  })

  test('counts what is too many for the header', () => {
    const pieces = Array.from({ length: 1000 }, (_, i) => `${i}`)
    const bytes = zipmap(pieces)
    expect(piecesOf(bytes, 0, bytes.length)).toEqual(pieces)
  })

  test('takes no part of one', () => {
    const bytes = zipmap(PIECES, 2)
    for (let length = 0; length < bytes.length; length++) {
      expect(piecesOf(bytes, 0, length)).toBeUndefined()
    }
  })

  test('never reads beyond the bytes', () => {
    const random = seededRandom(3, 'zipmaps')
    for (let i = 0; i < 3000; i++) {
      const bytes = zipmap(PIECES, i % 3)
      for (let changes = 0; changes < 3; changes++) {
        bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
      }
      const pieces = piecesOf(bytes, 0, bytes.length)
      const size = (pieces ?? []).reduce((sum, piece) => sum + piece.length, 0)
      expect(size).toBeLessThan(bytes.length)
    }
  })
})
