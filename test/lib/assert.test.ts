/**
 * The check of invariants.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { expect, test } from 'bun:test'
import { AssertionError, assert } from '../../src/lib/assert.ts'

test('assert passes what holds and throws with its message what does not', () => {
  expect(() => assert(true, 'unused')).not.toThrow()
  expect(() => assert(false, 'rings have two ends')).toThrow('rings have two ends')
  expect(() => assert(false, 'x')).toThrow(AssertionError)
})
