/**
 * Ways to copy a data set that settings choose: by a file at the primary, straight into memory at the
 * replica, over TLS, with a password.
 *
 * Thread: any.
 * Owns: the seeds.
 * Never: looks inside a server.
 */
import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import type { Client } from '../support/client.ts'
import { redisServerPath } from '../support/server.ts'
import { info, type Kind, linked, onStage, PATIENCE_MS, sameData, until } from './stage.ts'

setDefaultTimeout(PATIENCE_MS)

const PAIRS: readonly (readonly [primary: Kind, replica: Kind])[] =
  redisServerPath === ''
    ? [['redbun', 'redbun']]
    : [
        ['redbun', 'redbun'],
        ['redis', 'redbun'],
        ['redbun', 'redis'],
      ]

const LIBRARY = `#!lua name=l
redis.register_function{function_name='f', callback=function() return 'one' end, flags={'no-writes'}}`

/** Counts in a key until it is stopped. */
class Counter {
  #goesOn = true
  readonly #done: Promise<void>

  constructor(client: Client) {
    this.#done = this.#count(client)
  }

  async stop(): Promise<void> {
    this.#goesOn = false
    await this.#done
  }

  async #count(client: Client): Promise<void> {
    while (this.#goesOn) await client.call('INCR counter')
  }
}

/** Gives a primary keys of which none is like the next. */
async function fill(client: Client): Promise<void> {
  await client.call('DEBUG POPULATE 20000 filler 100')
  await client.call(['SET', 'large', 'x'.repeat(5_000_000)])
  for (let i = 0; i < 20; i++) {
    await client.call(['RPUSH', 'list', ...Array.from({ length: 2000 }, () => 'y'.repeat(50))])
  }
  await client.call(['FUNCTION', 'LOAD', LIBRARY])
}

test.concurrent('WAITAOF counts disks that hold what was written', () =>
  onStage(async (stage) => {
    const primary = await stage.start('redbun')
    const client = await primary.connect()
    expect(await client.ask('WAITAOF 1 0 100')).toBe(
      '-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.',
    )
    expect(await client.ask('WAITAOF 2 0 0')).toBe(
      '-ERR value is out of range, value must between 0 and 1',
    )
    expect(await client.ask('WAITAOF 0 -1 0')).toBe('-ERR value is out of range, must be positive')
    expect(await client.ask('WAITAOF 0 0 -1')).toBe('-ERR timeout is negative')
    expect(await client.ask('WAITAOF 0 0 0')).toBe('*2 :0 :0')
    expect(await client.ask('SET k v')).toBe('+OK')
    await client.call('CONFIG SET appendonly yes')
    expect(await client.ask('WAITAOF 1 0 0')).toBe('*2 :1 :0')
    expect(await client.ask('SET k w')).toBe('+OK')
    expect(await client.ask('WAITAOF 1 0 0')).toBe('*2 :1 :0')
    const replica = await stage.follow('redbun', primary, ['--appendonly', 'yes'])
    await linked(replica)
    expect(await client.ask('SET k x')).toBe('+OK')
    expect(await client.ask('WAITAOF 1 1 10000')).toBe('*2 :1 :1')
    const follower = await replica.connect()
    expect(await follower.ask('WAITAOF 0 0 0')).toBe(
      '-ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated.',
    )
    await follower.call('CONFIG SET appendonly no')
    expect(await client.ask('SET k y')).toBe('+OK')
    expect(await client.ask('WAITAOF 0 1 100')).toMatch(/^\*2 :[01] :0$/)
    await client.call('CONFIG SET appendfsync no')
    expect(await client.ask('MULTI')).toBe('+OK')
    await client.call('SET k z')
    await client.call('WAITAOF 1 1 0')
    expect(await client.ask('EXEC')).toMatch(/^\*2 \+OK \*2 :[01] :0$/)
  }))

test.concurrent('a snapshot with fields that end says which version can read it', () =>
  onStage(async (stage) => {
    const primary = await stage.start('redbun')
    const client = await primary.connect()
    await client.call('HSET h f v g w')
    await client.call('HEXPIRE h 1000 FIELDS 1 f')
    const replica = await stage.follow('redbun', primary)
    await linked(replica)
    await sameData(primary, replica)
    const copy = Bun.file(`${replica.directory}/dump.rdb`)
    expect(await copy.slice(0, 9).text()).toBe('REDIS0012')
    const follower = await replica.connect()
    expect(await follower.ask('HTTL h FIELDS 2 f g')).toMatch(/^\*2 :(1000|999) :-1$/)
  }))

test('CLIENT PAUSE at a replica keeps what its primary sends until it is over', () =>
  onStage(async (stage) => {
    const primary = await stage.start('redbun', ['--repl-ping-replica-period', '3600'])
    const replica = await stage.follow('redbun', primary)
    await linked(replica)
    const [writer, reader] = [await primary.connect(), await replica.connect()]
    await writer.call('SET a 1')
    const offset = await info(writer, 'master_repl_offset')
    await until('the offset', () => info(reader, 'slave_repl_offset'), offset)
    await reader.call('CLIENT PAUSE 100000 WRITE')
    await writer.call('SET a 2')
    for (let i = 0; i < 30; i++) await writer.call(['SET', `k${i}`, 'x'.repeat(100_000)])
    await Bun.sleep(200)
    expect(await info(reader, 'slave_repl_offset')).toBe(offset)
    expect(Number(await info(reader, 'slave_read_repl_offset'))).toBeGreaterThan(1_000_000)
    expect(await reader.text('GET a')).toBe('1')
    await reader.call('CLIENT UNPAUSE')
    await writer.call('SET a 3')
    await sameData(primary, replica)
    expect(await reader.text('GET a')).toBe('3')
  }))

describe('bind-source-addr', () => {
  test('is where a replica calls from, unless this machine does not have the address', () =>
    onStage(async (stage) => {
      const primary = await stage.start('redbun')
      const client = await primary.connect()
      for (const [source, seen] of [
        ['127.0.0.2', '127.0.0.2'],
        ['203.0.113.7', '127.0.0.1'],
      ]) {
        const replica = await stage.follow('redbun', primary, ['--bind-source-addr', source])
        await linked(replica)
        expect(await info(client, 'slave0')).toStartWith(`ip=${seen},`)
        await replica.stop()
        await until('no replica', () => info(client, 'connected_slaves'), '0')
      }
    }))
})

describe.each(PAIRS)('%s and its replica %s', (primaryKind, replicaKind) => {
  test.concurrent('a data set by way of a file, and what is written meanwhile', () =>
    onStage(async (stage) => {
      const primary = await stage.start(primaryKind, ['--repl-diskless-sync', 'no'])
      const client = await primary.connect()
      await fill(client)
      const counter = new Counter(await primary.connect())
      const replica = await stage.follow(replicaKind, primary, ['--key-load-delay', '20'])
      await linked(replica)
      await counter.stop()
      await sameData(primary, replica)
    }))

  test.concurrent.each(['on-empty-db', 'swapdb'])('a data set straight into memory: %s', (way) =>
    onStage(async (stage) => {
      const primary = await stage.start(primaryKind)
      const client = await primary.connect()
      await fill(client)
      const counter = new Counter(await primary.connect())
      const replica = await stage.follow(replicaKind, primary, [
        ...['--repl-diskless-load', way, '--save', ''],
      ])
      await linked(replica)
      await counter.stop()
      await sameData(primary, replica)
      const follower = await replica.connect()
      expect(await follower.text('FCALL f 0')).toBe('one')
      // A second time, over what is there.
      await client.call('FUNCTION DELETE l')
      await client.call(['FUNCTION', 'LOAD', LIBRARY.replace("'one'", "'two'")])
      await follower.call('REPLICAOF NO ONE')
      await follower.call('SET only:here 1')
      await follower.call(`REPLICAOF 127.0.0.1 ${primary.port}`)
      await linked(replica)
      await sameData(primary, replica)
      expect(await follower.text('FCALL f 0')).toBe('two')
      expect(await follower.ask('EXISTS only:here')).toBe(':0')
    }),
  )

  test.concurrent('what was there is served while an older state is replaced, and stays if that fails', () =>
    onStage(async (stage) => {
      const primary = await stage.start(primaryKind, ['--repl-backlog-size', '16384'])
      const client = await primary.connect()
      await client.call('SET old 1')
      const replica = await stage.follow(replicaKind, primary, [
        ...['--repl-diskless-load', 'swapdb', '--save', ''],
        ...['--loading-process-events-interval-bytes', '1024'],
      ])
      await linked(replica)
      const follower = await replica.connect()
      await sameData(primary, replica)
      await client.call('CONFIG SET rdb-key-save-delay 10000')
      replica.child.kill('SIGSTOP')
      await client.call('CLIENT KILL TYPE replica')
      await client.call('DEL old')
      for (let i = 0; i < 400; i++) await client.call(['SET', `new:${i}`, `${i}`.repeat(3000)])
      replica.child.kill('SIGCONT')
      await until('the other data', () => info(follower, 'async_loading'), '1')
      expect(await info(follower, 'loading')).toBe('0')
      expect(await follower.text('GET old')).toBe('1')
      expect(await follower.ask('DBSIZE')).toBe(':1')
      expect(await follower.ask('SET old 2')).toStartWith('-READONLY')
      expect(await follower.ask('REPLICAOF NO ONE')).toStartWith('-LOADING')
      expect(await follower.ask('CONFIG SET appendonly yes')).toStartWith('-LOADING')
      await client.call('CLIENT KILL TYPE replica')
      await until('the end', () => info(follower, 'async_loading'), '0')
      expect(await follower.text('GET old')).toBe('1')
      await client.call('CONFIG SET rdb-key-save-delay 0')
      await linked(replica)
      await sameData(primary, replica)
      expect(await follower.ask('EXISTS old')).toBe(':0')
      expect(await follower.ask('DBSIZE')).toBe(':400')
    }))
})
