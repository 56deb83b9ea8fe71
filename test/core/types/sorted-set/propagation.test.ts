/**
 * What sorted set commands propagate rebuilds what they changed, also when memory runs out in the
 * middle of a call; blocking commands propagate what they did.
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

const KEYS = Array.from({ length: 12 }, (_, i) => `key:${i}`)
const OUT_OF_MEMORY = "-OOM command not allowed when used memory > 'maxmemory'."

function says(client: InProcessClient, ...argv: string[]): string {
  client.write(encodeRequest(argv.map((part) => Buffer.from(part))))
  return notation(client.next(0))
}

function randomCommand(random: () => number): string[] {
  const below = (n: number) => Math.floor(random() * n)
  const key = () => KEYS[below(KEYS.length)]
  const member = () => `member ${below(500)}${'x'.repeat(below(3) * 30)}`
  const pairs = () => Array.from({ length: 1 + below(30) }, () => [String(below(50)), member()])
  const commands = [
    ['ZADD', key(), ...pairs().flat()],
    ['ZADD', key(), ...pairs().flat()],
    ['ZADD', key(), ...pairs().flat()],
    ['ZADD', key(), 'XX', 'GT', ...pairs().flat()],
    ['ZADD', key(), 'NX', 'CH', ...pairs().flat()],
    ['ZADD', key(), 'INCR', '2.5', member()],
    ['ZINCRBY', key(), '0.1', member()],
    ['ZREM', key(), member(), member()],
    ['ZREMRANGEBYRANK', key(), '0', String(below(20))],
    ['ZREMRANGEBYSCORE', key(), '(10', '15'],
    ['ZREMRANGEBYLEX', key(), '-', '[member 1'],
    ['ZPOPMIN', key(), '3'],
    ['ZPOPMAX', key()],
    ['ZMPOP', '3', key(), key(), key(), 'MAX', 'COUNT', '4'],
    ['BZPOPMIN', key(), key(), '0.001'],
    ['BZMPOP', '0.001', '2', key(), key(), 'MIN', 'COUNT', '2'],
    ['ZRANGESTORE', key(), key(), '3', '-2'],
    ['ZUNIONSTORE', key(), '2', key(), key(), 'WEIGHTS', '1', '0.5'],
    ['ZINTERSTORE', key(), '2', key(), key(), 'AGGREGATE', 'MAX'],
    ['ZDIFFSTORE', key(), '2', key(), key()],
    ['RENAME', key(), key()],
    ['COPY', key(), key(), 'REPLACE'],
    ['DEL', key()],
  ]
  return commands[below(commands.length)]
}

function follow(seed: number): { readonly effects: number; readonly refusals: number } {
  const random = seededRandom(seed, 'sorted set propagation')
  const settings = { 'zset-max-listpack-entries': '20' }
  const leader = new InProcessServer({ arenaCount: 3, arenaSize: 104 * 1024, settings })
  const client = leader.connect()
  const follower = new InProcessServer({ settings })
  const follows = follower.connect()
  const pending: Uint8Array[][] = []
  leader.server.propagation.attach((_, argv) => pending.push(argv.map((part) => part.slice())))
  let effects = 0
  let refusals = 0
  for (let step = 0; step < 1500; step++) {
    client.write(encodeRequest(randomCommand(random).map((part) => Buffer.from(part))))
    if (notation(client.next(50)) === OUT_OF_MEMORY) refusals++
    effects += pending.length
    for (const effect of pending.splice(0)) {
      const name = Buffer.from(effect[0]).toString()
      expect(name.startsWith('B')).toBe(false)
      follows.write(encodeRequest(effect))
      expect(follows.next(0).kind).not.toBe('-')
    }
    if (step % 25 > 0) continue
    expect(keyspaceFaults(leader.server.keyspace)).toEqual([])
    for (const key of KEYS) {
      const command = ['ZRANGE', key, '0', '-1', 'WITHSCORES'] as const
      expect(says(follows, ...command)).toBe(says(client, ...command))
    }
  }
  return { effects, refusals }
}

describe('a follower', () => {
  for (const seed of [1, 2]) {
    test(`that hears of every change has the same sorted sets (seed ${seed})`, () => {
      const { effects, refusals } = follow(seed)
      expect(effects).toBeGreaterThan(400)
      expect(refusals).toBeGreaterThan(20)
    })
  }

  test('hears of a pop that waited as of a pop', () => {
    const server = new InProcessServer()
    const heard: string[] = []
    server.server.propagation.attach((_, argv) => {
      heard.push(argv.map((part) => Buffer.from(part).toString()).join(' '))
    })
    const [one, two, three] = [server.connect(), server.connect(), server.connect()]
    one.write(encodeRequest(['BZPOPMIN', 'k', '0'].map((part) => Buffer.from(part))))
    two.write(
      encodeRequest(
        ['BZMPOP', '0', '1', 'k', 'MAX', 'COUNT', '5'].map((part) => Buffer.from(part)),
      ),
    )
    expect(says(three, 'ZADD', 'k', '1', 'a', '2', 'b', '3', 'c')).toBe(':3')
    expect(notation(one.next(0))).toBe('*3 $k $a $1')
    expect(notation(two.next(0))).toBe('*2 $k *2 *2 $c $3 *2 $b $2')
    expect(heard).toEqual(['ZADD k 1 a 2 b 3 c', 'ZPOPMIN k', 'ZPOPMAX k 2'])
  })
})
