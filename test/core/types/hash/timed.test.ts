/**
 * Hashes whose fields end, from inside: random commands in tiny arenas against JavaScript's maps, with
 * time that passes and memory that runs out.
 *
 * Thread: any.
 * Owns: the model.
 * Never: lets a field end near the present: real time passes too.
 */
import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../../../memory/seeded-random.ts'
import { encodeRequest } from '../../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../../support/in-process.ts'
import { notation, type Reply } from '../../../support/reply.ts'
import { keyspaceFaults } from '../../keyspace/faults.ts'

const KEYS = ['a', 'b', 'c', 'd']
const DBS = ['0', '1']
/** Ends are on this grid, the present is between two of its lines. */
const GRID_MS = 60_000
const OUT_OF_MEMORY = "-OOM command not allowed when used memory > 'maxmemory'."

interface Field {
  value: string
  /** 0: none. */
  end: number
}
type Hash = Map<string, Field>

class Model {
  readonly server: InProcessServer
  readonly client: InProcessClient
  readonly #random: () => number
  readonly #fieldSpread: number
  /** Fields of one call, at most. */
  readonly #most: number
  /** By database and key. */
  readonly #hashes = new Map<string, Hash>()
  #db = '0'
  #line: number
  refusals = 0
  expired = 0

  constructor(server: InProcessServer, random: () => number, fieldSpread: number) {
    this.server = server
    this.client = server.connect()
    this.#random = random
    this.#fieldSpread = fieldSpread
    this.#most = fieldSpread > 100 ? 40 : 4
    this.#line = Math.ceil(server.server.clock.nowMs / GRID_MS)
    this.#pass(1)
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count)
  }

  #one<T>(things: readonly T[]): T {
    return things[this.#below(things.length)]
  }

  #ask(...argv: readonly (string | Uint8Array)[]): Reply {
    this.client.write(encodeRequest(argv.map((part) => Buffer.from(part))))
    return this.client.next(0)
  }

  #says(...argv: readonly (string | Uint8Array)[]): string {
    return notation(this.#ask(...argv))
  }

  #get(key: string, db = this.#db): Hash {
    return this.#hashes.get(db + key) ?? new Map()
  }

  #put(key: string, hash: Hash, db = this.#db): void {
    if (hash.size === 0) this.#hashes.delete(db + key)
    else this.#hashes.set(db + key, hash)
  }

  #field(): string {
    const number = this.#below(this.#fieldSpread)
    return this.#below(8) === 0 ? `${'long '.repeat(number % 9)}${number}` : `f${number}`
  }

  #fields(): string[] {
    return Array.from({ length: 1 + this.#below(this.#most) }, () => this.#field())
  }

  /** Mostly fields that a key has. */
  #known(key: string): string[] {
    const known = [...this.#get(key).keys()]
    return this.#fields().map((field) =>
      this.#below(4) === 0 ? field : (this.#one(known) ?? field),
    )
  }

  #value(): string {
    return this.#below(6) === 0 ? 'v'.repeat(this.#below(90)) : `${this.#below(100_000)}`
  }

  /** Lets time pass to the middle between two lines of the grid. */
  #pass(lines: number): void {
    this.#line += lines
    const target = this.#line * GRID_MS + GRID_MS / 2
    this.server.advance(target - this.server.server.clock.nowMs)
    for (const [name, hash] of this.#hashes) {
      for (const [field, { end }] of hash) {
        if (end === 0 || end > target) continue
        hash.delete(field)
        this.expired++
      }
      if (hash.size === 0) this.#hashes.delete(name)
    }
  }

  /** Says what is wrong when a reply is not the expected one; false when memory ran out. */
  #expect(reply: string, expected: string, ...keys: readonly string[]): boolean {
    if (reply === OUT_OF_MEMORY) {
      this.refusals++
      for (const key of keys) this.#readAgain(key)
      return false
    }
    expect(reply).toBe(expected)
    return true
  }

  /** What memory that ran out has left of a key. */
  #readAgain(key: string): void {
    const before = this.#get(key)
    const hash: Hash = new Map()
    const items = this.#ask('HGETALL', key).items ?? []
    for (let i = 0; i < items.length; i += 2) {
      const field = text(items[i])
      hash.set(field, { value: text(items[i + 1]), end: this.#endOf(key, field) })
    }
    for (const field of before.keys()) expect(hash.has(field)).toBe(true)
    this.#put(key, hash)
  }

  #endOf(key: string, field: string): number {
    const ends = this.#ask('HPEXPIRETIME', key, 'FIELDS', '1', field).items ?? []
    return Math.max(0, Number(text(ends[0])))
  }

  step(): void {
    const steps = [
      this.#set,
      this.#set,
      this.#expire,
      this.#expire,
      this.#expire,
      this.#persist,
      this.#remove,
      this.#add,
      this.#setNew,
      this.#relocate,
      this.#dump,
      this.#timeKey,
      this.#look,
      this.#look,
      this.#elsewhere,
    ]
    if (this.#below(25) === 0) this.#pass(1 + this.#below(3))
    else this.#one(steps).call(this)
  }

  #set(): void {
    const key = this.#one(KEYS)
    const hash = new Map(this.#get(key))
    const pairs = this.#fields().map((field) => [field, this.#value()])
    const added = new Set(pairs.map(([field]) => field).filter((field) => !hash.has(field))).size
    for (const [field, value] of pairs) hash.set(field, { value, end: 0 })
    if (this.#expect(this.#says('HSET', key, ...pairs.flat()), `:${added}`, key)) {
      this.#put(key, hash)
    }
  }

  #expire(): void {
    const key = this.#one(KEYS)
    const hash = new Map(this.#get(key))
    const fields = this.#known(key)
    const end = (this.#line + 1 + this.#below(12) - (this.#below(8) === 0 ? 12 : 0)) * GRID_MS
    const condition = this.#one(['', '', '', 'NX', 'XX', 'GT', 'LT'])
    const isPast = end <= this.server.server.clock.nowMs
    const codes = fields.map((name) => {
      const field = hash.get(name)
      if (field === undefined) return ':-2'
      if (!allows(condition, field.end, end)) return ':0'
      if (isPast) hash.delete(name)
      else hash.set(name, { value: field.value, end })
      return isPast ? ':2' : ':1'
    })
    const words = condition === '' ? [] : [condition]
    const tail = ['FIELDS', `${fields.length}`, ...fields]
    const reply = this.#says('HPEXPIREAT', key, `${end}`, ...words, ...tail)
    if (this.#expect(reply, `*${codes.length} ${codes.join(' ')}`, key)) this.#put(key, hash)
  }

  #persist(): void {
    const key = this.#one(KEYS)
    const hash = new Map(this.#get(key))
    const fields = this.#known(key)
    const codes = fields.map((name) => {
      const field = hash.get(name)
      if (field === undefined) return ':-2'
      hash.set(name, { value: field.value, end: 0 })
      return field.end === 0 ? ':-1' : ':1'
    })
    const reply = this.#says('HPERSIST', key, 'FIELDS', `${fields.length}`, ...fields)
    if (this.#expect(reply, `*${codes.length} ${codes.join(' ')}`, key)) this.#put(key, hash)
  }

  #remove(): void {
    const key = this.#one(KEYS)
    const hash = new Map(this.#get(key))
    const fields = this.#known(key)
    const removed = fields.filter((field) => hash.delete(field)).length
    expect(this.#says('HDEL', key, ...fields)).toBe(`:${removed}`)
    this.#put(key, hash)
  }

  #add(): void {
    const key = this.#one(KEYS)
    const hash = new Map(this.#get(key))
    const name = this.#field()
    const field = hash.get(name)
    if (field !== undefined && !/^\d+$/.test(field.value)) return
    const sum = Number(field?.value ?? 0) + 7_000_000
    hash.set(name, { value: `${sum}`, end: field?.end ?? 0 })
    if (this.#expect(this.#says('HINCRBY', key, name, '7000000'), `:${sum}`, key)) {
      this.#put(key, hash)
    }
  }

  #setNew(): void {
    const key = this.#one(KEYS)
    const hash = new Map(this.#get(key))
    const [name, value] = [this.#field(), this.#value()]
    const isNew = !hash.has(name)
    if (isNew) hash.set(name, { value, end: 0 })
    if (this.#expect(this.#says('HSETNX', key, name, value), isNew ? ':1' : ':0', key)) {
      this.#put(key, hash)
    }
  }

  /** RENAME, COPY and MOVE. */
  #relocate(): void {
    const [from, to] = [this.#one(KEYS), this.#one(KEYS)]
    const hash = this.#get(from)
    if (hash.size === 0 || from === to) return
    const other = this.#db === '0' ? '1' : '0'
    const kind = this.#below(3)
    if (kind === 0) {
      if (!this.#expect(this.#says('RENAME', from, to), '+OK', from, to)) return
      this.#put(to, hash)
      this.#put(from, new Map())
    } else if (kind === 1) {
      if (!this.#expect(this.#says('COPY', from, to, 'REPLACE'), ':1', from, to)) return
      this.#put(to, new Map(hash))
    } else {
      const free = this.#get(from, other).size === 0
      if (!this.#expect(this.#says('MOVE', from, other), free ? ':1' : ':0', from)) return
      if (!free) return
      this.#put(from, hash, other)
      this.#put(from, new Map())
    }
  }

  #dump(): void {
    const key = this.#one(KEYS)
    const { bytes } = this.#ask('DUMP', key)
    if (bytes === undefined) return
    const timed = [...this.#get(key).values()].some(({ end }) => end > 0)
    expect(bytes.readUInt16LE(bytes.length - 10)).toBe(timed ? 12 : 10)
    expect([4, 16, 24, 25].indexOf(bytes[0]) >= 2).toBe(timed)
    const to = this.#one(KEYS)
    if (!this.#expect(this.#says('RESTORE', to, '0', bytes, 'REPLACE'), '+OK', to)) return
    this.#put(to, new Map(this.#get(key)))
  }

  /** A key's own deadline moves its entry. */
  #timeKey(): void {
    const key = this.#one(KEYS)
    const there = this.#get(key).size > 0
    const calls = [
      ['PERSIST', key],
      ['EXPIRE', key, '100000000'],
      ['OBJECT', 'ENCODING', key],
    ]
    const reply = this.#says(...this.#one(calls))
    if (reply === OUT_OF_MEMORY) return
    expect(reply === '(nil)' || there || reply === ':0').toBe(true)
  }

  #look(): void {
    const key = this.#one(KEYS)
    const hash = this.#get(key)
    const items = this.#ask('HGETALL', key).items ?? []
    expect(items.length).toBe(2 * hash.size)
    for (let i = 0; i < items.length; i += 2) {
      expect(text(items[i + 1])).toBe(hash.get(text(items[i]))?.value ?? 'not there')
    }
    expect(this.#says('HLEN', key)).toBe(`:${hash.size}`)
    const fields = this.#fields()
    const ends = fields.map((name) => {
      const field = hash.get(name)
      return field === undefined ? ':-2' : `:${field.end === 0 ? -1 : field.end}`
    })
    const reply = this.#says('HPEXPIRETIME', key, 'FIELDS', `${fields.length}`, ...fields)
    expect(reply).toBe(`*${ends.length} ${ends.join(' ')}`)
    const drawn = this.#ask('HRANDFIELD', key, '1000').items ?? []
    expect(new Set(drawn.map(text))).toEqual(new Set(hash.keys()))
  }

  #elsewhere(): void {
    const kind = this.#below(12)
    if (kind === 0) {
      this.#says('SWAPDB', '0', '1')
      for (const key of KEYS) {
        const [first, second] = DBS.map((db) => this.#get(key, db))
        this.#put(key, second, '0')
        this.#put(key, first, '1')
      }
    } else if (kind === 1) {
      this.#says('FLUSHDB')
      for (const key of KEYS) this.#put(key, new Map())
    } else {
      this.#db = this.#one(DBS)
      expect(this.#says('SELECT', this.#db)).toBe('+OK')
    }
  }

  end(): void {
    expect(keyspaceFaults(this.server.server.keyspace)).toEqual([])
    this.#says('FLUSHALL')
    expect(this.server.server.keyspace.usedBytes()).toBe(0)
  }
}

function allows(condition: string, before: number, end: number): boolean {
  if (condition === 'NX') return before === 0
  if (condition === 'XX') return before > 0
  if (condition === 'GT') return before > 0 && end > before
  return condition !== 'LT' || before === 0 || end < before
}

function text(reply: Reply): string {
  return reply.bytes?.toString('latin1') ?? ''
}

describe('a hash whose fields end', () => {
  for (const [name, entries, spread, arenaSize, steps] of [
    ['small ones', '512', 20, 1024 * 1024, 2500],
    ['large ones', '0', 20, 1024 * 1024, 2500],
    ['small ones that become large', '12', 30, 1024 * 1024, 2500],
    ['large ones of many fields', '0', 3000, 2 * 1024 * 1024, 2500],
    ['small ones in memory that runs out', '512', 400, 100 * 1024, 2500],
    ['large ones in memory that runs out', '0', 1200, 136 * 1024, 2500],
  ] as const) {
    test(`is as the model says: ${name}`, () => {
      const server = new InProcessServer({
        arenaCount: 3,
        arenaSize,
        settings: { 'hash-max-listpack-entries': entries },
      })
      const model = new Model(server, seededRandom(spread + steps, name), spread)
      for (let step = 0; step < steps; step++) {
        model.step()
        if (step % 50 === 0) expect(keyspaceFaults(server.server.keyspace)).toEqual([])
      }
      expect(model.expired).toBeGreaterThan(40)
      if (arenaSize < 1024 * 1024) expect(model.refusals).toBeGreaterThan(10)
      model.end()
    })
  }
})

describe('many fields that end at once', () => {
  for (const entries of ['100000', '0']) {
    test(`are gone for everybody before all are taken out (up to ${entries} in a listpack)`, () => {
      const settings = { 'hash-max-listpack-entries': entries }
      const server = new InProcessServer({ arenaCount: 3, settings })
      const client = server.connect()
      const ask = (...argv: readonly string[]) => {
        client.write(encodeRequest(argv.map((part) => Buffer.from(part))))
        return notation(client.next(0))
      }
      const { clock, keyspace } = server.server
      const fields = Array.from({ length: 2500 }, (_, i) => `f${i}`)
      ask('HSET', 'h', ...fields.flatMap((field) => [field, 'v']))
      ask('HPEXPIREAT', 'h', `${clock.nowMs + GRID_MS}`, 'FIELDS', '2500', ...fields)
      ask('HSET', 'h', 'stays', '1')
      expect(keyspace.nextDeadlineMs).toBeLessThanOrEqual(clock.nowMs + GRID_MS)

      clock.advance(2 * GRID_MS)
      keyspace.expireDue(100)
      expect(keyspace.expiredElementCount).toBe(100)
      // The first call takes out some, sees none of the others, and the loop goes on.
      expect(ask('HLEN', 'h')).toBe(':1')
      expect(ask('HGETALL', 'h')).toBe('*2 $stays $1')
      while (keyspace.nextDeadlineMs <= clock.nowMs) server.settle()
      expect(keyspace.expiredElementCount).toBe(2500)
      expect(keyspace.nextDeadlineMs).toBe(Number.POSITIVE_INFINITY)
      expect(keyspaceFaults(keyspace)).toEqual([])
    })
  }
})
