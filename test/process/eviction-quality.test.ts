/**
 * Which keys survive beside a real Redis: ours must choose at least as well.
 *
 * Thread: any.
 * Owns: the load: a quarter of the keys is used more, or later, than the rest.
 * Never: depends on how much memory a key takes: the limit is lowered until as many keys are left.
 */
import { describe, expect, test } from 'bun:test'
import { encodeRequest } from '../support/argv.ts'
import type { Client } from '../support/client.ts'
import { type RunningServer, redisServerPath, startRedbun, startRedis } from '../support/server.ts'

const KEY_COUNT = 20_000
/** Evicted down to here, a little more than are used. */
const LEFT_COUNT = 6000
const PATIENCE_MS = 10_000
/** Chance may favour Redis by so much. */
const SLACK = 0.005
const TIMEOUT_MS = 60_000

type Words = readonly (string | number)[]

/** Sends all calls in pieces; gives the texts of the replies. */
async function runAll(client: Client, calls: readonly Words[]): Promise<string[]> {
  const texts: string[] = []
  for (let at = 0; at < calls.length; at += 1000) {
    const piece = calls.slice(at, at + 1000)
    client.write(Buffer.concat(piece.map((words) => encodeRequest(words.map(bytesOf)))))
    for (let i = 0; i < piece.length; i++) {
      texts.push((await client.next(PATIENCE_MS)).bytes?.toString() ?? '')
    }
  }
  return texts
}

const bytesOf = (word: string | number) => Buffer.from(String(word))
const nameOf = (i: number) => `key:${i}`
const isUsed = (i: number) => i % 4 === 0
const numbers = Array.from({ length: KEY_COUNT }, (_, i) => i)

async function usedMemory(client: Client): Promise<number> {
  const [text] = await runAll(client, [['INFO', 'memory']])
  return Number(/used_memory:(\d+)/.exec(text)?.[1])
}

/** The share of the used keys among those that are left. */
async function survivors(server: RunningServer, policy: string): Promise<number> {
  const client = await server.connect()
  const base = await usedMemory(client)
  await runAll(client, [['CONFIG', 'SET', 'maxmemory-policy', policy]])
  await runAll(
    client,
    numbers.map((i) => ['SET', nameOf(i), 'x'.repeat(50)]),
  )
  await Bun.sleep(2100)
  const uses = numbers.filter(isUsed).map((i) => ['GET', nameOf(i)])
  for (let round = 0; round < (policy.endsWith('lfu') ? 8 : 1); round++) await runAll(client, uses)
  let limit = await usedMemory(client)
  const step = Math.ceil((limit - base) / 300)
  await runAll(client, [['CONFIG', 'SET', 'maxmemory-eviction-tenacity', 100]])
  for (let size = KEY_COUNT; size > LEFT_COUNT; ) {
    limit -= step
    const calls = [['CONFIG', 'SET', 'maxmemory', limit], ['PING'], ['DBSIZE']]
    size = Number((await runAll(client, calls))[2])
  }
  await runAll(client, [['CONFIG', 'SET', 'maxmemory', 0]])
  const left = await runAll(
    client,
    numbers.map((i) => ['EXISTS', nameOf(i)]),
  )
  let count = 0
  for (const i of numbers) if (isUsed(i) && left[i] === '1') count++
  return count / (KEY_COUNT / 4)
}

describe.skipIf(redisServerPath === '')('beside real Redis', () => {
  test.each(['allkeys-lru', 'allkeys-lfu'])(
    '%s keeps at least as many of the keys in use',
    async (policy) => {
      const ours = await startRedbun()
      const theirs = await startRedis()
      const [our, their] = await Promise.all([survivors(ours, policy), survivors(theirs, policy)])
      expect(our).toBeGreaterThan(their - SLACK)
      expect(our).toBeGreaterThan(0.9)
      await Promise.all([ours.stop(), theirs.stop()])
    },
    TIMEOUT_MS,
  )
})
