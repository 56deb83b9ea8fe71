/**
 * String values from inside: random changes in tiny arenas against plain text, with memory that runs
 * out; what a change leaves in place, and which encoding it leaves.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: lets time pass.
 */
import { describe, expect, test } from 'bun:test'
import { Args } from '../../../../src/core/engine/args.ts'
import { Clock } from '../../../../src/core/engine/clock.ts'
import { Propagation } from '../../../../src/core/engine/propagation.ts'
import { type Db, NO_DEADLINE } from '../../../../src/core/keyspace/db.ts'
import { entryDeadline, TYPE_STRING } from '../../../../src/core/keyspace/entry.ts'
import { Keyspace } from '../../../../src/core/keyspace/keyspace.ts'
import { registerValueType } from '../../../../src/core/keyspace/value.ts'
import {
  KEEP_DEADLINE,
  rawBytesOffset,
  stringAppend,
  stringGrow,
  stringLength,
  stringSetArgument,
  stringSetBlob,
  stringSetInteger,
  stringSetText,
  stringValue,
} from '../../../../src/core/types/string/string.ts'
import { StringView } from '../../../../src/core/types/string/view.ts'
import { type Arena, ArenaFullError } from '../../../../src/memory/arena.ts'
import { blobCreate } from '../../../../src/memory/blob.ts'
import { seededRandom } from '../../../memory/seeded-random.ts'
import { keyspaceFaults } from '../../keyspace/faults.ts'

const HASH_SEED = 99
const SMALL_ARENA = 192 * 1024
/** With its length it fills whole pages. */
const LONG_SIZE = 5 * 8192 - 4
const FAR_MS = 4_000_000_000_000

registerValueType(TYPE_STRING, stringValue)

/** A keyspace, and a call's arguments: 1 is the key, 2 the value. */
class World {
  readonly keyspace: Keyspace
  readonly db: Db
  readonly args = new Args(Buffer.alloc(0), new Int32Array(0), HASH_SEED)
  readonly view = new StringView()

  constructor(arenaCount: number, arenaSize: number) {
    this.keyspace = new Keyspace(
      { databaseCount: 1, arenaCount, arenaSize, hashSeed: HASH_SEED },
      new Clock(),
      new Propagation(),
    )
    this.db = this.keyspace.dbs[0]
  }

  call(key: string, value = ''): void {
    this.args.set([Buffer.from('X'), Buffer.from(key), Buffer.from(value, 'latin1')])
  }

  set(key: string, value: string, deadlineMs = NO_DEADLINE): number {
    this.call(key, value)
    return stringSetArgument(this.db, this.args, 1, this.db.write(this.args, 1), 2, deadlineMs)
  }

  append(key: string, value: string): number {
    this.call(key, value)
    const { args } = this
    const ref = this.db.write(args, 1)
    const { bytes, words, offsets, lengths } = args
    return stringAppend(this.db, args, 1, ref, bytes, words, offsets[2], lengths[2])
  }

  grow(key: string, length: number): number {
    this.call(key)
    return stringGrow(this.db, this.args, 1, this.db.write(this.args, 1), length)
  }

  /** Text and deadline of a key, undefined when there is none. */
  read(key: string): { text: string; deadlineMs: number } | undefined {
    this.call(key)
    const ref = this.db.peek(this.args, 1)
    if (ref === 0) return undefined
    const { view } = this
    view.open(this.db.arena, ref)
    const text = view.bytes.latin1Slice(view.offset, view.offset + view.length)
    expect(stringLength(this.db.arena, ref)).toBe(text.length)
    return { text, deadlineMs: entryDeadline(this.db.arena, ref) }
  }

  encoding(key: string): string {
    this.call(key)
    const ref = this.db.peek(this.args, 1)
    return stringValue.encodingName(this.db.arena, ref)
  }
}

interface ModelValue {
  text: string
  deadlineMs: number
}

/** Sets a blob of the caller's own. */
function setBlob(world: World, key: string, text: string, deadlineMs: number): void {
  world.call(key, text)
  const { args, db } = world
  const ref = db.write(args, 1)
  const blob = blobCreate(db.arena, args.bytes, args.words, args.offsets[2], text.length)
  stringSetBlob(db, args, 1, ref, blob, deadlineMs)
}

/** One random change of a key, done to the world; gives what the key should hold then. */
function change(world: World, random: () => number, key: string, before: ModelValue | undefined) {
  const below = (n: number) => Math.floor(random() * n)
  const size = [below(12), 40 + below(10), below(300), below(6000)][below(4)]
  const text =
    below(4) === 0 ? String(below(2 ** 31) - 2 ** 30) : 'abcdefg'.repeat(1000).slice(0, size)
  const deadlineMs = [NO_DEADLINE, KEEP_DEADLINE, FAR_MS + below(1000)][below(3)]
  const kept = before?.deadlineMs ?? NO_DEADLINE
  const after = { text, deadlineMs: deadlineMs === KEEP_DEADLINE ? kept : deadlineMs }
  const { db, args } = world
  switch (below(6)) {
    case 0:
      setBlob(world, key, text, deadlineMs)
      return after
    case 1: {
      world.call(key, text)
      const ref = db.write(args, 1)
      const { bytes, words, offsets } = args
      stringSetText(db, args, 1, ref, bytes, words, offsets[2], text.length, deadlineMs)
      return after
    }
    case 2:
      world.call(key)
      stringSetInteger(db, args, 1, db.write(args, 1), -1, -size, deadlineMs)
      return { ...after, text: size === 0 ? String(-(2 ** 32)) : String(-size) }
    case 3:
      if (before === undefined) break
      world.append(key, text)
      return { text: before.text + text, deadlineMs: kept }
    case 4:
      world.grow(key, size)
      return { text: (before?.text ?? '').padEnd(size, '\0'), deadlineMs: kept }
  }
  world.set(key, text, deadlineMs)
  return after
}

function fill(seed: number): number {
  const world = new World(3, SMALL_ARENA)
  const random = seededRandom(seed, 'string')
  const model = new Map<string, ModelValue>()
  let fullCount = 0
  for (let step = 0; step < 1500; step++) {
    const key = `key:${Math.floor(random() * 60)}`
    const before = model.get(key)
    if (random() < 0.1) {
      world.call(key)
      const ref = world.db.write(world.args, 1)
      expect(ref !== 0).toBe(before !== undefined)
      if (ref !== 0) world.db.remove(ref)
      model.delete(key)
    } else {
      try {
        model.set(key, change(world, random, key, before))
      } catch (error) {
        expect(error).toBeInstanceOf(ArenaFullError)
        fullCount++
      }
    }
    expect(world.read(key)).toEqual(model.get(key))
    if (step % 25 === 0) expect(keyspaceFaults(world.keyspace)).toEqual([])
  }
  for (const [key, value] of model) expect(world.read(key)).toEqual(value)
  expect(keyspaceFaults(world.keyspace)).toEqual([])
  expect(world.db.size()).toBe(model.size)
  expect(world.keyspace.flushAll()).toBe(model.size)
  return fullCount
}

describe('random changes', () => {
  for (const seed of [1, 2, 3]) {
    test(`leave every value whole, also when memory runs out (seed ${seed})`, () => {
      expect(fill(seed)).toBeGreaterThan(10)
    })
  }
})

describe('SET over a string', () => {
  const inPlace: [string, string, string][] = [
    ['integer over integer', '1', '-9223372036854775808'],
    ['short over short', 'abc', 'xyz'],
    ['short over longer short', 'a'.repeat(44), 'b'.repeat(20)],
    ['integer over short', 'abcdef', '7'],
    ['long over long', 'a'.repeat(1000), 'b'.repeat(1000)],
    ['long over longer', 'a'.repeat(1000), 'b'.repeat(600)],
    ['longer into what the block has left', 'a'.repeat(1000), 'b'.repeat(1010)],
  ]
  for (const [name, first, second] of inPlace) {
    test(`writes ${name} where it lies`, () => {
      const world = new World(1, SMALL_ARENA)
      const ref = world.set('key', first)
      const used = world.keyspace.usedBytes()
      expect(world.set('key', second)).toBe(ref)
      expect(world.keyspace.usedBytes()).toBe(used)
      expect(world.read('key')?.text).toBe(second)
    })
  }

  test('leaves no block more than half empty', () => {
    const world = new World(1, SMALL_ARENA)
    for (const size of [60_000, 20_000, 5000, 1000, 200, 50, 10, 0]) {
      world.set('key', 'x'.repeat(size))
      const lone = new World(1, SMALL_ARENA)
      lone.set('key', 'x'.repeat(size))
      const least = lone.keyspace.usedBytes()
      expect(world.keyspace.usedBytes()).toBeLessThanOrEqual(2 * least + 64)
    }
  })

  test('gives a deadline, keeps it, moves it and takes it away', () => {
    const world = new World(1, SMALL_ARENA)
    for (const text of ['1', 'short', 'long'.repeat(50)]) {
      world.set('key', text)
      world.set('key', text, FAR_MS)
      expect(world.read('key')).toEqual({ text, deadlineMs: FAR_MS })
      world.set('key', `${text}2`, KEEP_DEADLINE)
      expect(world.read('key')).toEqual({ text: `${text}2`, deadlineMs: FAR_MS })
      world.set('key', text, FAR_MS + 5)
      expect(world.read('key')).toEqual({ text, deadlineMs: FAR_MS + 5 })
      expect(keyspaceFaults(world.keyspace)).toEqual([])
      world.set('key', text)
      expect(world.read('key')).toEqual({ text, deadlineMs: -1 })
      expect(keyspaceFaults(world.keyspace)).toEqual([])
    }
  })
})

describe('encodings', () => {
  const cases: [string, string][] = [
    ['0', 'int'],
    ['-1', 'int'],
    ['9223372036854775807', 'int'],
    ['-9223372036854775808', 'int'],
    ['9223372036854775808', 'embstr'],
    ['-9223372036854775809', 'embstr'],
    ['01', 'embstr'],
    ['+1', 'embstr'],
    ['-0', 'embstr'],
    [' 1', 'embstr'],
    ['', 'embstr'],
    ['x'.repeat(44), 'embstr'],
    ['x'.repeat(45), 'raw'],
  ]
  for (const [text, encoding] of cases) {
    test(`${JSON.stringify(text)} is set as ${encoding} and reads back`, () => {
      const world = new World(1, SMALL_ARENA)
      world.set('key', text)
      expect(world.encoding('key')).toBe(encoding)
      expect(world.read('key')?.text).toBe(text)
      world.append('key', '')
      expect(world.encoding('key')).toBe('raw')
      expect(world.read('key')?.text).toBe(text)
    })
  }

  test('growing fills with zero bytes and leaves what was there', () => {
    const world = new World(1, SMALL_ARENA)
    world.set('key', '12')
    const ref = world.grow('key', 5)
    const { arena } = world.db
    expect(world.encoding('key')).toBe('raw')
    expect(world.read('key')?.text).toBe('12\0\0\0')
    arena.bytes[rawBytesOffset(arena, ref) + 2] = 51
    world.grow('key', 2)
    expect(world.read('key')?.text).toBe('123\0\0')
  })
})

describe('a long string for whose entry there is no room', () => {
  const cases: [string, string | undefined][] = [
    ['a new key', undefined],
    ['a short string', 'short'],
    ['an integer', '12'],
    ['another long string', 'long'.repeat(100)],
  ]
  for (const [name, before] of cases) {
    test(`leaves ${name} as it was`, () => {
      const world = new World(1, SMALL_ARENA)
      const { arena } = world.db
      world.set('other', 'x', FAR_MS)
      if (before !== undefined) world.set('key', before)
      const room = arena.allocate(LONG_SIZE + 4)
      for (let size = 32768; size >= 8; size -= 8) while (arena.tryAllocate(size) !== 0);
      arena.free(room)
      const used = arena.usedBytes
      // A deadline more makes the entry another one.
      expect(() => world.set('key', 'y'.repeat(LONG_SIZE), FAR_MS)).toThrow()
      expect(arena.usedBytes).toBe(used)
      expect(world.read('key')?.text).toBe(before as string)
      expect(arena.tryAllocate(LONG_SIZE + 4)).not.toBe(0)
    })
  }
})

test('a kept view outlives the change of its key', () => {
  const world = new World(1, SMALL_ARENA)
  for (const text of ['12345678901', 'short', 'y'.repeat(64), 'z'.repeat(5000)]) {
    const ref = world.set('key', text)
    const { view } = world
    view.open(world.db.arena, ref)
    view.keep()
    world.set('key', '-'.repeat(text.length))
    expect(view.bytes.latin1Slice(view.offset, view.offset + view.length)).toBe(text)
  }
})

test('a copy into a full arena leaves both arenas whole', () => {
  const world = new World(2, SMALL_ARENA)
  world.set('key', 'k'.repeat(3000))
  const from = world.db.peek(world.args, 1)
  const fromArena = world.db.arena
  const target = world.keyspace.arenas.find((arena) => arena !== fromArena) as Arena
  const used = target.usedBytes
  const copying = () =>
    stringValue.copyTo(fromArena, from, target, {
      create() {
        throw new ArenaFullError()
      },
    })
  expect(copying).toThrow()
  expect(target.usedBytes).toBe(used)
  expect(keyspaceFaults(world.keyspace)).toEqual([])
})
