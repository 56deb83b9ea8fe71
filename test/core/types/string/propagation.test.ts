/**
 * What string and bitmap commands propagate rebuilds what they changed, also when memory runs out in
 * the middle of a call.
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

const KEYS = Array.from({ length: 40 }, (_, i) => `key:${i}`)
const OUT_OF_MEMORY = "-OOM command not allowed when used memory > 'maxmemory'."

type Effect = readonly Uint8Array[]

class Follower {
  readonly server = new InProcessServer()
  readonly client = this.server.connect()

  apply(effect: Effect): void {
    this.client.write(encodeRequest(effect))
    expect(this.client.next(0).kind).not.toBe('-')
  }
}

function says(client: InProcessClient, ...argv: string[]): string {
  client.write(encodeRequest(argv.map((part) => Buffer.from(part))))
  return notation(client.next(0))
}

/** One command of many kinds, most of them valid. */
function randomCommand(random: () => number): string[] {
  const below = (n: number) => Math.floor(random() * n)
  const key = () => KEYS[below(KEYS.length)]
  const value = () => [
    '7',
    String(below(1000)),
    'abc',
    'x'.repeat(below(100)),
    'y'.repeat(below(9000)),
  ]
  const text = () => value()[below(5)]
  const pairs = () => Array.from({ length: 1 + below(6) }, () => [key(), text()]).flat()
  const absolute = String(4_000_000_000_000 + below(1000))
  const commands = [
    ['SET', key(), text()],
    ['SET', key(), text(), 'EX', '1000'],
    ['SET', key(), text(), 'KEEPTTL', 'GET'],
    ['SET', key(), text(), 'NX', 'PXAT', absolute],
    ['SETEX', key(), '1000', text()],
    ['GETSET', key(), text()],
    ['GETEX', key(), 'PX', '2000000'],
    ['GETEX', key(), 'PERSIST'],
    ['GETEX', key(), 'PXAT', '1'],
    ['GETDEL', key()],
    ['MSET', ...pairs()],
    ['MSETNX', ...pairs()],
    ['INCRBY', key(), '5'],
    ['INCRBYFLOAT', key(), '0.1'],
    ['APPEND', key(), text()],
    ['SETRANGE', key(), String(below(9000)), text()],
    ['SETBIT', key(), String(below(90000)), '1'],
    ['BITOP', 'XOR', key(), key(), key()],
    ['BITFIELD', key(), 'OVERFLOW', 'FAIL', 'INCRBY', 'u8', String(below(60000)), '200'],
  ]
  return commands[below(commands.length)]
}

function follow(seed: number): { readonly effects: number; readonly refusals: number } {
  const random = seededRandom(seed, 'string propagation')
  const leader = new InProcessServer({ arenaCount: 3, arenaSize: 160 * 1024 })
  // Both servers read the same, standing clock's time.
  const { clock } = leader.server
  clock.tick = () => clock.nowMs
  const client = leader.connect()
  const follower = new Follower()
  const pending: Effect[] = []
  leader.server.propagation.attach((_, argv) => pending.push(argv.map((part) => part.slice())))
  let effects = 0
  let refusals = 0
  for (let step = 0; step < 1500; step++) {
    if (says(client, ...randomCommand(random)) === OUT_OF_MEMORY) refusals++
    effects += pending.length
    for (const effect of pending.splice(0)) follower.apply(effect)
    if (step % 50 > 0) continue
    expect(keyspaceFaults(leader.server.keyspace)).toEqual([])
    for (const key of KEYS) {
      for (const command of ['GET', 'PEXPIRETIME']) {
        expect(says(follower.client, command, key)).toBe(says(client, command, key))
      }
    }
  }
  return { effects, refusals }
}

describe('a follower', () => {
  for (const seed of [1, 2]) {
    test(`that hears of every change has the same strings (seed ${seed})`, () => {
      const { effects, refusals } = follow(seed)
      expect(effects).toBeGreaterThan(500)
      expect(refusals).toBeGreaterThan(20)
    })
  }
})
