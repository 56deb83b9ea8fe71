/**
 * Many clients that cache, over several io threads.
 *
 * Thread: any.
 * Owns: one server process.
 * Never: looks inside.
 */
import { expect, test } from 'bun:test'
import { notation } from '../support/reply.ts'
import { startRedbun } from '../support/server.ts'

const CLIENT_COUNT = 60

test('each of many clients is told of what it has read, once', async () => {
  const server = await startRedbun({ args: ['--io-threads', '3'] })
  const clients = await Promise.all(Array.from({ length: CLIENT_COUNT }, () => server.connect()))
  await Promise.all(
    clients.map(async (client, i) => {
      expect(await client.ask('HELLO 3')).toStartWith('%7')
      expect(await client.ask('CLIENT TRACKING ON')).toBe('+OK')
      expect(await client.ask(`MGET all own:${i}`)).toBe('*2 _ _')
    }),
  )
  const writer = await server.connect()
  expect(await writer.text('INFO stats')).toContain(`tracking_total_items:${2 * CLIENT_COUNT}\r`)
  let requests = ''
  for (let i = 0; i < CLIENT_COUNT; i++) requests += `SET own:${i} 1\r\nSET all ${i}\r\n`
  writer.write(requests)
  for (let i = 0; i < 2 * CLIENT_COUNT; i++) expect(notation(await writer.next())).toBe('+OK')
  for (const [i, client] of clients.entries()) {
    const told = [notation(await client.next()), notation(await client.next())]
    expect(told.sort()).toEqual(['>2 $invalidate *1 $all', `>2 $invalidate *1 $own:${i}`])
    expect(await client.ask(`GET own:${i}`)).toBe('$1')
  }
  // Whatever empties the databases makes all caches void.
  expect(await writer.ask('DEBUG RELOAD')).toBe('+OK')
  for (const client of clients) {
    expect(notation(await client.next())).toBe('>2 $invalidate _')
    expect(await client.ask('PING')).toBe('+PONG')
  }
  expect(await writer.text('INFO stats')).toContain('tracking_total_keys:0\r')
  await server.stop()
}, 30_000)
