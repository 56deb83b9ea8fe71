/**
 * CRC-16 and the slots that CLUSTER KEYSLOT of Redis 7.0.15 gave.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: needs a server.
 */
import { expect, test } from 'bun:test'
import { crc16, keySlot } from '../../src/lib/crc16.ts'

const SLOTS: [string, number][] = [
  ['foo', 12182],
  ['{user1000}.following', 3443],
  ['foo{}{bar}', 8363],
  ['foo{{bar}}zap', 4015],
  ['foo{bar}{zap}', 5061],
  ['', 0],
  ['123456789', 12739],
  ['{}a', 10875],
  ['{a', 10276],
  ['a}', 5921],
]

test('crc16 gives the check value', () => {
  expect(crc16(Buffer.from('x123456789x'), 1, 10)).toBe(0x31c3)
})

test('keySlot gives what CLUSTER KEYSLOT gives', () => {
  for (const [key, slot] of SLOTS) {
    const bytes = Buffer.from(`{${key}}`)
    expect([key, keySlot(bytes, 1, bytes.length - 1)]).toEqual([key, slot])
  }
})
