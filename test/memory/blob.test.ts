/**
 * Blobs against Buffers.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: leaves a block of an arena unaccounted for.
 */

import { expect, test } from 'bun:test'
import { ARENA_FULL, Arena, type Ref } from '../../src/memory/arena.ts'
import {
  blobAppend,
  blobBytesOffset,
  blobCapacity,
  blobCreate,
  blobCreateUnfilled,
  blobFit,
  blobFree,
  blobLength,
  blobReplace,
  blobResize,
  blobSetRange,
  blobVisit,
} from '../../src/memory/blob.ts'
import { checkArena } from '../../src/memory/check.ts'
import { seededRandom } from './seeded-random.ts'

const MIB = 1024 * 1024
const source = Buffer.alloc(300000)
for (let index = 0; index < source.length; index++)
  source[index] = (index * 31 + (index >> 8)) & 255
const sourceWords = new Int32Array(source.buffer)

function contents(arena: Arena, ref: Ref): Buffer {
  const offset = blobBytesOffset(ref)
  return arena.bytes.subarray(offset, offset + blobLength(arena, ref))
}

function change(arena: Arena, ref: Ref, model: Buffer, random: () => number): [Ref, Buffer] {
  const length = Math.floor(random() ** 4 * 60000)
  const from = Math.floor(random() * 200000)
  const bytes = source.subarray(from, from + length)
  const draw = random()
  if (draw < 0.4) {
    const grown = blobAppend(arena, ref, source, sourceWords, from, length)
    return [grown, Buffer.concat([model, bytes])]
  }
  if (draw < 0.6) {
    const at = Math.floor(random() * (model.length + 500))
    const changed = blobSetRange(arena, ref, at, source, sourceWords, from, length)
    const expected = Buffer.alloc(Math.max(model.length, at + length))
    model.copy(expected)
    bytes.copy(expected, at)
    return [changed, expected]
  }
  if (draw < 0.8) {
    const expected = Buffer.alloc(length)
    model.copy(expected)
    return [blobResize(arena, ref, length), expected]
  }
  if (draw < 0.9) return [blobFit(arena, ref), model]
  return [blobReplace(arena, ref, source, sourceWords, from, length), Buffer.from(bytes)]
}

for (const sizeMib of [1, 16]) {
  test(`behaves as a Buffer in ${sizeMib} MiB, full or not`, () => {
    const random = seededRandom(31 + sizeMib, `${sizeMib} MiB`)
    const arena = new Arena(sizeMib * MIB)
    const refs: Ref[] = []
    const models: Buffer[] = []
    for (let index = 0; index < 30; index++) {
      refs.push(blobCreate(arena, source, sourceWords, index, index * 3))
      models.push(Buffer.from(source.subarray(index, index * 4)))
    }
    let fullCount = 0
    for (let step = 0; step < 4000; step++) {
      const index = Math.floor(random() * refs.length)
      if (models[index]!.length > 200000) {
        blobFree(arena, refs[index]!)
        refs[index] = blobCreateUnfilled(arena, 0)
        models[index] = Buffer.alloc(0)
      }
      try {
        const [ref, model] = change(arena, refs[index]!, models[index]!, random)
        refs[index] = ref
        models[index] = model
      } catch (error) {
        expect(error).toBe(ARENA_FULL)
        fullCount++
      }
      expect(blobLength(arena, refs[index]!)).toBe(models[index]!.length)
      expect(contents(arena, refs[index]!).equals(models[index]!)).toBe(true)
      expect(blobCapacity(arena, refs[index]!)).toBeGreaterThanOrEqual(models[index]!.length)
    }
    expect(fullCount > 0).toBe(sizeMib === 1)
    const faults = checkArena(arena, (visitBlock) => {
      for (const ref of refs) blobVisit(arena, ref, visitBlock)
    })
    expect(faults).toEqual([])
  })
}

test('appending byte by byte moves the blob seldom', () => {
  const arena = new Arena(16 * MIB)
  let ref = blobCreate(arena, source, sourceWords, 0, 0)
  let moves = 0
  for (let index = 0; index < 100000; index++) {
    const next = blobAppend(arena, ref, source, sourceWords, index, 1)
    if (next !== ref) moves++
    ref = next
  }
  expect(moves).toBeLessThan(20)
  expect(contents(arena, ref).equals(source.subarray(0, 100000))).toBe(true)
})
