/**
 * The picture that LATENCY GRAPH draws.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { describe, expect, test } from 'bun:test'
import { latencyGraph } from '../../../../src/core/services/server/latency-text.ts'

const graphOf = (durations: readonly number[], ageSeconds = 0) =>
  latencyGraph(
    {
      name: 'command',
      worstMs: 999,
      samples: durations.map((durationMs, i) => ({ unixSeconds: 1000 + i, durationMs })),
    },
    1000 + durations.length - 1 + ageSeconds,
  )

describe('a latency graph', () => {
  test('draws bars from low to high, with ages below', () => {
    expect(graphOf([0, 100, 50]).split('\n')).toEqual([
      'command - high 100 ms, low 0 ms (all time high 999 ms)',
      '-'.repeat(80),
      ' # ',
      ' |_',
      ' ||',
      '_||',
      '   ',
      '210',
      'sss',
      '',
    ])
  })

  test('tells ages in the unit that fits', () => {
    expect(graphOf([5], 59).endsWith('5\n9\ns\n')).toBe(true)
    expect(graphOf([5], 60).endsWith('1\nm\n')).toBe(true)
    expect(graphOf([5], 7200).endsWith('2\nh\n')).toBe(true)
    expect(graphOf([5], 3 * 86400).endsWith('3\nd\n')).toBe(true)
  })

  test('goes on below when there are more samples than columns', () => {
    const lines = graphOf(Array.from({ length: 100 }, (_, i) => i)).split('\n')
    expect(Math.max(...lines.slice(2).map((line) => line.length))).toBe(80)
    expect(lines.filter((line) => line.length === 20).length).toBeGreaterThanOrEqual(7)
  })
})
