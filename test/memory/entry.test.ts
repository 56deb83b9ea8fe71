/**
 * Entries of every key length, made from aligned and unaligned keys.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: depends on chance.
 */

import { expect, test } from 'bun:test'
import { Arena } from '../../src/memory/arena.ts'
import {
  entryCreate,
  entryCreateAligned,
  entryKeyLength,
  entryKeyOffset,
  entryPayloadOffset,
  entrySize,
} from '../../src/memory/entry.ts'

const source = Buffer.alloc(512)
for (let index = 0; index < 512; index++) source[index] = (index * 41 + 200) & 255
const sourceWords = new Int32Array(source.buffer, source.byteOffset, 128)

test('an entry holds its key, zero-padded, and room for its payload', () => {
  const arena = new Arena(1024 * 1024)
  for (let length = 0; length <= 100; length++) {
    for (const offset of [8, 9]) {
      const dirty = arena.allocate(entrySize(length, 12))
      arena.bytes.fill(0xff, dirty << 3, (dirty << 3) + arena.blockSizeBytes(dirty))
      arena.free(dirty)
      const ref =
        offset === 8
          ? entryCreateAligned(arena, sourceWords, offset, length, 12)
          : entryCreate(arena, source, offset, length, 12)
      expect(arena.words[ref << 1]).toBe(0)
      expect(entryKeyLength(arena, ref)).toBe(length)
      const payload = entryPayloadOffset(arena, ref)
      const padded = arena.bytes.subarray(entryKeyOffset(ref), payload)
      const expected = Buffer.alloc((length + 3) & ~3)
      source.copy(expected, 0, offset, offset + length)
      expect(padded.equals(expected)).toBe(true)
      expect(payload + 12 - (ref << 3)).toBe(entrySize(length, 12))
      expect(arena.blockSizeBytes(ref)).toBeGreaterThanOrEqual(entrySize(length, 12))
    }
  }
})

test("the owner's bits do not count as length", () => {
  const arena = new Arena(1024 * 1024)
  const ref = entryCreate(arena, source, 0, 5, 4)
  arena.words[(ref << 1) + 1]! |= 3 << 30
  expect(entryKeyLength(arena, ref)).toBe(5)
  expect(entryPayloadOffset(arena, ref)).toBe((ref << 3) + 16)
})
