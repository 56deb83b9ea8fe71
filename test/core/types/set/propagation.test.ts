/**
 * What set commands propagate rebuilds what they changed, whatever chance or lack of memory did; and
 * is what Redis 7.0 propagates.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: lets time pass.
 */
import { describe, expect, test } from 'bun:test'
import { seededRandom } from '../../../memory/seeded-random.ts'
import { encodeRequest } from '../../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../../support/in-process.ts'
import { notation } from '../../../support/reply.ts'

const KEYS = Array.from({ length: 14 }, (_, i) => `key ${i}`)
const OUT_OF_MEMORY = "-OOM command not allowed when used memory > 'maxmemory'."

function says(client: InProcessClient, argv: readonly (string | Uint8Array)[]): string {
  client.write(encodeRequest(argv.map((part) => Buffer.from(part))))
  return notation(client.next(0))
}

/** A server whose effects are kept. */
class Leader {
  readonly server: InProcessServer
  readonly client: InProcessClient
  readonly #effects: Uint8Array[][] = []

  constructor(arenaSize: number) {
    this.server = new InProcessServer({ arenaCount: 3, arenaSize })
    this.client = this.server.connect()
    this.server.server.propagation.attach((_, argv) =>
      this.#effects.push(argv.map((part) => part.slice())),
    )
  }

  /** Runs a command and gives what it propagated. */
  run(...argv: readonly string[]): Uint8Array[][] {
    says(this.client, argv)
    return this.take()
  }

  take(): Uint8Array[][] {
    return this.#effects.splice(0)
  }
}

const shown = (effects: readonly Uint8Array[][]) =>
  effects.map((argv) => argv.map((part) => Buffer.from(part).toString('latin1')).join(' '))

describe('what is propagated', () => {
  const leader = new Leader(1024 * 1024)
  const run = (line: string) => shown(leader.run(...line.split(' ')))

  test('is the call itself where nothing is left to chance', () => {
    for (const line of [
      'SADD s a b c d e f g',
      'SREM s a z',
      'SMOVE s t b',
      'SINTERSTORE u s s',
      'SUNIONSTORE u s t',
      'SDIFFSTORE u s t',
      'SINTERSTORE u s nokey',
    ]) {
      expect(run(line)).toEqual([line])
    }
  })

  test('is nothing where nothing changes', () => {
    for (const line of [
      'SADD s c d',
      'SREM s a z',
      'SMOVE s s c',
      'SMOVE s t z',
      'SINTERSTORE u s nokey',
      'SPOP nokey',
      'SPOP nokey 5',
      'SPOP s 0',
      'SRANDMEMBER s 3',
      'SINTER s t',
    ]) {
      expect(run(line)).toEqual([])
    }
  })

  test('of SPOP is what it took: SREM for each member', () => {
    run('DEL s')
    run('SADD s only')
    expect(run('SPOP s')).toEqual(['SREM s only'])
    run('SADD s 1 2 3 4 5')
    const [begin, first, second, end] = run('SPOP s 2')
    expect([begin, end]).toEqual(['MULTI', 'EXEC'])
    expect(first).toMatch(/^SREM s [1-5]$/)
    expect(second).toMatch(/^SREM s [1-5]$/)
    expect(first).not.toBe(second)
  })

  test('of SPOP that empties a set is DEL', () => {
    expect(run('SPOP s 3')).toEqual(['DEL s'])
    run('SADD s a b')
    expect(run('SPOP s 100')).toEqual(['DEL s'])
    run('CONFIG SET lazyfree-lazy-server-del yes')
    run('SADD s a b')
    expect(run('SPOP s 2')).toEqual(['DEL s'])
  })
})

/** One command of many kinds. */
function randomCommand(random: () => number): string[] {
  const below = (n: number) => Math.floor(random() * n)
  const key = () => KEYS[below(KEYS.length)]
  const member = () => (below(3) > 0 ? `a longer word ${below(600)}` : `${below(700)}`)
  const members = () => Array.from({ length: 1 + below(150) }, member)
  const commands = [
    ['SADD', key(), ...members()],
    ['SADD', key(), ...members()],
    ['SREM', key(), ...members()],
    ['SPOP', key()],
    ['SPOP', key(), `${below(30)}`],
    ['SPOP', key(), '100000'],
    ['SMOVE', key(), key(), member()],
    [`${['SINTER', 'SUNION', 'SDIFF'][below(3)]}STORE`, key(), key(), key()],
  ]
  return commands[below(commands.length)]
}

describe('a follower', () => {
  for (const arenaSize of [136 * 1024, 1024 * 1024]) {
    test(`that hears of every change has the same sets (arenas of ${arenaSize})`, () => {
      const random = seededRandom(arenaSize, 'set propagation')
      const leader = new Leader(arenaSize)
      const follower = new InProcessServer().connect()
      let refusals = 0
      for (let step = 0; step < 2500; step++) {
        if (says(leader.client, randomCommand(random)) === OUT_OF_MEMORY) refusals++
        for (const effect of leader.take()) {
          expect(says(follower, effect).startsWith('-')).toBe(false)
        }
        if (step % 25 > 0) continue
        for (const key of KEYS) {
          const question = ['DEBUG', 'DIGEST-VALUE', key]
          expect(says(follower, question)).toBe(says(leader.client, question))
        }
      }
      if (arenaSize < 200 * 1024) expect(refusals).toBeGreaterThan(20)
    })
  }
})
