/**
 * Messages to many connections, from outside: several io threads, slow and vanishing subscribers.
 *
 * Thread: any.
 * Owns: the servers it starts.
 * Never: looks inside.
 */
import { describe, expect, test } from 'bun:test'
import type { Client } from '../support/client.ts'
import { notation } from '../support/reply.ts'
import { type RunningServer, startRedbun } from '../support/server.ts'

const SUBSCRIBER_COUNT = 300
const MESSAGE_COUNT = 200

async function subscribers(server: RunningServer, count: number): Promise<Client[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => server.connect()))
  await Promise.all(
    clients.map(async (client, i) => {
      const sign = i % 3 === 0 ? '>' : '*'
      if (sign === '>') expect(await client.ask('HELLO 3')).toStartWith('%7')
      expect(await client.ask('SUBSCRIBE all')).toBe(`${sign}3 $subscribe $all :1`)
      const own = `own:${i}`
      expect(await client.ask(`SUBSCRIBE ${own}`)).toBe(`${sign}3 $subscribe $${own} :2`)
    }),
  )
  return clients
}

async function expectMessages(client: Client, i: number, from: number, to: number): Promise<void> {
  const sign = i % 3 === 0 ? '>' : '*'
  for (let number = from; number < to; number++) {
    expect(notation(await client.next())).toBe(`${sign}3 $message $all $${number}`)
    if (number % SUBSCRIBER_COUNT !== i) continue
    expect(notation(await client.next())).toBe(`${sign}3 $message $own:${i} $${number}`)
  }
}

/** Each message goes to all, and then to one alone. */
function publish(publisher: Client, from: number, to: number): void {
  let requests = ''
  for (let number = from; number < to; number++) {
    requests += `PUBLISH all ${number}\r\nPUBLISH own:${number % SUBSCRIBER_COUNT} ${number}\r\n`
  }
  publisher.write(requests)
}

describe('many subscribers', () => {
  for (const threads of ['1', '3']) {
    test(`all get everything in order with io-threads ${threads}`, async () => {
      const server = await startRedbun({ args: ['--io-threads', threads] })
      const clients = await subscribers(server, SUBSCRIBER_COUNT)
      const publisher = await server.connect()
      publish(publisher, 0, MESSAGE_COUNT)
      for (let i = 0; i < MESSAGE_COUNT; i++) {
        expect(notation(await publisher.next())).toBe(`:${SUBSCRIBER_COUNT}`)
        expect(notation(await publisher.next())).toBe(':1')
      }
      await Promise.all(clients.map((client, i) => expectMessages(client, i, 0, MESSAGE_COUNT)))

      // Every other one goes; who comes in their place gets nothing that was meant for them.
      publish(publisher, MESSAGE_COUNT, 2 * MESSAGE_COUNT)
      for (let i = 0; i < SUBSCRIBER_COUNT; i += 2) clients[i].terminate()
      const late = await Promise.all(Array.from({ length: 50 }, () => server.connect()))
      for (const client of late) expect(await client.ask('PING')).toBe('+PONG')
      for (let i = 0; i < 2 * MESSAGE_COUNT; i++) expect((await publisher.next()).kind).toBe(':')
      await Promise.all(
        clients.map((client, i) =>
          i % 2 === 0
            ? Promise.resolve()
            : expectMessages(client, i, MESSAGE_COUNT, 2 * MESSAGE_COUNT),
        ),
      )
      expect(await publisher.ask('PUBSUB NUMSUB all')).toBe(`*2 $all :${SUBSCRIBER_COUNT / 2}`)
      for (const client of late) expect(client.unread).toBe(0)
      expect(await server.stop()).toBe(0)
    }, 60_000)
  }

  test('one that does not read is closed at the limit of its class, the others go on', async () => {
    const server = await startRedbun({
      args: ['--client-output-buffer-limit', 'pubsub 4mb 0 0'],
    })
    const slow = await server.connect()
    const quick = await server.connect()
    const publisher = await server.connect()
    expect(await slow.ask('SUBSCRIBE all')).toBe('*3 $subscribe $all :1')
    expect(await quick.ask('PSUBSCRIBE a*')).toBe('*3 $psubscribe $a* :1')
    slow.pause()
    const message = Buffer.alloc(1024 * 1024, 'm')
    let count = 2
    for (let i = 0; i < 40 && count === 2; i++) {
      count = Number((await publisher.call(['PUBLISH', 'all', message])).bytes)
      expect((await quick.next()).items?.[3].bytes?.equals(message)).toBe(true)
    }
    expect(count).toBe(1)
    expect(await publisher.ask('PUBSUB NUMSUB all')).toBe('*2 $all :0')
    expect(await publisher.text('INFO clients')).toContain('connected_clients:2')
    await server.logged('closed for overcoming of output buffer limits')
    // The limit was that of subscribers: a client that left may be slow again.
    expect(await quick.ask('PUNSUBSCRIBE')).toBe('*3 $punsubscribe $a* :0')
    expect(await publisher.ask(['SET', 'big', Buffer.alloc(8 * 1024 * 1024)])).toBe('+OK')
    quick.pause()
    quick.send('GET big')
    await Bun.sleep(200)
    quick.resume()
    expect((await quick.next()).bytes?.length).toBe(8 * 1024 * 1024)
    expect(await server.stop()).toBe(0)
  }, 60_000)

  test('those of many that do not read are closed, and the others get everything', async () => {
    const server = await startRedbun({
      args: ['--io-threads', '3', '--client-output-buffer-limit', 'pubsub 1mb 0 0'],
    })
    const total = 24
    const clients = await subscribers(server, total)
    const isSlow = (i: number) => i % 4 === 1
    const slow = clients.filter((_, i) => isSlow(i))
    for (const client of slow) client.pause()
    const publisher = await server.connect()
    const text = 'm'.repeat(128 * 1024)
    const wanted = total - slow.length
    let sent = 0
    for (let count = total; count > wanted && sent < 2000; sent++) {
      count = Number((await publisher.call(['PUBLISH', 'all', `${sent}:${text}`])).bytes)
    }
    expect(await publisher.ask('PUBSUB NUMSUB all')).toBe(`*2 $all :${wanted}`)
    for (const [i, client] of clients.entries()) {
      if (isSlow(i)) continue
      for (let number = 0; number < sent; number++) {
        const bytes = (await client.next()).items?.[2].bytes ?? Buffer.alloc(0)
        if (!bytes.equals(Buffer.from(`${number}:${text}`))) throw new Error(`${i}: ${number}`)
      }
    }
    expect(await publisher.text('INFO clients')).toContain(`connected_clients:${wanted + 1}\r`)
    expect(await server.stop()).toBe(0)
  }, 60_000)

  test('keyspace events reach who listens when a key expires by itself', async () => {
    const server = await startRedbun({ args: ['--notify-keyspace-events', 'Ex'] })
    const client = await server.connect()
    const writer = await server.connect()
    expect(await client.ask('PSUBSCRIBE __keyevent@*__:expired')).toStartWith('*3 $psubscribe')
    expect(await writer.ask('SET soon gone PX 30')).toBe('+OK')
    expect(notation(await client.next())).toBe(
      '*4 $pmessage $__keyevent@*__:expired $__keyevent@0__:expired $soon',
    )
    expect(await server.stop()).toBe(0)
  })
})
