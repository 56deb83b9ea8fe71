/**
 * Messages to many connections: in the ring, and all the way to their connections.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: opens a socket.
 */
import { describe, expect, test } from 'bun:test'
import { createBridgeMemory, REPLY_HEAD, REPLY_TAIL } from '../../../src/bridge/memory.ts'
import { HEADER_SIZE, HEADER_WORDS, KIND_BROADCAST } from '../../../src/bridge/message.ts'
import { RingReader } from '../../../src/bridge/ring.ts'
import { BROADCAST_CONNECTION_COUNT, BROADCAST_SIZE } from '../../../src/config/limits.ts'
import { Recipients } from '../../../src/core/engine/broadcasts.ts'
import { CoreLink } from '../../../src/core/engine/link.ts'
import { Outbox } from '../../../src/core/engine/outbox.ts'
import { Random } from '../../../src/lib/random.ts'
import { encodeRequest } from '../../support/argv.ts'
import { type InProcessClient, InProcessServer } from '../../support/in-process.ts'
import { notation } from '../../support/reply.ts'

interface Sent {
  readonly ids: number[]
  readonly text: string
}

/** An outbox with one link, and what has come to the other end of it. */
function outboxWithEnd() {
  const memory = createBridgeMemory(1, 4096, 16 * 1024 * 1024, 16).links[0]
  const link = new CoreLink(0, memory)
  const words = new Int32Array(memory.words)
  const ring = new RingReader(memory.replies, words, REPLY_HEAD, REPLY_TAIL)
  const outbox = new Outbox([link])
  const sent = (): Sent[] => {
    outbox.flush()
    const records: Sent[] = []
    for (let offset = ring.peek(); offset >= 0; offset = ring.peek()) {
      const word = offset >> 2
      expect(ring.words[word + 1]).toBe(KIND_BROADCAST)
      const count = ring.words[word + 2]
      const ids = Array.from(ring.words.subarray(word + HEADER_WORDS, word + HEADER_WORDS + count))
      const at = offset + HEADER_SIZE + count * 4
      records.push({ ids, text: ring.bytes.toString('latin1', at, at + ring.words[word + 3]) })
      ring.advance(ring.words[word])
    }
    ring.release()
    return records
  }
  const to = (...ids: readonly number[]) => new Recipients(link, Int32Array.from(ids))
  const broadcast = (recipients: Recipients, text: string) =>
    outbox.broadcast(recipients, Buffer.from(text, 'latin1'), text.length)
  return { sent, to, broadcast }
}

describe('broadcasts in the ring', () => {
  test('messages of one batch to the same connections are one record', () => {
    const { sent, to, broadcast } = outboxWithEnd()
    const both = to(1, 2)
    broadcast(both, 'a')
    broadcast(both, 'b')
    broadcast(to(1, 2), 'c')
    broadcast(to(1), 'd')
    broadcast(both, 'e')
    expect(sent()).toEqual([
      { ids: [1, 2], text: 'abc' },
      { ids: [1], text: 'd' },
      { ids: [1, 2], text: 'e' },
    ])
    expect(sent()).toEqual([])
  })

  test('more bytes than are gathered go on in another record', () => {
    const { sent, to, broadcast } = outboxWithEnd()
    const piece = 'x'.repeat(BROADCAST_SIZE / 2)
    const all = to(7)
    for (let i = 0; i < 5; i++) broadcast(all, piece)
    expect(sent().map(({ text }) => text.length)).toEqual([
      BROADCAST_SIZE,
      BROADCAST_SIZE,
      BROADCAST_SIZE / 2,
    ])
  })

  test('a message longer than a record comes in pieces, after what was there before', () => {
    const { sent, to, broadcast } = outboxWithEnd()
    const long = Array.from({ length: 50_000 }, (_, i) => String(i)).join(' ')
    const all = to(3, 4)
    broadcast(all, 'before ')
    broadcast(all, long)
    broadcast(all, ' after')
    const records = sent()
    expect(records.length).toBeGreaterThan(4)
    expect(records.every(({ ids }) => ids.join() === '3,4')).toBe(true)
    expect(records.map(({ text }) => text).join('')).toBe(`before ${long} after`)
  })

  test('a long list of connections is cut, and each gets every byte once and in order', () => {
    const { sent, to, broadcast } = outboxWithEnd()
    const ids = Array.from({ length: 2 * BROADCAST_CONNECTION_COUNT + 5 }, (_, i) => i * 3)
    const long = 'y'.repeat(2 * BROADCAST_SIZE) + 'z'.repeat(10)
    broadcast(to(...ids), long)
    const byId = new Map<number, string>()
    const records = sent()
    expect(records).toHaveLength(9)
    for (const record of records) {
      expect(record.ids.length).toBeLessThanOrEqual(BROADCAST_CONNECTION_COUNT)
      for (const id of record.ids) byId.set(id, (byId.get(id) ?? '') + record.text)
    }
    expect([...byId.keys()]).toEqual(ids)
    expect(new Set(byId.values())).toEqual(new Set([long]))
  })
})

/** What a client should get, in the notation of replies. */
interface Listener {
  readonly client: InProcessClient
  readonly isResp3: boolean
  readonly channels: Set<string>
  readonly patterns: Set<string>
  readonly expected: string[]
}

const CHANNELS = ['aa', 'ab', 'ba', 'bb']
const PATTERNS = ['*', 'a*', '?b', 'bb']
const STEP_COUNT = 400

function matching(pattern: string, channel: string): boolean {
  return new RegExp(`^${pattern.replace('*', '.*').replace('?', '.')}$`).test(channel)
}

describe('broadcasts beside a model', () => {
  for (const seed of [1, 2, 3, 4]) {
    test(`everybody gets everything in order, seed ${seed}`, () => playRandomly(seed))
  }
})

/** Random subscriptions and pipelines of messages, sent by listeners too. */
function playRandomly(seed: number): void {
  const random = new Random(seed)
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]
  const server = new InProcessServer()
  const listeners = Array.from({ length: 12 }, (_, i) => listen(server, i % 2 === 0))
  const publisher = listen(server, true)
  let patternOrder: string[] = []
  for (let step = 0; step < STEP_COUNT; step++) {
    const listener = pick(listeners)
    if (random.below(3) === 0) changeSubscription(listener, random, pick)
    // Patterns are looked at in the order in which somebody first listened to them.
    const inUse = new Set(listeners.flatMap(({ patterns }) => [...patterns]))
    patternOrder = patternOrder.filter((pattern) => inUse.has(pattern))
    patternOrder.push(...[...inUse].filter((pattern) => !patternOrder.includes(pattern)))
    // Whoever speaks RESP2 and listens may not publish.
    const sender = listener.isResp3 && random.below(2) === 0 ? listener : publisher
    const requests: Buffer[] = []
    for (let i = random.below(6); i >= 0; i--) {
      const channel = pick(CHANNELS)
      const size = random.below(20) === 0 ? 100_000 : random.below(30)
      const text = `${step}.${i}.${'m'.repeat(size)}`
      requests.push(request('PUBLISH', channel, text))
      const count = publish(listeners, patternOrder, channel, text)
      sender.expected.push(`:${count}`)
    }
    sender.client.write(Buffer.concat(requests))
  }
  for (const { client, expected } of [...listeners, publisher]) {
    const got: string[] = []
    while (client.unread > 0) got.push(notation(client.next(0)))
    expect(got.length).toBe(expected.length)
    const wrong = got.findIndex((text, i) => text !== expected[i])
    expect(wrong < 0 ? '' : `${wrong}: ${got[wrong]} for ${expected[wrong]}`).toBe('')
  }
}

function listen(server: InProcessServer, isResp3: boolean): Listener {
  const client = server.connect()
  if (isResp3) {
    client.write(request('HELLO', '3'))
    client.next(0)
  }
  return { client, isResp3, channels: new Set(), patterns: new Set(), expected: [] }
}

function changeSubscription(
  listener: Listener,
  random: Random,
  pick: <T>(list: readonly T[]) => T,
): void {
  const isPattern = random.below(2) === 0
  const mine = isPattern ? listener.patterns : listener.channels
  const name = pick(isPattern ? PATTERNS : CHANNELS)
  const leaves = mine.has(name)
  if (leaves) mine.delete(name)
  else mine.add(name)
  const word = `${isPattern ? 'p' : ''}${leaves ? 'un' : ''}subscribe`
  listener.client.write(request(word, name))
  const count = listener.channels.size + listener.patterns.size
  listener.expected.push(`${listener.isResp3 ? '>' : '*'}3 $${word} $${name} :${count}`)
}

/** Adds the message to what its listeners expect: first of the channel, then of the patterns. */
function publish(
  listeners: readonly Listener[],
  patternOrder: readonly string[],
  channel: string,
  text: string,
): number {
  let count = 0
  for (const { isResp3, channels, patterns, expected } of listeners) {
    const sign = isResp3 ? '>' : '*'
    if (channels.has(channel)) {
      expected.push(`${sign}3 $message $${channel} $${text}`)
      count++
    }
    for (const pattern of patternOrder) {
      if (!patterns.has(pattern) || !matching(pattern, channel)) continue
      expected.push(`${sign}4 $pmessage $${pattern} $${channel} $${text}`)
      count++
    }
  }
  return count
}

function request(...words: readonly string[]): Buffer {
  return encodeRequest(words.map((word) => Buffer.from(word)))
}
