/**
 * Ages of keys: idle seconds, and counts of uses beside their definition in numbers of big range.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: asks the clock.
 */
import { describe, expect, test } from 'bun:test'
import { Frequencies, idleAge, idleSeconds } from '../../../src/core/keyspace/age.ts'

const MINUTE_MS = 60_000

describe('the count of uses', () => {
  test('begins at 5 and is kept in the low byte, the minute above it', () => {
    const frequencies = new Frequencies(1)
    frequencies.tick(70_000 * MINUTE_MS)
    expect(frequencies.fresh()).toBe(((70_000 & 0xffff) << 8) | 5)
    expect(frequencies.countOf(frequencies.fresh())).toBe(5)
  })

  test('rises with a chance of 1 in (count - 5) * factor + 1', () => {
    for (const [count, factor] of [
      [0, 10],
      [5, 10],
      [6, 10],
      [20, 10],
      [100, 1],
      [9, 0],
    ]) {
      const frequencies = new Frequencies(count + factor)
      frequencies.configure(factor, 0)
      const rounds = 20_000
      let risen = 0
      for (let i = 0; i < rounds; i++) risen += (frequencies.used(count) & 0xff) - count
      const chance = 1 / (Math.max(count - 5, 0) * factor + 1)
      const spread = 5 * Math.sqrt(rounds * chance * (1 - chance))
      expect(Math.abs(risen - rounds * chance)).toBeLessThanOrEqual(spread)
    }
  })

  test('stays at 255', () => {
    const frequencies = new Frequencies(3)
    frequencies.configure(0, 1)
    let age = frequencies.fresh()
    for (let i = 0; i < 400; i++) age = frequencies.used(age)
    expect(age & 0xff).toBe(255)
  })

  test('falls by one for each period without use, down to 0', () => {
    const frequencies = new Frequencies(4)
    frequencies.configure(10, 3)
    const age = frequencies.withCount(10)
    const rows = [0, 2, 3, 5, 6, 29, 30, 300].map((minutes) => {
      frequencies.tick(minutes * MINUTE_MS)
      return frequencies.countOf(age)
    })
    expect(rows).toEqual([10, 10, 9, 9, 8, 1, 0, 0])
  })

  test('never falls with a period of 0', () => {
    const frequencies = new Frequencies(5)
    frequencies.configure(10, 0)
    const age = frequencies.withCount(200)
    frequencies.tick(60_000 * MINUTE_MS)
    expect(frequencies.countOf(age)).toBe(200)
  })

  test('counts minutes across the end of their clock', () => {
    const frequencies = new Frequencies(6)
    frequencies.configure(10, 1)
    frequencies.tick(65_530 * MINUTE_MS)
    const age = frequencies.withCount(50)
    frequencies.tick((65_536 + 4) * MINUTE_MS)
    // QUIRK: 10 minutes, one of which is left out.
    expect(frequencies.countOf(age)).toBe(41)
  })
})

test('an idle age reads back as the same number of seconds', () => {
  for (const clock of [0, 1, 1000, 0xffffff]) {
    for (const seconds of [0, 1, 999, 100_000]) {
      expect(idleSeconds(clock, idleAge(clock, seconds))).toBe(seconds)
    }
  }
})
