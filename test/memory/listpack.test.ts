/**
 * Listpack beside an array of strings.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: trusts the count in the header.
 */
import { describe, expect, test } from 'bun:test'
import { ARENA_FULL, Arena } from '../../src/memory/arena.ts'
import { checkArena } from '../../src/memory/check.ts'
import {
  ListpackElement,
  listpackCopy,
  listpackCount,
  listpackCreate,
  listpackEncodedSize,
  listpackEquals,
  listpackFind,
  listpackFirst,
  listpackFrom,
  listpackInsert,
  listpackInsertInteger,
  listpackLast,
  listpackNext,
  listpackPosition,
  listpackPrevious,
  listpackRead,
  listpackRemove,
  listpackReplace,
  listpackReplaceInteger,
  listpackSeek,
  listpackSizeBytes,
} from '../../src/memory/listpack.ts'
import { listpackValid } from '../../src/memory/listpack-valid.ts'
import { seededRandom } from './seeded-random.ts'

const element = new ListpackElement()

function textAt(arena: Arena, at: number): string {
  listpackRead(arena, at, element)
  return element.bytes.latin1Slice(element.offset, element.offset + element.length)
}

function contents(arena: Arena, pack: number): string[] {
  const found: string[] = []
  for (let at = listpackFirst(arena, pack); at !== 0; at = listpackNext(arena, at)) {
    found.push(textAt(arena, at))
  }
  const back: string[] = []
  for (let at = listpackLast(arena, pack); at !== 0; at = listpackPrevious(arena, pack, at)) {
    back.unshift(textAt(arena, at))
  }
  expect(back).toEqual(found)
  return found
}

function bytesOf(arena: Arena, pack: number): Buffer {
  const start = pack << 3
  return Buffer.from(arena.bytes.subarray(start, start + listpackSizeBytes(arena, pack)))
}

const NUMBERS = [
  ...['0', '127', '128', '-1', '-4096', '4095', '4096', '-4097', '32767', '-32768', '32768'],
  ...['8388607', '-8388608', '8388608', '-8388609', '2147483647', '-2147483648', '2147483648'],
  ...['9223372036854775807', '-9223372036854775808', '-2147483649', '4294967295'],
]
const NO_NUMBERS = ['', '00', '-0', '+1', '1.0', '9223372036854775808', ' 1', 'a']

function someText(random: () => number): string {
  const kind = Math.floor(random() * 8)
  if (kind === 0) return NUMBERS[Math.floor(random() * NUMBERS.length)]
  if (kind === 1) return NO_NUMBERS[Math.floor(random() * NO_NUMBERS.length)]
  if (kind === 2) return String(Math.floor(random() * 2 ** 33) - 2 ** 32)
  if (kind === 3) return 'y'.repeat(60 + Math.floor(random() * 10))
  if (kind === 4) return 'z'.repeat(4090 + Math.floor(random() * 10))
  return `text ${Math.floor(random() * 50)}`
}

describe('a listpack', () => {
  test('is the bytes that Redis writes', () => {
    const arena = new Arena(1 << 20)
    let pack = listpackCreate(arena, 0)
    for (const text of ['a', '1', '-1', '300', '70000']) {
      const bytes = Buffer.from(text)
      pack = listpackInsert(arena, pack, 0, bytes, 0, bytes.length)
    }
    expect(bytesOf(arena, pack).toString('hex')).toBe(
      '170000000500' + '816102' + '0101' + 'dfff02' + 'c12c02' + 'f270110104' + 'ff',
    )
  })

  test('keeps canonical integers as integers and everything else as it is', () => {
    const arena = new Arena(1 << 20)
    for (const text of [...NUMBERS, ...NO_NUMBERS]) {
      const bytes = Buffer.from(text)
      const pack = listpackInsert(arena, listpackCreate(arena, 0), 0, bytes, 0, bytes.length)
      const at = listpackFirst(arena, pack)
      expect(textAt(arena, at)).toBe(text)
      expect(element.isInteger).toBe(NUMBERS.includes(text))
      expect(listpackEquals(arena, at, bytes, 0, bytes.length)).toBe(true)
      expect(listpackFind(arena, at, bytes, 0, bytes.length, 0)).toBe(at)
      expect(listpackSizeBytes(arena, pack)).toBe(7 + listpackEncodedSize(bytes, 0, bytes.length))
    }
  })

  test('behaves as an array', () => {
    const random = seededRandom(1, 'listpack')
    const arena = new Arena(1 << 22)
    for (let round = 0; round < 30; round++) {
      let pack = listpackCreate(arena, 0)
      const model: string[] = []
      for (let step = 0; step < 200; step++) {
        const text = someText(random)
        const bytes = Buffer.from(text)
        const index = Math.floor(random() * (model.length + 1))
        const at = index === model.length ? 0 : listpackSeek(arena, pack, index)
        expect(at === 0).toBe(index === model.length)
        const choice = random()
        if (choice < 0.5 || (choice < 0.8 && at === 0)) {
          pack = listpackInsert(arena, pack, at, bytes, 0, bytes.length)
          model.splice(index, 0, text)
          expect(textAt(arena, listpackPosition())).toBe(text)
        } else if (choice < 0.65) {
          pack = listpackReplace(arena, pack, at, bytes, 0, bytes.length)
          model[index] = text
        } else if (choice < 0.7) {
          pack = listpackReplaceInteger(arena, pack, at, -1, -5)
          model[index] = '-5'
        } else if (choice < 0.75) {
          pack = listpackInsertInteger(arena, pack, at, 1, 0)
          model.splice(index, 0, '4294967296')
        } else if (at !== 0) {
          const count = 1 + Math.floor(random() * 4)
          pack = listpackRemove(arena, pack, at, count)
          model.splice(index, count)
          const next = listpackPosition()
          if (index < model.length) expect(textAt(arena, next)).toBe(model[index])
          else expect(next).toBe(0)
        }
        expect(listpackCount(arena, pack)).toBe(model.length)
        if (step % 20 !== 0) continue
        expect(contents(arena, pack)).toEqual(model)
        const end = Math.floor(random() * (model.length + 2)) - model.length - 1
        const fromEnd = listpackSeek(arena, pack, end)
        expect(fromEnd === 0 ? undefined : textAt(arena, fromEnd)).toBe(
          end < 0 ? model.at(end) : model[end],
        )
        const whole = bytesOf(arena, pack)
        expect(listpackValid(whole, 0, whole.length)).toBe(true)
      }
      const copy = listpackCopy(arena, pack, arena)
      expect(contents(arena, copy)).toEqual(model)
      arena.free(copy)
      expect(checkArena(arena, (visit) => visit(pack))).toEqual([])
      arena.free(pack)
    }
    expect(arena.usedBytes).toBe(0)
  })

  test('finds at every so many places', () => {
    const arena = new Arena(1 << 20)
    let pack = listpackCreate(arena, 0)
    for (const text of ['a', '1', '1', 'a', 'b', '1']) {
      const bytes = Buffer.from(text)
      pack = listpackInsert(arena, pack, 0, bytes, 0, bytes.length)
    }
    const find = (text: string, from: number, skip: number) =>
      listpackFind(arena, from, Buffer.from(text), 0, text.length, skip)
    const first = listpackFirst(arena, pack)
    expect(find('1', first, 1)).toBe(listpackSeek(arena, pack, 2))
    expect(find('1', listpackSeek(arena, pack, 1), 1)).toBe(listpackSeek(arena, pack, 1))
    expect(find('b', listpackSeek(arena, pack, 1), 1)).toBe(0)
    expect(find('c', first, 0)).toBe(0)
  })

  test('counts beyond what its header can say', () => {
    const arena = new Arena(1 << 22)
    let pack = listpackCreate(arena, 0)
    for (let i = 0; i < 66_000; i++) pack = listpackInsertInteger(arena, pack, 0, 0, i & 127)
    expect(listpackCount(arena, pack)).toBe(66_000)
    expect(textAt(arena, listpackSeek(arena, pack, 65_999))).toBe(String(65_999 & 127))
    const whole = bytesOf(arena, pack)
    expect(listpackValid(whole, 0, whole.length)).toBe(true)
  })

  test('is as it was when the arena is full', () => {
    const arena = new Arena(1 << 18)
    let pack = listpackCreate(arena, 0)
    const bytes = Buffer.alloc(500, 'x')
    let count = 0
    for (;;) {
      try {
        pack = listpackInsert(arena, pack, 0, bytes, 0, bytes.length)
      } catch (error) {
        expect(error).toBe(ARENA_FULL)
        break
      }
      count++
    }
    expect(contents(arena, pack)).toEqual(new Array(count).fill(bytes.toString()))
  })

  test('is told from garbage', () => {
    const random = seededRandom(2, 'listpack garbage')
    const arena = new Arena(1 << 22)
    for (let round = 0; round < 3000; round++) {
      let pack = listpackCreate(arena, 0)
      for (let i = 0; i < 1 + random() * 6; i++) {
        const bytes = Buffer.from(someText(random).slice(0, 80))
        pack = listpackInsert(arena, pack, 0, bytes, 0, bytes.length)
      }
      const forged = Buffer.concat([bytesOf(arena, pack), Buffer.alloc(16, 0xee)])
      const size = forged.length - 16
      arena.free(pack)
      for (let i = 0; i < 1 + random() * 3; i++) {
        forged[Math.floor(random() * size)] = Math.floor(random() * 256)
      }
      if (!listpackValid(forged, 0, size)) continue
      // What passes can be walked to its end from both sides.
      const taken = listpackFrom(arena, forged, 0, size)
      expect(contents(arena, taken).length).toBe(listpackCount(arena, taken))
      arena.free(taken)
    }
  })
})
