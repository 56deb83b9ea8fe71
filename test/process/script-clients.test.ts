/**
 * Libraries that live on scripts and functions, against our server: BullMQ, and the scripts that
 * ioredis and node-redis let one define.
 *
 * Thread: any.
 * Owns: one server process.
 * Never: knows how a library works.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Queue, QueueEvents, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { createClient, defineScript } from 'redis'
import { ROOT, type RunningServer, startRedbun } from '../support/server.ts'

let server: RunningServer

beforeAll(async () => {
  server = await startRedbun()
})
afterAll(() => server.stop())

describe('BullMQ', () => {
  test('has only scripts that the server takes', async () => {
    const directory = join(ROOT, 'node_modules/bullmq/dist/cjs/scripts')
    const scripts = readdirSync(directory).filter((name) => /-\d+\.js$/.test(name))
    expect(scripts.length).toBeGreaterThan(40)
    const client = await server.connect()
    for (const name of scripts) {
      const module: Record<string, { content?: string }> = await import(join(directory, name))
      const { content } = Object.values(module).find((one) => one?.content !== undefined) ?? {}
      const reply = await client.call(['SCRIPT', 'LOAD', content ?? ''])
      expect([name, reply.kind]).toEqual([name, '$'])
    }
  }, 20_000)

  test('adds jobs, and workers do them, delayed and repeated ones, too', async () => {
    const connection = { host: '127.0.0.1', port: server.port, maxRetriesPerRequest: null }
    const queue = new Queue('jobs', { connection })
    const events = new QueueEvents('jobs', { connection })
    await events.waitUntilReady()
    const done: string[] = []
    const worker = new Worker(
      'jobs',
      async (job) => {
        done.push(job.name)
        if (job.name === 'failing' && job.attemptsMade === 0) throw new Error('once')
        return { twice: job.data.value * 2 }
      },
      { connection },
    )
    const plain = await queue.add('plain', { value: 21 })
    expect(await plain.waitUntilFinished(events, 5000)).toEqual({ twice: 42 })
    const delayed = await queue.add('delayed', { value: 1 }, { delay: 200 })
    expect(await delayed.getState()).toBe('delayed')
    expect(await delayed.waitUntilFinished(events, 5000)).toEqual({ twice: 2 })
    const failing = await queue.add('failing', { value: 2 }, { attempts: 2 })
    expect(await failing.waitUntilFinished(events, 5000)).toEqual({ twice: 4 })
    await queue.addBulk([1, 2, 3].map((value) => ({ name: 'bulk', data: { value } })))
    await queue.upsertJobScheduler(
      'repeat',
      { every: 100, limit: 3 },
      { name: 'repeated', data: { value: 3 } },
    )
    for (let tries = 0; tries < 100 && done.length < 9; tries++) await Bun.sleep(30)
    expect(done.filter((name) => name === 'bulk')).toHaveLength(3)
    expect(done.filter((name) => name === 'repeated').length).toBeGreaterThan(1)
    expect(done.filter((name) => name === 'failing')).toHaveLength(2)
    const counts = await queue.getJobCounts('completed', 'failed', 'waiting')
    expect(counts['completed']).toBeGreaterThan(7)
    expect(counts['failed']).toBe(0)
    await worker.close()
    await queue.obliterate({ force: true })
    expect(await queue.getJobCounts('completed')).toEqual({ completed: 0 })
    await events.close()
    await queue.close()
  }, 30_000)
})

describe('ioredis', () => {
  test('defines commands as scripts, and calls functions', async () => {
    const redis = new Redis(server.port, '127.0.0.1')
    redis.defineCommand('addTo', {
      numberOfKeys: 1,
      lua: "return redis.call('incrby', KEYS[1], ARGV[1])",
    })
    const { addTo } = redis as unknown as { addTo(key: string, by: number): Promise<number> }
    expect(await addTo.call(redis, 'ioredis', 5)).toBe(5)
    expect(await addTo.call(redis, 'ioredis', 5)).toBe(10)
    const code =
      "#!lua name=io\nredis.register_function('twice', function(k, a) return a[1] * 2 end)"
    expect(await redis.function('LOAD', code)).toBe('io')
    expect(await redis.fcall('twice', 0, '21')).toBe(42)
    redis.disconnect()
  })
})

describe('node-redis', () => {
  test('calls scripts by their SHA and loads them when they are not there', async () => {
    const client = createClient({
      socket: { host: '127.0.0.1', port: server.port },
      scripts: {
        append2: defineScript({
          NUMBER_OF_KEYS: 1,
          SCRIPT: "redis.call('append', KEYS[1], ARGV[1]) return redis.call('get', KEYS[1])",
          parseCommand(parser, key: string, value: string) {
            parser.pushKey(key)
            parser.push(value)
          },
          transformReply: (reply: string) => reply,
        }),
      },
    })
    await client.connect()
    expect(await client.append2('node', 'a')).toBe('a')
    await client.scriptFlush()
    expect(await client.append2('node', 'b')).toBe('ab')
    client.destroy()
  })
})
