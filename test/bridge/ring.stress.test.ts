/**
 * Two threads and a ring: everything written is read, in order, whatever wraps, fills or sleeps.
 *
 * Thread: any.
 * Owns: one Worker, started once.
 * Never: waits without a limit.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { RingReader, RingWriter } from '../../src/bridge/ring.ts'
import { LoopWaiter, park, sleep, unpark, wake } from '../../src/bridge/wake.ts'
import { Dice } from '../conformance/dice.ts'
import {
  CONTROL_WORDS,
  HEAD,
  type PeerOrder,
  PING,
  PONG,
  READER_PARKED,
  recordSize,
  SLEEP_MS,
  STALLS,
  TAIL,
  WRITER_PARKED,
} from './ring-plan.ts'

const RING_SIZE = 4096
const SEED = 77 + Number(process.env['REDBUN_SEED'] ?? 0)
const peer = new Worker(new URL('./ring-peer.ts', import.meta.url).href)
const held: SharedArrayBuffer[] = []

afterAll(() => peer.terminate())

function shared(size: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(size)
  held.push(memory)
  return memory
}

function order(task: PeerOrder['task'], count: number): PeerOrder {
  const made: PeerOrder = {
    task,
    control: shared(CONTROL_WORDS * 4),
    ring: shared(RING_SIZE),
    seed: SEED,
    count,
  }
  peer.postMessage(made)
  return made
}

describe('ring', () => {
  test(`what one thread writes another reads, a thousand times around (seed ${SEED})`, () => {
    const count = 20_000
    const { control, ring } = order('write', count)
    const words = new Int32Array(control)
    const reader = new RingReader(ring, words, HEAD, TAIL)
    const dice = new Dice(SEED)
    const pace = new Dice(SEED + 1)
    let bytes = 0
    for (let number = 0; number < count; number++) {
      let offset = reader.peek()
      while (offset < 0) {
        reader.release()
        wake(words, WRITER_PARKED)
        park(words, READER_PARKED)
        offset = reader.peek()
        if (offset >= 0) unpark(words, READER_PARKED)
        else sleepOnce(words)
        if (offset < 0) offset = reader.peek()
      }
      const size = recordSize(dice, RING_SIZE)
      // The writer throws the same dice once more for its batches.
      dice.next()
      const first = offset >> 2
      expectWord(reader.words[first], size, number)
      for (let word = 1; word < size >> 2; word++) {
        expectWord(reader.words[first + word], number + word, number)
      }
      reader.advance(size)
      bytes += size
      if (pace.chance(20)) {
        reader.release()
        wake(words, WRITER_PARKED)
      }
    }
    expect(reader.peek()).toBe(-1)
    expect(bytes / RING_SIZE).toBeGreaterThan(1000)
    expect(Atomics.load(words, STALLS)).toBe(0)
  }, 60_000)

  test('a reader that is gone stops the writer and keeps what it has not read', () => {
    const words = new Int32Array(shared(CONTROL_WORDS * 4))
    const memory = shared(RING_SIZE)
    const writer = new RingWriter(memory, words, HEAD, TAIL)
    let count = 0
    for (; ; count++) {
      const offset = writer.claim(24)
      if (offset < 0) break
      writer.words[offset >> 2] = count
      writer.commit(24)
    }
    writer.publish()
    expect(count).toBe(Math.floor(RING_SIZE / 24))
    for (let tries = 0; tries < 1000; tries++) expect(writer.claim(24)).toBe(-1)
    const reader = new RingReader(memory, words, HEAD, TAIL)
    for (let number = 0; number < count; number++) {
      expect(reader.words[reader.peek() >> 2]).toBe(number)
      reader.advance(24)
    }
    expect(reader.peek()).toBe(-1)
    expect(writer.claim(24)).toBe(-1)
    reader.release()
    expect(writer.claim(24)).toBeGreaterThanOrEqual(0)
  })

  test('what is not published is not seen', () => {
    const words = new Int32Array(shared(CONTROL_WORDS * 4))
    const memory = shared(RING_SIZE)
    const writer = new RingWriter(memory, words, HEAD, TAIL)
    const reader = new RingReader(memory, words, HEAD, TAIL)
    writer.claim(64)
    writer.commit(64)
    expect(reader.peek()).toBe(-1)
    expect(reader.isEmpty()).toBe(true)
    expect(writer.publish()).toBe(true)
    expect(writer.publish()).toBe(false)
    expect(reader.peek()).toBe(0)
  })

  test('positions go on beyond 32 bits', () => {
    const words = new Int32Array(shared(CONTROL_WORDS * 4))
    // Near the greatest 32-bit number, so that both wrap to negative ones.
    const start = 0x7fffffff - (RING_SIZE - 1)
    words[HEAD] = start
    words[TAIL] = start
    const memory = shared(RING_SIZE)
    const writer = new RingWriter(memory, words, HEAD, TAIL)
    const reader = new RingReader(memory, words, HEAD, TAIL)
    for (let number = 0; number < 1000; number++) {
      const offset = writer.claim(40)
      expect(offset).toBeGreaterThanOrEqual(0)
      writer.words[offset >> 2] = number
      writer.commit(40)
      writer.publish()
      expect(reader.words[reader.peek() >> 2]).toBe(number)
      reader.advance(40)
      reader.release()
    }
    expect(words[HEAD]).toBeLessThan(0)
  })
})

describe('waking', () => {
  test('no wake-up is lost between a thread that sleeps and an event loop', async () => {
    const count = 20_000
    const { control } = order('answer', count)
    const words = new Int32Array(control)
    const done = Promise.withResolvers<void>()
    let sent = 0
    const send = () => {
      sent++
      Atomics.store(words, PING, sent)
      wake(words, WRITER_PARKED)
    }
    const look = () => {
      do {
        if (Atomics.load(words, PONG) === sent) {
          if (sent === count) return done.resolve()
          send()
        }
      } while (!waiter.park() || Atomics.load(words, PONG) === sent)
    }
    const waiter = new LoopWaiter(words, READER_PARKED, look)
    let seen = -1
    const watch = setInterval(() => {
      if (sent === seen) done.reject(new Error(`no answer to ping ${sent} for ${SLEEP_MS} ms`))
      seen = sent
    }, SLEEP_MS)
    send()
    look()
    await done.promise
    clearInterval(watch)
    expect(Atomics.load(words, STALLS)).toBe(0)
  }, 60_000)
})

function expectWord(found: number, wanted: number, number: number): void {
  if (found !== wanted) throw new Error(`record ${number}: found ${found} where ${wanted} was`)
}

function sleepOnce(words: Int32Array): void {
  const before = performance.now()
  sleep(words, READER_PARKED, SLEEP_MS)
  if (performance.now() - before >= SLEEP_MS) throw new Error('a wake-up of the reader was lost')
}
