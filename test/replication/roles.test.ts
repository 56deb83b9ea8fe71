/**
 * What primary and replica answer, let through and wait for.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside a server.
 */

import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import { notation } from '../support/reply.ts'
import { makeDirectory, redisServerPath } from '../support/server.ts'
import { info, type Kind, linked, online, onStage, PATIENCE_MS, sameData, until } from './stage.ts'

setDefaultTimeout(PATIENCE_MS)

const KINDS: readonly Kind[] = redisServerPath === '' ? ['redbun'] : ['redbun', 'redis']

/** The same of both kinds: what Redis answers is what is expected. */
describe.each(KINDS)('%s', (kind) => {
  test.concurrent('a replica refuses writes and says what it is', () =>
    onStage(async (stage) => {
      const [primary, replica] = await stage.pair(kind)
      const [master, follower] = [await primary.connect(), await replica.connect()]
      await master.call('SET k v')
      await sameData(primary, replica)
      expect(await follower.ask('SET k w')).toBe(
        "-READONLY You can't write against a read only replica.",
      )
      expect(await follower.ask('MULTI')).toBe('+OK')
      expect(await follower.ask('INCR n')).toStartWith('-READONLY')
      expect(await follower.ask('EXEC')).toStartWith('-EXECABORT')
      expect(await follower.ask('ROLE')).toMatch(
        new RegExp(`^\\*5 \\$slave \\$"?127.0.0.1"? :${primary.port} \\$connected :\\d+$`),
      )
      expect(await master.ask('ROLE')).toMatch(
        new RegExp(`^\\*3 \\$master :\\d+ \\*1 \\*3 \\$"?127.0.0.1"? \\$"?${replica.port}"? \\$`),
      )
      expect(await info(master, 'slave0')).toMatch(
        new RegExp(`^ip=127.0.0.1,port=${replica.port},state=online,offset=\\d+,lag=[01]$`),
      )
      await follower.call('CONFIG SET replica-read-only no')
      expect(await follower.ask('SET own 1')).toBe('+OK')
      expect(await master.ask('EXISTS own')).toBe(':0')
      expect(await follower.ask('WAIT 1 1')).toStartWith('-ERR WAIT cannot be used with replica')
      expect(await follower.ask(['EVAL', "return redis.call('incr', 'own')", '0'])).toBe(':2')
      await follower.call('CONFIG SET replica-read-only yes')
      const refused = await follower.ask(['EVAL', "return redis.call('incr', 'own')", '0'])
      expect(refused).toStartWith("-READONLY You can't write against a read only replica. script:")
      const listener = await replica.connect()
      await listener.call('SUBSCRIBE news')
      await master.call('PUBLISH news here')
      expect(notation(await listener.next())).toBe('*3 $message $news $here')
      expect(await follower.ask('REPLICAOF NO ONE')).toBe('+OK')
      expect(await follower.ask('SET own 2')).toBe('+OK')
    }))

  test.concurrent('a replica that cannot follow any more ends where it shall', () =>
    onStage(async (stage) => {
      const [primary, replica] = await stage.pair(kind, {
        replicaArgs: ['--propagation-error-behavior', 'panic'],
      })
      const [master, follower] = [await primary.connect(), await replica.connect()]
      await follower.call('CONFIG SET replica-read-only no')
      await follower.call('SET k v')
      await follower.call('CONFIG SET replica-read-only yes')
      await master.call('RPUSH k v')
      await replica.child.exited
      expect(replica.log).toContain('sending an error to its master')
    }))

  test.concurrent('a replica that loads for long is not taken for dead', () =>
    onStage(async (stage) => {
      const primary = await stage.start(kind, [
        ...['--repl-diskless-sync', 'no', '--repl-timeout', '2'],
      ])
      const client = await primary.connect()
      await client.call('DEBUG POPULATE 700')
      const replica = await stage.follow(KINDS[KINDS.length - 1], primary, [
        ...['--key-load-delay', '5000', '--loading-process-events-interval-bytes', '1024'],
      ])
      await linked(replica)
      await sameData(primary, replica)
      expect(await info(client, 'sync_full')).toBe('1')
      expect(await info(client, 'sync_partial_ok')).toBe('0')
    }))

  test.concurrent('a replica that cannot save what its primary writes ends, or goes on if told to', () =>
    onStage(async (stage) => {
      const [primary, replica] = await stage.pair(kind)
      const [master, follower] = [await primary.connect(), await replica.connect()]
      const gone = makeDirectory()
      await follower.call(['CONFIG', 'SET', 'dir', gone, 'save', '3600 1000'])
      rmSync(gone, { recursive: true })
      await follower.call('BGSAVE')
      await until('the failure', () => info(follower, 'rdb_last_bgsave_status'), 'err')
      await follower.call('CONFIG SET replica-ignore-disk-write-errors yes')
      await master.call('SET k v')
      await until('the write', () => follower.ask('GET k'), '$v')
      await follower.call('CONFIG SET replica-ignore-disk-write-errors no')
      await master.call('SET k w')
      await replica.child.exited
      expect(replica.log).toContain('Replica was unable to write command to disk.')
    }))

  test.concurrent('a replica that may be written to expires what it made itself', () =>
    onStage(async (stage) => {
      const [primary, replica] = await stage.pair(kind, {
        replicaArgs: ['--replica-read-only', 'no'],
      })
      const [master, follower] = [await primary.connect(), await replica.connect()]
      await master.call('DEBUG SET-ACTIVE-EXPIRE 0')
      await master.call('SET theirs v PX 100')
      await until('the key', () => follower.ask('DBSIZE'), ':1')
      expect(await follower.ask('SET own v PX 100')).toBe('+OK')
      expect(await info(follower, 'slave_expires_tracked_keys')).toBe('1')
      expect(await follower.ask('SET kept v')).toBe('+OK')
      expect(await follower.ask('PEXPIRE kept 100')).toBe(':1')
      expect(await follower.ask('DBSIZE')).toBe(':3')
      await until('the end', () => follower.ask('DBSIZE'), ':1')
      expect(await follower.ask('EXISTS own')).toBe(':0')
    }))

  test.concurrent('WAIT counts those that have what was written', () =>
    onStage(async (stage) => {
      const primary = await stage.start(kind)
      const client = await primary.connect()
      expect(await client.ask('WAIT 0 1000')).toBe(':0')
      const replica = await stage.follow(kind, primary)
      await linked(replica)
      await until('the replica', () => info(client, 'connected_slaves'), '1')
      await client.call('SET k v')
      const asked = performance.now()
      expect(await client.ask('WAIT 1 5000')).toBe(':1')
      for (let i = 0; i < 5; i++) {
        await client.call('SET k v')
        expect(await client.ask('WAIT 1 5000')).toBe(':1')
      }
      // Replicas are asked: else each would say so once a second.
      expect(performance.now() - asked).toBeLessThan(3000)
      // Whoever writes and waits in one go is answered as soon.
      const together = performance.now()
      for (let i = 0; i < 5; i++) {
        client.send('SET k v')
        client.send('WAIT 1 5000')
        expect(notation(await client.next())).toBe('+OK')
        expect(notation(await client.next())).toBe(':1')
      }
      expect(performance.now() - together).toBeLessThan(3000)
      replica.child.kill('SIGSTOP')
      await client.call('SET k w')
      const started = performance.now()
      expect(await client.ask('WAIT 1 200')).toBe(':0')
      expect(performance.now() - started).toBeGreaterThan(150)
      const idle = await primary.connect()
      expect(await idle.ask('WAIT 1 200')).toBe(':1')
      client.send('WAIT 1 10000')
      await Bun.sleep(100)
      replica.child.kill('SIGCONT')
      expect((await client.next()).kind).toBe(':')
    }))

  test.concurrent('a primary with too few replicas takes no writes', () =>
    onStage(async (stage) => {
      const primary = await stage.start(kind, ['--min-replicas-to-write', '1'])
      const client = await primary.connect()
      expect(await client.ask('SET k v')).toBe('-NOREPLICAS Not enough good replicas to write.')
      expect(await client.ask('GET k')).toBe('(nil)')
      const replica = await stage.follow(kind, primary)
      await linked(replica)
      await until('the write', () => client.ask('SET k v'), '+OK')
    }))

  test.concurrent('a replica whose primary is away may refuse to serve old data', () =>
    onStage(async (stage) => {
      const [primary, replica] = await stage.pair(kind, {
        replicaArgs: ['--replica-serve-stale-data', 'no'],
      })
      const client = await replica.connect()
      expect(await client.ask('GET k')).toBe('(nil)')
      await primary.stop('SIGKILL')
      await until(
        'the refusal',
        () => client.ask('GET k'),
        "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
      )
      expect(await client.ask('PING')).toStartWith('-MASTERDOWN')
      expect(await client.ask('CONFIG SET hz 11')).toBe('+OK')
      expect(await client.ask('REPLICAOF NO ONE')).toBe('+OK')
      expect(await client.ask('GET k')).toBe('(nil)')
    }))

  test.concurrent('what expires is gone from the replica when the primary says so', () =>
    onStage(async (stage) => {
      const [primary, replica] = await stage.pair(kind)
      const [master, follower] = [await primary.connect(), await replica.connect()]
      await master.call('DEBUG SET-ACTIVE-EXPIRE 0')
      await master.call('SET k v PX 100')
      await sameData(primary, replica)
      await Bun.sleep(150)
      expect(await follower.ask('GET k')).toBe('(nil)')
      expect(await follower.ask('DBSIZE')).toBe(':1')
      await master.call('GET k')
      await until('the deletion', () => follower.ask('DBSIZE'), ':0')
    }))

  test.concurrent('FAILOVER exchanges the parts', () =>
    onStage(async (stage) => {
      const [primary, replica] = await stage.pair(kind)
      const [former, next] = [await primary.connect(), await replica.connect()]
      await until('the replica', () => info(former, 'connected_slaves'), '1')
      await former.call('SET k v')
      expect(await next.ask('FAILOVER')).toBe(
        '-ERR FAILOVER is not valid when server is a replica.',
      )
      expect(await former.ask('FAILOVER ABORT')).toBe('-ERR No failover in progress.')
      expect(await former.ask('FAILOVER TO 127.0.0.1 1')).toBe(
        '-ERR FAILOVER target HOST and PORT is not a replica.',
      )
      expect(await former.ask('FAILOVER TIMEOUT 5000')).toBe('+OK')
      await until('the new primary', () => info(next, 'role'), 'master')
      await until('the new replica', () => info(former, 'master_link_status'), 'up')
      expect(await former.ask('SET k w')).toStartWith('-READONLY')
      expect(await next.ask('SET k w')).toBe('+OK')
      await sameData(replica, primary)
      expect(await info(next, 'sync_partial_ok')).toBe('1')
    }))

  test.concurrent('after FAILOVER a link that broke is made again as any other', () =>
    onStage(async (stage) => {
      const [primary, replica] = await stage.pair(kind)
      const [former, next] = [await primary.connect(), await replica.connect()]
      await online(former)
      expect(await former.ask('FAILOVER')).toBe('+OK')
      await until('the new replica', () => info(former, 'master_link_status'), 'up')
      for (let i = 0; i < 2; i++) {
        expect(await next.ask('CLIENT KILL TYPE replica')).toBe(':1')
        await until('the other side', () => info(next, 'connected_slaves'), '1')
        await until('the link', () => info(former, 'master_link_status'), 'up')
      }
      expect(await info(next, 'role')).toBe('master')
    }))

  test.concurrent('a replica that may be written to makes anew what its primary let expire', () =>
    onStage(async (stage) => {
      const [primary, replica] = await stage.pair(kind, {
        replicaArgs: ['--replica-read-only', 'no'],
      })
      const [master, follower] = [await primary.connect(), await replica.connect()]
      await master.call('DEBUG SET-ACTIVE-EXPIRE 0')
      await master.call('SET a 5 PX 20')
      await master.call('SET b 5 PX 20')
      await until('the keys', () => follower.ask('DBSIZE'), ':2')
      await until('their end', () => follower.ask('EXISTS a b'), ':0')
      expect(await follower.ask('INCR a')).toBe(':1')
      expect(await follower.ask('TTL a')).toBe(':-1')
      expect(await follower.ask('GET b')).toBe('(nil)')
      expect(await follower.ask('DBSIZE')).toBe(':2')
    }))

  test.concurrent('a snapshot that goes straight to a replica is told of as one in the background', () =>
    onStage(async (stage) => {
      const primary = await stage.start(kind)
      const client = await primary.connect()
      await client.call('DEBUG POPULATE 100')
      await client.call('CONFIG SET rdb-key-save-delay 100000')
      const replica = await stage.follow(kind, primary)
      await until('the snapshot', () => info(client, 'rdb_bgsave_in_progress'), '1')
      expect(await info(client, 'slave0')).toContain('state=wait_bgsave')
      expect(await info(client, 'sync_full')).toBe('1')
      await client.call('CONFIG RESETSTAT')
      expect(await info(client, 'sync_full')).toBe('0')
      expect(await info(client, 'connected_slaves')).toBe('1')
      // A replica is no client.
      expect(await info(client, 'connected_clients')).toBe('1')
      await replica.stop('SIGKILL')
      await until('the end', () => info(client, 'rdb_bgsave_in_progress'), '0')
    }))

  test.concurrent('what had expired when a primary was loaded is deleted by replicas that go on', () =>
    onStage(async (stage) => {
      const [primary, replica] = await stage.pair(kind, {
        primaryArgs: ['--repl-ping-replica-period', '3600'],
      })
      const master = await primary.connect()
      expect(await info(master, 'master_repl_offset')).toBe('0')
      await master.call('DEBUG SET-ACTIVE-EXPIRE 0')
      await master.call('SET kept v')
      for (let i = 0; i < 50; i++) {
        await master.call(`SELECT ${i % 3}`)
        await master.call(`SET ${i} v PX 200`)
      }
      await sameData(primary, replica)
      await master.call('SAVE')
      await Bun.sleep(300)
      const again = await stage.again(kind, primary)
      await linked(replica)
      const client = await again.connect()
      await sameData(again, replica)
      expect(await info(client, 'rdb_last_load_keys_expired')).toBe('50')
      expect(await info(client, 'sync_partial_ok')).toBe('1')
      expect(await info(client, 'db0')).toStartWith('keys=1,')
      const follower = await replica.connect()
      expect(await info(follower, 'db1')).toBe('')
    }))

  test.concurrent('a replica may always have as much to read as the backlog holds', () =>
    onStage(async (stage) => {
      const primary = await stage.start(kind, [
        ...['--repl-backlog-size', '64mb', '--client-output-buffer-limit', 'replica 512k 0 0'],
      ])
      const replica = await stage.follow(kind, primary)
      await linked(replica)
      const client = await primary.connect()
      await online(client)
      const before = Number(await info(client, 'used_memory'))
      replica.child.kill('SIGSTOP')
      const large = 'x'.repeat(10_000_000)
      for (let i = 0; i < 4; i++) await client.call(['SET', 'k', large])
      expect(await info(client, 'connected_slaves')).toBe('1')
      // What waits for it is used, but no eviction would free it.
      const [used, uncounted] = [
        Number(await info(client, 'used_memory')),
        Number(await info(client, 'mem_not_counted_for_evict')),
      ]
      if (kind === 'redbun') expect(uncounted).toBeGreaterThan(10_000_000)
      expect(used - before).toBeGreaterThan(uncounted)
      replica.child.kill('SIGCONT')
      await sameData(primary, replica)
      expect(await info(client, 'sync_full')).toBe('1')
    }))

  test.concurrent('who waits at a server that gets another primary is turned away', () =>
    onStage(async (stage) => {
      const server = await stage.start(kind)
      const [client, pops, reads] = await Promise.all([0, 1, 2].map(() => server.connect()))
      pops.send('BLPOP list 0')
      reads.send('XREAD BLOCK 0 STREAMS stream $')
      await until('the waiting', () => info(client, 'blocked_clients'), '2')
      expect(await client.ask('REPLICAOF 127.0.0.1 1')).toBe('+OK')
      for (const one of [pops, reads]) {
        expect(notation(await one.next())).toBe(
          '-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)',
        )
        await one.ended
      }
    }))

  test.concurrent('FLUSHALL is answered while a snapshot is on the way, and begins another', () =>
    onStage(async (stage) => {
      const primary = await stage.start(kind)
      const client = await primary.connect()
      await client.call('DEBUG POPULATE 5000 key 1000')
      await client.call('CONFIG SET rdb-key-save-delay 10000')
      const replica = await stage.follow(kind, primary)
      await until('the snapshot', () => info(client, 'rdb_bgsave_in_progress'), '1')
      expect(await client.ask('FLUSHALL')).toBe('+OK')
      await linked(replica)
      await sameData(primary, replica)
      const follower = await replica.connect()
      expect(await follower.ask('DBSIZE')).toBe(':0')
      expect(primary.log.match(/Background RDB transfer started by pid/g)).toHaveLength(2)
    }))

  test.concurrent('a link that broke is made again at once', () =>
    onStage(async (stage) => {
      const [primary, replica] = await stage.pair(kind)
      const client = await primary.connect()
      expect(await client.ask('CLIENT KILL TYPE replica')).toBe(':1')
      await until('the other side', () => info(client, 'sync_partial_ok'), '1')
      await linked(replica)
      expect(replica.log).toContain(`Reconnecting to MASTER 127.0.0.1:${primary.port}`)
    }))

  test.concurrent('a file for replicas is not finished when they are gone, unless it is wanted', () =>
    onStage(async (stage) => {
      const primary = await stage.start(kind, ['--repl-diskless-sync', 'no', '--save', ''])
      const client = await primary.connect()
      await client.call('DEBUG POPULATE 100')
      await client.call('CONFIG SET rdb-key-save-delay 100000')
      for (const [save, goesOn] of [
        ['', '0'],
        ['900 1', '1'],
      ]) {
        await client.call(['CONFIG', 'SET', 'save', save])
        const replica = await stage.follow(kind, primary)
        await until('the file', () => info(client, 'rdb_bgsave_in_progress'), '1')
        expect(await info(client, 'slave0')).toContain('state=wait_bgsave')
        await replica.stop('SIGKILL')
        await until('the end', () => info(client, 'connected_slaves'), '0')
        await Bun.sleep(200)
        expect(await info(client, 'rdb_bgsave_in_progress')).toBe(goesOn)
      }
    }))

  test.concurrent('a replica that asks for keys is cut off, and the log says why', () =>
    onStage(async (stage) => {
      const primary = await stage.start(kind)
      const [client, other] = [await primary.connect(), await primary.connect()]
      expect(await client.ask('PSYNC id offset')).toBe(
        '-ERR value is not an integer or out of range',
      )
      client.write('SYNC\r\n')
      await until('the replica', () => info(other, 'connected_slaves'), '1')
      client.write('GET k\r\n')
      await client.ended
      await until('the end', () => info(other, 'connected_slaves'), '0')
      for (const line of [
        'asks for synchronization but with a wrong offset',
        "Replica generated a reply to command 'get', disconnecting it: ",
        "This master is sending an error to its replica: 'Replica can't interact with the keyspace' after processing the command 'get'",
      ]) {
        expect(primary.log).toContain(line)
      }
    }))

  test.concurrent('DEBUG REPLICATE lets a replica do what its primary has not done', () =>
    onStage(async (stage) => {
      const [primary, replica] = await stage.pair(kind)
      const [master, follower] = [await primary.connect(), await replica.connect()]
      await online(master)
      expect(await master.ask('DEBUG REPLICATE SET k v')).toBe('+OK')
      await until('the write', () => follower.ask('GET k'), '$v')
      expect(await master.ask('GET k')).toBe('(nil)')
    }))

  test.concurrent('a connection that is killed ends without an error', () =>
    onStage(async (stage) => {
      const server = await stage.start(kind)
      const client = await server.connect()
      const ends: string[] = []
      const { promise, resolve } = Promise.withResolvers<void>()
      const socket = connect(server.port, '127.0.0.1')
      socket.on('error', (error) => ends.push(error.message))
      socket.on('end', () => ends.push('end'))
      socket.on('close', () => resolve())
      socket.write('CLIENT SETNAME victim\r\n')
      socket.once('data', () => client.send('CLIENT KILL SKIPME yes'))
      await promise
      expect(ends).toEqual(['end'])
    }))
})
