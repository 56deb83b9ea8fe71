/**
 * Order beside the engine's own stable sort.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: has numbers that are not numbers.
 */
import { describe, expect, test } from 'bun:test'
import { Order } from '../../../../src/core/types/sort/order.ts'
import { seededRandom } from '../../../memory/seeded-random.ts'

const random = seededRandom(1, 'order')
const below = (n: number) => Math.floor(random() * n)

function numbers(): Float64Array {
  const kinds = 1 + below(20)
  const shape = below(4)
  return Float64Array.from({ length: below(300) }, (_, i) => {
    if (shape === 0) return i
    return shape === 1 ? -i : below(shape === 2 ? kinds : 1e9)
  })
}

describe('an order', () => {
  test('of all keeps equals as they were, either way', () => {
    for (let round = 0; round < 500; round++) {
      const keys = numbers()
      for (const sign of [1, -1]) {
        const order = new Order(keys, sign < 0, () => 0)
        order.sort()
        const expected = Array.from(keys, (_, i) => i).sort((a, b) => sign * (keys[a] - keys[b]))
        expect(Array.from(order.places)).toEqual(expected)
      }
    }
  })

  test('of a part has what belongs there, and every place once', () => {
    for (let round = 0; round < 1000; round++) {
      const keys = numbers()
      if (keys.length === 0) continue
      const first = below(keys.length)
      const last = first + below(keys.length - first)
      const order = new Order(keys, false, () => 0)
      order.sortRange(first, last)
      const sorted = Float64Array.from(keys).sort()
      for (let i = first; i <= last; i++) expect(keys[order.places[i]]).toBe(sorted[i])
      expect(new Set(order.places).size).toBe(keys.length)
    }
  })

  test('asks for more where numbers are the same', () => {
    const keys = Float64Array.from({ length: 200 }, (_, i) => i % 3)
    for (const descending of [false, true]) {
      const whole = new Order(keys, descending, (a, b) => b - a)
      whole.sort()
      const part = new Order(keys, descending, (a, b) => b - a)
      part.sortRange(50, 149)
      expect(part.places.slice(50, 150)).toEqual(whole.places.slice(50, 150))
      const sign = descending ? -1 : 1
      const expected = Array.from(keys, (_, i) => i).sort(
        (a, b) => sign * (keys[a] - keys[b] || b - a),
      )
      expect(Array.from(whole.places)).toEqual(expected)
    }
  })
})
