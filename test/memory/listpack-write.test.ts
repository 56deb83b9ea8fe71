/**
 * Writing several elements behind the last one makes the same pack as putting them in one by one.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks at how an element is encoded.
 */
import { expect, test } from 'bun:test'
import { Arena } from '../../src/memory/arena.ts'
import {
  listpackCreate,
  listpackEnd,
  listpackInsert,
  listpackInsertInteger,
  listpackReserve,
  listpackSizeBytes,
  listpackWriteBytes,
  listpackWriteInteger,
  listpackWritten,
} from '../../src/memory/listpack.ts'
import { seededRandom } from './seeded-random.ts'

/** Integers of every size, strings of every size, and strings that are integers. */
function randomElement(random: () => number): Buffer | readonly [number, number] {
  const below = (n: number) => Math.floor(random() * n)
  switch (below(5)) {
    case 0:
      return [0, below(200)]
    case 1: {
      const low = Math.trunc((random() - 0.5) * 2 ** below(33)) | 0
      return [low >> 31, low]
    }
    case 2:
      return [(random() * 2 ** 32) | 0, (random() * 2 ** 32) | 0]
    case 3:
      return Buffer.from(String(Math.trunc((random() - 0.5) * 2 ** below(60))))
    default:
      return Buffer.alloc([0, 1, 63, 64, 126, 127, 4095, 4096, 20000][below(9)], 'x')
  }
}

test('written elements are those that are put in', () => {
  const random = seededRandom(7, 'listpack write')
  const arena = new Arena(16 * 1024 * 1024)
  for (let round = 0; round < 200; round++) {
    const elements = Array.from({ length: Math.floor(random() * 12) }, () => randomElement(random))
    let inserted = listpackCreate(arena, 0)
    let written = listpackReserve(arena, listpackCreate(arena, 0), 12 * 20_020)
    let at = listpackEnd(arena, written)
    for (const element of elements) {
      if (element instanceof Buffer) {
        inserted = listpackInsert(arena, inserted, 0, element, 0, element.length)
        at = listpackWriteBytes(arena.bytes, at, element, 0, element.length)
      } else {
        const [high, low] = element
        inserted = listpackInsertInteger(arena, inserted, 0, high, low)
        at = listpackWriteInteger(arena.bytes, at, high, low)
      }
    }
    listpackWritten(arena, written, at, elements.length)
    written = listpackReserve(arena, written, 0)
    const size = listpackSizeBytes(arena, inserted)
    expect(listpackSizeBytes(arena, written)).toBe(size)
    const bytesOf = (pack: number) => arena.bytes.subarray(pack << 3, (pack << 3) + size)
    expect(bytesOf(written).equals(bytesOf(inserted))).toBe(true)
    arena.free(inserted)
    arena.free(written)
  }
})
