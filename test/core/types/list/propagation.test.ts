/**
 * What list commands propagate rebuilds what they changed, also when memory runs out in the middle of
 * a call; blocking commands propagate what they did.
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

const KEYS = Array.from({ length: 10 }, (_, i) => `key:${i}`)
const OUT_OF_MEMORY = "-OOM command not allowed when used memory > 'maxmemory'."

function asks(client: InProcessClient, ...argv: string[]): void {
  client.write(encodeRequest(argv.map((part) => Buffer.from(part))))
}

function says(client: InProcessClient, ...argv: string[]): string {
  asks(client, ...argv)
  return notation(client.next(0))
}

function randomCommand(random: () => number): string[] {
  const below = (n: number) => Math.floor(random() * n)
  const key = () => KEYS[below(KEYS.length)]
  const texts = ['7', '-123456', 'abc', 'x'.repeat(below(100)), noise(random, below(600))]
  const text = () => texts[below(texts.length)]
  const many = () => Array.from({ length: 1 + below(40) }, text)
  const side = () => (random() < 0.5 ? 'LEFT' : 'RIGHT')
  const index = () => String(below(80) - 40)
  const commands = [
    ['RPUSH', key(), ...many()],
    ['RPUSH', key(), ...many()],
    ['LPUSH', key(), ...many()],
    ['LPUSHX', key(), ...many()],
    ['RPUSHX', key(), text()],
    ['LPOP', key()],
    ['RPOP', key(), String(below(8))],
    ['LSET', key(), index(), text()],
    ['LINSERT', key(), 'BEFORE', 'abc', text()],
    ['LINSERT', key(), 'AFTER', '7', text()],
    ['LREM', key(), String(below(5) - 2), 'abc'],
    ['LREM', key(), '0', '7'],
    ['LTRIM', key(), String(below(6)), String(-1 - below(6))],
    ['LTRIM', key(), index(), index()],
    ['LMOVE', key(), key(), side(), side()],
    ['RPOPLPUSH', key(), key()],
    ['LMPOP', '3', key(), key(), key(), side(), 'COUNT', '4'],
    ['BLPOP', key(), key(), '0.001'],
    ['BRPOP', key(), '0.001'],
    ['BLMOVE', key(), key(), side(), side(), '0.001'],
    ['BRPOPLPUSH', key(), key(), '0.001'],
    ['BLMPOP', '0.001', '2', key(), key(), side(), 'COUNT', '3'],
    ['RENAME', key(), key()],
    ['COPY', key(), key(), 'REPLACE'],
    ['DEL', key()],
  ]
  return commands[below(commands.length)]
}

/** Text that does not compress. */
function noise(random: () => number, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(33 + Math.floor(random() * 90))).join('')
}

function follow(seed: number, settings: Readonly<Record<string, string>>) {
  const random = seededRandom(seed, 'list propagation')
  const leader = new InProcessServer({ arenaCount: 3, arenaSize: 104 * 1024, settings })
  const client = leader.connect()
  const follower = new InProcessServer()
  const follows = follower.connect()
  const pending: Uint8Array[][] = []
  leader.server.propagation.attach((_, argv) => pending.push(argv.map((part) => part.slice())))
  let effects = 0
  let refusals = 0
  for (let step = 0; step < 1500; step++) {
    asks(client, ...randomCommand(random))
    if (notation(client.next(50)) === OUT_OF_MEMORY) refusals++
    effects += pending.length
    for (const effect of pending.splice(0)) {
      expect(Buffer.from(effect[0]).toString().startsWith('B')).toBe(false)
      follows.write(encodeRequest(effect))
      expect(follows.next(0).kind).not.toBe('-')
    }
    if (step % 25 > 0) continue
    expect(keyspaceFaults(leader.server.keyspace)).toEqual([])
    for (const key of KEYS) {
      const command = ['LRANGE', key, '0', '-1'] as const
      expect(says(follows, ...command)).toBe(says(client, ...command))
    }
  }
  return { effects, refusals }
}

describe('a follower', () => {
  const shapes = [
    { 'list-max-listpack-size': '-2' },
    { 'list-max-listpack-size': '8', 'list-compress-depth': '1' },
    { 'list-max-listpack-size': '-1', 'list-compress-depth': '2' },
  ]
  for (const [i, settings] of shapes.entries()) {
    test(`that hears of every change has the same lists: ${JSON.stringify(settings)}`, () => {
      const { effects, refusals } = follow(i + 1, settings)
      expect(effects).toBeGreaterThan(500)
      expect(refusals).toBeGreaterThan(20)
    })
  }

  test('hears of a call that waited as of one that did not', () => {
    const server = new InProcessServer()
    const heard: string[] = []
    server.server.propagation.attach((_, argv) => {
      heard.push(argv.map((part) => Buffer.from(part).toString()).join(' '))
    })
    const clients = Array.from({ length: 5 }, () => server.connect())
    asks(clients[0], 'BLPOP', 'k', '0')
    asks(clients[1], 'BRPOP', 'other', 'k', '0')
    asks(clients[2], 'BLMPOP', '0', '1', 'k', 'LEFT', 'COUNT', '2')
    asks(clients[3], 'BLMOVE', 'k', 'to', 'RIGHT', 'LEFT', '0')
    asks(clients[4], 'BRPOPLPUSH', 'k', 'to', '0')
    expect(says(server.connect(), 'RPUSH', 'k', 'a', 'b', 'c', 'd', 'e', 'f')).toBe(':6')
    expect(clients.map((client) => notation(client.next(0)))).toEqual([
      '*2 $k $a',
      '*2 $k $f',
      '*2 $k *2 $b $c',
      '$e',
      '$d',
    ])
    expect(heard).toEqual([
      'RPUSH k a b c d e f',
      'LPOP k',
      'RPOP k',
      'LPOP k 2',
      'LMOVE k to RIGHT LEFT',
      'RPOPLPUSH k to',
    ])
  })
})
