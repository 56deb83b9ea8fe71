/**
 * What redis-cli does by the protocol of replicas and of MIGRATE: copies of the data set, the stream
 * in words, the way into a real Redis Cluster. And links that are not plain: with a user, over TLS.
 *
 * Thread: any.
 * Owns: certificates.
 * Never: looks inside a server.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../support/client.ts'
import {
  freePort,
  makeDirectory,
  type RunningServer,
  redisServerPath,
  startRedbun,
} from '../support/server.ts'
import { info, linked, onStage, PATIENCE_MS, sameData, until } from './stage.ts'

setDefaultTimeout(PATIENCE_MS)

const CLI = Bun.which('redis-cli') ?? ''
/** The bus of a cluster listens ten thousand above. */
const NODE_PORT_MAX = 55_535

/** Runs redis-cli to its end. Throws: an Error with what it said, unless it went well. */
async function cli(...args: readonly string[]): Promise<string> {
  const child = Bun.spawn([CLI, ...args], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [status, said, complained] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  if (status !== 0) throw new Error(`redis-cli ${args.join(' ')}: ${said}${complained}`)
  return `${said}${complained}`
}

/** A key of every type and form. */
async function fill(client: Client): Promise<void> {
  const numbers = Array.from({ length: 600 }, (_, i) => String(i))
  for (const argv of [
    ['SET', 'string', 'v'],
    ['SET', 'number', '12345', 'EX', '10000'],
    ['SET', 'long', 'abc'.repeat(50_000)],
    ['RPUSH', 'list', 'a', 'b', '1'],
    ['RPUSH', 'list:large', ...numbers.map((n) => n.padStart(100, 'x'))],
    ['HSET', 'hash', 'f', 'v', 'n', '1'],
    ['HSET', 'hash:large', ...numbers],
    ['SADD', 'set:numbers', '1', '2', '3'],
    ['SADD', 'set:large', ...numbers.map((n) => `m${n}`)],
    ['ZADD', 'zset', '1', 'a', '-2.5', 'b', 'inf', 'c'],
    ['ZADD', 'zset:large', ...numbers.flatMap((n) => [n, `m${n}`])],
    ['PFADD', 'counter', ...numbers],
    ['XADD', 'stream', '1-1', 'f', 'v'],
    ['XADD', 'stream', '2-1', 'f', 'v', 'g', 'w'],
    ['XGROUP', 'CREATE', 'stream', 'group', '0'],
    ['XREADGROUP', 'GROUP', 'group', 'me', 'COUNT', '1', 'STREAMS', 'stream', '>'],
    ['GEOADD', 'places', '13.361389', '38.115556', 'Palermo'],
  ]) {
    await client.call(argv)
  }
}

describe.skipIf(CLI === '')('redis-cli', () => {
  test.concurrent('copies the data set, or functions only', () =>
    onStage(async (stage) => {
      const server = await stage.start('redbun')
      const client = await server.connect()
      await fill(client)
      await client.call([
        ...['FUNCTION', 'LOAD', "#!lua name=l\nredis.register_function('f', function() end)"],
      ])
      const digest = await client.ask('DEBUG DIGEST')
      const directory = makeDirectory()
      const path = join(directory, 'dump.rdb')
      await cli('-p', String(server.port), '--functions-rdb', path)
      const functions = await startRedbun({ args: ['--dir', directory] })
      const second = await functions.connect()
      expect(await second.ask('DBSIZE')).toBe(':0')
      expect(await second.ask('FUNCTION LIST')).toContain('$library_name $l')
      await functions.stop('SIGKILL')
      await cli('-p', String(server.port), '--rdb', path)
      const whole = await startRedbun({ args: ['--dir', directory] })
      const third = await whole.connect()
      expect(await third.ask('DEBUG DIGEST')).toBe(digest)
      await whole.stop('SIGKILL')
      rmSync(directory, { recursive: true })
      expect(await info(client, 'connected_slaves')).toBe('0')
    }))

  test.concurrent('shows the stream', () =>
    onStage(async (stage) => {
      const server = await stage.start('redbun')
      const client = await server.connect()
      const output = join(server.directory, 'stream')
      const child = Bun.spawn([CLI, '-p', String(server.port), '--replica'], {
        stdin: 'ignore',
        stdout: Bun.file(output),
        stderr: 'ignore',
      })
      await until('the replica', () => info(client, 'connected_slaves'), '1')
      await until(
        'the link',
        () => info(client, 'slave0'),
        (line) => line.includes('state=online'),
      )
      await client.call('SET k v')
      await client.call('SADD s a')
      await until(
        'the stream',
        async () => readFileSync(output, 'latin1').replaceAll('\r', ''),
        // It takes the first command for the answer to its own, and does not show it.
        (text) => /"SET","k","v"\n("PING"\n)*"SADD","s","a"\n/.test(text),
      )
      child.kill()
      await child.exited
    }))

  test.concurrent.skipIf(redisServerPath === '')('moves a data set into a Redis Cluster', () =>
    onStage(async (stage) => {
      const nodes: RunningServer[] = []
      for (let i = 0; i < 3; i++) {
        let port = freePort()
        while (port > NODE_PORT_MAX) port = freePort()
        nodes.push(await stage.start('redis', ['--cluster-enabled', 'yes'], port))
      }
      const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
      await cli('--cluster', 'create', ...addresses, '--cluster-yes')
      const server = await stage.start('redbun')
      const client = await server.connect()
      await fill(client)
      const keys = (await cli('-p', String(server.port), 'KEYS', '*')).trim().split('\n').sort()
      const wanted = await client.ask(['DEBUG', 'DIGEST-VALUE', ...keys])
      for (const { port } of nodes) {
        await until(
          'the cluster',
          () => cli('-p', String(port), 'CLUSTER', 'INFO'),
          (text) => text.includes('cluster_state:ok'),
        )
      }
      await cli('--cluster', 'import', addresses[0], '--cluster-from', `127.0.0.1:${server.port}`)
      expect(await client.ask('DBSIZE')).toBe(':0')
      const digests = []
      for (const key of keys) {
        for (const { port } of nodes) {
          const text = (await cli('-p', String(port), 'DEBUG', 'DIGEST-VALUE', key)).trim()
          if (!/^0+$/.test(text)) digests.push(text)
        }
      }
      expect(`*${keys.length} ${digests.map((text) => `+${text}`).join(' ')}`).toBe(wanted)
    }),
  )
})

test.concurrent('a replica logs in as the user that it is told', () =>
  onStage(async (stage) => {
    const primary = await stage.start('redbun', [
      ...['--user', 'copier', 'on', '>secret', '+psync', '+replconf', '+ping'],
    ])
    const client = await primary.connect()
    await client.call('SET k v')
    await client.call('ACL SETUSER default resetpass >other')
    const replica = await stage.start('redbun', ['--masteruser', 'copier', '--masterauth', 'wrong'])
    const follower = await replica.connect()
    await follower.call(`REPLICAOF 127.0.0.1 ${primary.port}`)
    await replica.logged('Unable to AUTH to MASTER: -WRONGPASS')
    await follower.call('CONFIG SET masterauth secret')
    await linked(replica)
    await until('the key', () => follower.text('GET k'), 'v')
    expect(await follower.text('CLIENT LIST TYPE master')).toMatch(
      / flags=M .* user=\(superuser\) /,
    )
    expect(await client.text('CLIENT LIST TYPE replica')).toMatch(/ flags=S .* user=copier /)
    expect(await client.ask('CLIENT KILL TYPE replica')).toBe(':1')
    await until('the link', () => info(client, 'sync_partial_ok'), '1')
    await linked(replica)
    expect(await follower.ask('CLIENT KILL TYPE master')).toBe(':1')
    await until('the link', () => info(client, 'sync_partial_ok'), '2')
  }))

describe('over TLS', () => {
  const directory = makeDirectory()

  beforeAll(() => {
    const result = Bun.spawnSync(
      [
        ...'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'.split(' '),
        ...'-days 2 -subj /CN=test -keyout key -out crt'.split(' '),
        ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
      ],
      { cwd: directory },
    )
    if (result.exitCode !== 0) throw new Error(result.stderr.toString())
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  test.concurrent('a replica follows', () =>
    onStage(async (stage) => {
      const args = () => {
        const port = freePort()
        const file = (name: string) => join(directory, name)
        return {
          port,
          words: [
            ...['--tls-port', String(port), '--tls-replication', 'yes'],
            ...['--tls-cert-file', file('crt'), '--tls-key-file', file('key')],
            ...['--tls-ca-cert-file', file('crt')],
          ],
        }
      }
      const door = args()
      const primary = await stage.start('redbun', door.words)
      const client = await primary.connect()
      await fill(client)
      const replica = await stage.start('redbun', args().words)
      const follower = await replica.connect()
      await follower.call(`REPLICAOF 127.0.0.1 ${door.port}`)
      await linked(replica)
      await client.call('SET later v')
      await sameData(primary, replica)
      // Who does not speak TLS does not get through.
      await follower.call(`REPLICAOF 127.0.0.1 ${primary.port}`)
      await until('the link', () => info(follower, 'master_link_status'), 'down')
    }))
})
