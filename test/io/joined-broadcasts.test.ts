/**
 * Joining messages to many connections on the io side.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: opens a socket.
 */
import { describe, expect, test } from 'bun:test'
import { createBridgeMemory, REPLY_HEAD, REPLY_TAIL } from '../../src/bridge/memory.ts'
import { RingReader } from '../../src/bridge/ring.ts'
import { BROADCAST_SIZE } from '../../src/config/limits.ts'
import { Recipients } from '../../src/core/engine/broadcasts.ts'
import { CoreLink } from '../../src/core/engine/link.ts'
import { Outbox } from '../../src/core/engine/outbox.ts'
import { Session } from '../../src/core/engine/session.ts'
import { Connection, type ConnectionSocket } from '../../src/io/connection.ts'
import { Connections } from '../../src/io/connections.ts'
import { Delivery } from '../../src/io/delivery.ts'
import { Random } from '../../src/lib/random.ts'

const OWNER = { countWrite() {}, countSent() {}, outputGrew() {}, outputShrank() {} }
const INFO = { address: '', localAddress: '', fd: 0, tls: false, unix: false, loopback: true }

/** A core's outbox and io's delivery, with connections that remember each write. */
function bothEnds(connectionCount = 3) {
  const memory = createBridgeMemory(1, 4096, 4 * 1024 * 1024, 128).links[0]
  const link = new CoreLink(0, memory)
  const words = new Int32Array(memory.words)
  const connections = new Connections(128)
  const writes: string[][] = []
  const opened = Array.from({ length: connectionCount }, (_, i) => {
    writes[i] = []
    const socket = {
      write(bytes: Buffer, offset: number, length: number): number {
        writes[i].push(bytes.toString('latin1', offset, offset + length))
        return length
      },
    }
    const connection = connections.open(
      socket as unknown as ConnectionSocket,
      (id, itself) => new Connection(OWNER, id, itself),
    )
    if (connection === undefined) throw new Error('no slot')
    return connection
  })
  const ring = new RingReader(memory.replies, words, REPLY_HEAD, REPLY_TAIL)
  const delivery = new Delivery(ring, words, connections, { control() {}, dial() {}, held() {} })
  const outbox = new Outbox([link])
  const sessions = opened.map(({ id }) => new Session(id, link, id, INFO, 0))
  /** One record for each call, as each ends a batch. */
  const broadcast = (to: readonly number[], text: string) => {
    const ids = Int32Array.from(to.map((i) => opened[i].id))
    outbox.broadcast(new Recipients(link, ids), Buffer.from(text, 'latin1'), text.length)
    outbox.flush()
  }
  const reply = (to: number, text: string) => {
    outbox.select(sessions[to])
    outbox.reply.raw(text)
    outbox.flush()
  }
  return { connections, opened, writes, delivery, broadcast, reply }
}

describe('messages that follow each other', () => {
  test('are one write for each connection when they are for the same', () => {
    const { writes, delivery, broadcast, reply } = bothEnds()
    broadcast([0, 1], 'a')
    reply(2, 'r')
    broadcast([0, 1], 'b')
    broadcast([0, 1], 'c')
    broadcast([1], 'd')
    expect(delivery.deliver()).toBe(true)
    expect(writes).toEqual([['abc'], ['abc', 'd'], ['r']])
    expect(delivery.deliver()).toBe(false)
  })

  test('keep their place among the replies to the same connection', () => {
    const { writes, delivery, broadcast, reply } = bothEnds()
    broadcast([0, 1], 'a')
    reply(0, 'r')
    broadcast([0, 1], 'b')
    reply(0, 's')
    delivery.deliver()
    expect(writes).toEqual([['a', 'r', 'b', 's'], ['a', 'b'], []])
  })

  test('are not joined beyond what is kept, and nothing is lost', () => {
    const { writes, delivery, broadcast } = bothEnds()
    const half = 'x'.repeat(BROADCAST_SIZE / 2)
    for (let i = 0; i < 5; i++) broadcast([0, 2], half)
    delivery.deliver()
    for (const list of [writes[0], writes[2]]) expect(list.join('')).toBe(half.repeat(5))
    expect(writes[0].length).toBeLessThan(5)
  })

  test('reach nobody who has come to the slot of one that is gone', () => {
    const { connections, opened, writes, delivery, broadcast } = bothEnds()
    connections.close(opened[1])
    broadcast([0, 1, 2], 'a')
    delivery.deliver()
    expect(writes).toEqual([['a'], [], ['a']])
  })

  test('wait behind replies while requests are read', () => {
    const { writes, delivery, broadcast, reply } = bothEnds()
    reply(0, 'r')
    broadcast([0, 1], 'a')
    reply(0, 's')
    delivery.deliverReplies()
    expect(writes).toEqual([['r'], [], []])
    delivery.deliverReplies()
    expect(writes).toEqual([['r'], [], []])
    delivery.deliver()
    expect(writes).toEqual([['r', 'a', 's'], ['a'], []])
  })
})

describe('messages to many', () => {
  const COUNT = 100
  const all = Array.from({ length: COUNT }, (_, i) => i)

  test('are written by parts, and what comes meanwhile joins what waits', () => {
    const { writes, delivery, broadcast } = bothEnds(COUNT)
    broadcast(all, 'a')
    delivery.deliver()
    const served = writes.filter((list) => list.length > 0).length
    expect(served).toBeGreaterThan(0)
    expect(served).toBeLessThan(COUNT)
    broadcast(all, 'b')
    while (delivery.deliver() || delivery.hasBroadcasts);
    const [early, late] = [writes.slice(0, served), writes.slice(served)]
    expect(early).toEqual(early.map(() => ['a', 'b']))
    expect(late).toEqual(late.map(() => ['ab']))
  })

  test('keep their place before a reply to one for whom they wait', () => {
    const { writes, delivery, broadcast, reply } = bothEnds(COUNT)
    broadcast(all, 'a')
    delivery.deliver()
    reply(COUNT - 1, 'r')
    delivery.deliverReplies()
    expect(writes[COUNT - 1]).toEqual(['a', 'r'])
  })

  test('reach all when nobody waits any more', () => {
    const { writes, delivery, broadcast } = bothEnds(COUNT)
    broadcast(all, 'a')
    delivery.deliver()
    delivery.writeBroadcasts()
    expect(delivery.hasBroadcasts).toBe(false)
    expect(writes).toEqual(all.map(() => ['a']))
  })

  test('all arrive in order, whatever comes between', () => {
    const random = new Random(3)
    const { writes, delivery, broadcast, reply } = bothEnds(COUNT)
    const expected = all.map(() => '')
    const even = all.filter((i) => i % 2 === 0)
    for (let number = 0; number < 3000; number++) {
      const chance = random.below(20)
      if (chance < 12) {
        const to = chance < 10 ? all : even
        const text = `m${number};${'x'.repeat(random.below(200))}`
        broadcast(to, text)
        for (const i of to) expected[i] += text
      } else if (chance === 12) {
        const to = random.below(COUNT)
        reply(to, `r${number};`)
        expected[to] += `r${number};`
      } else if (chance < 16) {
        delivery.deliverReplies()
      } else {
        delivery.deliver()
      }
    }
    while (delivery.deliver() || delivery.hasBroadcasts);
    expect(writes.map((list) => list.join(''))).toEqual(expected)
  })
})
