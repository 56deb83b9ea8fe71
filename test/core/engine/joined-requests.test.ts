/**
 * Buffers for huge requests: what is kept, and for whom it serves.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: fills them.
 */
import { describe, expect, test } from 'bun:test'
import { JOINED_SPARE_SIZE_MAX } from '../../../src/config/limits.ts'
import { JoinedRequests } from '../../../src/core/engine/joined-requests.ts'

describe('buffers for huge requests', () => {
  test('serve again for what fits', () => {
    const requests = new JoinedRequests()
    const first = requests.take(100_000)
    expect(requests.take(100_000)).not.toBe(first)
    requests.give(first)
    expect(requests.take(200_000)).not.toBe(first)
    const again = requests.take(70_000)
    expect(again).toBe(first)
    expect(again.size).toBe(70_000)
    expect(requests.spareSize).toBe(0)
  })

  test('have words for the same memory', () => {
    const { bytes, words } = new JoinedRequests().take(100_004)
    expect(bytes.length).toBeGreaterThanOrEqual(100_004)
    expect(words.length).toBe(bytes.length >> 2)
    words[25_000] = 0x01020304
    expect(bytes.readInt32LE(100_000)).toBe(0x01020304)
  })

  test('are given up when they are too many, the oldest first, or too large', () => {
    const requests = new JoinedRequests()
    const size = JOINED_SPARE_SIZE_MAX / 4
    const taken = Array.from({ length: 5 }, () => requests.take(size))
    for (const request of taken) requests.give(request)
    expect(requests.spareSize).toBe(JOINED_SPARE_SIZE_MAX)
    const kept = Array.from({ length: 5 }, () => requests.take(size))
    expect(kept.slice(0, 4).every((request, i) => request === taken[i + 1])).toBeTrue()
    expect(taken.includes(kept[4])).toBeFalse()
    requests.give(requests.take(JOINED_SPARE_SIZE_MAX + 4))
    expect(requests.spareSize).toBe(0)
  })
})
