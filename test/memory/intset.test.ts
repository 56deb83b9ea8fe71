/**
 * Intset beside a sorted array.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: leaves a width out.
 */
import { describe, expect, test } from 'bun:test'
import { ARENA_FULL, Arena } from '../../src/memory/arena.ts'
import { checkArena } from '../../src/memory/check.ts'
import {
  intsetAdd,
  intsetChanged,
  intsetCopy,
  intsetCount,
  intsetCreate,
  intsetFind,
  intsetFrom,
  intsetGet,
  intsetHigh,
  intsetLow,
  intsetRemove,
  intsetRemoveAt,
  intsetSizeBytes,
  intsetValid,
} from '../../src/memory/intset.ts'
import { seededRandom } from './seeded-random.ts'

const highOf = (value: bigint) => Number(BigInt.asIntN(32, value >> 32n))
const lowOf = (value: bigint) => Number(BigInt.asIntN(32, value))

function contents(arena: Arena, set: number): bigint[] {
  return Array.from({ length: intsetCount(arena, set) }, (_, index) => {
    intsetGet(arena, set, index)
    return (BigInt(intsetHigh()) << 32n) | BigInt(intsetLow() >>> 0)
  })
}

function bytesOf(arena: Arena, set: number): Buffer {
  return Buffer.from(arena.bytes.subarray(set << 3, (set << 3) + intsetSizeBytes(arena, set)))
}

function someInteger(random: () => number, bits: number): bigint {
  const value =
    (BigInt(Math.floor(random() * 2 ** 32)) << 32n) | BigInt(Math.floor(random() * 2 ** 32))
  return BigInt.asIntN(bits, value)
}

describe('an intset', () => {
  test('is the bytes that Redis writes', () => {
    const arena = new Arena(1 << 20)
    let set = intsetCreate(arena)
    for (const value of [1n, -2n, 300n]) set = intsetAdd(arena, set, highOf(value), lowOf(value))
    expect(bytesOf(arena, set).toString('hex')).toBe('02000000' + '03000000' + 'feff01002c01')
    set = intsetAdd(arena, set, 0, 70_000)
    expect(bytesOf(arena, set).readUInt32LE(0)).toBe(4)
    set = intsetAdd(arena, set, -1, -2_147_483_648)
    expect(bytesOf(arena, set).readUInt32LE(0)).toBe(4)
    set = intsetAdd(arena, set, -2, 0)
    expect(bytesOf(arena, set).readUInt32LE(0)).toBe(8)
    expect(contents(arena, set)).toEqual([-8589934592n, -2147483648n, -2n, 1n, 300n, 70000n])
  })

  test('behaves as a sorted array', () => {
    const random = seededRandom(3, 'intset')
    const arena = new Arena(1 << 22)
    for (let round = 0; round < 40; round++) {
      let set = intsetCreate(arena)
      const model = new Set<bigint>()
      for (let step = 0; step < 300; step++) {
        const bits = step < 100 ? 8 : step < 200 ? 20 : round % 2 === 0 ? 20 : 64
        const value = someInteger(random, bits)
        const wanted = random() < 0.3 ? [...model][Math.floor(random() * model.size)] : value
        if (wanted === undefined) continue
        const high = highOf(wanted)
        const low = lowOf(wanted)
        expect(intsetFind(arena, set, high, low)).toBe(model.has(wanted))
        if (random() < 0.6) {
          set = intsetAdd(arena, set, high, low)
          expect(intsetChanged()).toBe(!model.has(wanted))
          model.add(wanted)
        } else {
          set = intsetRemove(arena, set, high, low)
          expect(intsetChanged()).toBe(model.delete(wanted))
        }
      }
      const sorted = [...model].toSorted((a, b) => (a < b ? -1 : 1))
      expect(contents(arena, set)).toEqual(sorted)
      const whole = bytesOf(arena, set)
      expect(intsetValid(whole, 0, whole.length)).toBe(model.size > 0)
      const copy = intsetCopy(arena, set, arena)
      expect(contents(arena, copy)).toEqual(sorted)
      arena.free(copy)
      expect(checkArena(arena, (visit) => visit(set))).toEqual([])
      arena.free(set)
    }
    expect(arena.usedBytes).toBe(0)
  })

  test('is as it was when the arena is full', () => {
    const arena = new Arena(1 << 16)
    let set = intsetCreate(arena)
    let count = 0
    for (;;) {
      try {
        set = intsetAdd(arena, set, 0, count)
      } catch (error) {
        expect(error).toBe(ARENA_FULL)
        break
      }
      count++
    }
    expect(contents(arena, set)).toEqual(Array.from({ length: count }, (_, i) => BigInt(i)))
  })

  test('is told from garbage', () => {
    const random = seededRandom(4, 'intset garbage')
    const arena = new Arena(1 << 20)
    let set = intsetCreate(arena)
    for (const value of [1n, 5n, -7n, 1000n])
      set = intsetAdd(arena, set, highOf(value), lowOf(value))
    const whole = bytesOf(arena, set)
    expect(intsetValid(whole, 0, whole.length)).toBe(true)
    expect(intsetValid(whole, 0, whole.length - 1)).toBe(false)
    for (let i = 0; i < 2000; i++) {
      const forged = Buffer.from(whole)
      forged[Math.floor(random() * forged.length)] = Math.floor(random() * 256)
      if (!intsetValid(forged, 0, forged.length)) continue
      const found = contents(arena, intsetFrom(arena, forged, 0, forged.length))
      expect(found).toEqual(found.toSorted((a, b) => (a < b ? -1 : 1)))
    }
  })

  test('loses what is at some indexes', () => {
    const random = seededRandom(31, 'intset, indexes')
    const arena = new Arena(1 << 20)
    for (let round = 0; round < 300; round++) {
      const bits = [16, 32, 64][round % 3]
      let set = intsetCreate(arena)
      const size = 1 + Math.floor(random() * 90)
      while (intsetCount(arena, set) < size) {
        const value = someInteger(random, bits)
        set = intsetAdd(arena, set, highOf(value), lowOf(value))
      }
      const before = contents(arena, set)
      const share = random()
      const gone = before.map((_, index) => index).filter(() => random() < share)
      if (gone.length === 0) gone.push(Math.floor(random() * size))
      set = intsetRemoveAt(arena, set, gone)
      expect(contents(arena, set)).toEqual(before.filter((_, index) => !gone.includes(index)))
      expect(checkArena(arena, (visit) => visit(set))).toEqual([])
      arena.free(set)
    }
  })
})
