/**
 * Chance that repeats.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: fails by chance: every seed is fixed.
 */
import { describe, expect, test } from 'bun:test'
import { Random } from '../../src/lib/random.ts'

describe('Random', () => {
  test('repeats from its seed, and differs from another', () => {
    const first = new Random(42)
    const again = new Random(42)
    const other = new Random(43)
    const high = new Random(42 + 2 ** 40)
    const take = (random: Random) => Array.from({ length: 20 }, () => random.next())
    const numbers = take(first)
    expect(take(again)).toEqual(numbers)
    expect(take(other)).not.toEqual(numbers)
    expect(take(high)).not.toEqual(numbers)
  })

  test('next gives unsigned 32 bits, each as often set as not', () => {
    const random = new Random(1)
    const counts = new Int32Array(32)
    for (let i = 0; i < 20_000; i++) {
      const bits = random.next()
      expect(bits).toBe(bits >>> 0)
      for (let bit = 0; bit < 32; bit++) counts[bit] += (bits >>> bit) & 1
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400)
  })

  test('below gives every number below its limit about as often', () => {
    const random = new Random(2)
    for (const n of [1, 2, 3, 7, 10]) {
      const counts = new Int32Array(n)
      for (let i = 0; i < 5000 * n; i++) counts[random.below(n)]++
      for (const count of counts) expect(Math.abs(count - 5000)).toBeLessThan(350)
    }
    for (let i = 0; i < 100; i++) expect(random.below(2 ** 32)).toBeLessThan(2 ** 32)
    expect(
      Array.from({ length: 200 }, () => random.below(3 * 2 ** 30)).some((x) => x > 2 ** 31),
    ).toBe(true)
  })

  test('fraction lies in [0, 1) with its mean in the middle', () => {
    const random = new Random(3)
    let sum = 0
    for (let i = 0; i < 20_000; i++) {
      const value = random.fraction()
      expect(value).toBeGreaterThanOrEqual(0)
      expect(value).toBeLessThan(1)
      sum += value
    }
    expect(Math.abs(sum / 20_000 - 0.5)).toBeLessThan(0.01)
  })
})
