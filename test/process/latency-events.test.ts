/**
 * Events of LATENCY that no command causes, from a running server.
 *
 * Thread: any.
 * Owns: one server process.
 * Never: counts on a time beyond that of freeing very much.
 */
import { expect, test } from 'bun:test'
import { startRedbun } from '../support/server.ts'

test('the end of a large value is an event', async () => {
  const server = await startRedbun({ args: ['--latency-monitor-threshold', '1'] })
  const client = await server.connect()
  for (let part = 0; part < 100; part++) {
    const members = Array.from({ length: 3000 }, (_, i) => `member:${part}:${i}`)
    await client.call(['SADD', 'large', ...members])
  }
  await client.call('PEXPIRE large 10')
  for (let tries = 0; tries < 500 && (await client.ask('DBSIZE')) !== ':0'; tries++) {
    await Bun.sleep(10)
  }
  expect(await client.ask('LATENCY LATEST')).toContain('$expire-cycle')
  await server.stop()
}, 30_000)
