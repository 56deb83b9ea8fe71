/**
 * How exact a histogram of durations is.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { describe, expect, test } from 'bun:test'
import { Histogram } from '../../../../src/core/services/server/histogram.ts'
import { Random } from '../../../../src/lib/random.ts'

describe('a histogram', () => {
  test('tells a value within one part in 128', () => {
    const random = new Random(7)
    for (let i = 0; i < 2000; i++) {
      const ns = Math.floor(2 ** (random.fraction() * 29.8))
      const histogram = new Histogram()
      histogram.record(ns / 1000)
      const toldNs = histogram.percentileUs(50) * 1000
      expect(toldNs).toBeGreaterThanOrEqual(ns - 1)
      expect(toldNs).toBeLessThanOrEqual(ns * (1 + 1 / 128) + 1)
    }
  })

  test('tells percentiles as Redis does', () => {
    const histogram = new Histogram()
    histogram.record(1)
    expect(histogram.percentileUs(50)).toBe(1.003)
    histogram.record(54)
    expect(histogram.percentileUs(50)).toBe(1.003)
    expect(histogram.percentileUs(99)).toBe(54.015)
    expect(histogram.percentileUs(100)).toBe(54.015)
  })

  test('agrees with a sorted list on every percentile', () => {
    const random = new Random(11)
    const histogram = new Histogram()
    const values: number[] = []
    for (let i = 0; i < 5000; i++) {
      const us = Math.floor(2 ** (random.fraction() * 19))
      values.push(us)
      histogram.record(us)
    }
    values.sort((a, b) => a - b)
    for (const percentile of [1, 10, 50, 90, 99, 99.9, 100]) {
      const rank = Math.max(1, Math.floor((percentile / 100) * values.length + 0.5))
      const us = values[rank - 1]
      const told = histogram.percentileUs(percentile)
      expect(told).toBeGreaterThanOrEqual(us)
      expect(told).toBeLessThanOrEqual(us * (1 + 1 / 128) + 0.001)
    }
  })

  test('distributes over bounds that double', () => {
    const histogram = new Histogram()
    for (const us of [0.5, 1, 3, 3.9, 30, 2000, 2000]) histogram.record(us)
    expect(histogram.distribution()).toEqual({
      boundsUs: [1, 4, 33, 2113],
      counts: [2, 4, 5, 7],
    })
  })

  test('counts what is longer than a second as a second', () => {
    const histogram = new Histogram()
    histogram.record(5e9)
    expect(histogram.percentileUs(100)).toBeGreaterThan(999_000)
    expect(histogram.percentileUs(100)).toBeLessThan(1_010_000)
    expect(histogram.distribution().counts).toEqual([1])
  })

  test('is empty when it is new and after a reset', () => {
    const histogram = new Histogram()
    expect(histogram.distribution()).toEqual({ boundsUs: [], counts: [] })
    histogram.record(1)
    histogram.reset()
    expect(histogram.count).toBe(0)
    expect(histogram.distribution()).toEqual({ boundsUs: [], counts: [] })
  })
})
