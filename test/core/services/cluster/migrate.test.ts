/**
 * MIGRATE to a real Redis and to ourselves: nothing is lost on the way, whatever the other side says
 * or does not say.
 *
 * Thread: any.
 * Owns: a source, a target of each kind, and targets that misbehave.
 * Never: asks how the bytes go over.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Client } from '../../../support/client.ts'
import {
  freePort,
  type RunningServer,
  redisServerPath,
  startRedbun,
  startRedis,
} from '../../../support/server.ts'

const TARGETS = redisServerPath === '' ? ['redbun'] : ['redbun', 'redis']

/** One of each type, small and large. */
const VALUES: readonly (readonly string[])[] = [
  ['SET', 'string', 'text'],
  ['RPUSH', 'list', ...Array.from({ length: 500 }, (_, i) => `word ${i}`)],
  ['HSET', 'hash', ...Array.from({ length: 1200 }, (_, i) => `f${i}`)],
  ['SADD', 'set', ...Array.from({ length: 700 }, (_, i) => `m${i}`)],
  ['ZADD', 'zset', '1.5', 'a', '-inf', 'b'],
  ['XADD', 'stream', '1-1', 'field', 'value'],
]
const NAMES = VALUES.map(([, name]) => name)

let source: RunningServer
let client: Client

beforeAll(async () => {
  source = await startRedbun()
  client = await source.connect()
})
afterAll(() => source.stop())

async function fill(): Promise<void> {
  await client.call('FLUSHALL')
  for (const value of VALUES) await client.call(value)
}

async function withTarget(
  kind: string,
  use: (target: Client, port: number) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  const target = kind === 'redis' ? await startRedis({ args }) : await startRedbun({ args })
  try {
    await use(await target.connect(), target.port)
  } finally {
    await target.stop()
  }
}

const migrate = (port: number, key: string, ...rest: readonly string[]) =>
  client.ask(['MIGRATE', '127.0.0.1', String(port), key, '0', '2000', ...rest])

describe.each(TARGETS)('to %s', (kind) => {
  test('values of every type arrive and are gone here', () =>
    withTarget(kind, async (target, port) => {
      await fill()
      const digest = await client.ask('DEBUG DIGEST')
      expect(await migrate(port, '', 'KEYS', ...NAMES, 'missing')).toBe('+OK')
      expect(await client.ask('DBSIZE')).toBe(':0')
      expect(await target.ask('DEBUG DIGEST')).toBe(digest)
      expect(await migrate(port, 'string')).toBe('+NOKEY')
      expect(await client.text('INFO stats')).toContain('migrate_cached_sockets:1\r')
    }))

  test('COPY leaves them here, REPLACE takes the place of others', () =>
    withTarget(kind, async (target, port) => {
      await fill()
      await target.call('SET string other')
      expect(await migrate(port, 'string', 'COPY')).toBe(
        '-ERR Target instance replied with error: BUSYKEY Target key name already exists.',
      )
      expect(await target.text('GET string')).toBe('other')
      expect(await migrate(port, 'string', 'COPY', 'REPLACE')).toBe('+OK')
      expect(await target.text('GET string')).toBe('text')
      expect(await client.ask('EXISTS string')).toBe(':1')
      // Those that could go have gone, the others stay.
      await target.call('DEL string')
      expect(await migrate(port, '', 'KEYS', 'string', 'list')).toBe('+OK')
      await client.call('RPUSH list again')
      await client.call('SET string again')
      await target.call('DEL list')
      expect(await migrate(port, '', 'KEYS', 'string', 'list')).toStartWith('-ERR Target')
      expect(await client.ask('EXISTS string')).toBe(':1')
      expect(await client.ask('EXISTS list')).toBe(':0')
    }))

  test('a time to live goes with its key', () =>
    withTarget(kind, async (target, port) => {
      await client.call('SET string text PX 50000')
      expect(await migrate(port, 'string', 'REPLACE')).toBe('+OK')
      const leftMs = Number((await target.ask('PTTL string')).slice(1))
      expect(leftMs).toBeGreaterThan(40_000)
      expect(leftMs).toBeLessThanOrEqual(50_000)
    }))

  test('another database, and one that is not there', () =>
    withTarget(kind, async (target, port) => {
      await fill()
      const to = (db: string) =>
        client.ask(['MIGRATE', '127.0.0.1', String(port), 'string', db, '2000'])
      expect(await to('99')).toBe(
        '-ERR Target instance replied with error: ERR DB index is out of range',
      )
      expect(await client.ask('EXISTS string')).toBe(':1')
      await target.call('FLUSHALL')
      expect(await to('3')).toBe('+OK')
      await target.call('SELECT 3')
      expect(await target.text('GET string')).toBe('text')
    }))

  test('the other side wants a password', () =>
    withTarget(
      kind,
      async (target, port) => {
        await fill()
        expect(await migrate(port, 'string')).toStartWith('-ERR Target instance replied with')
        expect(await migrate(port, 'string', 'AUTH', 'wrong')).toStartWith('-ERR Target instance')
        expect(await client.ask('EXISTS string')).toBe(':1')
        expect(await migrate(port, 'string', 'AUTH', 'secret')).toBe('+OK')
        expect(await migrate(port, 'list', 'AUTH2', 'default', 'secret')).toBe('+OK')
        await target.call('AUTH secret')
        expect(await target.ask('DBSIZE')).toBe(':2')
      },
      ['--requirepass', 'secret'],
    ))
})

describe('a target that is no good', () => {
  test('nobody listens', async () => {
    await fill()
    expect(await migrate(freePort(), 'string')).toBe(
      '-IOERR error or timeout connecting to the client',
    )
    expect(await client.ask('EXISTS string')).toBe(':1')
  })

  test('it never answers: writes wait until then, reads do not', async () => {
    await fill()
    const silent = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
    const [reader, writer] = [await source.connect(), await source.connect()]
    const order = ['MIGRATE', '127.0.0.1', String(silent.port), 'string', '0', '300']
    client.send(order)
    await Bun.sleep(50)
    writer.send('SET string changed')
    expect(await reader.text('GET string')).toBe('text')
    expect(writer.unread).toBe(0)
    expect(await client.next()).toMatchObject({ kind: '-' })
    expect((await writer.next()).kind).toBe('+')
    expect(await reader.text('GET string')).toBe('changed')
    silent.stop(true)
  })

  test('it closes, or talks nonsense', async () => {
    await fill()
    for (const word of ['', 'nonsense\r\n']) {
      const rude = Bun.listen({
        hostname: '127.0.0.1',
        port: 0,
        socket: {
          data(socket) {
            if (word !== '') socket.write(word)
            socket.end()
          },
        },
      })
      expect(await migrate(rude.port, 'string')).toBe(
        '-IOERR error or timeout reading to target instance',
      )
      rude.stop(true)
    }
    expect(await client.text('GET string')).toBe('text')
  })

  test('a link that has died meanwhile is made again', async () => {
    await fill()
    const port = freePort()
    for (const key of ['string', 'list']) {
      const target = await startRedbun({ port })
      expect(await migrate(port, key)).toBe('+OK')
      await target.stop('SIGKILL')
    }
  })
})

test('what the arguments may not be', async () => {
  await client.call('SET string text')
  const say = (command: string) => client.ask(command)
  expect(await say('MIGRATE h 1 k 0 x')).toBe('-ERR value is not an integer or out of range')
  expect(await say('MIGRATE h 1 k 0 1 WHAT')).toBe('-ERR syntax error')
  expect(await say('MIGRATE h 1 k 0 1 AUTH')).toBe('-ERR syntax error')
  expect(await say('MIGRATE h 1 k 0 1 KEYS a')).toBe(
    '-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string',
  )
})
