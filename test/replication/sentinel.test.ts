/**
 * Real Sentinel watches a primary of ours with a replica of each kind: when the primary dies, it
 * makes one of them the next, clients go on, and what WAIT had confirmed is there.
 *
 * Thread: any.
 * Owns: the Sentinel process.
 * Never: tells Sentinel more than where the primary is.
 */
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { Client, ConnectionEnded } from '../support/client.ts'
import { freePort, makeDirectory, type RunningServer, redisServerPath } from '../support/server.ts'
import { info, linked, onStage, until } from './stage.ts'

const sentinelPath = Bun.which('redis-sentinel') ?? ''
const NAME = 'watched'

/** Sentinel closes the connections of clients to a server whose part it changes. */
async function said(server: RunningServer, field: string): Promise<string> {
  try {
    return await info(await server.connect(), field)
  } catch (error) {
    if (error instanceof ConnectionEnded) return ''
    throw error
  }
}

async function listens(port: number): Promise<boolean> {
  try {
    const client = await Client.connect({ host: '127.0.0.1', port })
    client.terminate()
    return true
  } catch {
    // Not yet.
    return false
  }
}

test.if(sentinelPath !== '' && redisServerPath !== '')(
  'the primary dies, a replica takes over, and nothing confirmed is lost',
  () =>
    onStage(async (stage) => {
      const primary = await stage.start('redbun')
      const replicas = [await stage.follow('redbun', primary), await stage.follow('redis', primary)]
      for (const replica of replicas) await linked(replica)
      const port = freePort()
      const directory = makeDirectory()
      const file = join(directory, 'sentinel.conf')
      await Bun.write(
        file,
        [
          `port ${port}`,
          `dir ${directory}`,
          `sentinel monitor ${NAME} 127.0.0.1 ${primary.port} 1`,
          `sentinel down-after-milliseconds ${NAME} 800`,
          `sentinel failover-timeout ${NAME} 5000`,
        ].join('\n'),
      )
      const sentinel = Bun.spawn([sentinelPath, file], { stdout: 'ignore', stderr: 'ignore' })
      await until('Sentinel', () => listens(port), true)
      const asker = new Redis({ port, retryStrategy: () => 100 })
      asker.on('error', () => {}) // It ends with the test.
      const client = new Redis({
        sentinels: [{ host: '127.0.0.1', port }],
        name: NAME,
        sentinelRetryStrategy: () => 100,
        retryStrategy: () => 100,
        maxRetriesPerRequest: null,
      })
      client.on('error', () => {}) // It connects again by itself: that is what is tested.
      try {
        const known = async () => ((await asker.call('SENTINEL', 'replicas', NAME)) as []).length
        await until('replicas known to Sentinel', known, 2)
        const confirmed: number[] = []
        for (let i = 0; i < 200; i++) {
          await client.set(`number:${i}`, i)
          if ((await client.wait(2, 1000)) === 2) confirmed.push(i)
        }
        expect(confirmed.length).toBeGreaterThan(150)

        await primary.stop('SIGKILL')
        const address = async () => {
          const [, to] = (await asker.call('SENTINEL', 'get-master-addr-by-name', NAME)) as string[]
          return Number(to)
        }
        await until('another primary', address, (to) => to !== primary.port, 25_000)
        const next = await address()
        const [heir] = replicas.filter((replica) => replica.port === next)
        const [other] = replicas.filter((replica) => replica.port !== next)
        await until('its role', () => said(heir, 'role'), 'master')
        await until('who is followed', () => said(other, 'master_port'), String(next))
        await until('the link', () => said(other, 'master_link_status'), 'up')
        expect(await client.set('after', 'it')).toBe('OK')
        const values = await client.mget(confirmed.map((i) => `number:${i}`))
        expect(values).toEqual(confirmed.map(String))
      } finally {
        client.disconnect()
        asker.disconnect()
        sentinel.kill('SIGKILL')
      }
    }),
  60_000,
)
