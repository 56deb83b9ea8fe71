/**
 * The backlog beside a plain array that keeps everything.
 *
 * Thread: any.
 * Owns: the seeds.
 * Never: looks at how the ring is laid.
 */
import { expect, test } from 'bun:test'
import { Backlog } from '../../../../src/core/services/replication/backlog.ts'
import { seededRandom } from '../../../memory/seeded-random.ts'

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]
const STEPS = 400

function held(backlog: Backlog, from: number, to: number): Buffer {
  const parts: Buffer[] = []
  backlog.visit(from, to, (bytes, at, size) =>
    parts.push(Buffer.from(bytes.subarray(at, at + size))),
  )
  return Buffer.concat(parts)
}

test.each(SEEDS)('holds the last bytes of the stream, seed %d', (seed) => {
  const random = seededRandom(seed, 'backlog')
  const below = (n: number) => Math.floor(random() * n)
  const begin = below(1000)
  let size = 1 + below(200)
  let retained = Number.POSITIVE_INFINITY
  const backlog = new Backlog(size, begin)
  const all: number[] = []
  for (let step = 0; step < STEPS; step++) {
    const dice = below(20)
    if (dice === 0) {
      size = 1 + below(300)
      backlog.resize(size)
    } else if (dice === 1) {
      retained = Number.POSITIVE_INFINITY
      backlog.retain(retained)
    } else if (dice === 2) {
      retained = backlog.startOffset + below(backlog.heldSize + 1)
      backlog.retain(retained)
    } else {
      const bytes = Buffer.from(Array.from({ length: below(120) }, () => below(256)))
      const padded = Buffer.concat([Buffer.from('xy'), bytes, Buffer.from('z')])
      backlog.append(padded, 2, bytes.length)
      all.push(...bytes)
    }
    const end = begin + all.length
    expect(backlog.endOffset).toBe(end)
    // All that was asked for is there, and no more than there can be.
    expect(backlog.startOffset).toBeLessThanOrEqual(Math.max(begin, Math.min(retained, end)))
    expect(backlog.heldSize).toBeLessThanOrEqual(backlog.capacity)
    const from = backlog.startOffset + below(backlog.heldSize + 1)
    expect(held(backlog, from, end)).toEqual(Buffer.from(all.slice(from - begin)))
    expect(backlog.has(from)).toBe(true)
    expect(backlog.has(end + 1)).toBe(false)
    expect(backlog.has(backlog.startOffset - 1)).toBe(false)
  }
})

test('keeps as much as its size, and shrinks again after it had to keep more', () => {
  const backlog = new Backlog(100, 0)
  const piece = Buffer.alloc(60, 'a')
  backlog.append(piece, 0, 60)
  backlog.retain(0)
  for (let i = 0; i < 9; i++) backlog.append(piece, 0, 60)
  expect([backlog.startOffset, backlog.endOffset]).toEqual([0, 600])
  backlog.retain(550)
  expect([backlog.startOffset, backlog.capacity]).toEqual([500, 100])
})
