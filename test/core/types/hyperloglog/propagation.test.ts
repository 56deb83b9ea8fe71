/**
 * What HyperLogLog commands propagate rebuilds the same bytes elsewhere, also when memory runs out or
 * registers are corrupt on the way; and who watches a key learns of a change.
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
import { keyspaceFaults } from '../../keyspace/faults.ts'

const KEYS = Array.from({ length: 12 }, (_, i) => `key ${i}`)
const OUT_OF_MEMORY = "-OOM command not allowed when used memory > 'maxmemory'."

type Part = string | Uint8Array

function says(client: InProcessClient, argv: readonly Part[]): string {
  client.write(encodeRequest(argv.map((part) => Buffer.from(part as string))))
  return notation(client.next(0))
}

/** A server whose effects are kept. */
class Leader {
  readonly server: InProcessServer
  readonly client: InProcessClient
  readonly #effects: Uint8Array[][] = []

  constructor(arenaSize: number) {
    this.server = new InProcessServer({ arenaCount: 2, arenaSize })
    this.client = this.server.connect()
    this.server.server.propagation.attach((_, argv) =>
      this.#effects.push(argv.map((part) => part.slice())),
    )
  }

  take(): Uint8Array[][] {
    return this.#effects.splice(0)
  }
}

const shown = (effects: readonly Uint8Array[][]) =>
  effects.map((argv) => argv.map((part) => Buffer.from(part).toString('latin1')).join(' '))

describe('what is propagated', () => {
  const leader = new Leader(1024 * 1024)
  const run = (line: string) => {
    says(leader.client, line.split(' '))
    return shown(leader.take())
  }

  test('is the call itself, a count that is kept included', () => {
    for (const line of [
      'PFADD h a b c',
      'PFCOUNT h',
      'PFADD i',
      'PFMERGE g h i',
      'PFMERGE new',
      'PFCOUNT g',
      'PFDEBUG TODENSE g',
      'PFDEBUG GETREG h',
    ]) {
      expect(run(line)).toEqual([line])
    }
  })

  test('is nothing where nothing changes', () => {
    for (const line of [
      'PFADD h a b c',
      'PFCOUNT h',
      'PFCOUNT h i',
      'PFCOUNT none',
      'PFDEBUG ENCODING h',
      'PFDEBUG TODENSE h',
      'PFDEBUG DECODE i',
      'PFADD',
    ]) {
      expect(run(line)).toEqual([])
    }
  })

  test('of registers that are corrupt further on is what came before', () => {
    const runs = Buffer.from('HYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x5f\xff', 'latin1')
    says(leader.client, ['SET', 'k', runs])
    leader.take()
    const words = Array.from({ length: 20 }, (_, i) => `word${i}`)
    const reply = says(leader.client, ['PFADD', 'k', ...words])
    expect(reply).toBe('-INVALIDOBJ Corrupted HLL object detected')
    const [effect] = shown(leader.take())
    expect(effect).toMatch(/^PFADD k word0( word\d+)*$/)
    expect(effect.length).toBeLessThan(words.join(' ').length)
  })
})

describe('a follower', () => {
  for (const arenaSize of [100 * 1024, 1024 * 1024]) {
    test(`that hears of every change has the same bytes (arenas of ${arenaSize})`, () => {
      const random = seededRandom(arenaSize, 'hyperloglog propagation')
      const leader = new Leader(arenaSize)
      const follower = new InProcessServer().connect()
      let refusals = 0
      for (let step = 0; step < 600; step++) {
        if (says(leader.client, randomCommand(random)) === OUT_OF_MEMORY) refusals++
        for (const effect of leader.take()) {
          expect(says(follower, effect).startsWith('-')).toBe(false)
        }
        if (step % 30 > 0) continue
        for (const key of KEYS) {
          const question = ['DEBUG', 'DIGEST-VALUE', key]
          expect(says(follower, question)).toBe(says(leader.client, question))
        }
        expect(keyspaceFaults(leader.server.server.keyspace)).toEqual([])
      }
      if (arenaSize < 200 * 1024) expect(refusals).toBeGreaterThan(20)
    })
  }
})

function randomCommand(random: () => number): string[] {
  const below = (n: number) => Math.floor(random() * n)
  const key = () => KEYS[below(KEYS.length)]
  const elements = Array.from({ length: below(200) }, () => `element ${below(100_000)}`)
  const commands = [
    ['PFADD', key(), ...elements],
    ['PFADD', key(), ...elements],
    ['PFCOUNT', key()],
    ['PFMERGE', key(), key(), key()],
    ['PFDEBUG', 'TODENSE', key()],
    ['DEL', key()],
  ]
  return commands[below(commands.length)]
}

describe('whoever watches a key', () => {
  const server = new InProcessServer()
  const client = server.connect()
  const other = server.connect()
  const touches = (...line: string[]) => {
    says(client, ['WATCH', 'h'])
    says(other, line)
    says(client, ['MULTI'])
    return says(client, ['EXEC']) === '*nil'
  }

  test('learns of elements and of counts that are kept', () => {
    expect(touches('PFADD', 'h', 'a')).toBe(true)
    expect(touches('PFADD', 'h', 'a')).toBe(false)
    expect(touches('PFCOUNT', 'h')).toBe(true)
    expect(touches('PFCOUNT', 'h')).toBe(false)
    expect(touches('PFMERGE', 'h', 'none')).toBe(true)
  })

  test('does not learn of another form', () => {
    expect(touches('PFDEBUG', 'TODENSE', 'h')).toBe(false)
  })
})
