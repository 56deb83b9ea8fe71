/**
 * Clients that need too much memory, against a running server.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: counts on the exact size of a session.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { argumentsOf, encodeRequest } from '../support/argv.ts'
import type { Client } from '../support/client.ts'
import { notation } from '../support/reply.ts'
import { type RunningServer, startRedbun } from '../support/server.ts'

const PATIENCE_MS = 5000
const MIB = 1024 * 1024

describe('maxmemory-clients', () => {
  let server: RunningServer
  let control: Client

  const ask = async (client: Client, command: string) => {
    client.write(encodeRequest(argumentsOf(command)))
    return notation(await client.next(PATIENCE_MS))
  }
  const until = async (holds: () => boolean | Promise<boolean>) => {
    for (let tries = 0; tries < 300; tries++) {
      if (await holds()) return true
      await Bun.sleep(10)
    }
    return false
  }
  /** A client that has sent a request, so many bytes of it, but for its end: room is made for all. */
  const withInput = async (size: number, name = 'input') => {
    const client = await server.connect()
    await ask(client, `CLIENT SETNAME ${name}`)
    client.write(Buffer.from(`*2\r\n$${size + 100}\r\n${'v'.repeat(size)}`))
    return client
  }
  const arrived = (name: string, size: number) =>
    until(async () => {
      const line = (await ask(control, 'CLIENT LIST'))
        .split('\\n')
        .find((text) => text.includes(`name=${name} `))
      return Number(/tot-mem=(\d+)/.exec(line ?? '')?.[1]) >= size
    })
  const evicted = async () =>
    Number(/evicted_clients:(\d+)/.exec(await ask(control, 'INFO stats'))?.[1])

  beforeAll(async () => {
    server = await startRedbun()
    control = await server.connect()
    expect(await ask(control, 'CLIENT NO-EVICT ON')).toBe('+OK')
  })
  afterAll(async () => {
    await server.stop()
  })

  test('evicts whoever begins a request that is too long', async () => {
    await ask(control, `CONFIG SET maxmemory-clients ${2 * MIB}`)
    const before = await evicted()
    const client = await withInput(3 * MIB)
    expect(await until(() => client.isEnded)).toBeTrue()
    expect(await evicted()).toBe(before + 1)
  })

  test('does not run the request that goes too far', async () => {
    await ask(control, 'CONFIG SET maxmemory-clients 1mb')
    const client = await server.connect()
    expect(await ask(client, 'SET k small')).toBe('+OK')
    client.write(encodeRequest(argumentsOf(`SET k ${'v'.repeat(2 * MIB)}`)))
    expect(await until(() => client.isEnded)).toBeTrue()
    expect(await ask(control, 'STRLEN k')).toBe(':5')
  })

  test('counts what is queued in a transaction', async () => {
    await ask(control, 'CONFIG SET maxmemory-clients 1mb')
    const client = await server.connect()
    expect(await ask(client, 'MULTI')).toBe('+OK')
    for (let i = 0; i < 20 && !client.isEnded; i++) {
      client.write(encodeRequest(argumentsOf(`SET q${i} ${'v'.repeat(100_000)}`)))
    }
    expect(await until(() => client.isEnded)).toBeTrue()
    expect(await ask(control, 'EXISTS q0')).toBe(':0')
  })

  test('leaves those alone that asked for it', async () => {
    await ask(control, 'CONFIG SET maxmemory-clients 1mb')
    const client = await server.connect()
    await ask(client, 'CLIENT NO-EVICT ON')
    await ask(client, 'CLIENT SETNAME stays')
    client.write(Buffer.from(`*2\r\n$${4 * MIB}\r\n${'v'.repeat(2 * MIB)}`))
    expect(await arrived('stays', 2 * MIB)).toBeTrue()
    await Bun.sleep(100)
    expect(client.isEnded).toBeFalse()
    client.terminate()
  })

  test('evicts the largest first, and only until it is enough', async () => {
    await ask(control, 'CONFIG SET maxmemory-clients 0')
    const sizes = [300_000, 1_000_000, 100_000, 3_000_000]
    const clients: Client[] = []
    for (const [i, size] of sizes.entries()) {
      clients.push(await withInput(size, `c${i}`))
      expect(await arrived(`c${i}`, size)).toBeTrue()
    }
    await ask(control, 'CONFIG SET maxmemory-clients 1mb')
    expect(await until(() => clients[1].isEnded && clients[3].isEnded)).toBeTrue()
    await Bun.sleep(50)
    expect(clients.map(({ isEnded }) => isEnded)).toEqual([false, true, false, true])
    for (const client of clients) client.terminate()
  })

  test('looks at what waits for a reader before each call', async () => {
    await ask(control, 'CONFIG SET maxmemory-clients 3000000')
    await ask(control, 'SETRANGE big 200000 v')
    const client = await server.connect()
    await ask(client, 'CLIENT SETNAME idle')
    client.pause()
    let most = 0
    const gone = await until(async () => {
      for (let i = 0; i < 5; i++) client.write(encodeRequest(argumentsOf('GET big')))
      const list = await ask(control, 'CLIENT LIST')
      const size = Number(/name=idle .* tot-mem=(\d+) /.exec(list)?.[1] ?? Number.NaN)
      if (!Number.isNaN(size)) most = Math.max(most, size)
      return Number.isNaN(size)
    })
    expect(gone).toBeTrue()
    expect(most).toBeLessThan(3_000_000)
    client.terminate()
  })

  test('counts the prefixes of a client that tracks', async () => {
    await ask(control, 'CONFIG SET maxmemory-clients 200000')
    const client = await server.connect()
    for (let i = 0; i < 1000 && !client.isEnded; i++) {
      client.write(encodeRequest(argumentsOf(`CLIENT TRACKING ON BCAST PREFIX prefix:${i}:`)))
    }
    expect(await until(() => client.isEnded)).toBeTrue()
    expect(await ask(control, 'INFO stats')).toContain('tracking_total_prefixes:0')
  })

  test('may be a part of maxmemory', async () => {
    await ask(control, 'CONFIG SET maxmemory 20mb maxmemory-clients 10%')
    const small = await withInput(1 * MIB, 'small')
    expect(await arrived('small', MIB)).toBeTrue()
    const large = await withInput(2 * MIB, 'large')
    expect(await until(() => large.isEnded)).toBeTrue()
    expect(small.isEnded).toBeFalse()
    small.terminate()
    await ask(control, 'CONFIG SET maxmemory 0 maxmemory-clients 0')
  })
})
