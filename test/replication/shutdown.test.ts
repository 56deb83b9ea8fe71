/**
 * The end of a primary waits for its replicas, but not for ever.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: looks inside a server.
 */
import { expect, test } from 'bun:test'
import { info, linked, onStage, until } from './stage.ts'

test('a primary that is told to end lets a replica that is slow catch up', () =>
  onStage(async (stage) => {
    const primary = await stage.start('redbun')
    const replica = await stage.follow('redbun', primary)
    await linked(replica)
    const [client, other] = [await primary.connect(), await replica.connect()]
    await client.call('SET k 1')
    await until('the replica', () => other.ask('GET k'), '$1')
    replica.child.kill('SIGSTOP')
    await client.call('INCR k')
    primary.child.kill('SIGTERM')
    await primary.logged('User requested shutdown...')
    expect(Number(await info(client, 'shutdown_in_milliseconds'))).toBeGreaterThan(0)
    replica.child.kill('SIGCONT')
    expect(await primary.child.exited).toBe(0)
    expect(primary.log).toContain('1 of 1 replicas are in sync when shutting down.')
    await until('the replica', () => other.ask('GET k'), '$2')
  }))

test('it ends without one that never answers, and says so', () =>
  onStage(async (stage) => {
    const primary = await stage.start('redbun')
    const replica = await stage.follow('redbun', primary)
    await linked(replica)
    const client = await primary.connect()
    await client.call('CONFIG SET shutdown-timeout 1')
    replica.child.kill('SIGSTOP')
    await client.call('SET k 1')
    client.send('SHUTDOWN NOSAVE')
    expect(await primary.child.exited).toBe(0)
    expect(primary.log).toContain('0 of 1 replicas are in sync when shutting down.')
    expect(primary.log).toMatch(
      /Lagging replica 127\.0\.0\.1:\d+ reported offset \d+ behind master/,
    )
    replica.child.kill('SIGCONT')
  }))

test('it goes on when the end is taken back', () =>
  onStage(async (stage) => {
    const primary = await stage.start('redbun')
    const replica = await stage.follow('redbun', primary)
    await linked(replica)
    const [client, waiting] = [await primary.connect(), await primary.connect()]
    replica.child.kill('SIGSTOP')
    await client.call('SET k 1')
    waiting.send('SHUTDOWN')
    await primary.logged('User requested shutdown...')
    expect(await info(client, 'blocked_clients')).toBe('1')
    expect(await client.ask('SHUTDOWN ABORT')).toBe('+OK')
    expect((await waiting.next()).bytes?.toString()).toContain('Errors trying to SHUTDOWN')
    expect(await client.ask('SET k 2')).toBe('+OK')
    replica.child.kill('SIGCONT')
  }))
