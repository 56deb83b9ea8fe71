/**
 * What commands about the ends of fields propagate, and what they let subscribers know, as Redis 7.4
 * does; and that it rebuilds the hashes that it came from.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: lets a field end near the present: real time passes too.
 */
import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../../../memory/seeded-random.ts'
import { encodeRequest } from '../../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../../support/in-process.ts'
import { notation } from '../../../support/reply.ts'
import { keyspaceFaults } from '../../keyspace/faults.ts'

const KEYS = Array.from({ length: 6 }, (_, i) => `key ${i}`)
const OUT_OF_MEMORY = "-OOM command not allowed when used memory > 'maxmemory'."

function says(client: InProcessClient, argv: readonly (string | Uint8Array)[]): string {
  client.write(encodeRequest(argv.map((part) => Buffer.from(part))))
  return notation(client.next(0))
}

/** A server whose effects and events are kept. */
class Leader {
  readonly server: InProcessServer
  readonly client: InProcessClient
  readonly events: string[] = []
  readonly #effects: Uint8Array[][] = []

  constructor(arenaSize: number, entries = '512') {
    const settings = { 'hash-max-listpack-entries': entries }
    this.server = new InProcessServer({ arenaCount: 3, arenaSize, settings })
    this.client = this.server.connect()
    const { keyspace, propagation } = this.server.server
    propagation.attach((_, argv) => this.#effects.push(argv.map((part) => part.slice())))
    keyspace.events.attachEvents({
      classes: -1,
      notify: (event, _db, bytes, offset, length) =>
        this.events.push(`${event} ${bytes.latin1Slice(offset, offset + length)}`),
    })
  }

  get nowMs(): number {
    return this.server.server.clock.nowMs
  }

  run(line: string): string {
    return says(this.client, line.split(' '))
  }

  take(): Uint8Array[][] {
    return this.#effects.splice(0)
  }

  /** The effects since, as text. */
  effects(): string[] {
    return this.take().map((argv) => argv.map((part) => Buffer.from(part).toString()).join(' '))
  }

  takeEvents(): string[] {
    return this.events.splice(0).filter((event) => !event.startsWith('new '))
  }
}

for (const entries of ['512', '0']) {
  describe(`what is propagated and told (up to ${entries} in a listpack)`, () => {
    const leader = new Leader(1024 * 1024, entries)
    const done = (line: string) => {
      leader.take()
      leader.takeEvents()
      leader.run(line)
      return { effects: leader.effects(), events: leader.takeEvents() }
    }

    test('is the end in Unix milliseconds, of the fields that got it', () => {
      done('HSET h a 1 b 2 c 3')
      const first = done('HEXPIRE h 100 FIELDS 3 a nofield b')
      expect(first.effects.length).toBe(1)
      expect(first.effects[0]).toMatch(/^HPEXPIREAT h \d{13} FIELDS 2 a b$/)
      expect(first.events).toEqual(['hexpire h'])
      const nx = done('HPEXPIRE h 1000000 nx FIELDS 3 a b c')
      expect(nx.effects.length).toBe(1)
      expect(nx.effects[0]).toMatch(/^HPEXPIREAT h \d{13} NX FIELDS 1 c$/)
      expect(done('HEXPIREAT h 5000000000 GT FIELDS 1 a').effects).toEqual([
        'HPEXPIREAT h 5000000000000 GT FIELDS 1 a',
      ])
      expect(done('HPEXPIREAT h 5000000000000 FIELDS 1 b').effects).toEqual([
        'HPEXPIREAT h 5000000000000 FIELDS 1 b',
      ])
      expect(done('HPEXPIREAT h 5000000000000 FIELDS 2 b x').effects).toEqual([
        'HPEXPIREAT h 5000000000000 FIELDS 1 b',
      ])
    })

    test('is nothing where nothing changes', () => {
      for (const line of [
        'HEXPIRE h 100 NX FIELDS 1 a',
        'HEXPIRE h 100 FIELDS 1 nofield',
        'HEXPIRE nokey 0 FIELDS 1 a',
        'HPERSIST h FIELDS 1 nofield',
        'HTTL h FIELDS 1 a',
      ]) {
        expect(done(line)).toEqual({ effects: [], events: [] })
      }
    })

    test('of what ends in the past is HDEL, one for each field', () => {
      expect(done('HEXPIRE h 0 FIELDS 2 a c')).toEqual({
        effects: ['MULTI', 'HDEL h a', 'HDEL h c', 'EXEC'],
        events: ['hdel h'],
      })
      expect(done('HEXPIRE h 0 FIELDS 1 b')).toEqual({
        effects: ['HDEL h b'],
        events: ['hdel h', 'del h'],
      })
    })

    test('of HPERSIST is itself', () => {
      done('HSET h a 1 b 2')
      done('HEXPIRE h 100 FIELDS 1 a')
      expect(done('HPERSIST h FIELDS 2 a b')).toEqual({
        effects: ['HPERSIST h FIELDS 2 a b'],
        events: ['hpersist h'],
      })
    })

    test('of HINCRBYFLOAT tells the end again', () => {
      done('HPEXPIREAT h 5000000000000 FIELDS 1 a')
      expect(done('HINCRBYFLOAT h a 1.5').effects).toEqual([
        'MULTI',
        'HSET h a 2.5',
        'HPEXPIREAT h 5000000000000 FIELDS 1 a',
        'EXEC',
      ])
      expect(done('HINCRBYFLOAT h b 1.5').effects).toEqual(['HSET h b 3.5'])
    })

    test('of fields whose time is over is HDEL, and an event', () => {
      done('DEL h')
      done('HSET h a 1 b 2 c 3')
      done('HPEXPIRE h 10000 FIELDS 2 a b')
      done('HPEXPIRE h 90000 FIELDS 1 c')
      leader.server.advance(20_000)
      expect(leader.effects()).toEqual(['HDEL h a', 'HDEL h b'])
      expect(leader.takeEvents()).toEqual(['hexpired h'])
      leader.server.advance(90_000)
      expect(leader.effects()).toEqual(['HDEL h c'])
      expect(leader.takeEvents()).toEqual(['hexpired h', 'del h'])
      expect(leader.server.server.keyspace.nextDeadlineMs).toBe(Number.POSITIVE_INFINITY)
    })

    test('comes before the command that finds the time over', () => {
      done('HSET h a 1 b 2')
      done('HPEXPIRE h 10000 FIELDS 1 a')
      // Time that passes in a turn, behind the deletion of what was over when it began.
      const { clock } = leader.server.server
      const begin = clock.begin.bind(clock)
      clock.begin = () => {
        clock.begin = begin
        clock.advance(20_000)
        begin()
      }
      expect(done('HSET h b 3')).toEqual({
        effects: ['MULTI', 'HDEL h a', 'HSET h b 3', 'EXEC'],
        events: ['hexpired h', 'hset h'],
      })
    })
  })
}

/** One command of many kinds, with ends far from the present. */
function randomCommand(random: () => number, nowMs: number): string[] {
  const below = (n: number) => Math.floor(random() * n)
  const key = () => KEYS[below(KEYS.length)]
  const field = () => `field ${below(150)}`
  const fields = () => Array.from({ length: 1 + below(20) }, field)
  const tail = () => {
    const some = fields()
    return ['FIELDS', `${some.length}`, ...some]
  }
  const condition = () => [[], [], ['NX'], ['XX'], ['GT'], ['LT']][below(6)]
  const commands = [
    ['HSET', key(), ...fields().flatMap((name) => [name, `${below(1e6)}`])],
    ['HSET', key(), ...fields().flatMap((name) => [name, 'v'.repeat(below(80))])],
    ['HEXPIRE', key(), `${100 * (1 + below(20))}`, ...condition(), ...tail()],
    ['HPEXPIRE', key(), `${100_000 * below(20)}`, ...condition(), ...tail()],
    ['HPEXPIREAT', key(), `${nowMs + 100_000 * (1 + below(20))}`, ...condition(), ...tail()],
    ['HEXPIREAT', key(), '1', ...tail()],
    ['HPERSIST', key(), ...tail()],
    ['HDEL', key(), ...fields()],
    ['HINCRBYFLOAT', key(), field(), '0.5'],
    ['HINCRBY', key(), field(), '7'],
    ['RENAME', key(), key()],
    ['COPY', key(), key(), 'REPLACE'],
  ]
  return commands[below(commands.length)]
}

describe('a follower', () => {
  for (const [arenaSize, entries] of [
    [1024 * 1024, '512'],
    [1024 * 1024, '0'],
    [110 * 1024, '512'],
    [136 * 1024, '0'],
  ] as const) {
    test(`that hears of every change has the same hashes (${entries}, ${arenaSize})`, () => {
      const random = seededRandom(arenaSize, `hash propagation ${entries}`)
      const leader = new Leader(arenaSize, entries)
      const target = new InProcessServer({ settings: { 'hash-max-listpack-entries': entries } })
      const follower = target.connect()
      // A replica deletes on its primary's word only.
      target.server.keyspace.setReplica(true)
      let refusals = 0
      for (let step = 0; step < 1500; step++) {
        const command = randomCommand(random, leader.nowMs)
        if (says(leader.client, command) === OUT_OF_MEMORY) refusals++
        if (step % 40 === 0) leader.server.advance(130_000)
        for (const effect of leader.take()) {
          expect(says(follower, effect).startsWith('-')).toBe(false)
        }
        if (step % 20 > 0) continue
        for (const key of KEYS) {
          const question = ['DEBUG', 'DIGEST-VALUE', key]
          expect(says(follower, question)).toBe(says(leader.client, question))
        }
      }
      expect(keyspaceFaults(leader.server.server.keyspace)).toEqual([])
      expect(keyspaceFaults(target.server.keyspace)).toEqual([])
      if (arenaSize < 200 * 1024) expect(refusals).toBeGreaterThan(20)
    })
  }
})
