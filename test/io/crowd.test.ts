/**
 * Many clients at once, in processes of their own, each checking its own answers.
 *
 * Thread: any.
 * Owns: the servers and crowds it starts.
 * Never: opens the crowd's sockets in the test process.
 */
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { type RunningServer, startRedbun } from '../support/server.ts'

const CROWD = join(import.meta.dir, 'crowd.ts')

async function crowd(port: number, clients: number, rounds: number, pipeline: number) {
  const sizes = [port, clients, rounds, pipeline].map(String)
  const child = Bun.spawn([process.execPath, CROWD, ...sizes], { stdout: 'pipe', stderr: 'pipe' })
  const [out, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  await child.exited
  return (out + errors).trim()
}

async function clientIds(server: RunningServer): Promise<string[]> {
  const client = await server.connect()
  const list = await client.text('CLIENT LIST')
  client.terminate()
  return [...list.matchAll(/^id=(\d+)/gm)].map((match) => match[1])
}

describe('a crowd', () => {
  test('of 10 000 connections gets its answers', async () => {
    const server = await startRedbun({ args: ['--maxclients', '11000'] })
    expect(await crowd(server.port, 10_000, 1, 1)).toBe('ok 40000')
    const client = await server.connect()
    expect(await client.ask('PING')).toBe('+PONG')
    await server.stop()
  }, 60_000)

  test('that writes at once, pipelined, gets each its own answers', async () => {
    const server = await startRedbun()
    const crowds = [crowd(server.port, 40, 15, 20), crowd(server.port, 3, 40, 100)]
    expect(await Promise.all(crowds)).toEqual(['ok 48000', 'ok 48000'])
    await server.stop()
  }, 60_000)
})

describe('io-threads 3', () => {
  test('answers in order, listens three times, and is one server', async () => {
    const server = await startRedbun({ args: ['--io-threads', '3'] })
    await server.logged('Ready to accept connections')
    // Each thread has a listener of its own on the port.
    const hexPort = server.port.toString(16).toUpperCase().padStart(4, '0')
    const table = await Bun.file('/proc/net/tcp').text()
    const listeners = table
      .split('\n')
      .filter((line) => line.includes(`:${hexPort} 00000000:0000 0A`))
    expect(listeners).toHaveLength(3)
    expect(await crowd(server.port, 40, 10, 20)).toBe('ok 32000')

    const clients = await Promise.all(Array.from({ length: 30 }, () => server.connect()))
    const ids = await Promise.all(clients.map((client) => client.text('CLIENT ID')))
    expect(new Set(ids).size).toBe(30)
    const listed = await clientIds(server)
    expect(listed.filter((id) => ids.includes(id))).toHaveLength(30)

    // One client kills others, whichever thread they live on.
    for (let i = 1; i < 30; i += 2)
      expect(await clients[0].ask(`CLIENT KILL ID ${ids[i]}`)).toBe(':1')
    await Promise.all(clients.filter((_, i) => i % 2 === 1).map((client) => client.ended))
    for (let i = 0; i < 30; i += 2) expect(await clients[i].ask('PING')).toBe('+PONG')
    expect(await server.stop()).toBe(0)
  }, 60_000)
})
