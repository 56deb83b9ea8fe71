/**
 * Libraries that keep something of an application in Redis, against our server: sessions, limits of
 * rates, locks.
 *
 * Thread: any.
 * Owns: one server process.
 * Never: knows how a library works.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { RedisStore } from 'connect-redis'
import { Redis } from 'ioredis'
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { createClient } from 'redis'
import { type RunningServer, startRedbun } from '../support/server.ts'

interface Lock {
  readonly expiration: number
  extend(ms: number): Promise<Lock>
  unlock(): Promise<void>
}
/** Redlock comes without types. */
interface Redlock {
  lock(resource: string, ms: number): Promise<Lock>
}
type RedlockOptions = Readonly<{ retryCount: number; retryDelay?: number }>
const { default: Redlock } = (await import('redlock' as string)) as {
  default: new (clients: readonly Redis[], options: RedlockOptions) => Redlock
}

let server: RunningServer

beforeAll(async () => {
  server = await startRedbun()
})
afterAll(() => server.stop())

describe('connect-redis', () => {
  test('keeps sessions, for as long as their cookies', async () => {
    const client = createClient({ socket: { host: '127.0.0.1', port: server.port } })
    await client.connect()
    const store = new RedisStore({ client, prefix: 'session:' })
    const session = (maxAge: number) => ({
      cookie: { originalMaxAge: maxAge, expires: new Date(Date.now() + maxAge) },
      user: 'grace',
    })
    const given = session(60_000)
    await store.set('a', given as never)
    expect(await store.get('a')).toMatchObject({ user: 'grace' })
    expect(await client.ttl('session:a')).toBe(60)
    await store.touch('a', session(120_000) as never)
    expect(await client.ttl('session:a')).toBe(120)
    for (let i = 0; i < 150; i++) await store.set(`many-${i}`, given as never)
    expect(await store.length()).toBe(151)
    expect((await store.ids()).sort()[0]).toBe('a')
    expect(await store.all()).toHaveLength(151)
    await store.destroy('a')
    expect(await store.get('a')).toBeFalsy()
    await store.clear()
    expect(await store.length()).toBe(0)
    client.destroy()
  }, 20_000)
})

describe('rate-limiter-flexible', () => {
  test('lets through what is allowed in its time, and says when it goes on', async () => {
    const storeClient = new Redis(server.port, '127.0.0.1')
    const limiter = new RateLimiterRedis({ storeClient, points: 5, duration: 1, keyPrefix: 'rate' })
    const answers = await Promise.allSettled(
      Array.from({ length: 8 }, () => limiter.consume('somebody')),
    )
    expect(answers.map(({ status }) => String(status)).sort()).toEqual([
      ...Array.from({ length: 5 }, () => 'fulfilled'),
      ...Array.from({ length: 3 }, () => 'rejected'),
    ])
    const refused = answers.find((answer) => answer.status === 'rejected')?.reason
    expect(refused).toBeInstanceOf(RateLimiterRes)
    expect(refused.msBeforeNext).toBeWithin(1, 1001)
    expect((await limiter.consume('somebody else')).remainingPoints).toBe(4)
    await Bun.sleep(refused.msBeforeNext + 20)
    expect((await limiter.consume('somebody')).consumedPoints).toBe(1)
    expect((await limiter.block('somebody', 10)).msBeforeNext).toBe(10_000)
    expect(await limiter.consume('somebody').catch(() => 'refused')).toBe('refused')
    storeClient.disconnect()
  }, 20_000)
})

describe('redlock', () => {
  test('gives a lock to one at a time', async () => {
    const clients = [1, 2, 3].map((db) => new Redis({ port: server.port, db }))
    const impatient = new Redlock(clients, { retryCount: 0 })
    const patient = new Redlock(clients, { retryCount: 200, retryDelay: 10 })
    const lock = await impatient.lock('thing', 5000)
    expect(await impatient.lock('thing', 5000).catch((error: Error) => error.name)).toBe(
      'LockError',
    )
    expect((await lock.extend(8000)).expiration).toBeGreaterThan(Date.now() + 6000)
    await lock.unlock()

    let inside = 0
    let most = 0
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const own = await patient.lock('thing', 5000)
        most = Math.max(most, ++inside)
        await Bun.sleep(5)
        inside--
        await own.unlock()
      }),
    )
    expect(most).toBe(1)
    const brief = await impatient.lock('thing', 30)
    await Bun.sleep(50)
    expect(await brief.unlock().catch((error: Error) => error.name)).toBe('LockError')
    for (const client of clients) client.disconnect()
  }, 20_000)
})
