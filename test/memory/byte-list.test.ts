/**
 * Byte list beside an array of strings.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: lets a node be empty.
 */
import { describe, expect, test } from 'bun:test'
import { ARENA_FULL, Arena } from '../../src/memory/arena.ts'
import {
  byteListCopy,
  byteListCount,
  byteListCreate,
  byteListFirstNode,
  byteListFree,
  byteListInsert,
  byteListMemoryBytes,
  byteListNext,
  byteListNextNode,
  byteListNodeCount,
  byteListPack,
  byteListPrevious,
  byteListPush,
  byteListRemove,
  byteListRemoveRange,
  byteListReplace,
  byteListSeek,
  byteListVisit,
  ListPosition,
} from '../../src/memory/byte-list.ts'
import { checkArena } from '../../src/memory/check.ts'
import { ListpackElement, listpackCount, listpackRead } from '../../src/memory/listpack.ts'
import { seededRandom } from './seeded-random.ts'

const element = new ListpackElement()
const position = new ListPosition()

function textAt(arena: Arena, at: number): string {
  listpackRead(arena, at, element)
  return element.bytes.latin1Slice(element.offset, element.offset + element.length)
}

function contents(arena: Arena, list: number): string[] {
  const found: string[] = []
  let more = byteListSeek(arena, list, 0, position)
  for (; more; more = byteListNext(arena, position)) found.push(textAt(arena, position.at))
  const back: string[] = []
  more = byteListSeek(arena, list, -1, position)
  for (; more; more = byteListPrevious(arena, position)) back.push(textAt(arena, position.at))
  expect(back.toReversed()).toEqual(found)
  return found
}

function checkNodes(arena: Arena, list: number): void {
  let nodes = 0
  let elements = 0
  for (let node = byteListFirstNode(arena, list); node !== 0; ) {
    const count = listpackCount(arena, byteListPack(arena, node))
    expect(count).toBeGreaterThan(0)
    nodes++
    elements += count
    node = byteListNextNode(arena, node)
  }
  expect(nodes).toBe(byteListNodeCount(arena, list))
  expect(elements).toBe(byteListCount(arena, list))
}

function someText(random: () => number, step: number): string {
  const kind = random()
  if (kind < 0.4) return String(Math.floor(random() * 1e6) - 5e5)
  if (kind < 0.9) return `element ${step}`
  if (kind < 0.97) return 'x'.repeat(Math.floor(random() * 600))
  return 'y'.repeat(9000)
}

describe('a byte list', () => {
  for (const limit of [-2, -5, 1, 3, 128]) {
    test(`behaves as an array, limit ${limit}`, () => {
      const random = seededRandom(20 + limit, `byte list ${limit}`)
      const arena = new Arena(1 << 24)
      const list = byteListCreate(arena)
      const model: string[] = []
      for (let step = 0; step < 4000; step++) {
        const text = someText(random, step)
        const bytes = Buffer.from(text)
        const index = Math.floor(random() * model.length)
        const choice = random()
        if (choice < 0.4 || model.length === 0) {
          const atEnd = random() < 0.5
          byteListPush(arena, list, atEnd, bytes, 0, bytes.length, limit)
          if (atEnd) model.push(text)
          else model.unshift(text)
        } else if (choice < 0.6) {
          const after = random() < 0.5
          expect(byteListSeek(arena, list, index, position)).toBe(true)
          byteListInsert(arena, list, position, after, bytes, 0, bytes.length, limit)
          model.splice(after ? index + 1 : index, 0, text)
        } else if (choice < 0.7) {
          expect(byteListSeek(arena, list, index - model.length, position)).toBe(true)
          expect(textAt(arena, position.at)).toBe(model[index])
          byteListReplace(arena, position, bytes, 0, bytes.length)
          model[index] = text
        } else if (choice < 0.97) {
          expect(byteListSeek(arena, list, index, position)).toBe(true)
          const more = byteListRemove(arena, list, position)
          model.splice(index, 1)
          expect(more).toBe(index < model.length)
          if (more) expect(textAt(arena, position.at)).toBe(model[index])
        } else {
          const count = Math.floor(random() * (model.length - index + 1) * 0.3)
          byteListRemoveRange(arena, list, index, count)
          model.splice(index, count)
        }
        expect(byteListCount(arena, list)).toBe(model.length)
        if (step % 200 !== 0) continue
        expect(contents(arena, list)).toEqual(model)
        checkNodes(arena, list)
        expect(byteListMemoryBytes(arena, list)).toBe(arena.usedBytes)
      }
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

  test('is as it was when the arena is full', () => {
    const arena = new Arena(1 << 18)
    const list = byteListCreate(arena)
    const model: string[] = []
    const text = Buffer.alloc(700, 'x')
    for (let failures = 0; failures < 20; ) {
      try {
        const atEnd = model.length % 2 === 0
        byteListPush(arena, list, atEnd, text, 0, text.length, -2)
        model.push(text.toString())
      } catch (error) {
        expect(error).toBe(ARENA_FULL)
        failures++
        expect(contents(arena, list)).toEqual(model)
        byteListSeek(arena, list, Math.floor(model.length / 2), position)
        try {
          byteListInsert(arena, list, position, true, text, 0, text.length, 1)
          model.push(text.toString())
        } catch (again) {
          expect(again).toBe(ARENA_FULL)
        }
        expect(contents(arena, list)).toEqual(model)
        checkNodes(arena, list)
      }
    }
    expect(checkArena(arena, (visit) => byteListVisit(arena, list, visit))).toEqual([])
  })

  test('takes little more than its elements', () => {
    const arena = new Arena(1 << 26)
    const list = byteListCreate(arena)
    const bytes = Buffer.from('000000000000')
    for (let i = 0; i < 200_000; i++) {
      bytes.write(String(i).padStart(12, '0'), 'latin1')
      byteListPush(arena, list, true, bytes, 0, bytes.length, -2)
    }
    expect(byteListMemoryBytes(arena, list) / 200_000).toBeLessThan(14.2)
  })
})
