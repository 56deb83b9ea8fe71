/**
 * One node with all slots: what it answers is what a node of Redis answers that was given all slots,
 * and clients that know clusters work with it.
 *
 * Thread: any.
 * Owns: a server of ours in cluster mode, and a real one beside it.
 * Never: starts a second node.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Cluster } from 'ioredis'
import { createCluster } from 'redis'
import type { Client } from '../../../support/client.ts'
import {
  freePort,
  makeDirectory,
  type RunningServer,
  redisServerPath,
  runToEnd,
  startRedbun,
  startRedis,
} from '../../../support/server.ts'

/** A node listens on its port and 10000 above. */
function nodePort(): number {
  let port = freePort()
  while (port > 50_000) port = freePort()
  return port
}

const start = (kind: 'redbun' | 'redis', args: readonly string[] = []) => {
  const options = { port: nodePort(), args: ['--cluster-enabled', 'yes', ...args] }
  return kind === 'redis' ? startRedis(options) : startRedbun(options)
}

/** What differs from node to node. */
function plain(reply: string): string {
  return reply
    .replace(/\b[0-9a-f]{40}\b/g, 'ID')
    .replace(/(127\.0\.0\.1)?:\d+@\d+/, 'PLACE')
    .replace(/127\.0\.0\.1|:\d{4,5}\b|\$"?\d{4,5}"?|@\d+/g, 'PLACE')
    .replace(/\$"" /g, '$PLACE ')
}

const SCRIPTS = [
  ['EVAL', "return redis.call('get', 'a')", '0'],
  ['EVAL', "return redis.call('set', KEYS[1], 2)", '1', 'a'],
  ['EVAL', "return redis.call('mset', 'a', 1, 'b', 2)", '0'],
  ['EVAL', "redis.call('get', 'a') return redis.call('get', 'b')", '0'],
  ['EVAL', '#!lua flags=no-cluster\nreturn 1', '0'],
  ['EVAL', "#!lua\nredis.call('get', 'a') return redis.call('get', 'b')", '0'],
  ['EVAL', "#!lua\nreturn redis.call('get', 'b')", '1', 'a'],
  ['EVAL', "#!lua flags=allow-cross-slot-keys\nreturn redis.call('get', 'b')", '1', 'a'],
]

const SAME_ANSWERS = [
  ...['CLUSTER KEYSLOT foo', 'CLUSTER KEYSLOT {a}b', 'CLUSTER KEYSLOT a{}b', 'CLUSTER LINKS'],
  ...['SET a 1', 'GET a', 'MSET a 1 b 2', 'MSET {a}1 1 {a}2 2', 'DEL a b', 'DEL {a}1 {a}2'],
  ...['CLUSTER COUNTKEYSINSLOT 15495', 'CLUSTER GETKEYSINSLOT 15495 1', 'SELECT 0', 'SELECT 1'],
  ...['CLUSTER COUNTKEYSINSLOT 99999', 'CLUSTER GETKEYSINSLOT 1 -1', 'CLUSTER COUNTKEYSINSLOT x'],
  ...['SWAPDB 0 1', 'MOVE a 1', 'COPY a {a}b DB 1', 'COPY a {a}b', 'COPY a c'],
  ...['READONLY', 'READWRITE', 'ASKING', 'CLUSTER REPLICAS foo', 'CLUSTER SLAVES foo'],
  ...['CLUSTER COUNT-FAILURE-REPORTS foo', 'CLUSTER FAILOVER', 'CLUSTER FAILOVER WHAT'],
  ...['CLUSTER FORGET foo', 'CLUSTER REPLICATE foo', 'CLUSTER MEET a b', 'CLUSTER MEET a 1 x'],
  ...['CLUSTER ADDSLOTS 1', 'CLUSTER ADDSLOTS x', 'CLUSTER ADDSLOTS 99999', 'CLUSTER DELSLOTS 5 5'],
  ...['CLUSTER ADDSLOTSRANGE 1', 'CLUSTER ADDSLOTSRANGE 5 1', 'CLUSTER SETSLOT 5 WHAT'],
  ...['CLUSTER SETSLOT 5 NODE foo', 'CLUSTER SETSLOT 5 MIGRATING foo', 'CLUSTER SETSLOT 5 STABLE'],
  ...['CLUSTER SETSLOT 5 IMPORTING foo', 'CLUSTER FLUSHSLOTS', 'CLUSTER RESET', 'CLUSTER WHAT'],
  ...[
    'EVAL return(1) 0',
    'EVAL return(1) 2 a b',
    'EVAL return(1) 2 {a}1 {a}2',
    'SUNIONSTORE a b c',
  ],
  ...[
    'MULTI',
    'SET a 1',
    'SET b 1',
    'EXEC',
    'MULTI',
    'SET a 1',
    'INCR a',
    'EXEC',
    'BITOP AND a b c',
  ],
  ...['SPUBLISH a b', 'PUBLISH a b', 'SSUBSCRIBE a b', 'XREAD STREAMS a b 0 0', 'SORT a BY x_*'],
  ...['MIGRATE h 1 a 0 10 KEYS b', 'OBJECT ENCODING a', 'FLUSHALL', 'CLUSTER SAVECONFIG'],
  ...[
    'CLUSTER DELSLOTS 5',
    'CLUSTER DELSLOTS 5',
    'CLUSTER NODES',
    'CLUSTER SLOTS',
    'CLUSTER SHARDS',
  ],
  ...['CLUSTER SET-CONFIG-EPOCH x', 'CLUSTER SET-CONFIG-EPOCH -5', 'CLUSTER SET-CONFIG-EPOCH 3'],
  ...['CLUSTER SET-CONFIG-EPOCH 4', 'CLUSTER BUMPEPOCH', 'CLUSTER INFO', 'GET a', 'GET foo'],
  ...['CLUSTER ADDSLOTS 5', 'CLUSTER FLUSHSLOTS', 'GET a', 'CLUSTER INFO', 'CLUSTER RESET HARD'],
  ...['CLUSTER RESET WHAT', 'CLUSTER NODES'],
]

describe.if(redisServerPath !== '')('beside a node of Redis', () => {
  let ours: RunningServer
  let theirs: RunningServer
  let pair: readonly Client[]

  beforeAll(async () => {
    ours = await start('redbun')
    theirs = await start('redis')
    // One of Redis has no slots yet, one of ours has all: both may be given them.
    for (const server of [ours, theirs]) {
      const client = await server.connect()
      expect(await client.ask('CLUSTER ADDSLOTSRANGE 0 16383')).toBe('+OK')
    }
    const setUp = await theirs.connect()
    // A node waits a moment before it believes that all is well.
    for (let tries = 0; tries < 200; tries++) {
      if ((await setUp.text('CLUSTER INFO')).includes('cluster_state:ok')) break
      await Bun.sleep(20)
    }
    pair = await Promise.all([ours.connect(), theirs.connect()])
  })
  afterAll(() => Promise.all([ours.stop(), theirs.stop()]))

  test('the answers are the same', async () => {
    const differences: string[] = []
    for (const command of [...SCRIPTS, ...SAME_ANSWERS]) {
      const [here, there] = await Promise.all(pair.map((client) => client.ask(command)))
      if (plain(here) !== plain(there)) differences.push(`${command}\n  ${here}\n  ${there}`)
    }
    expect(differences).toEqual([])
  })
})

describe('clients that know clusters', () => {
  let server: RunningServer
  beforeAll(async () => {
    server = await start('redbun')
  })
  afterAll(() => server.stop())

  test('ioredis', async () => {
    const cluster = new Cluster([{ host: '127.0.0.1', port: server.port }])
    await cluster.set('io:a', '1')
    await cluster.mset('{io}b', '2', '{io}c', '3')
    expect(await cluster.get('io:a')).toBe('1')
    expect(await cluster.mget('{io}b', '{io}c')).toEqual(['2', '3'])
    const many = await Promise.all(
      Array.from({ length: 200 }, (_, i) => cluster.incr(`io:${i % 50}`)),
    )
    expect(Math.max(...many)).toBe(4)
    cluster.disconnect()
  })

  test('node-redis', async () => {
    const cluster = createCluster({ rootNodes: [{ url: `redis://127.0.0.1:${server.port}` }] })
    await cluster.connect()
    await cluster.set('node', 'value')
    expect(await cluster.get('node')).toBe('value')
    await cluster.close()
  })

  test.if(Bun.which('redis-cli') !== null)('redis-cli -c and --cluster', async () => {
    const run = async (...args: readonly string[]) => {
      const child = Bun.spawn(['redis-cli', ...args], { stdout: 'pipe', stderr: 'pipe' })
      return await new Response(child.stdout).text()
    }
    expect(await run('-p', String(server.port), '-c', 'SET', 'cli', 'x')).toBe('OK\n')
    const checked = await run('--cluster', 'check', `127.0.0.1:${server.port}`)
    expect(checked).toContain('[OK] All 16384 slots covered.')
  })
})

describe('what a node remembers', () => {
  test('its id and its slots outlive the process', async () => {
    const directory = makeDirectory()
    const file = `${directory}/nodes.conf`
    const first = await start('redbun', ['--cluster-config-file', file])
    const client = await first.connect()
    const id = await client.text('CLUSTER MYID')
    await client.call('CLUSTER DELSLOTS 7 8')
    await client.call('CLUSTER SAVECONFIG')
    await first.stop()
    const second = await start('redbun', ['--cluster-config-file', file])
    const again = await second.connect()
    expect(await again.text('CLUSTER MYID')).toBe(id)
    expect(await again.text('CLUSTER NODES')).toContain(' 0-6 9-16383')
    expect(await again.ask('CLUSTER MEET 127.0.0.1 7777')).toContain('no cluster bus')
    await second.stop()
  })

  test('a file that is none stops the start', async () => {
    const directory = makeDirectory()
    await Bun.write(`${directory}/bad.conf`, 'nonsense\n')
    const args = ['--port', String(nodePort()), '--cluster-enabled', 'yes']
    const { status, stdout } = await runToEnd(
      'redbun',
      [...args, '--cluster-config-file', 'bad.conf'],
      { directory },
    )
    expect(status).toBe(1)
    expect(stdout).toContain('corrupted cluster config file "bad.conf"')
  })
})

test('without cluster mode there is no cluster', async () => {
  const server = await startRedbun()
  const client = await server.connect()
  for (const command of ['CLUSTER INFO', 'CLUSTER KEYSLOT a', 'READONLY', 'ASKING']) {
    expect(await client.ask(command)).toBe('-ERR This instance has cluster support disabled')
  }
  await server.stop()
})
