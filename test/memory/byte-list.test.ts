/**
 * Byte list beside an array of strings.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: lets a node be empty.
 */
import { afterEach, describe, expect, test } from 'bun:test'
import { ARENA_FULL, Arena } from '../../src/memory/arena.ts'
import {
  byteListCopy,
  byteListCount,
  byteListCreate,
  byteListFirstNode,
  byteListFree,
  byteListInsert,
  byteListMemoryBytes,
  byteListNextNode,
  byteListNodeCount,
  byteListPush,
  byteListRemove,
  byteListRemoveRange,
  byteListReplace,
  byteListVisit,
} from '../../src/memory/byte-list.ts'
import {
  listOptions,
  nodeBlock,
  nodeCount,
  nodeIsCompressed,
  nodeIsPlain,
  setPlainSize,
} from '../../src/memory/byte-list-node.ts'
import {
  byteListLeave,
  byteListMatches,
  byteListNext,
  byteListPrevious,
  byteListRead,
  byteListSeek,
  ListPosition,
} from '../../src/memory/byte-list-position.ts'
import { checkArena } from '../../src/memory/check.ts'
import { ListpackElement, listpackCount } from '../../src/memory/listpack.ts'
import { listpackWant } from '../../src/memory/listpack-match.ts'
import { seededRandom } from './seeded-random.ts'

const element = new ListpackElement()
const position = new ListPosition()

function textAt(place: ListPosition): string {
  byteListRead(place, element)
  return element.bytes.latin1Slice(element.offset, element.offset + element.length)
}

function contents(arena: Arena, list: number): string[] {
  const found: string[] = []
  let more = byteListSeek(arena, list, 0, position)
  for (; more; more = byteListNext(arena, position)) found.push(textAt(position))
  const back: string[] = []
  more = byteListSeek(arena, list, -1, position)
  for (; more; more = byteListPrevious(arena, position)) back.push(textAt(position))
  byteListLeave(arena, position)
  expect(back.toReversed()).toEqual(found)
  return found
}

function nodes(arena: Arena, list: number): number[] {
  const found: number[] = []
  let node = byteListFirstNode(arena, list)
  for (; node !== 0; node = byteListNextNode(arena, node)) found.push(node)
  return found
}

function checkNodes(arena: Arena, list: number, depth: number): void {
  const found = nodes(arena, list)
  let elements = 0
  for (const [i, node] of found.entries()) {
    const count = nodeCount(arena, node)
    expect(count).toBeGreaterThan(0)
    if (nodeIsPlain(arena, node)) expect(count).toBe(1)
    else if (!nodeIsCompressed(arena, node)) {
      expect(listpackCount(arena, nodeBlock(arena, node))).toBe(count)
    }
    if (nodeIsCompressed(arena, node)) {
      expect(Math.min(i, found.length - 1 - i)).toBeGreaterThanOrEqual(Math.max(depth, 1))
      expect(depth).toBeGreaterThan(0)
    }
    elements += count
  }
  expect(found.length).toBe(byteListNodeCount(arena, list))
  expect(elements).toBe(byteListCount(arena, list))
}

function someText(random: () => number, step: number): string {
  const kind = random()
  if (kind < 0.4) return String(Math.floor(random() * 1e6) - 5e5)
  if (kind < 0.9) return `element ${step}`
  if (kind < 0.97) return 'x'.repeat(Math.floor(random() * 600))
  return 'y'.repeat(9000)
}

/** One change of the list, and the same of the model. */
function change(arena: Arena, list: number, model: string[], random: () => number, step: number) {
  const text = someText(random, step)
  const bytes = Buffer.from(text)
  const index = Math.floor(random() * model.length)
  const choice = random()
  if (choice < 0.4 || model.length === 0) {
    const atEnd = random() < 0.5
    byteListPush(arena, list, atEnd, bytes, 0, bytes.length)
    if (atEnd) model.push(text)
    else model.unshift(text)
  } else if (choice < 0.6) {
    const after = random() < 0.5
    expect(byteListSeek(arena, list, index, position)).toBe(true)
    byteListInsert(arena, list, position, after, bytes, 0, bytes.length)
    model.splice(after ? index + 1 : index, 0, text)
  } else if (choice < 0.7) {
    expect(byteListSeek(arena, list, index - model.length, position)).toBe(true)
    expect(textAt(position)).toBe(model[index])
    byteListReplace(arena, list, position, bytes, 0, bytes.length)
    model[index] = text
  } else if (choice < 0.95) {
    expect(byteListSeek(arena, list, index, position)).toBe(true)
    const more = byteListRemove(arena, list, position)
    model.splice(index, 1)
    expect(more).toBe(index < model.length)
    if (more) expect(textAt(position)).toBe(model[index])
    byteListLeave(arena, position)
  } else if (choice < 0.97) {
    removeEqual(arena, list, model, text)
  } else {
    const count = Math.floor(random() * (model.length - index + 1) * 0.3)
    byteListRemoveRange(arena, list, index, count)
    model.splice(index, count)
  }
}

/** All elements that equal a text, as LREM does it. */
function removeEqual(arena: Arena, list: number, model: string[], text: string): void {
  const bytes = Buffer.from(text)
  listpackWant(bytes, 0, bytes.length)
  let more = byteListSeek(arena, list, 0, position)
  while (more) {
    if (byteListMatches(position)) more = byteListRemove(arena, list, position)
    else more = byteListNext(arena, position)
  }
  byteListLeave(arena, position)
  for (let i = model.length - 1; i >= 0; i--) if (model[i] === text) model.splice(i, 1)
}

afterEach(() => {
  setPlainSize(0)
})

describe('a byte list', () => {
  const shapes = [
    ...[-2, -5, 0, 1, 3, 128].map((fill) => ({ fill, depth: 0, plainSize: 0 })),
    ...[1, 2, 5].map((depth) => ({ fill: 4, depth, plainSize: 0 })),
    { fill: -1, depth: 1, plainSize: 300 },
    { fill: 3, depth: 2, plainSize: 8 },
    { fill: -2, depth: 0, plainSize: 12 },
    { fill: 100, depth: 1, plainSize: 1 },
  ]
  for (const { fill, depth, plainSize } of shapes) {
    const name = `fill ${fill}, depth ${depth}, plain from ${plainSize}`
    test(`behaves as an array: ${name}`, () => {
      setPlainSize(plainSize)
      const random = seededRandom(20, `byte list: ${name}`)
      const arena = new Arena(1 << 24)
      const list = byteListCreate(arena, listOptions(fill, depth))
      const model: string[] = []
      let compressedMax = 0
      for (let step = 0; step < 4000; step++) {
        change(arena, list, model, random, step)
        expect(byteListCount(arena, list)).toBe(model.length)
        if (step % 100 !== 0) continue
        expect(contents(arena, list)).toEqual(model)
        checkNodes(arena, list, depth)
        expect(byteListMemoryBytes(arena, list)).toBe(arena.usedBytes)
        const compressed = nodes(arena, list).filter((node) => nodeIsCompressed(arena, node))
        compressedMax = Math.max(compressedMax, compressed.length)
      }
      expect(compressedMax > 0).toBe(depth > 0)
      expect(byteListSeek(arena, list, model.length, position)).toBe(false)
      expect(byteListSeek(arena, list, -model.length - 1, position)).toBe(false)
      const copy = byteListCopy(arena, list, arena)
      expect(contents(arena, copy)).toEqual(model)
      byteListFree(arena, copy)
      expect(checkArena(arena, (visit) => byteListVisit(arena, list, visit))).toEqual([])
      byteListFree(arena, list)
      expect(arena.usedBytes).toBe(0)
    })
  }

  for (const depth of [0, 1]) {
    test(`is as it was when the arena is full, depth ${depth}`, () => {
      setPlainSize(2000)
      const random = seededRandom(7, `full arena, depth ${depth}`)
      const arena = new Arena(1 << 18)
      const list = byteListCreate(arena, listOptions(-1, depth))
      let model: string[] = []
      let failures = 0
      for (let step = 0; step < 12_000; step++) {
        const before = [...model]
        try {
          // Texts that do not compress fill the arena.
          if (random() < 0.3) pushNoise(arena, list, model, random)
          else change(arena, list, model, random, step)
        } catch (error) {
          expect(error).toBe(ARENA_FULL)
          failures++
          model = before
          expect(contents(arena, list)).toEqual(model)
          if (failures % 8 === 0) model.splice(0, removeSome(arena, list, model.length))
        }
        if (step % 200 !== 0) continue
        expect(contents(arena, list)).toEqual(model)
        expect(checkArena(arena, (visit) => byteListVisit(arena, list, visit))).toEqual([])
      }
      expect(failures).toBeGreaterThan(20)
    })
  }

  test('takes little more than its elements', () => {
    const arena = new Arena(1 << 26)
    const list = byteListCreate(arena, listOptions(-2, 0))
    const bytes = Buffer.from('000000000000')
    for (let i = 0; i < 200_000; i++) {
      bytes.write(String(i).padStart(12, '0'), 'latin1')
      byteListPush(arena, list, true, bytes, 0, bytes.length)
    }
    expect(byteListMemoryBytes(arena, list) / 200_000).toBeLessThan(14.2)
  })

  test('takes less when it is compressed', () => {
    const sizes = [0, 1].map((depth) => {
      const arena = new Arena(1 << 24)
      const list = byteListCreate(arena, listOptions(-2, depth))
      const bytes = Buffer.from('a text that is the same each time')
      for (let i = 0; i < 20_000; i++) byteListPush(arena, list, true, bytes, 0, bytes.length)
      expect(new Set(contents(arena, list)).size).toBe(1)
      return byteListMemoryBytes(arena, list)
    })
    expect(sizes[1] * 10).toBeLessThan(sizes[0])
  })

  test('reads what is compressed without room of its own', () => {
    const arena = new Arena(1 << 18)
    const list = byteListCreate(arena, listOptions(-2, 1))
    const bytes = Buffer.alloc(1000, 'abc')
    const pushed: string[] = []
    for (let i = 0; i < 300; i++) {
      byteListPush(arena, list, true, bytes, 0, bytes.length)
      pushed.push(bytes.toString())
    }
    while (arena.tryAllocate(8) !== 0) {}
    expect(contents(arena, list)).toEqual(pushed)
  })
})

function pushNoise(arena: Arena, list: number, model: string[], random: () => number): void {
  const bytes = Buffer.from(Array.from({ length: 600 }, () => Math.floor(random() * 256)))
  byteListPush(arena, list, true, bytes, 0, bytes.length)
  model.push(bytes.toString('latin1'))
}

/** Takes out the first half, or when that finds no room all. Gives how many that are. */
function removeSome(arena: Arena, list: number, count: number): number {
  const half = Math.ceil(count / 2)
  try {
    byteListRemoveRange(arena, list, 0, half)
    return half
  } catch (error) {
    expect(error).toBe(ARENA_FULL)
    expect(byteListCount(arena, list)).toBe(count)
    byteListRemoveRange(arena, list, 0, count)
    return count
  }
}
