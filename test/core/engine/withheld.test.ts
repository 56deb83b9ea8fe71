/**
 * Replies that wait for the disk: none is seen before what it tells of is durable, none waits longer,
 * whatever the order of batches and acknowledgements.
 *
 * Thread: any.
 * Owns: rings of its own.
 * Never: waits.
 */
import { describe, expect, test } from 'bun:test'
import { createBridgeMemory, REPLY_HEAD, REPLY_TAIL } from '../../../src/bridge/memory.ts'
import { RingReader } from '../../../src/bridge/ring.ts'
import { WITHHELD_COUNT_MAX } from '../../../src/config/limits.ts'
import { CoreLink } from '../../../src/core/engine/link.ts'
import { type Durability, Withheld } from '../../../src/core/engine/withheld.ts'
import { seededRandom } from '../../memory/seeded-random.ts'

const RECORD_SIZE = 16

/** Two links, and a disk that is told what it holds. */
class Bench implements Durability {
  readonly links: CoreLink[]
  readonly readers: RingReader[]
  readonly withheld: Withheld
  written: number
  held: number
  waits = 0
  /** What each record that was written needs. */
  readonly needs: number[][] = [[], []]

  constructor(start = 0) {
    this.written = start
    this.held = start
    const memory = createBridgeMemory(2, 4096, 1 << 20, 16)
    this.links = memory.links.map((link, i) => new CoreLink(i, link))
    this.readers = memory.links.map(
      ({ replies, words }) =>
        new RingReader(replies, new Int32Array(words), REPLY_HEAD, REPLY_TAIL),
    )
    this.withheld = new Withheld(this.links)
    this.withheld.use(this)
  }

  /** A reply that needs everything written so far. */
  reply(link: number): void {
    const { replies } = this.links[link]
    const offset = replies.claim(RECORD_SIZE)
    replies.words[offset >> 2] = RECORD_SIZE
    replies.commit(RECORD_SIZE)
    this.needs[link].push(this.written)
  }

  /** Records of a link that can be seen, and takes them. */
  seen(link: number): number {
    const reader = this.readers[link]
    let count = 0
    while (reader.peek() >= 0) {
      reader.advance(RECORD_SIZE)
      count++
    }
    reader.release()
    return count
  }

  seal(): number {
    return this.written | 0
  }

  durable(): number {
    return this.held | 0
  }

  wait(): void {
    this.waits++
    this.held = this.written
  }
}

describe('a reply', () => {
  test('to what was only read goes out at once', () => {
    const bench = new Bench()
    bench.reply(0)
    bench.withheld.publish()
    expect([bench.seen(0), bench.withheld.count]).toEqual([1, 0])
  })

  test('to a write waits, and so does what comes after it, on every link', () => {
    const bench = new Bench()
    bench.written = 10
    bench.reply(0)
    bench.withheld.publish()
    bench.reply(1)
    bench.withheld.publish()
    expect([bench.seen(0), bench.seen(1), bench.withheld.isReleasable()]).toEqual([0, 0, false])
    bench.held = 9
    bench.withheld.release()
    expect([bench.seen(0), bench.seen(1)]).toEqual([0, 0])
    bench.held = 10
    expect(bench.withheld.isReleasable()).toBe(true)
    bench.withheld.release()
    expect([bench.seen(0), bench.seen(1), bench.withheld.count]).toEqual([1, 1, 0])
  })

  test('is not released by what is not published yet', () => {
    const bench = new Bench()
    bench.written = 10
    bench.reply(0)
    bench.withheld.publish()
    bench.written = 20
    bench.reply(0)
    bench.held = 10
    bench.withheld.release()
    expect(bench.seen(0)).toBe(1)
    bench.withheld.publish()
    expect(bench.seen(0)).toBe(0)
    bench.held = 20
    bench.withheld.release()
    expect(bench.seen(0)).toBe(1)
  })

  test('waits also when the count of bytes goes past 32 bits', () => {
    for (const start of [2 ** 31 - 5, 2 ** 32 - 5, 2 ** 33 - 5]) {
      const bench = new Bench(start)
      bench.written += 10
      bench.reply(0)
      bench.withheld.publish()
      expect([start, bench.seen(0)]).toEqual([start, 0])
      bench.held += 10
      bench.withheld.release()
      expect([start, bench.seen(0)]).toEqual([start, 1])
    }
  })

  test('goes out when nothing is to be waited for any more', () => {
    const bench = new Bench()
    bench.written = 10
    bench.reply(0)
    bench.withheld.publish()
    bench.withheld.use(undefined)
    expect([bench.seen(0), bench.waits, bench.withheld.isOn]).toEqual([1, 1, false])
  })
})

test('more batches than there is room for wait together', () => {
  const bench = new Bench()
  for (let i = 1; i <= WITHHELD_COUNT_MAX + 500; i++) {
    bench.written = i
    bench.reply(i % 2)
    bench.withheld.publish()
  }
  bench.held = WITHHELD_COUNT_MAX + 400
  bench.withheld.release()
  expect(bench.seen(0) + bench.seen(1)).toBe(WITHHELD_COUNT_MAX - 1)
  bench.held = WITHHELD_COUNT_MAX + 500
  bench.withheld.release()
  expect(bench.seen(0) + bench.seen(1)).toBe(501)
})

test('in any order of writes, replies and acknowledgements', () => {
  const random = seededRandom(3, 'withheld')
  const below = (n: number) => Math.floor(random() * n)
  const bench = new Bench(2 ** 32 - 3000)
  const seen = [0, 0]
  for (let step = 0; step < 20_000; step++) {
    const action = below(10)
    if (action < 3) bench.written += below(3)
    else if (action < 7) bench.reply(below(2))
    else if (action < 9) bench.withheld.publish()
    else bench.held += below(bench.written - bench.held + 1)
    if (action === 9) bench.withheld.release()
    for (const link of [0, 1]) {
      const count = bench.seen(link)
      for (let i = 0; i < count; i++) {
        expect(bench.needs[link][seen[link]++]).toBeLessThanOrEqual(bench.held)
      }
    }
  }
  bench.withheld.publish()
  bench.withheld.drain()
  seen[0] += bench.seen(0)
  seen[1] += bench.seen(1)
  expect(seen).toEqual(bench.needs.map((needs) => needs.length))
  expect(bench.withheld.count).toBe(0)
})
