/**
 * Peers that do not read: they wait for themselves, up to their limit.
 *
 * Thread: any.
 * Owns: one server process.
 * Never: waits for the peer.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { encodeRequest } from '../support/argv.ts'
import { Client } from '../support/client.ts'
import { type RunningServer, startRedbun } from '../support/server.ts'

const VALUE_SIZE = 1_000_000
let server: RunningServer
let control: Client

beforeAll(async () => {
  server = await startRedbun()
  control = await server.connect()
  await control.call(['SET', 'large', 'x'.repeat(VALUE_SIZE)])
})
afterAll(() => server.stop())

const gets = (count: number) =>
  Buffer.concat(
    Array<Buffer>(count).fill(encodeRequest([Buffer.from('GET'), Buffer.from('large')])),
  )

/** A client that has asked and does not read. */
async function reluctant(count: number): Promise<Client> {
  const client = await Client.connect(server.address)
  client.pause()
  client.write(gets(count))
  await client.flushed()
  return client
}

async function outputOf(name: string): Promise<number> {
  const list = await control.text('CLIENT LIST')
  const line = list.split('\n').find((one) => one.includes(`name=${name} `)) ?? ''
  return Number(/ omem=(\d+)/.exec(line)?.[1] ?? -1)
}

test('a peer that does not read holds up nobody, and gets everything in the end', async () => {
  const slow = await reluctant(60)
  const started = performance.now()
  for (let i = 0; i < 200; i++) expect(await control.ask('PING')).toBe('+PONG')
  expect(performance.now() - started).toBeLessThan(5000)
  slow.resume()
  for (let i = 0; i < 60; i++) expect((await slow.next()).bytes?.length).toBe(VALUE_SIZE)
  slow.terminate()
}, 60_000)

test('CLIENT LIST tells what waits for a peer', async () => {
  const slow = await Client.connect(server.address)
  await slow.call('CLIENT SETNAME slow')
  slow.pause()
  slow.write(gets(40))
  await slow.flushed()
  await Bun.sleep(200)
  expect(await outputOf('slow')).toBeGreaterThan(10 * VALUE_SIZE)
  slow.terminate()
})

test('a peer past the hard limit is closed, and the log says so', async () => {
  await control.call('CONFIG SET client-output-buffer-limit "normal 2000000 0 0"')
  const slow = await reluctant(60)
  await server.logged('closed for overcoming of output buffer limits')
  slow.resume()
  const received = Promise.race([slow.ended.then(() => true), Bun.sleep(5000).then(() => false)])
  expect(await received).toBe(true)
  expect(slow.bytesReceived).toBeLessThan(60 * VALUE_SIZE)
  await control.call('CONFIG SET client-output-buffer-limit "normal 0 0 0"')
})

test('a peer past the soft limit for too long is closed', async () => {
  await control.call('CONFIG SET client-output-buffer-limit "normal 0 1000000 1"')
  const slow = await reluctant(40)
  const started = performance.now()
  slow.resume()
  slow.pause()
  await server.logged(/(closed for overcoming of output buffer limits[\s\S]*){2}/, 6000)
  expect(performance.now() - started).toBeGreaterThan(900)
  slow.terminate()
  await control.call('CONFIG SET client-output-buffer-limit "normal 0 0 0"')
}, 20_000)
