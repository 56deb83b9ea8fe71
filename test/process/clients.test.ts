/**
 * Clients that people use, against our server: redis-cli, redis-benchmark, ioredis, node-redis and
 * Bun's own.
 *
 * Thread: any.
 * Owns: one server process.
 * Never: knows how a client works.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { RedisClient } from 'bun'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { type RunningServer, startRedbun } from '../support/server.ts'

let server: RunningServer

beforeAll(async () => {
  server = await startRedbun()
})
afterAll(() => server.stop())

async function program(name: string, args: readonly string[], input = ''): Promise<string> {
  const child = Bun.spawn([name, '-p', String(server.port), ...args], {
    stdin: Buffer.from(input),
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: 20_000,
  })
  const output = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  await child.exited
  return output.join('')
}

describe.if(Bun.which('redis-cli') !== null)('redis-cli', () => {
  test('asks and is answered', async () => {
    expect(await program('redis-cli', ['SET', 'cli', 'a b'])).toBe('OK\n')
    expect(await program('redis-cli', ['GET', 'cli'])).toBe('a b\n')
    expect(await program('redis-cli', ['--no-raw', 'INCR', 'cli'])).toStartWith('(error) ERR value')
    expect(await program('redis-cli', ['-n', '3', 'DBSIZE'])).toBe('0\n')
  })

  test('speaks RESP3', async () => {
    const reply = await program('redis-cli', ['-3', '--no-raw', 'CONFIG', 'GET', 'maxclients'])
    expect(reply).toBe('1# "maxclients" => "10000"\n')
  })

  test('sends commands from its input', async () => {
    const input = 'SET one 1\nINCR one\nGET one\n'
    expect(await program('redis-cli', [], input)).toBe('OK\n2\n2\n')
  })

  test('pipes a bulk of commands', async () => {
    const count = 5000
    const lines = Array.from({ length: count }, (_, i) => `SET pipe:${i} ${i}\r\n`)
    const said = await program('redis-cli', ['--pipe'], lines.join(''))
    expect(said).toContain(`errors: 0, replies: ${count}`)
    expect(await program('redis-cli', ['GET', 'pipe:4999'])).toBe('4999\n')
  })

  test('looks through the keys', async () => {
    expect(await program('redis-cli', ['--scan', '--pattern', 'pipe:499*'])).toContain('pipe:4990')
    expect(await program('redis-cli', ['--bigkeys'])).toContain('Biggest string found')
  })
})

describe.if(Bun.which('redis-benchmark') !== null)('redis-benchmark', () => {
  for (const args of ['-n 3000 -c 20', '-n 20000 -c 10 -P 16', '-n 3000 -c 20 --threads 2']) {
    test(`runs with ${args}`, async () => {
      const all = ['-q', '-t', 'ping,set,get,incr,mset', '-r', '1000', ...args.split(' ')]
      const said = await program('redis-benchmark', all)
      const results = said.split(/[\r\n]+/).filter((line) => / requests per second/.test(line))
      expect(results.map((line) => line.split(':')[0].trim())).toEqual([
        'PING_INLINE',
        'PING_MBULK',
        'SET',
        'GET',
        'INCR',
        'MSET (10 keys)',
      ])
      expect(said).not.toMatch(/error/i)
    }, 30_000)
  }
})

describe('ioredis', () => {
  test('sets, gets, pipelines and reports errors', async () => {
    const client = new Redis({ port: server.port, lazyConnect: true })
    await client.connect()
    expect(await client.set('io', 'värde', 'EX', 100)).toBe('OK')
    expect(await client.get('io')).toBe('värde')
    const results = await client.pipeline().incr('io:n').incr('io:n').strlen('io').exec()
    expect(results).toEqual([
      [null, 1],
      [null, 2],
      [null, 6],
    ])
    expect(client.incr('io')).rejects.toThrow('value is not an integer')
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    await client.set('io:b', bytes)
    expect((await client.getBuffer('io:b'))?.equals(bytes)).toBe(true)
    client.disconnect()
  })
})

interface Heard {
  readonly from: string
  readonly text: string
}

/** Collects messages until `count` have come. */
function collector(count: number) {
  const heard: Heard[] = []
  const all = Promise.withResolvers<Heard[]>()
  const hear = (from: string, text: string) => {
    heard.push({ from, text })
    if (heard.length === count) all.resolve(heard)
  }
  return { hear, all: all.promise }
}

const MESSAGES = Array.from({ length: 200 }, (_, i) => `message ${i}`)
const heardFrom = (from: string) => MESSAGES.map((text) => ({ from, text }))

describe('subscribing', () => {
  test('by ioredis brings every message in order', async () => {
    const subscriber = new Redis({ port: server.port })
    const publisher = new Redis({ port: server.port })
    const { hear, all } = collector(2 * MESSAGES.length)
    subscriber.on('message', hear)
    subscriber.on('pmessage', (pattern: string, _channel: string, text: string) => {
      hear(pattern, text)
    })
    expect(await subscriber.subscribe('io:news')).toBe(1)
    expect(await subscriber.psubscribe('io:n*')).toBe(2)
    const counts = await Promise.all(MESSAGES.map((text) => publisher.publish('io:news', text)))
    expect(new Set(counts)).toEqual(new Set([2]))
    const heard = await all
    expect(heard.filter(({ from }) => from === 'io:news')).toEqual(heardFrom('io:news'))
    expect(heard.filter(({ from }) => from === 'io:n*')).toEqual(heardFrom('io:n*'))
    expect(await subscriber.unsubscribe('io:news')).toBe(1)
    expect(await publisher.publish('io:news', 'late')).toBe(1)
    subscriber.disconnect()
    publisher.disconnect()
  })

  for (const RESP of [2, 3] as const) {
    test(`by node-redis over RESP${RESP} brings every message in order`, async () => {
      const subscriber = createClient({ RESP, socket: { port: server.port } })
      const publisher = createClient({ RESP, socket: { port: server.port } })
      await Promise.all([subscriber.connect(), publisher.connect()])
      const { hear, all } = collector(3 * MESSAGES.length)
      const channel = `node:news:${RESP}`
      await subscriber.subscribe(channel, (text, from) => hear(from, text))
      await subscriber.pSubscribe('node:n*', (text) => hear('pattern', text))
      await subscriber.sSubscribe(channel, (text) => hear('shard', text))
      await Promise.all(
        MESSAGES.flatMap((text) => [
          publisher.publish(channel, text),
          publisher.sPublish(channel, text),
        ]),
      )
      const heard = await all
      for (const from of [channel, 'pattern', 'shard']) {
        expect(heard.filter((one) => one.from === from)).toEqual(heardFrom(from))
      }
      await subscriber.unsubscribe(channel)
      expect(await publisher.publish(channel, 'late')).toBe(1)
      // Over RESP3 a client that listens may also ask.
      if (RESP === 3) expect(await subscriber.set('node:heard', 'yes')).toBe('OK')
      subscriber.destroy()
      publisher.destroy()
    })
  }

  test("by Bun's client brings every message in order", async () => {
    const url = `redis://127.0.0.1:${server.port}`
    const subscriber = new RedisClient(url)
    const publisher = new RedisClient(url)
    await Promise.all([subscriber.connect(), publisher.connect()])
    const { hear, all } = collector(MESSAGES.length)
    await subscriber.subscribe('bun:news', (text, from) => hear(from, text))
    const counts = await Promise.all(MESSAGES.map((text) => publisher.publish('bun:news', text)))
    expect(new Set(counts)).toEqual(new Set([1]))
    expect(await all).toEqual(heardFrom('bun:news'))
    await subscriber.unsubscribe('bun:news')
    expect(await publisher.publish('bun:news', 'late')).toBe(0)
    subscriber.close()
    publisher.close()
  })
})

describe('node-redis', () => {
  for (const RESP of [2, 3] as const) {
    test(`works over RESP${RESP}`, async () => {
      const client = createClient({ RESP, socket: { port: server.port } })
      await client.connect()
      expect(
        await client.set('node', 'value', { expiration: { type: 'PX', value: 100_000 } }),
      ).toBe('OK')
      expect(await client.get('node')).toBe('value')
      expect(await client.pTTL('node')).toBeGreaterThan(90_000)
      const answers = await Promise.all(
        Array.from({ length: 500 }, () => client.incr(`node:${RESP}`)),
      )
      expect(answers).toEqual(answers.map((_, i) => i + 1))
      expect(await client.mGet(['node', 'none'])).toEqual(['value', null])
      expect(await client.configGet('maxclients')).toEqual({ maxclients: '10000' })
      client.destroy()
    })
  }
})

describe("Bun's client", () => {
  test('sets, gets and counts', async () => {
    const client = new RedisClient(`redis://127.0.0.1:${server.port}`)
    await client.connect()
    await client.set('bun', 'value')
    expect(await client.get('bun')).toBe('value')
    expect(await client.get('none')).toBeNull()
    const answers = await Promise.all(Array.from({ length: 500 }, () => client.incr('bun:n')))
    expect(answers).toEqual(answers.map((_, i) => i + 1))
    expect(await client.send('CONFIG', ['GET', 'maxclients'])).toEqual({ maxclients: '10000' })
    client.close()
  })
})
