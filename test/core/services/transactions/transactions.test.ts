/**
 * Transactions from inside: what is propagated, who is told, what is counted, what is left behind.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: leaves a queue's bytes or a watched key uncounted.
 */
import { describe, expect, test } from 'bun:test'
import { Random } from '../../../../src/lib/random.ts'
import { argumentsOf, encodeRequest } from '../../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../../support/in-process.ts'
import { notation } from '../../../support/reply.ts'

class Bench {
  readonly target: InProcessServer
  readonly effects: string[] = []
  readonly #clients = new Map<string, InProcessClient>()

  constructor(settings: Readonly<Record<string, string>> = {}) {
    this.target = new InProcessServer({ settings })
    this.target.server.propagation.attach((db, argv) => {
      this.effects.push(`${db}: ${argv.map((part) => Buffer.from(part).toString()).join(' ')}`)
    })
  }

  client(name = ''): InProcessClient {
    const known = this.#clients.get(name)
    if (known !== undefined) return known
    const client = this.target.connect()
    this.#clients.set(name, client)
    return client
  }

  run(line: string, name = ''): string {
    const client = this.client(name)
    client.write(encodeRequest(argumentsOf(line)))
    return notation(client.next(0))
  }

  /** Runs the lines; gives what they propagate. */
  effectsOf(...lines: readonly string[]): string[] {
    this.effects.length = 0
    for (const line of lines) this.run(line)
    return [...this.effects]
  }

  get queuedBytes(): number {
    return this.target.server.transactions.queuedBytes
  }
}

describe('propagation', () => {
  test('several effects of one transaction stand between MULTI and EXEC', () => {
    const bench = new Bench()
    expect(bench.effectsOf('MULTI', 'SET a 1', 'GET a', 'INCR a', 'EXEC')).toEqual([
      '0: MULTI',
      '0: SET a 1',
      '0: INCR a',
      '0: EXEC',
    ])
  })

  test('one effect stands alone, none leaves nothing', () => {
    const bench = new Bench()
    expect(bench.effectsOf('MULTI', 'GET a', 'SET a 1', 'EXEC')).toEqual(['0: SET a 1'])
    expect(bench.effectsOf('MULTI', 'GET a', 'PING', 'DEL no', 'EXEC')).toEqual([])
    expect(bench.effectsOf('MULTI', 'SET a 1', 'DISCARD')).toEqual([])
    expect(bench.effectsOf('MULTI', 'SET a 1', 'GET', 'EXEC')).toEqual([])
  })

  test('MULTI belongs to the first database, EXEC to the last', () => {
    const bench = new Bench()
    expect(
      bench.effectsOf('MULTI', 'SET a 1', 'SELECT 3', 'SET b 2', 'EXEC', 'SET c 3', 'SELECT 0'),
    ).toEqual(['0: MULTI', '0: SET a 1', '3: SET b 2', '3: EXEC', '3: SET c 3'])
  })

  test('a call that first deletes an expired key has two effects', () => {
    const bench = new Bench()
    bench.run('DEBUG SET-ACTIVE-EXPIRE 0')
    bench.run('SET a 1 PX 1')
    bench.target.advance(10)
    expect(bench.effectsOf('INCR a')).toEqual(['0: MULTI', '0: DEL a', '0: INCR a', '0: EXEC'])
  })
})

test('nothing of another session comes between two calls of a transaction', () => {
  const bench = new Bench()
  const one = bench.client('one')
  const two = bench.client('two')
  const calls = ['MULTI', 'INCR n', 'INCR n', 'INCR n', 'EXEC']
  for (const line of calls) one.write(encodeRequest(argumentsOf(line)))
  for (const line of ['INCR n', ...calls]) two.write(encodeRequest(argumentsOf(line)))
  const replies = (client: InProcessClient, count: number) =>
    Array.from({ length: count }, () => notation(client.next(0)))
  expect(replies(one, 5).at(-1)).toBe('*3 :1 :2 :3')
  expect(replies(two, 6).at(-1)).toBe('*3 :5 :6 :7')
})

test('the queue is copied: what the ring held may be overwritten', () => {
  const bench = new Bench()
  bench.run('MULTI')
  const big = 'x'.repeat(100_000)
  for (let i = 0; i < 40; i++) expect(bench.run(`SET k${i} ${big}${i}`)).toBe('+QUEUED')
  expect(bench.queuedBytes).toBeGreaterThan(4_000_000)
  for (let i = 0; i < 40; i++) bench.run(`SET other ${'y'.repeat(100_000)}`, 'other')
  expect(bench.run('EXEC')).toStartWith('*40 +OK +OK')
  for (let i = 0; i < 40; i++) expect(bench.run(`GETRANGE k${i} 99999 -1`)).toBe(`$x${i}`)
  expect(bench.queuedBytes).toBe(0)
})

test('queues count as memory', () => {
  const bench = new Bench({ maxmemory: '1000000' })
  bench.run('MULTI')
  let refused = ''
  for (let i = 0; i < 20 && refused === ''; i++) {
    const reply = bench.run(`SET k ${'x'.repeat(100_000)}`)
    if (reply !== '+QUEUED') refused = reply
  }
  expect(refused).toStartWith('-OOM')
  expect(bench.run('EXEC')).toStartWith('-EXECABORT')
  expect(bench.queuedBytes).toBe(0)
  expect(bench.run('SET k x')).toBe('+OK')
})

test('a session that goes away takes its queue and its watched keys along', () => {
  const bench = new Bench()
  const { transactions } = bench.target.server
  for (const end of ['QUIT', 'RESET', 'close']) {
    bench.run('WATCH a b', end)
    bench.run('MULTI', end)
    bench.run('SET a 1', end)
    expect(bench.queuedBytes).toBeGreaterThan(0)
    expect(transactions.watches.active).toBeTrue()
    if (end === 'close') bench.client(end).close()
    else bench.run(end, end)
    expect(bench.queuedBytes).toBe(0)
    expect(transactions.watches.active).toBeFalse()
  }
})

test('MONITOR and the slow log show queued calls when they run, EXEC to MONITOR after them', () => {
  const bench = new Bench({ 'slowlog-log-slower-than': '0' })
  const monitor = bench.client('monitor')
  bench.run('MONITOR', 'monitor')
  for (const line of ['MULTI', 'SET a 1', 'GET a', 'EXEC', 'EXEC x']) bench.run(line)
  const seen: string[] = []
  while (monitor.unread > 0) seen.push(notation(monitor.next(0)).replace(/^.*?\] /, ''))
  expect(seen).toEqual(['"MULTI"', '"SET" "a" "1"', '"GET" "a"', '"EXEC"', '"EXEC" "x"'])
  const slow = bench.target.server.latency.slowLog.map(({ argv }) => argv.join(' '))
  expect(slow.reverse()).toEqual(['MONITOR', 'MULTI', 'SET a 1', 'GET a'])
})

test('calls count when they run; errors count once, where they belong', () => {
  const bench = new Bench()
  for (const line of ['SET a x', 'MULTI', 'INCR a', 'INCR a', 'EXEC', 'EXEC', 'MULTI', 'GET']) {
    bench.run(line)
  }
  bench.run('EXEC x')
  const { commands, stats } = bench.target.server
  const counts = (name: string) => {
    const entry = commands.findName(name)
    return [entry?.calls, entry?.failedCalls, entry?.rejectedCalls]
  }
  expect(counts('incr')).toEqual([2, 2, 0])
  expect(counts('exec')).toEqual([2, 1, 1])
  expect(counts('multi')).toEqual([2, 0, 0])
  expect(counts('get')).toEqual([0, 0, 1])
  expect(stats.errors.get('ERR')).toBe(4)
  expect(stats.errors.get('EXECABORT')).toBe(1)
})

test('EXEC takes at least as long as what it runs', () => {
  const bench = new Bench()
  for (const line of ['MULTI', 'DEBUG SLEEP 0.02', 'EXEC']) bench.run(line)
  const entry = bench.target.server.commands.findName('exec')
  expect(entry?.microseconds).toBeGreaterThanOrEqual(20_000)
})

describe('an answer that only another thread can give', () => {
  /** Lets the main thread answer the oldest question. */
  function answer(bench: Bench, from: number, error = '', about = ''): void {
    const asked = bench.target.messages.filter((m) => 'number' in m && m.number > 0)[from]
    const number = asked !== undefined && 'number' in asked ? asked.number : 0
    const { control, links } = bench.target.server
    control.receive(links[0], { type: 'answer', number, error, about })
    bench.target.settle()
  }

  test('is waited for, while the calls have run in a row', () => {
    const bench = new Bench()
    const client = bench.client()
    for (const line of ['MULTI', 'INCR n', 'CONFIG SET port 7000', 'INCR n', 'EXEC', 'INCR n']) {
      client.write(encodeRequest(argumentsOf(line)))
    }
    for (const reply of ['+OK', '+QUEUED', '+QUEUED', '+QUEUED']) {
      expect(notation(client.next(0))).toBe(reply)
    }
    expect(bench.run('GET n', 'other')).toBe('$2')
    expect(client.unread).toBe(0)
    answer(bench, 0)
    expect(notation(client.next(0))).toBe('*3 :1 +OK :2')
    expect(notation(client.next(0))).toBe(':3')
  })

  test('stands in its place, errors too, when there are several', () => {
    const bench = new Bench()
    const lines = ['MULTI', 'CONFIG SET port 7000', 'PING', 'CONFIG SET port 7001', 'GET n', 'EXEC']
    const client = bench.client()
    for (const line of lines) client.write(encodeRequest(argumentsOf(line)))
    for (let i = 1; i < lines.length; i++) client.next(0)
    answer(bench, 1)
    expect(client.unread).toBe(0)
    answer(bench, 0, 'Unable to listen', 'port')
    const reply = notation(client.next(0))
    expect(reply).toStartWith('*4 -"ERR CONFIG SET failed')
    expect(reply).toEndWith(' +PONG +OK (nil)')
  })

  test('comes at once when nobody has to be asked', () => {
    const bench = new Bench()
    for (const line of ['MULTI', 'CONFIG SET maxmemory-samples 7', 'PING']) bench.run(line)
    expect(bench.run('EXEC')).toBe('*2 +OK +PONG')
  })
})

test('random watching agrees with the obvious model', () => {
  for (let seed = 1; seed <= 5; seed++) {
    const bench = new Bench()
    const random = new Random(seed)
    const watched = new Map<string, { keys: Set<string>; stale: boolean }>()
    const keyOf = (db: number, key: string) => `${db} ${key}`
    const names = ['a', 'b', 'c', 'd']
    const sessions = ['0', '1', '2']
    for (const name of sessions) {
      bench.run(`SELECT ${name === '2' ? 1 : 0}`, name)
      watched.set(name, { keys: new Set(), stale: false })
    }
    const change = (id: string) => {
      for (const state of watched.values()) if (state.keys.has(id)) state.stale = true
    }
    for (let step = 0; step < 600; step++) {
      const name = sessions[random.below(3)]
      const db = name === '2' ? 1 : 0
      const state = watched.get(name)
      if (state === undefined) throw new Error('a session of the model')
      const key = names[random.below(4)]
      const choice = random.below(10)
      if (choice < 4) {
        bench.run(`SET ${key} ${step}`, name)
        change(keyOf(db, key))
      } else if (choice < 5) {
        if (bench.run(`DEL ${key}`, name) === ':1') change(keyOf(db, key))
      } else if (choice < 8) {
        bench.run(`WATCH ${key}`, name)
        if (!state.stale) state.keys.add(keyOf(db, key))
      } else {
        if (choice === 8) bench.run('UNWATCH', name)
        const stale = state.stale && choice !== 8
        bench.run('MULTI', name)
        expect([seed, step, bench.run('EXEC', name)]).toEqual([seed, step, stale ? '*nil' : '*0'])
        state.keys.clear()
        state.stale = false
      }
    }
  }
})
