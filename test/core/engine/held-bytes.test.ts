/**
 * Bytes that are held: the same as what was added and not taken away.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: starts a server.
 */
import { expect, test } from 'bun:test'
import { HeldBytes } from '../../../src/core/engine/held-bytes.ts'
import { Dice } from '../../conformance/dice.ts'

const STEP_COUNT = 500
const PIECE_SIZE_MAX = 40_000

test.each([1, 2, 3])('what is added at the end leaves at the front, seed %d', (seed) => {
  const dice = new Dice(seed)
  const held = new HeldBytes()
  let model = Buffer.alloc(0)
  for (let i = 0; i < STEP_COUNT; i++) {
    if (dice.below(3) > 0) {
      const piece = Buffer.alloc(dice.below(PIECE_SIZE_MAX), i)
      const at = dice.below(piece.length + 1)
      held.append(piece, at, piece.length - at)
      model = Buffer.concat([model, piece.subarray(at)])
    } else {
      const count = dice.below(4) === 0 ? model.length : dice.below(model.length + 1)
      held.drop(count)
      model = model.subarray(count)
    }
    expect(held.size).toBe(model.length)
    expect(held.bytes.subarray(0, held.size).equals(model)).toBe(true)
  }
})

test('the memory of much is let go once nothing is held', () => {
  const held = new HeldBytes()
  held.append(Buffer.alloc(4_000_000), 0, 4_000_000)
  held.drop(4_000_000)
  expect(held.bytes.length).toBe(0)
})
