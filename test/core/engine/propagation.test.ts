/**
 * What the server propagates rebuilds what it holds: random commands of every kind run on one
 * server, their effects on another whose clock is years ahead and where, as while a file is loaded,
 * nothing expires by itself.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: compares replies: only what remains.
 */
import { describe, expect, test } from 'bun:test'
import type { Args } from '../../../src/core/engine/args.ts'
import type { EffectSink } from '../../../src/core/engine/propagation.ts'
import {
  argvSize,
  commandSize,
  encodeArgv,
  writeArgv,
  writeCommand,
} from '../../../src/lib/resp/command-writer.ts'
import { Dice } from '../../conformance/dice.ts'
import { type Argv, Generator } from '../../conformance/generator.ts'
import { argumentsOf, encodeRequest, showCommand } from '../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../support/in-process.ts'
import { notation } from '../../support/reply.ts'
import { holdStill } from '../../support/still-clock.ts'

const DATABASES = 4
const YEARS_MS = 10 * 365 * 86_400_000

/** Effects as the append-only file would hold them. */
class Tape implements EffectSink {
  #parts: Buffer[] = []
  #dbIndex = -1
  /** Effects that came without being copied. */
  direct = 0

  call(dbIndex: number, args: Args): void {
    this.#select(dbIndex)
    const size = commandSize(args.lengths, args.count)
    const bytes = Buffer.alloc(size)
    const end = writeCommand(bytes, 0, args.bytes, args.offsets, args.lengths, args.count)
    expect(end).toBe(size)
    this.#parts.push(bytes)
    this.direct++
  }

  effect(dbIndex: number, argv: readonly Uint8Array[]): void {
    this.#select(dbIndex)
    const bytes = Buffer.alloc(argvSize(argv))
    expect(writeArgv(bytes, 0, argv)).toBe(bytes.length)
    this.#parts.push(bytes)
  }

  take(): Buffer {
    return Buffer.concat(this.#parts.splice(0))
  }

  #select(dbIndex: number): void {
    if (dbIndex === this.#dbIndex) return
    this.#dbIndex = dbIndex
    this.#parts.push(encodeArgv([Buffer.from('SELECT'), Buffer.from(String(dbIndex))]))
  }
}

const bytesOf = (argv: Argv) => encodeRequest(argv.map((word) => Buffer.from(word, 'latin1')))

function says(client: InProcessClient, line: string): string {
  client.write(encodeRequest(argumentsOf(line)))
  return notation(client.next(0))
}

class Pair {
  readonly leader: InProcessServer
  readonly tape = new Tape()
  readonly clients: InProcessClient[] = []
  readonly #follower = new InProcessServer()
  readonly #replayer: InProcessClient
  readonly #recent: string[] = []

  constructor() {
    this.leader = new InProcessServer()
    this.leader.server.propagation.add(this.tape)
    const { clock } = this.leader.server
    holdStill(clock)
    for (let i = 0; i < DATABASES; i++) {
      const client = this.leader.connect()
      says(client, `SELECT ${i}`)
      this.clients.push(client)
    }
    const follower = this.#follower.server
    follower.keyspace.expires = false
    follower.clock.advance(YEARS_MS)
    this.#replayer = this.#follower.connect()
  }

  run(clientIndex: number, argv: Argv): void {
    this.#recent.push(`${clientIndex}: ${showCommand(argv)}`)
    if (this.#recent.length > 20) this.#recent.shift()
    this.clients[clientIndex].write(bytesOf(argv))
  }

  /** Time passes only here. */
  pass(ms: number): void {
    this.leader.server.clock.nowMs += ms
    this.leader.settle()
  }

  /** Replays what was propagated since the last time; both hold the same then. */
  compare(what: string): void {
    this.#replayer.write(this.tape.take())
    while (this.#replayer.unread > 0) {
      const reply = notation(this.#replayer.next(0))
      if (reply.startsWith('-')) throw new Error(`${what}: the replay is refused: ${reply}`)
    }
    const ours = says(this.leader.connect(), 'DEBUG DIGEST')
    const theirs = says(this.#replayer, 'DEBUG DIGEST')
    if (ours === theirs) return
    const keys = `${this.#differences().join(', ')} differ`
    throw new Error(`${what}: ${keys} after\n${this.#recent.join('\n')}`)
  }

  /** Keys whose values differ, with their databases. */
  #differences(): string[] {
    const differences: string[] = []
    for (let db = 0; db < DATABASES; db++) {
      const pair = [this.leader.connect(), this.#follower.connect()]
      for (const client of pair) says(client, `SELECT ${db}`)
      const keys = 'slhezxgp'.split('').flatMap((letter) => [0, 1, 2, 3].map((n) => letter + n))
      for (const key of [...keys, ...keys.map((key) => `w${key}`)]) {
        for (const question of [`DEBUG DIGEST-VALUE ${key}`, `DUMP ${key}`, `PEXPIRETIME ${key}`]) {
          const [ours, theirs] = pair.map((client) => says(client, question))
          if (ours !== theirs) differences.push(`${db}: ${question}: ${ours} and ${theirs}`)
        }
      }
    }
    return differences
  }
}

/** What the fuzzer leaves out because two servers need not answer the same: effects are the same. */
function byChance(dice: Dice): Argv {
  const key = (letter: string) => `${letter}${dice.below(4)}`
  const soon = String(1 + dice.below(30))
  const commands: readonly (() => Argv)[] = [
    () => ['SADD', key('e'), ...Array.from({ length: 9 }, () => `m${dice.below(40)}`)],
    () => ['SPOP', key('e')],
    () => ['SPOP', key('e'), dice.word('0 1 2 5 100')],
    () => ['XADD', key('x'), '*', 'field', `${dice.below(100)}`],
    () => ['XADD', key('x'), 'MAXLEN', '~', '10', '*', 'field', `${dice.below(100)}`],
    () => ['PSETEX', key('s'), soon, 'value'],
    () => ['SET', key('s'), 'value', 'PX', soon],
    () => ['SET', key('s'), 'value', 'PX', soon, 'GET'],
    () => ['GETEX', key('s'), 'PX', soon],
    () => ['PEXPIRE', key(dice.word('s l h e z x g')), soon],
    () => [
      'PEXPIRE',
      key(dice.word('s l h e z x g')),
      dice.word('-1 0 3'),
      dice.word('NX XX GT LT'),
    ],
    () => ['INCRBYFLOAT', key('s'), '0.1'],
    () => ['HINCRBYFLOAT', key('h'), 'f', '0.1'],
    () => ['SWAPDB', `${dice.below(DATABASES)}`, `${dice.below(DATABASES)}`],
    () => ['MOVE', key(dice.word('s l h e z x g')), `${dice.below(DATABASES)}`],
    () => ['COPY', key('h'), key('h'), 'DB', `${dice.below(DATABASES)}`],
    () => ['RESTORE', key('s'), soon, '\x00\x05hello\x0a\x00\x63\x72\xdf\x76\x53\x34\x20\x0a'],
    () => [dice.word('RANDOMKEY DBSIZE')],
  ]
  return dice.pick(commands)()
}

/** Calls that wait, and what serves them. */
function waiting(dice: Dice): Argv {
  const key = (letter: string) => `w${letter}${dice.below(2)}`
  const commands: readonly (() => Argv)[] = [
    () => [dice.word('BLPOP BRPOP'), key('l'), key('l'), '0.02'],
    () => ['BLMOVE', key('l'), key('l'), dice.word('LEFT RIGHT'), dice.word('LEFT RIGHT'), '0.02'],
    () => ['BRPOPLPUSH', key('l'), key('l'), '0.02'],
    () => ['BLMPOP', '0.02', '2', key('l'), key('l'), 'LEFT', 'COUNT', '2'],
    () => [dice.word('BZPOPMIN BZPOPMAX'), key('z'), key('z'), '0.02'],
    () => ['BZMPOP', '0.02', '1', key('z'), 'MIN', 'COUNT', '2'],
    () => ['XGROUP', 'CREATE', key('x'), 'g', '$', 'MKSTREAM'],
    () => ['XREADGROUP', 'GROUP', 'g', dice.word('a b'), 'BLOCK', '20', 'STREAMS', key('x'), '>'],
    () => ['XACK', key('x'), 'g', '0-1'],
    () => ['XADD', key('x'), '*', 'f', 'v'],
    () => [dice.word('LPUSH RPUSH'), key('l'), 'a', 'b'],
    () => ['ZADD', key('z'), '1', 'a', '2', 'b'],
    () => ['DEL', key('l')],
  ]
  return dice.pick(commands)()
}

describe('a server that hears of every effect holds the same', () => {
  for (const seed of [1, 2, 3, 4]) {
    test(`whatever is done (seed ${seed})`, () => {
      const dice = new Dice(seed)
      const pair = new Pair()
      const generator = new Generator(dice, pair.leader.server.commands.entries, true)
      let queueing = -1
      for (let step = 0; step < 4000; step++) {
        const which = dice.below(DATABASES)
        const argv = dice.chance(70) ? generator.next() : byChance(dice)
        if (!/^select$/i.test(argv[0])) pair.run(which, argv)
        if (dice.chance(2) && queueing < 0) {
          queueing = dice.below(DATABASES)
          pair.run(queueing, ['MULTI'])
        } else if (dice.chance(15) && queueing >= 0) {
          pair.run(queueing, [dice.chance(80) ? 'EXEC' : 'DISCARD'])
          queueing = -1
        }
        if (dice.chance(5)) pair.pass(dice.below(20))
        if (step % 20 === 0) pair.compare(`seed ${seed}, step ${step}`)
      }
      pair.pass(100)
      pair.compare(`seed ${seed}, end`)
      expect(pair.tape.direct).toBeGreaterThan(300)
    })
  }

  test('calls that waited, too', () => {
    const dice = new Dice(5)
    const pair = new Pair()
    for (let step = 0; step < 4000; step++) {
      pair.run(dice.below(DATABASES), waiting(dice))
      if (dice.chance(20)) pair.pass(dice.below(30))
      if (step % 20 > 0) continue
      pair.pass(50)
      pair.compare(`step ${step}`)
    }
  })
})
