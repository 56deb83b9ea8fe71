/**
 * Two servers of Socket.IO that reach each other's clients through our server: by its adapter on
 * PUBLISH and SUBSCRIBE, and by that on streams.
 *
 * Thread: any.
 * Owns: one server process, and the servers of Socket.IO.
 * Never: knows how a library works.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdapter as createPubSubAdapter } from '@socket.io/redis-adapter'
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter'
import { Redis } from 'ioredis'
import { Server, type ServerOptions } from 'socket.io'
import { io as connect, type Socket } from 'socket.io-client'
import { type RunningServer, startRedbun } from '../support/server.ts'

type Adapter = ServerOptions['adapter']

let server: RunningServer

beforeAll(async () => {
  server = await startRedbun()
})
afterAll(() => server.stop())

const redis = () => new Redis({ port: server.port, maxRetriesPerRequest: null })

/** What closes it all again comes last. */
async function startPair(
  adapterOf: () => Adapter,
): Promise<[Server[], Socket[], () => Promise<void>]> {
  const servers: Server[] = []
  const clients: Socket[] = []
  for (let i = 0; i < 2; i++) {
    const http = createServer()
    const io = new Server(http, { adapter: adapterOf() })
    io.on('connection', (socket) => {
      socket.on('join', async (room: string, done: () => void) => {
        await socket.join(room)
        done()
      })
    })
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    const { port } = http.address() as AddressInfo
    const client = connect(`http://127.0.0.1:${port}`, { transports: ['websocket'] })
    await new Promise<void>((resolve) => client.on('connect', resolve))
    servers.push(io)
    clients.push(client)
  }
  return [
    servers,
    clients,
    async () => {
      for (const client of clients) client.disconnect()
      await Promise.all(servers.map((io) => io.close()))
    },
  ]
}

const next = (client: Socket, event: string) =>
  new Promise<unknown>((resolve) => client.once(event, resolve))

const ADAPTERS: readonly [string, (clients: Redis[]) => Adapter][] = [
  [
    'PUBLISH',
    (clients) => {
      const [publisher, subscriber] = [redis(), redis()]
      clients.push(publisher, subscriber)
      return createPubSubAdapter(publisher, subscriber)
    },
  ],
  [
    'streams',
    (clients) => {
      const client = redis()
      clients.push(client)
      return createStreamsAdapter(client, { blockTimeInMs: 100 })
    },
  ],
]

describe.each(ADAPTERS)('Socket.IO by %s', (_name, make) => {
  test('reaches clients of the other server, all and those of a room', async () => {
    const connections: Redis[] = []
    const [[first, second], [near, far], close] = await startPair(() => make(connections))
    if (first === undefined || second === undefined || near === undefined || far === undefined)
      throw new Error('a pair is two')
    // The servers have found each other when each counts the sockets of both.
    const endMs = performance.now() + 10_000
    let count = 0
    while (count < 2 && performance.now() < endMs) {
      count = (await first.fetchSockets().catch(() => [])).length
      if (count < 2) await Bun.sleep(20)
    }
    expect(count).toBe(2)

    const everywhere = [next(near, 'news'), next(far, 'news')]
    first.emit('news', { text: 'to all', bytes: Buffer.from([0, 255]) })
    const [here, there] = (await Promise.all(everywhere)) as { text: string; bytes: Buffer }[]
    expect([here?.text, there?.text]).toEqual(['to all', 'to all'])
    expect(Buffer.from(there?.bytes ?? []).toString('hex')).toBe('00ff')

    await new Promise<void>((resolve) => far.emit('join', 'room', resolve))
    const inRoom = next(far, 'room news')
    near.once('room news', () => expect.unreachable())
    first.to('room').emit('room news', 7)
    expect(await inRoom).toBe(7)

    const sockets = await first.in('room').fetchSockets()
    expect(sockets.map(({ id }) => id)).toEqual([far.id ?? ''])
    await close()
    for (const connection of connections) connection.disconnect()
  }, 30_000)
})
