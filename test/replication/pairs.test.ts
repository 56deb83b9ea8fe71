/**
 * Replication in every pairing of ourselves and real Redis, under writes of every type: from nothing,
 * after a cut, after a kill, after a promotion. At the end all hold the same.
 *
 * Thread: any.
 * Owns: the seeds.
 * Never: looks inside a server.
 */
import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { info, linked, onStage, PAIRS, PATIENCE_MS, sameData, until, Writer } from './stage.ts'

setDefaultTimeout(PATIENCE_MS)

describe.each(PAIRS)('%s and its replica %s', (primaryKind, replicaKind) => {
  test.concurrent('a whole data set, and what is written meanwhile', () =>
    onStage(async (stage) => {
      const primary = await stage.start(primaryKind)
      const writer = await Writer.begin(primary, 1)
      await Bun.sleep(300)
      const replica = await stage.follow(replicaKind, primary)
      await linked(replica)
      await Bun.sleep(300)
      await writer.stop()
      expect(writer.count).toBeGreaterThan(100)
      await sameData(primary, replica)
    }))

  test.concurrent('goes on where a cut link ended', () =>
    onStage(async (stage) => {
      const primary = await stage.start(primaryKind)
      const replica = await stage.follow(replicaKind, primary)
      await linked(replica)
      const writer = await Writer.begin(primary, 2)
      const client = await primary.connect()
      for (let cut = 1; cut <= 3; cut++) {
        await Bun.sleep(100)
        await client.call('CLIENT KILL TYPE replica')
        await until('partial syncs', () => info(client, 'sync_partial_ok'), String(cut))
      }
      await writer.stop()
      await sameData(primary, replica)
      expect(await info(client, 'sync_full')).toBe('1')
    }))

  test.concurrent('a batch, and what waits for a load, may be longer than the backlog', () =>
    onStage(async (stage) => {
      const primary = await stage.start(primaryKind, ['--repl-backlog-size', '16384'])
      const client = await primary.connect()
      const value = 'x'.repeat(5000)
      const write = async () => {
        for (let i = 0; i < 40; i++) client.send(['APPEND', `k${i % 7}`, value])
        for (let i = 0; i < 40; i++) await client.next()
      }
      await write()
      const replica = await stage.start(replicaKind, ['--replicaof', `127.0.0.1 ${primary.port}`])
      for (let round = 0; round < 10; round++) await write()
      await linked(replica)
      await write()
      await sameData(primary, replica)
      expect(await info(client, 'sync_full')).toBe('1')
    }))

  test.concurrent('gets everything again when too much was written meanwhile', () =>
    onStage(async (stage) => {
      const primary = await stage.start(primaryKind, ['--repl-backlog-size', '16384'])
      const replica = await stage.follow(replicaKind, primary)
      await linked(replica)
      const [master, follower] = [await primary.connect(), await replica.connect()]
      await follower.call('REPLICAOF NO ONE')
      await follower.call('SET only:here 1')
      for (let i = 0; i < 20; i++) await master.call(['SET', `k${i}`, 'x'.repeat(4000)])
      await follower.call(`REPLICAOF 127.0.0.1 ${primary.port}`)
      await until('the link', () => info(follower, 'master_link_status'), 'up')
      expect(await info(master, 'sync_full')).toBe('2')
      await sameData(primary, replica)
      expect(await follower.ask('EXISTS only:here')).toBe(':0')
    }))

  test.concurrent('a replica is promoted, and its primary follows it without a new copy', () =>
    onStage(async (stage) => {
      const primary = await stage.start(primaryKind)
      const replica = await stage.follow(replicaKind, primary)
      await linked(replica)
      const writer = await Writer.begin(primary, 3)
      await Bun.sleep(200)
      await writer.stop()
      await sameData(primary, replica)
      const [former, promoted] = [await primary.connect(), await replica.connect()]
      await promoted.call('REPLICAOF NO ONE')
      const second = await Writer.begin(replica, 4)
      await former.call(`REPLICAOF 127.0.0.1 ${replica.port}`)
      await until('the link', () => info(former, 'master_link_status'), 'up')
      await Bun.sleep(100)
      await second.stop()
      await sameData(replica, primary)
      expect(await info(promoted, 'sync_partial_ok')).toBe('1')
      expect(await info(promoted, 'sync_full')).toBe('0')
    }))

  test.concurrent('a replica that was killed comes back', () =>
    onStage(async (stage) => {
      const primary = await stage.start(primaryKind)
      const replica = await stage.follow(replicaKind, primary)
      await linked(replica)
      const writer = await Writer.begin(primary, 5)
      await replica.stop('SIGKILL')
      await Bun.sleep(100)
      const again = await stage.follow(replicaKind, primary)
      await linked(again)
      await writer.stop()
      await sameData(primary, again)
    }))

  test.concurrent('a primary that was killed comes back empty, and its replica with it', () =>
    onStage(async (stage) => {
      const primary = await stage.start(primaryKind)
      const replica = await stage.follow(replicaKind, primary)
      await linked(replica)
      const client = await primary.connect()
      await client.call('SET k v')
      await sameData(primary, replica)
      await primary.stop('SIGKILL')
      const follower = await replica.connect()
      await until('the link', () => info(follower, 'master_link_status'), 'down')
      expect(await follower.text('GET k')).toBe('v')
      const again = await stage.start(primaryKind, [], primary.port)
      await until('the link', () => info(follower, 'master_link_status'), 'up')
      await sameData(again, replica)
      expect(await follower.ask('DBSIZE')).toBe(':0')
    }))

  test.concurrent('a primary that ended in order goes on with its replicas without a new copy', () =>
    onStage(async (stage) => {
      // A PING after the file is written would put the replica ahead of it.
      const primary = await stage.start(primaryKind, ['--repl-ping-replica-period', '3600'])
      const replica = await stage.follow(replicaKind, primary)
      await linked(replica)
      const client = await primary.connect()
      await client.call('SET k v')
      await sameData(primary, replica)
      await client.call('SAVE')
      const again = await stage.again(primaryKind, primary)
      const follower = await replica.connect()
      await until('the link', () => info(follower, 'master_link_status'), 'up')
      const next = await again.connect()
      await until('partial syncs', () => info(next, 'sync_partial_ok'), '1')
      await next.call('SET k w')
      await sameData(again, replica)
      expect(await follower.text('GET k')).toBe('w')
    }))
})
