/**
 * Looking at records that are not due yet, by one thread.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks at the ring's positions.
 */
import { describe, expect, test } from 'bun:test'
import { RingReader, RingWriter } from '../../src/bridge/ring.ts'
import { Random } from '../../src/lib/random.ts'

const RING_SIZE = 1024
const ROUND_COUNT = 20_000

describe('following', () => {
  test('gives the records that peek will give, wherever they lie', () => {
    const memory = new SharedArrayBuffer(RING_SIZE)
    const control = new Int32Array(new SharedArrayBuffer(8))
    const writer = new RingWriter(memory, control, 0, 1)
    const reader = new RingReader(memory, control, 0, 1)
    const random = new Random(5)
    let written = 0
    let read = 0
    let fullCount = 0
    let seenCount = 0
    for (let round = 0; round < ROUND_COUNT; round++) {
      for (let more = random.below(12); more > 0; more--) {
        const size = 8 + random.below(200)
        const offset = writer.claim(size)
        if (offset < 0) {
          fullCount++
          break
        }
        writer.words[offset >> 2] = size
        writer.words[(offset >> 2) + 1] = written++
        writer.commit(size)
      }
      writer.publish()
      const seen: number[] = []
      for (let at = reader.peek(); at >= 0; at = reader.following(at)) {
        seen.push(reader.words[(at >> 2) + 1])
      }
      seenCount += seen.length
      expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => read + i))
      for (let left = random.below(seen.length + 1); left > 0; left--) {
        reader.advance(reader.words[reader.peek() >> 2])
        read++
      }
      if (random.below(2) === 0) reader.release()
    }
    expect(fullCount).toBeGreaterThan(100)
    expect(read).toBeGreaterThan(ROUND_COUNT)
    expect(seenCount).toBeGreaterThan(read)
  })
})
