/**
 * The walk over a byte map beside the map's own.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: changes a map while it is walked.
 */
import { describe, expect, test } from 'bun:test'
import { hashWords } from '../../src/lib/hash.ts'
import { AlignedBytes } from '../../src/memory/aligned.ts'
import { Arena } from '../../src/memory/arena.ts'
import { byteMapCreate, byteMapInsert, byteMapRemove } from '../../src/memory/byte-map.ts'
import { entryCreateAligned } from '../../src/memory/entry.ts'
import { MAP_SLOT_WORDS, MapCursor } from '../../src/memory/map-cursor.ts'
import { seededRandom } from './seeded-random.ts'

const SEED = 7

function walked(arena: Arena, map: number): [entry: number, hash: number][] {
  const cursor = new MapCursor()
  cursor.open(arena, map)
  const found: [number, number][] = []
  for (let entry = cursor.next(); entry !== 0; entry = cursor.next()) {
    found.push([entry, cursor.hash])
  }
  expect(cursor.next()).toBe(0)
  return found.sort((a, b) => a[0] - b[0])
}

/** Entries in the order of the walk, segment by segment; the first `passed` one by one. */
function bySegments(arena: Arena, map: number, passed: number): number[] {
  const cursor = new MapCursor()
  cursor.open(arena, map)
  const found: number[] = []
  for (let i = 0; i < passed; i++) found.push(cursor.next())
  while (cursor.nextSegment()) {
    const end = found.length + cursor.count
    for (let word = cursor.refsAt; found.length < end; word += MAP_SLOT_WORDS) {
      if (arena.words[word] !== 0) found.push(arena.words[word])
    }
  }
  expect(cursor.next()).toBe(0)
  return found
}

function oneByOne(arena: Arena, map: number): number[] {
  const cursor = new MapCursor()
  cursor.open(arena, map)
  const found: number[] = []
  for (let entry = cursor.next(); entry !== 0; entry = cursor.next()) found.push(entry)
  return found
}

describe('a walk over a map', () => {
  test('that was never opened has nothing', () => {
    expect(new MapCursor().next()).toBe(0)
  })

  test('shows every entry once, with the hash of its key', () => {
    const random = seededRandom(11, 'map cursor')
    const arena = new Arena(8 << 20)
    const map = byteMapCreate(arena)
    const key = new AlignedBytes()
    const entries = new Map<number, number>()
    expect(walked(arena, map)).toEqual([])
    for (const size of [1, 2, 5, 300, 3000, 30_000, 2000, 40, 0]) {
      for (let i = entries.size; i < size; i++) {
        const text = Buffer.from(`${i}:${random()}`)
        key.set(text, 0, text.length)
        const hash = hashWords(key.words, 0, key.length, SEED)
        const entry = entryCreateAligned(arena, key.words, 0, key.length, 0)
        byteMapInsert(arena, map, hash, entry)
        entries.set(entry, hash)
      }
      for (const [entry, hash] of [...entries].slice(size)) {
        expect(byteMapRemove(arena, map, hash, entry)).toBe(true)
        arena.free(entry)
        entries.delete(entry)
      }
      expect(walked(arena, map)).toEqual([...entries].sort((a, b) => a[0] - b[0]))
      const passed = Math.floor(random() * Math.min(size, 2000))
      expect(bySegments(arena, map, passed)).toEqual(oneByOne(arena, map))
    }
  })
})
