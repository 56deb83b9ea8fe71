/**
 * The arena: sizes, account, reuse, fullness, and the checker's eye for faults.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: uses a block after freeing it, but to show that the checker sees it.
 */

import { expect, test } from 'bun:test'
import {
  ARENA_FULL,
  Arena,
  PAGE_SIZE_BYTES,
  type Ref,
  roundedSizeBytes,
  SMALL_BLOCK_SIZE_MAX,
} from '../../src/memory/arena.ts'
import { checkArena } from '../../src/memory/check.ts'
import { seededRandom } from './seeded-random.ts'

const MIB = 1024 * 1024

class Model {
  readonly arena: Arena
  readonly refs: Ref[] = []
  readonly sizes = new Map<Ref, number>()
  private readonly random: () => number

  constructor(arena: Arena, random: () => number) {
    this.arena = arena
    this.random = random
  }

  randomSize(): number {
    const draw = this.random()
    if (draw < 0.7) return Math.floor(this.random() * 300)
    if (draw < 0.95) return Math.floor(this.random() * 9000)
    return Math.floor(this.random() * 200000)
  }

  /** Fills a block with a pattern of its own, so that overlapping blocks spoil each other. */
  fill(ref: Ref, size: number): void {
    this.arena.bytes.fill((ref * 7 + 13) & 255, ref << 3, (ref << 3) + size)
    this.sizes.set(ref, size)
  }

  checkContents(ref: Ref, size: number, patternRef: Ref): void {
    const bytes = this.arena.bytes.subarray(ref << 3, (ref << 3) + size)
    const pattern = (patternRef * 7 + 13) & 255
    expect(bytes.every((byte) => byte === pattern)).toBe(true)
  }

  allocate(): boolean {
    const size = this.randomSize()
    const ref = this.arena.tryAllocate(size)
    if (ref === 0) return false
    expect(this.arena.blockSizeBytes(ref)).toBe(roundedSizeBytes(size))
    this.fill(ref, size)
    this.refs.push(ref)
    return true
  }

  takeRandom(): Ref {
    const index = Math.floor(this.random() * this.refs.length)
    const ref = this.refs[index]!
    this.refs[index] = this.refs[this.refs.length - 1]!
    this.refs.pop()
    return ref
  }

  free(): void {
    const ref = this.takeRandom()
    this.checkContents(ref, this.sizes.get(ref)!, ref)
    this.sizes.delete(ref)
    this.arena.free(ref)
  }

  reallocate(): void {
    const ref = this.takeRandom()
    const size = this.sizes.get(ref)!
    const newSize = this.randomSize()
    let moved: Ref
    try {
      moved = this.arena.reallocate(ref, newSize, size)
    } catch (error) {
      expect(error).toBe(ARENA_FULL)
      this.refs.push(ref)
      return
    }
    this.checkContents(moved, Math.min(size, newSize), ref)
    this.sizes.delete(ref)
    this.fill(moved, newSize)
    this.refs.push(moved)
  }

  check(): void {
    const faults = checkArena(this.arena, (visitBlock) => {
      for (const ref of this.refs) visitBlock(ref)
    })
    expect(faults).toEqual([])
    let used = 0
    for (const ref of this.refs) used += this.arena.blockSizeBytes(ref)
    expect(this.arena.usedBytes).toBe(used)
  }
}

for (const sizeMib of [1, 3, 64]) {
  test(`random blocks stay whole and accounted for in ${sizeMib} MiB`, () => {
    const random = seededRandom(sizeMib, `${sizeMib} MiB`)
    const model = new Model(new Arena(sizeMib * MIB), random)
    for (let phase = 0; phase < 6; phase++) {
      for (let step = 0; step < 3000; step++) {
        const draw = random()
        if (draw < (phase % 2 === 0 ? 0.65 : 0.2)) model.allocate()
        else if (model.refs.length > 0) {
          if (draw < 0.85) model.free()
          else model.reallocate()
        }
      }
      model.check()
    }
    while (model.refs.length > 0) model.free()
    model.check()
    expect(model.arena.usedBytes).toBe(0)
    // All pages are one free run again, but for a kept span a class.
    const whole = model.arena.freeBytes + model.arena.usedPageCount * PAGE_SIZE_BYTES
    expect(model.arena.tryAllocate(whole)).not.toBe(0)
    expect(model.arena.freeBytes).toBe(0)
  })
}

test('a full arena says so, and every byte can be used again in another size', () => {
  const arena = new Arena(MIB)
  for (const size of [8, 64, 1000, 32768, 100000, 16]) {
    const refs: Ref[] = []
    for (let ref = arena.tryAllocate(size); ref !== 0; ref = arena.tryAllocate(size)) refs.push(ref)
    expect(() => arena.allocate(size)).toThrow()
    expect(refs.length * roundedSizeBytes(size)).toBeGreaterThan(MIB * 0.7)
    expect(new Set(refs).size).toBe(refs.length)
    for (const ref of refs) arena.free(ref)
    expect(arena.usedBytes).toBe(0)
    expect(checkArena(arena, () => {})).toEqual([])
  }
})

test('a block of any small size wastes at most an eighth, or seven bytes', () => {
  for (let size = 1; size <= SMALL_BLOCK_SIZE_MAX; size++) {
    const rounded = roundedSizeBytes(size)
    expect(rounded >= size && rounded - size < Math.max(8, size / 8)).toBe(true)
    expect(rounded % 8).toBe(0)
  }
  expect(roundedSizeBytes(0)).toBe(8)
})

test('a zeroed block is zero, whatever was there', () => {
  const arena = new Arena(MIB)
  for (const size of [1, 24, 100, 300, 40000]) {
    const dirty = arena.allocate(size)
    arena.bytes.fill(0xff, dirty << 3, (dirty << 3) + arena.blockSizeBytes(dirty))
    arena.free(dirty)
    const ref = arena.allocateZeroed(size)
    expect(ref).toBe(dirty)
    expect(arena.bytes.subarray(ref << 3, (ref << 3) + size).every((byte) => byte === 0)).toBe(true)
  }
})

test('a large block grows where it lies when the pages behind it are free', () => {
  const arena = new Arena(MIB)
  const ref = arena.allocate(5 * PAGE_SIZE_BYTES)
  expect(arena.reallocate(ref, 20 * PAGE_SIZE_BYTES, 5 * PAGE_SIZE_BYTES)).toBe(ref)
  const wall = arena.allocate(5 * PAGE_SIZE_BYTES)
  const gap = arena.reallocate(ref, 10 * PAGE_SIZE_BYTES, 10 * PAGE_SIZE_BYTES)
  expect(gap).toBe(ref)
  expect(arena.reallocate(ref, 15 * PAGE_SIZE_BYTES, 10 * PAGE_SIZE_BYTES)).toBe(ref)
  expect(arena.reallocate(ref, 21 * PAGE_SIZE_BYTES, 15 * PAGE_SIZE_BYTES)).not.toBe(ref)
  arena.free(wall)
})

test('an impossible size is refused', () => {
  const arena = new Arena(MIB)
  for (const size of [MIB, 2 ** 31, 2 ** 33, 2 ** 40]) expect(arena.tryAllocate(size)).toBe(0)
  expect(arena.usedBytes).toBe(0)
})

test('after a reset the arena is as new', () => {
  const arena = new Arena(MIB)
  const bytes = arena.bytes
  const first = arena.allocate(100)
  arena.allocate(50000)
  arena.reset()
  expect(arena.bytes).not.toBe(bytes)
  expect(arena.usedBytes).toBe(0)
  expect(arena.freeBytes).toBe(new Arena(MIB).freeBytes)
  expect(checkArena(arena, () => {})).toEqual([])
  expect(arena.allocate(100)).toBe(first)
})

test('an arena of the full size holds blocks at its very end', () => {
  const arena = new Arena()
  const ref = arena.allocate(arena.freeBytes)
  const end = (ref << 3) + arena.blockSizeBytes(ref)
  expect(end).toBe(arena.capacityBytes)
  expect(arena.capacityBytes).toBeLessThan(2 ** 31)
  arena.bytes[end - 1] = 7
  expect(arena.words[(end >> 2) - 1]).toBe(7 << 24)
  expect(arena.usedBytes).toBe(arena.blockSizeBytes(ref))
  arena.reset()
})

test('the checker sees leaks, double use, double frees and stray refs', () => {
  const arena = new Arena(MIB)
  const a = arena.allocate(64)
  const b = arena.allocate(64)
  const large = arena.allocate(50000)
  const faultsWith = (...refs: Ref[]) =>
    checkArena(arena, (visitBlock) => {
      for (const ref of refs) visitBlock(ref)
    })
  expect(faultsWith(a, b, large)).toEqual([])
  expect(faultsWith(a, large)).toEqual([`block ${b} of 64 bytes is live but nobody's`])
  expect(faultsWith(a, b)).toHaveLength(1)
  expect(faultsWith(a, b, large, a)).toEqual([`ref ${a} is in use twice`])
  expect(faultsWith(a, b + 1, large)[0]).toBe(`ref ${b + 1} is in use but not a live block`)
  expect(faultsWith(a, b, large, -5)).toHaveLength(1)
  arena.free(b)
  expect(faultsWith(a, b, large)).toHaveLength(1)
  arena.free(b)
  expect(faultsWith(a, large).length).toBeGreaterThan(0)
})
