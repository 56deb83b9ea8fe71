/**
 * What stream commands propagate: the very commands that Redis writes into its AOF, and they rebuild
 * what they changed, also when memory runs out in the middle of a call.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: lets time pass on our side.
 */
import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Dice } from '../../../conformance/dice.ts'
import { STREAM_TUNED } from '../../../conformance/streams.ts'
import { argumentsOf, encodeRequest } from '../../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../../support/in-process.ts'
import { notation, type Reply, ReplyParser } from '../../../support/reply.ts'
import { redisServerPath, startRedis } from '../../../support/server.ts'
import { keyspaceFaults } from '../../keyspace/faults.ts'

const OUT_OF_MEMORY = "-OOM command not allowed when used memory > 'maxmemory'."
const KEYS = ['x0', 'x1', 'x2', 'x3']

/** Each line is one call; what follows from it is compared with Redis's AOF. */
const CALLS = `
XADD s * f v
XADD s 9999999999999-1 f v
XADD s 9999999999999-* f v g w
XADD s NOMKSTREAM MAXLEN 100 * f v
XADD s MAXLEN ~ 2 * f v
XADD s MAXLEN = 5 * f v
XADD s MINID ~ 0-1 * f v
XADD s MINID ~ 9999999999999 9999999999999-* f v
XADD none NOMKSTREAM * f v
XTRIM s MAXLEN ~ 1
XTRIM s MAXLEN 4
XTRIM s MINID 0
XDEL s 9999999999999-2 1-1
XDEL s 7-7
XADD t 1 a b
XADD t 2 a b
XADD t 3 a b
XADD t 4 a b
XADD t 5 a b
XADD t 6 a b
XADD t 7 a b
XSETID t 8 ENTRIESADDED 20 MAXDELETEDID 1-1
XGROUP CREATE t g 0
XGROUP CREATE made g $ MKSTREAM
XGROUP CREATE t h $ ENTRIESREAD 3
XGROUP CREATECONSUMER t g early
XGROUP CREATECONSUMER t g early
XREADGROUP GROUP g alice COUNT 2 STREAMS t >
XREADGROUP GROUP g bob COUNT 1 NOACK STREAMS t >
XREADGROUP GROUP g bob COUNT 1 NOACK STREAMS t >
XREADGROUP GROUP g alice STREAMS t 0
XREADGROUP GROUP g fresh STREAMS t 0
XREADGROUP GROUP g alice COUNT 2 STREAMS t made > >
XCLAIM t g bob 0 1 2-0 RETRYCOUNT 5
XCLAIM t g bob 100000000 1 2-0
XCLAIM t g carol 0 3 FORCE TIME 12345 JUSTID
XCLAIM t g carol 0 99 LASTID 50
XCLAIM t g carol 0 99 LASTID 40
XDEL t 1
XCLAIM t g carol 0 1 2
XDEL t 2
XAUTOCLAIM t g dave 0 - COUNT 2
XACK t g 5 5 99
XACK t g 99
XGROUP SETID t g 3
XGROUP SETID t g $ ENTRIESREAD 2
XGROUP DELCONSUMER t g dave
XGROUP DELCONSUMER t g dave
XGROUP DESTROY t h
XGROUP DESTROY t h
XREADGROUP GROUP g alice COUNT 1 STREAMS t >
`

/** A command as a line, moments and what is made of them being alike everywhere. */
function line(argv: readonly Uint8Array[]): string {
  return argv
    .map((part) => Buffer.from(part).toString('latin1'))
    .map((part) => (/^1[5-9]\d{11}(-\d+)?$/.test(part) ? 'now' : part))
    .join(' ')
}

/** Commands of an AOF without its SELECT. */
function commandsOf(directory: string): string[] {
  const folder = join(directory, 'appendonlydir')
  const file = readdirSync(folder).find((name) => name.endsWith('.incr.aof')) ?? ''
  const parser = new ReplyParser()
  const commands = parser.feed(readFileSync(join(folder, file)))
  return commands
    .map(({ items }: Reply) => line((items ?? []).map(({ bytes }) => bytes ?? Buffer.alloc(0))))
    .filter((command) => !command.startsWith('SELECT'))
}

function says(client: InProcessClient, argv: readonly string[]): string {
  client.write(encodeRequest(argv.map((part) => Buffer.from(part, 'latin1'))))
  return notation(client.next(0))
}

describe.if(redisServerPath !== '')('Redis', () => {
  test('writes the same commands into its AOF', async () => {
    const calls = CALLS.trim().split('\n')
    const redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    const ours = new InProcessServer()
    const client = ours.connect()
    const effects: string[] = []
    ours.server.propagation.attach((_, argv) => effects.push(line(argv)))
    try {
      const theirs = await redis.connect()
      for (const call of calls) {
        client.write(encodeRequest(argumentsOf(call)))
        client.next(0)
        await theirs.ask(call)
      }
      expect(effects).toEqual(commandsOf(redis.directory))
    } finally {
      await redis.stop()
    }
  }, 20_000)
})

/**
 * All of a stream but what Redis 7.0 does not propagate either: who was seen when, consumers without
 * entries, what a group has read by deliveries, and that a consumer has looked at its entries again.
 */
function shown(client: InProcessClient, key: string): string {
  const full = says(client, ['XINFO', 'STREAM', key, 'FULL', 'COUNT', '0'])
  return full
    .replace(/ \$seen-time :\d+/g, '')
    .replace(/ \*8 \$name \S+ \$pel-count :0 \$pending \*0/g, '')
    .replace(/ \$consumers \*\d+/g, '')
    .replace(/ \$radix-tree-(keys|nodes) :\d+/g, '')
    .replace(/ \$entries-read \S+ \$lag \S+/g, '')
    .replace(/ :\d{13} :\d+/g, '')
}

function follow(seed: number): { readonly effects: number; readonly refusals: number } {
  const dice = new Dice(seed)
  const settings = { 'stream-node-max-entries': '3' }
  const leader = new InProcessServer({ arenaCount: 3, arenaSize: 72 * 1024, settings })
  const follower = new InProcessServer({ settings })
  // Both servers read the same, standing clock's time.
  for (const { server } of [leader, follower]) {
    server.clock.tick = () => server.clock.nowMs
  }
  follower.server.clock.advance(leader.server.clock.nowMs - follower.server.clock.nowMs)
  const client = leader.connect()
  const mirror = follower.connect()
  const pending: (readonly Uint8Array[])[] = []
  leader.server.propagation.attach((_, argv) => pending.push(argv.map((part) => part.slice())))
  const names = Object.keys(STREAM_TUNED)
  let effects = 0
  let refusals = 0
  for (let step = 0; step < 6000; step++) {
    const name = dice.chance(40) ? 'xadd' : dice.pick(names)
    const argv = STREAM_TUNED[name](dice, () => dice.pick(KEYS))
    if (dice.chance(1)) says(client, ['DEL', dice.pick(KEYS)])
    if (says(client, [...name.split('|'), ...argv]) === OUT_OF_MEMORY) refusals++
    effects += pending.length
    for (const effect of pending.splice(0)) {
      mirror.write(encodeRequest(effect))
      expect(`${line(effect)}: ${mirror.next(0).kind}`).not.toMatch(/: -$/)
    }
    if (step % 100 > 0) continue
    expect(keyspaceFaults(leader.server.keyspace)).toEqual([])
    for (const key of KEYS) expect(shown(mirror, key)).toBe(shown(client, key))
  }
  return { effects, refusals }
}

describe('a follower', () => {
  for (const seed of [1, 2, 3]) {
    test(`that hears of every change has the same streams (seed ${seed})`, () => {
      const { effects, refusals } = follow(seed)
      expect(effects).toBeGreaterThan(500)
      expect(refusals).toBeGreaterThan(20)
    })
  }
})
