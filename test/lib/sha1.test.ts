/**
 * SHA-1 against the runtime's own.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { sha1 } from '../../src/lib/sha1.ts'

test('sha1 of abc is the published one', () => {
  expect(sha1(Buffer.from('abc'))).toBe('a9993e364706816aba3e25717850c26c9cd0d89d')
})

test('sha1 agrees with the runtime at every length around a block', () => {
  for (let length = 0; length < 300; length++) {
    const bytes = Buffer.from(Array.from({ length }, (_, index) => (index * 37 + length) & 255))
    expect(sha1(bytes)).toBe(createHash('sha1').update(bytes).digest('hex'))
  }
})
