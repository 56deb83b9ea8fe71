/**
 * Requests as they come over sockets: many at once, in pieces, broken, or from clients that leave.
 *
 * Thread: any.
 * Owns: one server process.
 * Never: depends on how fast the machine is.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Dice } from '../conformance/dice.ts'
import { encodeRequest } from '../support/argv.ts'
import { Client } from '../support/client.ts'
import { InProcessServer } from '../support/in-process.ts'
import { notation } from '../support/reply.ts'
import { type RunningServer, startRedbun } from '../support/server.ts'

let server: RunningServer

beforeAll(async () => {
  server = await startRedbun()
})
afterAll(() => server.stop())

const bytesOf = (...words: readonly string[]) =>
  encodeRequest(words.map((word) => Buffer.from(word, 'latin1')))

/** Every shape of request, and what they are answered. */
const MIXED = Buffer.concat([
  bytesOf('SET', 'key', 'v\r\n\x00\xff'),
  Buffer.from('PING\r\n'),
  bytesOf('GET', 'key'),
  bytesOf('ECHO', ''),
  Buffer.from('  echo "a b\\x41"   \r\n\r\n'),
  Buffer.from('*0\r\n*-1\r\n'),
  bytesOf('DEL', 'key', 'none', 'x'.repeat(70)),
])
const MIXED_REPLIES = ['+OK', '+PONG', '$"v\\r\\n\\x00\\xff"', '$""', '$a bA', ':1']

describe('a stream of requests', () => {
  test('10 000 requests in one write are answered in order', async () => {
    const client = await server.connect()
    const count = 10_000
    const parts: Buffer[] = []
    for (let i = 0; i < count; i++) parts.push(bytesOf('ECHO', `message ${i}`))
    client.write(Buffer.concat(parts))
    for (let i = 0; i < count; i++) expect(notation(await client.next())).toBe(`$message ${i}`)
    expect(client.unread).toBe(0)
  })

  test('that waited behind a long call meets no key that has expired meanwhile', async () => {
    const [sleeper, reader] = [await server.connect(), await server.connect()]
    for (let attempt = 0; attempt < 3; attempt++) {
      await reader.ask('SET brief x PX 100')
      sleeper.send('DEBUG SLEEP 0.2')
      await Bun.sleep(30)
      expect(await reader.ask('GET brief')).toBe('(nil)')
      await sleeper.next()
    }
    await reader.ask('SET brief x PX 100')
    reader.write(Buffer.concat([bytesOf('DEBUG', 'SLEEP', '0.2'), bytesOf('GET', 'brief')]))
    expect([notation(await reader.next()), notation(await reader.next())]).toEqual(['+OK', '(nil)'])
  })

  test('may be cut at every byte', () => {
    const local = new InProcessServer()
    for (let cut = 1; cut < MIXED.length; cut++) {
      const client = local.connect()
      client.write(MIXED.subarray(0, cut))
      client.write(MIXED.subarray(cut))
      const replies = MIXED_REPLIES.map(() => notation(client.next(0)))
      expect([cut, ...replies]).toEqual([cut, ...MIXED_REPLIES])
      expect(client.unread).toBe(0)
      client.close()
    }
  })

  test('may come in pieces of seeded sizes', () => {
    const local = new InProcessServer()
    const stream = Buffer.concat(Array<Buffer>(20).fill(MIXED))
    for (let seed = 1; seed <= 50; seed++) {
      const dice = new Dice(seed)
      const client = local.connect()
      for (let at = 0; at < stream.length; ) {
        const size = 1 + dice.below(dice.chance(50) ? 4 : 200)
        client.write(stream.subarray(at, at + size))
        at += size
      }
      for (let i = 0; i < 20; i++) {
        expect(MIXED_REPLIES.map(() => notation(client.next(0)))).toEqual(MIXED_REPLIES)
      }
      client.close()
    }
  })

  test('may come byte by byte over a socket', async () => {
    const client = await server.connect()
    for (const byte of MIXED) {
      client.write(Buffer.of(byte))
      await Bun.sleep(0)
    }
    for (const expected of MIXED_REPLIES) expect(notation(await client.next())).toBe(expected)
  })

  test('is answered to its end when the client stops sending', async () => {
    const client = await server.connect()
    const count = 5000
    client.write(Buffer.concat(Array<Buffer>(count).fill(bytesOf('PING', 'x'.repeat(100)))))
    await client.flushed()
    client.shutdown()
    for (let i = 0; i < count; i++) expect((await client.next()).bytes?.length).toBe(100)
    await client.ended
  })
})

describe('garbage', () => {
  test('is answered with an error and ends the connection, and no other', async () => {
    const bystander = await server.connect()
    for (const garbage of [
      '*x\r\n',
      '*1\r\nx\r\n',
      '*1\r\n$x\r\n',
      '*1\r\n$-1\r\n',
      '*2147483648\r\n',
    ]) {
      const client = await server.connect()
      client.write(garbage)
      expect(notation(await client.next())).toStartWith('-ERR Protocol error')
      await client.ended
    }
    expect(await bystander.ask('PING')).toBe('+PONG')
  })

  test('of any bytes harms nobody', async () => {
    const bystander = await server.connect()
    for (let seed = 1; seed <= 60; seed++) {
      const dice = new Dice(seed)
      const client = await server.connect()
      client.write(Buffer.from(Array.from({ length: 2000 }, () => dice.below(256))))
      client.write('\r\n')
      await client.flushed()
      client.close()
    }
    expect(await bystander.ask('PING')).toBe('+PONG')
  })
})

describe('a client that leaves', () => {
  async function clientCount(): Promise<number> {
    const control = await server.connect()
    const list = await control.text('CLIENT LIST')
    control.terminate()
    return list.trim().split('\n').length
  }

  test('in the middle of a request is forgotten', async () => {
    const before = await clientCount()
    const whole = bytesOf('SET', 'half', 'x'.repeat(1000))
    for (let i = 0; i < 50; i++) {
      const client = await Client.connect(server.address)
      client.write(whole.subarray(0, 1 + ((i * 37) % (whole.length - 1))))
      await client.flushed()
      if (i % 2 === 0) client.terminate()
      else client.close()
    }
    await Bun.sleep(100)
    expect(await clientCount()).toBe(before)
    const client = await server.connect()
    expect(await client.ask('EXISTS half')).toBe(':0')
  })

  test('in the middle of a huge request leaves no memory behind', async () => {
    const control = await server.connect()
    for (let i = 0; i < 20; i++) {
      const client = await Client.connect(server.address)
      client.write(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${64 * 1024 * 1024}\r\n`)
      client.write(Buffer.alloc(300_000, 'x'))
      await client.flushed()
      client.terminate()
    }
    await Bun.sleep(100)
    expect(await control.ask('EXISTS k')).toBe(':0')
    expect(await control.ask('PING')).toBe('+PONG')
  })

  test('in the middle of a reply harms nobody', async () => {
    const control = await server.connect()
    await control.call(['SET', 'large', 'y'.repeat(2_000_000)])
    for (let i = 0; i < 20; i++) {
      const client = await Client.connect(server.address)
      client.write(Buffer.concat(Array<Buffer>(5).fill(bytesOf('GET', 'large'))))
      await client.flushed()
      await Bun.sleep(i % 5)
      client.terminate()
    }
    expect((await control.call('GET large')).bytes?.length).toBe(2_000_000)
    expect(await clientCount()).toBeLessThan(60)
  })

  test('does not leave its late reply to a newcomer in its place', async () => {
    const sleeper = await server.connect()
    const leavers = await Promise.all(
      Array.from({ length: 150 }, () => Client.connect(server.address)),
    )
    sleeper.send('DEBUG SLEEP 0.3')
    await Bun.sleep(20)
    for (const leaver of leavers) leaver.send(['ECHO', 'secret'])
    await Promise.all(leavers.map((leaver) => leaver.flushed()))
    await Bun.sleep(20)
    for (const leaver of leavers) leaver.terminate()
    const newcomers = await Promise.all(
      Array.from({ length: 300 }, () => Client.connect(server.address)),
    )
    const answers = newcomers.map((client, i) => client.ask(['ECHO', `newcomer ${i}`]))
    expect(await Promise.all(answers)).toEqual(newcomers.map((_, i) => `$newcomer ${i}`))
    await sleeper.next()
    await Bun.sleep(50)
    expect(newcomers.filter((client) => client.unread > 0 || client.isEnded)).toHaveLength(0)
    for (const client of newcomers) client.terminate()
  })
})
