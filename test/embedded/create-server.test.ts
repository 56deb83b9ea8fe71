/**
 * Servers inside of an application: started and closed, several at once, and what goes wrong.
 *
 * Thread: any.
 * Owns: the servers and processes it starts.
 * Never: leaves one behind.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { createServer } from 'redbun'
import { NAMES } from '../../src/config/params.ts'
import { Client } from '../support/client.ts'
import { freePort, makeDirectory } from '../support/server.ts'

const PROGRAM = join(import.meta.dir, 'application.ts')
/** Of a hundred servers that came and went. */
const RSS_GROWTH_MIB_MAX = 40

const directories: string[] = []
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true })
})

function directory(): string {
  const path = makeDirectory()
  directories.push(path)
  return path
}

describe('createServer', () => {
  test('gives a server on a free port that any client can use', async () => {
    await using server = await createServer()
    expect(server.url).toBe(`redis://127.0.0.1:${server.port}`)
    const redis = new Redis(server.url)
    expect(await redis.set('greeting', 'hello')).toBe('OK')
    expect(await redis.eval("return redis.call('GET', KEYS[1])", 1, 'greeting')).toBe('hello')
    expect(await redis.config('GET', 'port')).toEqual(['port', String(server.port)])
    redis.disconnect()
  })

  test('listens on the port it is told, and twice is one too many', async () => {
    const port = freePort()
    await using server = await createServer({ port })
    expect(server.port).toBe(port)
    await expect(createServer({ port })).rejects.toThrow(
      `Redbun cannot start: Failed listening on port ${port} (TCP), aborting. ` +
        `(Could not create server TCP listening socket 127.0.0.1:${port}: bind: Address already in use)`,
    )
    const client = await Client.connect({ port })
    expect(await client.ask('PING')).toBe('+PONG')
    client.terminate()
  })

  test('listens on a unix socket alone, which is gone afterwards', async () => {
    const unixsocket = join(directory(), 'redbun.sock')
    const server = await createServer({ unixsocket })
    expect([server.port, server.url]).toEqual([0, `redis+unix://${unixsocket}`])
    const client = await Client.connect({ unix: unixsocket })
    expect(await client.ask('PING')).toBe('+PONG')
    await server.close()
    await client.ended
    expect(existsSync(unixsocket)).toBe(false)
  })

  test('needs no door', async () => {
    await using server = await createServer({ port: false })
    expect([server.port, server.url]).toEqual([0, ''])
  })

  test('follows its settings', async () => {
    await using server = await createServer({
      settings: {
        maxmemory: '100mb',
        'io-threads': 2,
        'lazyfree-lazy-expire': true,
        save: ['900', 1],
        'notify-keyspace-events': 'KEA',
      },
    })
    const client = await Client.connect({ port: server.port })
    expect(await client.ask('CONFIG GET maxmemory io-threads lazyfree-lazy-expire save')).toBe(
      '*8 $maxmemory $104857600 $io-threads $2 $lazyfree-lazy-expire $yes $save $"900 1"',
    )
    client.terminate()
  })

  test('holds several servers at once, each with data of its own', async () => {
    const servers = await Promise.all([0, 1, 2, 3].map(() => createServer()))
    expect(new Set(servers.map(({ port }) => port)).size).toBe(4)
    const clients = await Promise.all(servers.map(({ port }) => Client.connect({ port })))
    await Promise.all(clients.map((client, i) => client.ask(['SET', 'me', String(i)])))
    expect(await Promise.all(clients.map((client) => client.ask('GET me')))).toEqual(
      ['0', '1', '2', '3'].map((text) => `$${text}`),
    )
    await servers[1].close()
    await clients[1].ended
    expect(await clients[2].ask('GET me')).toBe('$2')
    await Promise.all(servers.map((server) => server.close()))
  })

  test('finds again what it has saved, and leaves the directory of the process alone', async () => {
    const dir = directory()
    const before = process.cwd()
    for (const [i, expected] of ['(nil)', '$0', '$1'].entries()) {
      await using server = await createServer({ settings: { dir, appendonly: 'yes' } })
      const client = await Client.connect({ port: server.port })
      expect(await client.ask(`SET round ${i} GET`)).toBe(expected)
      client.terminate()
    }
    expect(process.cwd()).toBe(before)
    expect(existsSync(join(dir, 'appendonlydir'))).toBe(true)
  })

  test('begins empty beside the files of others, unless they are its own', async () => {
    const dir = directory()
    const saving = await createServer({ settings: { dir, save: ['3600', 1] } })
    const client = await Client.connect({ port: saving.port })
    await client.ask('SET k v')
    await saving.close()
    expect(existsSync(join(dir, 'dump.rdb'))).toBe(true)
    await using loading = await createServer({ settings: { dir } })
    const reader = await Client.connect({ port: loading.port })
    expect(await reader.ask('GET k')).toBe('$v')
    reader.terminate()
  })

  test('ends by SHUTDOWN as well', async () => {
    const server = await createServer()
    const client = await Client.connect({ port: server.port })
    client.send('SHUTDOWN NOSAVE')
    await server.closed
    await server.close()
  })
})

describe('an Error says what is wrong', () => {
  const WRONG = [
    [{ maxmemory: 'much' }, "Bad directive 'maxmemory much': argument must be a memory value"],
    [{ dir: '/nonexistent' }, "Bad directive 'dir /nonexistent': No such file or directory"],
    [{ aclfile: '/nonexistent/users' }, /ACL|aclfile/],
  ] as const
  for (const [settings, words] of WRONG) {
    test(JSON.stringify(settings), async () => {
      await expect(createServer({ settings })).rejects.toThrow(words)
    })
  }

  test('of a directive that there is not', async () => {
    const settings: Record<string, string> = { 'no-such-directive': 'x' }
    await expect(createServer({ settings })).rejects.toThrow(
      "Redbun cannot start: Bad directive 'no-such-directive x': Bad directive or wrong number of arguments",
    )
  })

  test('of a file that cannot be loaded', async () => {
    const dir = directory()
    await Bun.write(join(dir, 'dump.rdb'), 'REDIS0011 and then nonsense')
    await expect(createServer({ settings: { dir } })).rejects.toThrow(/rdb/i)
    await using server = await createServer()
    expect(server.port).toBeGreaterThan(0)
  })
})

describe('an application', () => {
  async function run(what: string) {
    const child = Bun.spawn([process.execPath, PROGRAM, what], { stdout: 'pipe', timeout: 60_000 })
    const text = await new Response(child.stdout).text()
    expect(await child.exited).toBe(0)
    return JSON.parse(text)
  }

  test('has no more after a hundred servers than before', async () => {
    const { before, after } = await run('hundred')
    // The engine's own threads, which collect and compile, come and go.
    expect(after.threads).toBeLessThanOrEqual(before.threads + 4)
    expect(after.sockets).toBeLessThanOrEqual(before.sockets)
    expect(after.files).toBeLessThanOrEqual(before.files)
    expect(after.rssMiB).toBeLessThan(before.rssMiB + RSS_GROWTH_MIB_MAX)
  }, 60_000)

  test('that computes for a second stalls nobody', async () => {
    const child = Bun.spawn([process.execPath, PROGRAM, 'blocked'], {
      stdin: 'pipe',
      stdout: 'pipe',
      timeout: 20_000,
    })
    const reader = child.stdout.getReader()
    const { port } = JSON.parse(Buffer.from((await reader.read()).value ?? []).toString())
    const client = await Client.connect({ port })
    child.stdin.end()
    let [calls, longestMs] = [0, 0]
    const start = performance.now()
    for (let now = start; now < start + 900; calls++) {
      await client.ask('INCR n')
      const after = performance.now()
      longestMs = Math.max(longestMs, after - now)
      now = after
    }
    expect(calls).toBeGreaterThan(50)
    expect(longestMs).toBeLessThan(500)
    client.terminate()
    expect(await child.exited).toBe(0)
  }, 20_000)

  test('ends by itself when its servers are closed', async () => {
    expect(await run('leaves')).toEqual({ closed: true })
  })

  test('survives a server that has lost its core', async () => {
    expect(await run('core-ends')).toEqual({
      error: 'Redbun has failed: The core thread ended unexpectedly',
      again: 'Redbun has failed: The core thread ended unexpectedly',
      next: '+PONG',
    })
  })

  test('survives a server that has lost its Worker', async () => {
    expect(await run('worker-ends')).toEqual({
      error: 'Redbun has failed: its Worker ended unexpectedly',
      again: 'Redbun has failed: its Worker ended unexpectedly',
      next: '+PONG',
    })
  })
})

test('the types know every directive', () => {
  const text = readFileSync(join(import.meta.dir, '../../src/redbun.d.ts'), 'utf8')
  const known = [...text.matchAll(/^ {2}\| '([\w-]+)'$/gm)].map(([, name]) => name)
  expect(known).toEqual([...NAMES].sort())
})
