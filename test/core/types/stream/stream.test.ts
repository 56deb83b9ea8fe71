/**
 * Streams against a plain model: random changes in tiny arenas, with nodes of every size and memory
 * that runs out; copies and renames between arenas; what entries cost.
 *
 * Thread: any.
 * Owns: the model.
 * Never: lets time pass but for the ids of XADD.
 */
import { describe, expect, test } from 'bun:test'
import { entryEncoding } from '../../../../src/core/keyspace/entry.ts'
import { valueType } from '../../../../src/core/keyspace/value.ts'
import { seededRandom } from '../../../memory/seeded-random.ts'
import { encodeRequest } from '../../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../../support/in-process.ts'
import { notation, type Reply } from '../../../support/reply.ts'
import { keyspaceFaults } from '../../keyspace/faults.ts'

const OUT_OF_MEMORY = "-OOM command not allowed when used memory > 'maxmemory'."
const KEYS = ['k', 'another', 'third', 'fourth']
const GROUPS = ['g', 'group', 'group-with-a-long-name']
const CONSUMERS = ['alice', 'bob', 'carol']
const TYPE_STREAM = 5

interface Entry {
  readonly ms: number
  readonly seq: number
  readonly pairs: readonly string[]
}

interface Group {
  /** The id up to which entries were given. */
  last: readonly [ms: number, seq: number]
  readonly consumers: Set<string>
  /** Owner by id. */
  readonly pending: Map<string, string>
}

class Stream {
  entries: Entry[] = []
  last: readonly [ms: number, seq: number] = [0, 0]
  added = 0
  readonly groups = new Map<string, Group>()
}

const idOf = ({ ms, seq }: Entry) => `${ms}-${seq}`
const after = ([ms, seq]: readonly [number, number], entry: Entry) =>
  entry.ms > ms || (entry.ms === ms && entry.seq > seq)
const entryText = (entry: Entry) =>
  `*2 $${idOf(entry)} *${entry.pairs.length} ${entry.pairs.map(bulk).join(' ')}`
const bulk = (text: string) => (text === '' ? '$""' : `$${text}`)
const list = (texts: readonly string[]) => [`*${texts.length}`, ...texts].join(' ')

class World {
  readonly server: InProcessServer
  readonly client: InProcessClient
  readonly streams = new Map<string, Stream>()
  readonly below: (n: number) => number
  refusals = 0

  constructor(seed: number, nodeEntries: number, nodeBytes: number, arenaSize: number) {
    const settings = {
      'stream-node-max-entries': String(nodeEntries),
      'stream-node-max-bytes': String(nodeBytes),
    }
    this.server = new InProcessServer({ arenaCount: 3, arenaSize, settings })
    this.client = this.server.connect()
    const random = seededRandom(seed, `streams, ${nodeEntries} entries or ${nodeBytes} B a node`)
    this.below = (n) => Math.floor(random() * n)
  }

  pick<One>(choices: readonly One[]): One {
    return choices[this.below(choices.length)]
  }

  call(...argv: (string | number)[]): Reply {
    this.client.write(encodeRequest(argv.map((part) => Buffer.from(String(part)))))
    return this.client.next(0)
  }

  says(...argv: (string | number)[]): string {
    return notation(this.call(...argv))
  }

  /** True when the reply is the expected one; false when memory was out, and nothing was done. */
  does(expected: string, ...argv: (string | number)[]): boolean {
    const reply = this.says(...argv)
    if (reply === OUT_OF_MEMORY) {
      this.refusals++
      return false
    }
    expect(`${argv.join(' ').slice(0, 200)}: ${reply}`).toBe(
      `${argv.join(' ').slice(0, 200)}: ${expected}`,
    )
    return true
  }

  step(): void {
    const key = this.pick(KEYS)
    const choice = this.below(100)
    const stream = this.streams.get(key)
    if (choice < 45) this.add(key, stream)
    else if (choice < 53) this.remove(key, stream)
    else if (choice < 60) this.trim(key, stream)
    else if (choice < 65) this.group(key, stream)
    else if (choice < 75) this.read(key, stream)
    else if (choice < 83) this.acknowledge(key, stream)
    else if (choice < 90) this.claim(key, stream)
    else if (choice < 93) this.move(key)
    else if (choice < 96) this.deleteSome(key, stream)
    else this.range(key, stream)
  }

  add(key: string, known: Stream | undefined): void {
    const stream = known ?? new Stream()
    const [lastMs, lastSeq] = stream.last
    const ms = lastMs + this.pick([0, 0, 1, 1, 200, 70_000])
    const seq = ms === lastMs ? lastSeq + 1 + this.below(2) : this.pick([0, 0, 5, 300])
    if (ms === 0 && seq === 0) return
    const fields = this.pick([['f'], ['f'], ['f', 'g'], ['g', '12'], ['long'.repeat(30)]])
    const value = () =>
      this.pick(['', 'v', '7', '-129', '5000', '123456789012', 'x'.repeat(63), 'y'.repeat(200)])
    const pairs = fields.flatMap((field) => [field, value()])
    const maxlen = this.below(10) === 0 ? this.below(30) : -1
    const options = maxlen < 0 ? [] : ['MAXLEN', maxlen]
    if (!this.does(`$${ms}-${seq}`, 'XADD', key, ...options, `${ms}-${seq}`, ...pairs)) return
    this.streams.set(key, stream)
    stream.entries.push({ ms, seq, pairs })
    stream.last = [ms, seq]
    stream.added++
    if (maxlen >= 0) stream.entries.splice(0, stream.entries.length - maxlen)
  }

  remove(key: string, stream: Stream | undefined): void {
    const entries = stream?.entries ?? []
    const gone = new Set(Array.from({ length: 1 + this.below(3) }, () => this.below(60)))
    const wanted = [...gone].map((i) => entries[i]).map((entry) => (entry ? idOf(entry) : '1-7'))
    const ids = new Set(wanted)
    const left = entries.filter((entry) => !ids.has(idOf(entry)))
    if (this.does(`:${entries.length - left.length}`, 'XDEL', key, ...wanted) && stream) {
      stream.entries = left
    }
  }

  trim(key: string, stream: Stream | undefined): void {
    const entries = stream?.entries ?? []
    const cut = this.below(Math.min(entries.length + 1, 9))
    const first = entries[cut]
    const target =
      first !== undefined && this.below(2) === 0
        ? ['MINID', idOf(first)]
        : ['MAXLEN', entries.length - cut]
    if (this.does(`:${cut}`, 'XTRIM', key, ...target) && stream) {
      stream.entries = entries.slice(cut)
    }
  }

  group(key: string, known: Stream | undefined): void {
    const name = this.pick(GROUPS)
    const stream = known ?? new Stream()
    if (stream.groups.has(name)) {
      if (this.below(3) > 0) return
      this.does(':1', 'XGROUP', 'DESTROY', key, name)
      stream.groups.delete(name)
    } else {
      const at = this.below(2) === 0 ? '$' : '0'
      if (!this.does('+OK', 'XGROUP', 'CREATE', key, name, at, 'MKSTREAM')) return
      const last = at === '$' ? stream.last : ([0, 0] as const)
      stream.groups.set(name, { last, consumers: new Set(), pending: new Map() })
      this.streams.set(key, stream)
    }
  }

  read(key: string, stream: Stream | undefined): void {
    const name = this.pick(GROUPS)
    const group = stream?.groups.get(name)
    if (stream === undefined || group === undefined) return
    const consumer = this.pick(CONSUMERS)
    const count = 1 + this.below(5)
    const reply = this.call(
      'XREADGROUP',
      'GROUP',
      name,
      consumer,
      'COUNT',
      count,
      'STREAMS',
      key,
      '>',
    )
    const unread = stream.entries.filter((entry) => after(group.last, entry)).slice(0, count)
    if (notation(reply) === OUT_OF_MEMORY) {
      this.refusals++
      // The consumer may have come, but nothing for it.
      if (this.consumersOf(key, name).includes(consumer)) group.consumers.add(consumer)
      return
    }
    const given = reply.items?.[0].items?.[1].items ?? []
    // Where memory ended, what was given up to there.
    expect(given.map(notation)).toEqual(unread.slice(0, given.length).map(entryText))
    expect(given.length > 0).toBe(unread.length > 0)
    if (given.length < unread.length) this.refusals++
    if (unread.length > 0) group.consumers.add(consumer)
    for (const entry of unread.slice(0, given.length)) {
      group.pending.set(idOf(entry), consumer)
      group.last = [entry.ms, entry.seq]
    }
  }

  consumersOf(key: string, group: string): string[] {
    const consumers = this.call('XINFO', 'CONSUMERS', key, group).items ?? []
    return consumers.map(({ items }) => items?.[1].bytes?.toString() ?? '')
  }

  acknowledge(key: string, stream: Stream | undefined): void {
    const name = this.pick(GROUPS)
    const group = stream?.groups.get(name)
    const ids = [...(group?.pending.keys() ?? [])].filter(() => this.below(3) === 0).slice(0, 4)
    this.does(`:${ids.length}`, 'XACK', key, name, ...ids, '999999999-9')
    for (const id of ids) group?.pending.delete(id)
    if (group === undefined || this.below(8) > 0) return
    const consumer = this.pick(CONSUMERS)
    const own = [...group.pending].filter(([, owner]) => owner === consumer)
    this.does(`:${own.length}`, 'XGROUP', 'DELCONSUMER', key, name, consumer)
    for (const [id] of own) group.pending.delete(id)
    group.consumers.delete(consumer)
  }

  /** One id at a time: it is claimed or it is not. */
  claim(key: string, stream: Stream | undefined): void {
    const name = this.pick(GROUPS)
    const group = stream?.groups.get(name)
    if (stream === undefined || group === undefined) return
    const consumer = this.pick(CONSUMERS)
    const entry = this.pick(stream.entries)
    const pending = [...group.pending.keys()]
    const id = this.below(3) === 0 && entry ? idOf(entry) : (this.pick(pending) ?? '5-5')
    const force = this.below(2) === 0
    const exists = stream.entries.some((one) => idOf(one) === id)
    const claims = exists && (force || group.pending.has(id))
    const options = force ? ['JUSTID', 'FORCE'] : ['JUSTID']
    const expected = claims ? `*1 $${id}` : '*0'
    if (!this.does(expected, 'XCLAIM', key, name, consumer, '0', id, ...options)) {
      if (this.consumersOf(key, name).includes(consumer)) group.consumers.add(consumer)
      return
    }
    if (!exists) group.pending.delete(id)
    if (!claims) return
    group.consumers.add(consumer)
    group.pending.set(id, consumer)
  }

  move(key: string): void {
    const to = this.pick(KEYS)
    const stream = this.streams.get(key)
    if (stream === undefined || to === key) return
    if (!this.does('+OK', 'RENAME', key, to)) return
    this.streams.delete(key)
    this.streams.set(to, stream)
  }

  deleteSome(key: string, stream: Stream | undefined): void {
    if (this.below(4) > 0) {
      // A copy is the same in every respect.
      if (!this.does(stream ? ':1' : ':0', 'COPY', key, 'copy', 'REPLACE') || !stream) return
      const full = (name: string) => this.says('XINFO', 'STREAM', name, 'FULL', 'COUNT', '0')
      expect(full('copy')).toBe(full(key))
      expect(this.says('DUMP', 'copy')).toBe(this.says('DUMP', key))
      this.does(':1', 'DEL', 'copy')
      return
    }
    this.does(stream ? ':1' : ':0', 'DEL', key)
    this.streams.delete(key)
  }

  range(key: string, stream: Stream | undefined): void {
    const entries = stream?.entries ?? []
    const from = this.below(entries.length + 1)
    const to = this.below(entries.length + 1)
    const [first, last] = [entries[from], entries[to]]
    const bounds = [first ? idOf(first) : '-', last ? idOf(last) : '+']
    const expected = entries.slice(first ? from : 0, last ? to + 1 : entries.length)
    const count = 1 + this.below(entries.length + 5)
    const forward = expected.slice(0, count).map(entryText)
    this.does(list(forward), 'XRANGE', key, ...bounds, 'COUNT', count)
    const backward = expected.toReversed().slice(0, count).map(entryText)
    this.does(list(backward), 'XREVRANGE', key, ...bounds.toReversed(), 'COUNT', count)
  }

  check(): void {
    expect(keyspaceFaults(this.server.server.keyspace)).toEqual([])
    for (const [key, stream] of this.streams) {
      this.does(`:${stream.entries.length}`, 'XLEN', key)
      this.does(list(stream.entries.map(entryText)), 'XRANGE', key, '-', '+')
      this.does(list(stream.entries.toReversed().map(entryText)), 'XREVRANGE', key, '+', '-')
      const info = this.call('XINFO', 'STREAM', key).items ?? []
      expect([info[7], info[11]].map(notation)).toEqual([
        `$${stream.last.join('-')}`,
        `:${stream.added}`,
      ])
      for (const [name, group] of stream.groups) this.checkGroup(key, name, group)
    }
  }

  checkGroup(key: string, name: string, group: Group): void {
    const infos = this.call('XINFO', 'GROUPS', key).items ?? []
    const info = infos.find(({ items }) => items?.[1].bytes?.toString() === name)?.items ?? []
    expect(notation(info[7])).toBe(`$${group.last.join('-')}`)
    expect(this.consumersOf(key, name)).toEqual([...group.consumers].sort())
    const pending = this.call('XPENDING', key, name, '-', '+', '100000').items ?? []
    const owners = pending.map(({ items }) =>
      (items ?? []).slice(0, 2).map((one) => `${one.bytes}`),
    )
    expect(owners.sort()).toEqual([...group.pending].sort())
    for (const consumer of group.consumers) {
      const own = this.call('XPENDING', key, name, '-', '+', '100000', consumer).items ?? []
      const wanted = [...group.pending].filter(([, owner]) => owner === consumer)
      expect(own.map(({ items }) => `${items?.[0].bytes}`).sort()).toEqual(
        wanted.map(([id]) => id).sort(),
      )
    }
  }
}

describe('streams', () => {
  for (const [seed, nodeEntries, nodeBytes, arenaSize] of [
    [1, 100, 4096, 112 * 1024],
    [2, 3, 4096, 80 * 1024],
    [3, 1, 64, 80 * 1024],
    [4, 0, 300, 96 * 1024],
    [5, 0, 0, 96 * 1024],
  ]) {
    test(`are what a plain model says, nodes of ${nodeEntries} entries and ${nodeBytes} bytes`, () => {
      const world = new World(seed, nodeEntries, nodeBytes, arenaSize)
      for (let step = 0; step < 5000; step++) {
        world.step()
        if (step % 250 === 0) world.check()
      }
      world.check()
      expect(world.refusals).toBeGreaterThan(10)
      world.does('+OK', 'FLUSHDB')
      expect(keyspaceFaults(world.server.server.keyspace)).toEqual([])
    }, 30_000)
  }

  test('cost less than 15 bytes for a small entry', () => {
    const server = new InProcessServer({ arenaCount: 1, arenaSize: 64 * 1024 * 1024 })
    const client = server.connect()
    const one = encodeRequest(['XADD', 'k', '*', 'f', 'v'].map((part) => Buffer.from(part)))
    const many = Buffer.concat(Array.from({ length: 1000 }, () => one))
    for (let i = 0; i < 50; i++) {
      client.write(many)
      for (let left = 1000; left > 0; left--) expect(client.next(0).kind).toBe('$')
    }
    const { keyspace } = server.server
    expect(keyspace.usedBytes() / 50_000).toBeLessThan(15)
    const [db] = keyspace.dbs
    let checked = 0
    db.forEach((ref) => {
      expect(entryEncoding(db.arena, ref)).toBe(0)
      // What MEMORY USAGE tells is what the blocks add up to.
      let bytes = 0
      const type = valueType(TYPE_STREAM)
      type.visit(db.arena, ref, (block) => {
        bytes += db.arena.blockSizeBytes(block)
      })
      expect(type.memoryBytes(db.arena, ref)).toBe(bytes)
      checked++
    })
    expect(checked).toBe(1)
  })
})
