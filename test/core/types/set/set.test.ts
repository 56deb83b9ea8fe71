/**
 * Sets from inside: random commands in tiny arenas against JavaScript's sets, with memory that runs
 * out; and whether chance prefers nobody.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: lets time pass.
 */
import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../../../memory/seeded-random.ts'
import { encodeRequest } from '../../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../../support/in-process.ts'
import type { Reply } from '../../../support/reply.ts'
import { keyspaceFaults } from '../../keyspace/faults.ts'

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const OUT_OF_MEMORY = "OOM command not allowed when used memory > 'maxmemory'."

class World {
  readonly server: InProcessServer
  readonly client: InProcessClient

  constructor(arenaSize: number, intsetMax: number) {
    this.server = new InProcessServer({
      arenaCount: 3,
      arenaSize,
      settings: { 'set-max-intset-entries': `${intsetMax}` },
    })
    this.client = this.server.connect()
  }

  ask(...argv: readonly string[]): Reply {
    this.client.write(encodeRequest(argv.map((part) => Buffer.from(part, 'latin1'))))
    return this.client.next(0)
  }

  /** An integer; NaN when memory ran out. */
  number(...argv: readonly string[]): number {
    const reply = this.ask(...argv)
    if (reply.kind === '-') {
      expect(text(reply)).toBe(OUT_OF_MEMORY)
      return Number.NaN
    }
    return Number(text(reply))
  }

  /** The elements of an array, sorted. */
  list(...argv: readonly string[]): string[] {
    return items(this.ask(...argv)).sort()
  }
}

function text(reply: Reply): string {
  return reply.bytes?.toString('latin1') ?? ''
}

function items(reply: Reply): string[] {
  return (reply.items ?? []).map(text)
}

const union = (sets: readonly Set<string>[]) => new Set(sets.flatMap((set) => [...set]))

function intersection([first, ...others]: readonly Set<string>[]): Set<string> {
  return new Set([...first].filter((member) => others.every((other) => other.has(member))))
}

function difference([first, ...others]: readonly Set<string>[]): Set<string> {
  return new Set([...first].filter((member) => !others.some((other) => other.has(member))))
}

const ALGEBRA = { SUNION: union, SINTER: intersection, SDIFF: difference } as const
const OPERATIONS = ['SUNION', 'SINTER', 'SDIFF'] as const

class Model {
  readonly world: World
  readonly sets = new Map<string, Set<string>>()
  readonly random: () => number
  readonly memberSpread: number
  refusals = 0

  constructor(world: World, random: () => number, memberSpread: number) {
    this.world = world
    this.random = random
    this.memberSpread = memberSpread
  }

  below(n: number): number {
    return Math.floor(this.random() * n)
  }

  key(): string {
    return KEYS[this.below(KEYS.length)]
  }

  get(key: string): Set<string> {
    return this.sets.get(key) ?? new Set()
  }

  put(key: string, members: Set<string>): void {
    if (members.size === 0) this.sets.delete(key)
    else this.sets.set(key, members)
  }

  member(): string {
    const number = this.below(this.memberSpread)
    const kind = this.below(20)
    if (kind === 0) return `${'long '.repeat(this.below(60))}${number}`
    if (kind === 1) return `${number - 40_000}`
    if (kind === 2) return `${number}00000000000`
    if (kind === 3) return `w${number}`
    return `${number}`
  }

  /** One random command, checked. */
  step(): void {
    const kinds = [this.add, this.add, this.remove, this.pop, this.move, this.store, this.read]
    kinds[this.below(kinds.length)].call(this)
  }

  add(): void {
    const key = this.key()
    const members = Array.from({ length: 1 + this.below(30) }, () => this.member())
    const before = this.get(key)
    const added = this.world.number('SADD', key, ...members)
    if (!Number.isNaN(added)) {
      this.put(key, union([before, new Set(members)]))
      expect(added).toBe(this.get(key).size - before.size)
      return
    }
    // Those up to some argument are there, and none behind it.
    this.refusals++
    const now = new Set(this.world.list('SMEMBERS', key))
    let end = members.findIndex((member) => !now.has(member))
    if (end < 0) end = members.length
    expect(end).toBeLessThan(members.length)
    expect(now).toEqual(union([before, new Set(members.slice(0, end))]))
    this.put(key, now)
  }

  remove(): void {
    const key = this.key()
    const known = [...this.get(key)]
    const pick = () => (this.below(4) === 0 ? this.member() : known[this.below(known.length)])
    const members = Array.from({ length: 1 + this.below(12) }, () => pick() ?? 'nobody')
    const after = difference([this.get(key), new Set(members)])
    expect(this.world.number('SREM', key, ...members)).toBe(this.get(key).size - after.size)
    this.put(key, after)
  }

  pop(): void {
    const key = this.key()
    const { size } = this.get(key)
    const count = [1, 2, this.below(size + 1), size - 1, size, size + 3][this.below(6)]
    if (this.below(3) === 0) {
      const reply = this.world.ask('SPOP', key)
      if (size === 0) expect(reply.bytes).toBeUndefined()
      else this.popped(key, [text(reply)], 1)
    } else {
      const wanted = Math.max(0, count)
      this.popped(key, this.world.list('SPOP', key, `${wanted}`), Math.min(wanted, size))
    }
  }

  popped(key: string, members: readonly string[], count: number): void {
    const before = this.get(key)
    expect(members.length).toBe(count)
    expect(new Set(members).size).toBe(count)
    for (const member of members) expect(before.has(member)).toBe(true)
    this.put(key, difference([before, new Set(members)]))
  }

  move(): void {
    const [from, to] = [this.key(), this.key()]
    const known = [...this.get(from)]
    const member = this.below(5) === 0 ? this.member() : (known[this.below(known.length)] ?? '1')
    const moved = this.world.number('SMOVE', from, to, member)
    if (Number.isNaN(moved)) {
      this.refusals++
      return
    }
    expect(moved).toBe(this.get(from).has(member) ? 1 : 0)
    if (moved === 0 || from === to) return
    this.put(from, difference([this.get(from), new Set([member])]))
    this.put(to, union([this.get(to), new Set([member])]))
  }

  /** One to eleven keys: a union of many is built another way than one of few. */
  sources(): string[] {
    return Array.from({ length: 1 + this.below(this.below(3) === 0 ? 11 : 3) }, () => this.key())
  }

  store(): void {
    const name = OPERATIONS[this.below(3)]
    const [to, from] = [this.key(), this.sources()]
    const result = ALGEBRA[name](from.map((key) => this.get(key)))
    const count = this.world.number(`${name}STORE`, to, ...from)
    if (Number.isNaN(count)) {
      this.refusals++
      return
    }
    expect(count).toBe(result.size)
    this.put(to, result)
  }

  read(): void {
    const { world } = this
    const from = this.sources()
    const sets = from.map((key) => this.get(key))
    const name = OPERATIONS[this.below(3)]
    const reply = world.ask(name, ...from)
    if (reply.kind === '-') {
      expect(text(reply)).toBe(OUT_OF_MEMORY)
      this.refusals++
    } else {
      expect(items(reply).sort()).toEqual([...ALGEBRA[name](sets)].sort())
    }
    const limit = this.below(6)
    const common = intersection(sets).size
    expect(world.number('SINTERCARD', `${from.length}`, ...from, 'LIMIT', `${limit}`)).toBe(
      limit === 0 ? common : Math.min(common, limit),
    )
    this.readOne(from[0])
  }

  readOne(key: string): void {
    const { world } = this
    const set = this.get(key)
    const asked = [this.member(), this.member(), [...set][this.below(set.size)] ?? '']
    expect(items(world.ask('SMISMEMBER', key, ...asked))).toEqual(
      asked.map((member) => (set.has(member) ? '1' : '0')),
    )
    const drawn = world.list('SRANDMEMBER', key, `${1 + this.below(set.size + 2)}`)
    expect(new Set(drawn).size).toBe(drawn.length)
    for (const member of drawn) expect(set.has(member)).toBe(true)
    for (const member of world.list('SRANDMEMBER', key, '-7')) expect(set.has(member)).toBe(true)
  }

  check(): void {
    for (const key of KEYS) {
      expect(this.world.list('SMEMBERS', key)).toEqual([...this.get(key)].sort())
      expect(this.world.number('SCARD', key)).toBe(this.get(key).size)
      expect(this.scanned(key)).toEqual([...this.get(key)].sort())
    }
    expect(keyspaceFaults(this.world.server.server.keyspace)).toEqual([])
  }

  scanned(key: string): string[] {
    const found: string[] = []
    let cursor = '0'
    do {
      const [next, members] = this.world.ask('SSCAN', key, cursor, 'COUNT', '5').items ?? []
      cursor = text(next)
      found.push(...items(members))
    } while (cursor !== '0')
    return found.sort()
  }
}

describe('sets', () => {
  const CASES = [
    { name: 'of few members', arenaSize: 512 * 1024, intsetMax: 512, spread: 60 },
    { name: 'that seldom stay intsets', arenaSize: 512 * 1024, intsetMax: 5, spread: 60 },
    { name: 'of many members', arenaSize: 1024 * 1024, intsetMax: 40, spread: 3000 },
    { name: 'in memory that runs out', arenaSize: 136 * 1024, intsetMax: 30, spread: 1200 },
    { name: 'that are intsets or run out', arenaSize: 136 * 1024, intsetMax: 1e9, spread: 1e5 },
  ]
  for (const { name, arenaSize, intsetMax, spread } of CASES) {
    test(`${name} behave as JavaScript's`, () => {
      const random = seededRandom(intsetMax + spread, `sets ${name}`)
      const model = new Model(new World(arenaSize, intsetMax), random, spread)
      for (let i = 0; i < 2500; i++) {
        model.step()
        if (i % 50 === 0) model.check()
      }
      model.check()
      if (arenaSize < 200 * 1024) expect(model.refusals).toBeGreaterThan(20)
      for (const key of KEYS) model.world.ask('DEL', key)
      expect(keyspaceFaults(model.world.server.server.keyspace)).toEqual([])
    }, 30_000)
  }
})

describe('a change that memory does not suffice for', () => {
  /** Fills the memory that is left, with keys of all sizes; gives their names. */
  function fill(world: World, random: () => number): string[] {
    const filler: string[] = []
    for (const size of [2000, 300, 60, 8]) {
      for (let refused = 0; refused < 30; ) {
        const key = `filler ${filler.length}`
        const reply = world.ask('SET', key, 'x'.repeat(Math.floor(random() * size)))
        if (reply.kind === '-') refused++
        else filler.push(key)
      }
    }
    return filler
  }

  /** What a command did: everything, or nothing at all. */
  function whole(
    random: () => number,
    setUp: readonly (readonly string[])[],
    command: readonly string[],
    watched: readonly string[],
  ): { readonly refused: number; readonly done: number } {
    let refused = 0
    let done = 0
    for (let round = 0; round < 12; round++) {
      const world = new World(136 * 1024, 80)
      const state = () => watched.map((key) => world.list('SMEMBERS', key).join()).join(' | ')
      for (const step of setUp) expect(world.ask(...step).kind).toBe(':')
      const filler = fill(world, random)
      for (let tries = 0; tries < 200; tries++) {
        const before = state()
        const dbSize = world.number('DBSIZE')
        const refusal = world.ask(...command).kind === '-'
        expect(keyspaceFaults(world.server.server.keyspace)).toEqual([])
        if (!refusal) {
          expect(state()).not.toBe(before)
          done++
          break
        }
        expect(state()).toBe(before)
        expect(world.number('DBSIZE')).toBe(dbSize)
        refused++
        free(world, filler, random)
      }
    }
    return { refused, done }
  }

  function free(world: World, filler: string[], random: () => number): void {
    const at = Math.floor(random() * filler.length)
    world.ask('DEL', ...filler.splice(at, 1 + Math.floor(random() * 2)))
  }

  const EIGHTY = Array.from({ length: 80 }, (_, i) => `${i}`)
  const WORDS = Array.from({ length: 40 }, (_, i) => `word ${i}`)
  const CASES: readonly (readonly [
    name: string,
    setUp: readonly (readonly string[])[],
    command: readonly string[],
    watched: readonly string[],
  ])[] = [
    ['an integer too many for an intset', [['SADD', 's', ...EIGHTY]], ['SADD', 's', '80'], ['s']],
    ['a word into an intset', [['SADD', 's', ...EIGHTY]], ['SADD', 's', 'word'], ['s']],
    ['a first member', [], ['SADD', 'new', 'x'.repeat(90)], ['new']],
    ['a first integer', [], ['SADD', 'new', '1'], ['new']],
    [
      'moving to a new key',
      [['SADD', 's', 'x'.repeat(90), 'b']],
      ['SMOVE', 's', 'new', 'x'.repeat(90)],
      ['s', 'new'],
    ],
    ['storing', [['SADD', 's', ...WORDS]], ['SUNIONSTORE', 'new', 's'], ['new', 's']],
    [
      'storing over a set',
      [
        ['SADD', 's', ...WORDS],
        ['SADD', 't', '1'],
      ],
      ['SINTERSTORE', 't', 's', 's'],
      ['t', 's'],
    ],
    ['a copy', [['SADD', 's', ...WORDS]], ['COPY', 's', 'new'], ['new', 's']],
  ]
  for (const [name, setUp, command, watched] of CASES) {
    test(`leaves everything as it was: ${name}`, () => {
      const random = seededRandom(name.length, `no memory: ${name}`)
      const { refused, done } = whole(random, setUp, command, watched)
      expect(done).toBe(12)
      expect(refused).toBeGreaterThan(0)
    })
  }
})

/** How far counts are from equal ones, in standard deviations of what chance does. */
function deviation(counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const mean = total / counts.length
  const squares = counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0)
  const degrees = counts.length - 1
  return (squares - degrees) / Math.sqrt(2 * degrees)
}

describe('chance', () => {
  const SIZE = 60
  const NUMBERS = Array.from({ length: SIZE }, (_, i) => `${i}`)
  const WORDS = NUMBERS.map((number) => `word ${number}`)
  /** Command, and how many members one call draws. */
  const DRAWS: readonly (readonly [name: string, argv: readonly string[], rounds: number])[] = [
    ['SRANDMEMBER', ['SRANDMEMBER', 's'], 12_000],
    ['SRANDMEMBER with repeats', ['SRANDMEMBER', 's', '-20'], 600],
    ['SRANDMEMBER of few', ['SRANDMEMBER', 's', '5'], 2400],
    ['SRANDMEMBER of many', ['SRANDMEMBER', 's', '40'], 600],
    ['SPOP', ['SPOP', 's'], 6000],
    ['SPOP of few', ['SPOP', 's', '5'], 2400],
    ['SPOP of many', ['SPOP', 's', '40'], 600],
  ]
  for (const [encoding, members] of [
    ['intset', NUMBERS],
    ['hashtable', WORDS],
  ] as const) {
    for (const [name, argv, rounds] of DRAWS) {
      test(`prefers no member of an ${encoding}: ${name}`, () => {
        const world = new World(1024 * 1024, 512)
        const counts = new Map(members.map((member) => [member, 0]))
        world.ask('SADD', 's', ...members)
        for (let i = 0; i < rounds; i++) {
          const reply = world.ask(...argv)
          const drawn = reply.items === undefined ? [text(reply)] : items(reply)
          for (const member of drawn) counts.set(member, (counts.get(member) ?? 0) + 1)
          if (argv[0] === 'SPOP') world.ask('SADD', 's', ...drawn)
        }
        expect(text(world.ask('OBJECT', 'ENCODING', 's'))).toBe(encoding)
        expect(counts.size).toBe(SIZE)
        expect(Math.abs(deviation([...counts.values()]))).toBeLessThan(8)
      })
    }
  }
})
