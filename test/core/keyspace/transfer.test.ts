/**
 * Random commands against a plain model, in three tiny arenas: values survive being renamed, copied
 * and moved, and the deadline trees stay exact whatever happens to the keys.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: lets time pass but when the test says so.
 */
import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../../memory/seeded-random.ts'
import { encodeRequest } from '../../support/argv.ts'
import type { InProcessClient } from '../../support/in-process.ts'
import { InProcessServer } from '../../support/in-process.ts'
import { notation, type Reply } from '../../support/reply.ts'
import { holdStill } from '../../support/still-clock.ts'
import { keyspaceFaults } from './faults.ts'

interface ModelKey {
  value: string
  /** Unix milliseconds, -1: none. */
  deadlineMs: number
}

const DB_COUNT = 3
const NAMES = ['a', 'b', 'key:c', 'a much longer name than that', 'x'.repeat(70), '', 'e5', 'zzz']
const VALUES = [
  '1',
  '-12345678901',
  'short',
  'v'.repeat(44),
  'w'.repeat(45),
  'long'.repeat(500),
  '',
]

/** One request; texts are bytes, one a character. */
function request(...argv: (string | Uint8Array)[]): Buffer {
  return encodeRequest(
    argv.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
  )
}

class Model {
  readonly dbs = Array.from({ length: DB_COUNT }, () => new Map<string, ModelKey>())
  nowMs = 0

  get(db: number, name: string): ModelKey | undefined {
    const key = this.dbs[db].get(name)
    if (key === undefined || key.deadlineMs === -1 || key.deadlineMs >= this.nowMs) return key
    this.dbs[db].delete(name)
    return undefined
  }
}

class World {
  readonly target = new InProcessServer({ arenaCount: 3, arenaSize: 1024 * 1024 })
  readonly model = new Model()
  readonly client: InProcessClient
  readonly random: () => number
  db = 0

  constructor(seed: number) {
    this.random = seededRandom(seed, 'transfer')
    const { clock } = this.target.server
    holdStill(clock)
    this.model.nowMs = clock.nowMs
    this.client = this.target.connect()
  }

  pick<T>(of: readonly T[]): T {
    return of[Math.floor(this.random() * of.length)]
  }

  below(n: number): number {
    return Math.floor(this.random() * n)
  }

  call(...argv: string[]): Reply {
    this.client.write(request(...argv))
    return this.client.next(0)
  }

  says(...argv: string[]): string {
    return notation(this.call(...argv))
  }

  pass(ms: number): void {
    this.model.nowMs += ms
    this.target.server.clock.nowMs += ms
    this.target.settle()
  }
}

function step(world: World): void {
  const { model } = world
  if (world.below(8) === 0) {
    world.db = world.below(DB_COUNT)
    expect(world.says('SELECT', String(world.db))).toBe('+OK')
  }
  const db = model.dbs[world.db]
  const name = world.pick(NAMES)
  const key = model.get(world.db, name)
  switch (world.below(13)) {
    case 0:
    case 1: {
      const value = world.pick(VALUES)
      expect(world.says('SET', name, value)).toBe('+OK')
      db.set(name, { value, deadlineMs: -1 })
      break
    }
    case 2: {
      const value = world.pick(VALUES)
      const ms = 1 + world.below(60)
      expect(world.says('PSETEX', name, String(ms), value)).toBe('+OK')
      db.set(name, { value, deadlineMs: model.nowMs + ms })
      break
    }
    case 3:
    case 4: {
      const ms = world.below(60) - 3
      expect(world.says('PEXPIRE', name, String(ms))).toBe(key === undefined ? ':0' : ':1')
      if (key !== undefined && ms <= 0) db.delete(name)
      else if (key !== undefined) key.deadlineMs = model.nowMs + ms
      break
    }
    case 5: {
      const timed = key !== undefined && key.deadlineMs !== -1
      expect(world.says('PERSIST', name)).toBe(timed ? ':1' : ':0')
      if (timed) key.deadlineMs = -1
      break
    }
    case 6:
    case 7:
      rename(world, name, key)
      break
    case 8:
      copy(world, name, key)
      break
    case 9:
      move(world, name, key)
      break
    case 10:
      restore(world, name)
      break
    case 11:
      expect(world.says('DEL', name)).toBe(key === undefined ? ':0' : ':1')
      db.delete(name)
      break
    default:
      world.pass(1 + world.below(20))
  }
}

function rename(world: World, name: string, key: ModelKey | undefined): void {
  const db = world.model.dbs[world.db]
  const to = world.pick(NAMES)
  const taken = world.model.get(world.db, to) !== undefined
  const careful = world.below(3) === 0
  const says = world.says(careful ? 'RENAMENX' : 'RENAME', name, to)
  if (key === undefined) {
    expect(says).toBe('-ERR no such key')
  } else if (careful && taken) {
    expect(says).toBe(':0')
  } else {
    expect(says).toBe(careful ? ':1' : '+OK')
    db.delete(name)
    db.set(to, key)
  }
}

function copy(world: World, name: string, key: ModelKey | undefined): void {
  const to = world.pick(NAMES)
  const target = world.below(DB_COUNT)
  const replace = world.below(2) === 0
  const taken = world.model.get(target, to) !== undefined
  const says = world.says('COPY', name, to, 'DB', String(target), ...(replace ? ['REPLACE'] : []))
  if (target === world.db && name === to) {
    expect(says).toBe('-ERR source and destination objects are the same')
  } else if (key === undefined || (taken && !replace)) {
    expect(says).toBe(':0')
  } else {
    expect(says).toBe(':1')
    world.model.dbs[target].set(to, { ...key })
  }
}

function move(world: World, name: string, key: ModelKey | undefined): void {
  const target = world.below(DB_COUNT)
  const says = world.says('MOVE', name, String(target))
  if (target === world.db) {
    expect(says).toBe('-ERR source and destination objects are the same')
  } else if (key === undefined || world.model.get(target, name) !== undefined) {
    expect(says).toBe(':0')
  } else {
    expect(says).toBe(':1')
    world.model.dbs[world.db].delete(name)
    world.model.dbs[target].set(name, key)
  }
}

function restore(world: World, name: string): void {
  const from = world.pick(NAMES)
  const source = world.model.get(world.db, from)
  const payload = world.call('DUMP', from)
  expect(payload.bytes === undefined).toBe(source === undefined)
  if (payload.bytes === undefined || source === undefined) return
  const ms = world.below(2) === 0 ? 0 : 1 + world.below(60)
  world.client.write(request('RESTORE', name, String(ms), payload.bytes, 'REPLACE'))
  expect(notation(world.client.next(0))).toBe('+OK')
  const deadlineMs = ms === 0 ? -1 : world.model.nowMs + ms
  world.model.dbs[world.db].set(name, { value: source.value, deadlineMs })
}

/** Every key of every database is what the model says, and nothing else is there. */
function compare(world: World): void {
  const { model, target } = world
  expect(keyspaceFaults(target.server.keyspace)).toEqual([])
  for (let index = 0; index < DB_COUNT; index++) {
    world.says('SELECT', String(index))
    for (const name of NAMES) {
      const key = model.get(index, name)
      const value = world.call('GET', name)
      expect(value.bytes?.toString('latin1')).toBe(key?.value as string)
      const deadline = key === undefined ? -2 : key.deadlineMs
      expect(world.says('PEXPIRETIME', name)).toBe(`:${deadline}`)
    }
    expect(world.says('DBSIZE')).toBe(`:${model.dbs[index].size}`)
  }
  world.says('SELECT', String(world.db))
}

describe('keys in three tiny arenas', () => {
  for (const seed of [1, 2, 3]) {
    test(`are as the model says after every step, seed ${seed}`, () => {
      const world = new World(seed)
      for (let i = 0; i < 1500; i++) {
        step(world)
        if (i % 10 === 0) compare(world)
      }
      compare(world)
      world.pass(1000)
      compare(world)
      expect(world.says('FLUSHALL')).toBe('+OK')
      expect(keyspaceFaults(world.target.server.keyspace)).toEqual([])
    }, 30_000)
  }

  test('a full arena refuses RENAME, COPY, EXPIRE and RESTORE and loses nothing', () => {
    const world = new World(7)
    const { keyspace } = world.target.server
    const big = 'b'.repeat(20_000)
    world.says('SET', 'first', big)
    const payload = world.call('DUMP', 'first').bytes as Buffer
    let count = 0
    for (; count < 1000; count++) if (!world.says('SET', `k${count}`, big).startsWith('+')) break
    expect(count).toBeLessThan(1000)
    // What is left goes to small keys.
    for (let i = 0; i < 300_000; i++) {
      if (world.says('SET', `s${i}`, 'small').startsWith('-') && i > 100) break
    }
    const size = keyspace.keyCount()
    let refused = 0
    for (let i = 0; i < 60; i++) {
      const before = keyspace.keyCount()
      const long = `${'n'.repeat(200)}${i}`
      const says = [
        world.says('COPY', 'first', long),
        world.says('RENAME', 'k0', 'k0'.repeat(50)),
        world.says('RENAME', 'k0'.repeat(50), 'k0'),
        world.says('EXPIRE', `k${i % count}`, '1000'),
      ]
      world.client.write(request('RESTORE', `${long}r`, '1000', payload, 'REPLACE'))
      says.push(notation(world.client.next(0)))
      refused += says.filter((text) => text.startsWith('-OOM')).length
      expect(keyspace.keyCount()).toBeGreaterThanOrEqual(before)
      expect(keyspaceFaults(keyspace)).toEqual([])
    }
    expect(refused).toBeGreaterThan(0)
    expect(keyspace.keyCount()).toBeGreaterThanOrEqual(size)
    for (let i = 1; i < count; i++) expect(world.call('GET', `k${i}`).bytes?.length).toBe(20_000)
  }, 60_000)
})
