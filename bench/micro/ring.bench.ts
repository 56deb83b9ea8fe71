/**
 * The ring between threads: what a record costs, alone and with a reader beside.
 *
 *   one thread:   claim ─▶ write ─▶ commit ─▶ publish ─▶ peek ─▶ advance ─▶ release
 *   two threads:  producer ──ring of 2 MiB──▶ consumer (a Worker), both sleep when they have nothing
 *
 * Goals: nanoseconds a record of 64 bytes, by how many are published at once; and up to which length a
 * loop over words copies unaligned bytes faster than `Buffer.copy`.
 * Non-goals: what records mean.
 *
 * `bun bench/micro/ring.bench.ts`; BENCH_SMOKE=1 sends few records, silently.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: prints a number of records that did not arrive in order.
 */
import {
  type BridgeMemory,
  CORE_PARKED,
  createBridgeMemory,
  IO_PARKED,
  REQUEST_HEAD,
  REQUEST_TAIL,
} from '../../src/bridge/memory.ts'
import { RingReader, RingWriter } from '../../src/bridge/ring.ts'
import { park, sleep, unpark, wake } from '../../src/bridge/wake.ts'
import { spreadOf } from '../statistics.ts'
import { finish, IS_SMOKE, measure, say, verify } from './measure.ts'

const RECORD_SIZE = 64
const RECORD_COUNT = IS_SMOKE ? 20_000 : 2_000_000
const ROUND_COUNT = IS_SMOKE ? 1 : 7
const BATCHES = [1, 16, 64]
const SLEEP_MS = 100

/** In the Worker: itself. */
declare const self: Worker

interface Order {
  readonly memory: BridgeMemory
  readonly recordCount: number
}

/** Consumes that many records. Gives how many batches it saw. Throws: an Error for one out of order. */
function consume({ memory, recordCount }: Order): number {
  const link = memory.links[0]
  const control = new Int32Array(link.words)
  const shared = new Int32Array(memory.process)
  const ring = new RingReader(link.requests, control, REQUEST_HEAD, REQUEST_TAIL)
  let batches = 0
  for (let next = 0; next < recordCount; ) {
    let offset = ring.peek()
    if (offset < 0) {
      park(shared, CORE_PARKED)
      if (ring.isEmpty()) sleep(shared, CORE_PARKED, SLEEP_MS)
      else unpark(shared, CORE_PARKED)
      continue
    }
    batches++
    for (; offset >= 0; offset = ring.peek()) {
      verify('a record', ring.words[(offset >> 2) + 1], next++)
      ring.advance(RECORD_SIZE)
    }
    ring.release()
    wake(control, IO_PARKED)
  }
  return batches
}

function produce({ memory, recordCount }: Order, batch: number): void {
  const link = memory.links[0]
  const control = new Int32Array(link.words)
  const shared = new Int32Array(memory.process)
  const ring = new RingWriter(link.requests, control, REQUEST_HEAD, REQUEST_TAIL)
  for (let next = 0; next < recordCount; next++) {
    let offset = ring.claim(RECORD_SIZE)
    while (offset < 0) {
      ring.publish()
      wake(shared, CORE_PARKED)
      park(control, IO_PARKED)
      offset = ring.claim(RECORD_SIZE)
      if (offset < 0) sleep(control, IO_PARKED, SLEEP_MS)
      else unpark(control, IO_PARKED)
      if (offset < 0) offset = ring.claim(RECORD_SIZE)
    }
    ring.words[offset >> 2] = RECORD_SIZE
    ring.words[(offset >> 2) + 1] = next
    ring.commit(RECORD_SIZE)
    if (next % batch !== batch - 1 && next !== recordCount - 1) continue
    ring.publish()
    wake(shared, CORE_PARKED)
  }
}

async function betweenThreads(batch: number): Promise<void> {
  const nsPerRecord: number[] = []
  const batchSizes: number[] = []
  const worker = new Worker(import.meta.url)
  const reply = () => {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    worker.onmessage = ({ data }) => resolve(data)
    worker.onerror = ({ message }) => reject(new Error(message))
    return promise
  }
  // The first round is for the compiler.
  for (let round = -1; round < ROUND_COUNT; round++) {
    const memory = createBridgeMemory(1, 2 * 1024 * 1024, 4096, 1)
    const order = { memory, recordCount: RECORD_COUNT }
    const ended = reply()
    const startMs = performance.now()
    worker.postMessage(order)
    produce(order, batch)
    const batches = await ended
    if (round < 0) continue
    nsPerRecord.push(((performance.now() - startMs) * 1e6) / RECORD_COUNT)
    batchSizes.push(RECORD_COUNT / batches)
  }
  worker.terminate()
  const { median, min, max } = spreadOf(nsPerRecord)
  say(
    `one producer, one consumer, ${batch} at once: ${median.toFixed(0)} ns a record ` +
      `(${min.toFixed(0)}–${max.toFixed(0)}), ${(1e9 / median / 1e6).toFixed(1)} M a second, ` +
      `read in batches of ${spreadOf(batchSizes).median.toFixed(0)}`,
  )
}

function oneThread(batch: number): void {
  const memory = createBridgeMemory(1, 64 * 1024, 4096, 1)
  const link = memory.links[0]
  const control = new Int32Array(link.words)
  const writer = new RingWriter(link.requests, control, REQUEST_HEAD, REQUEST_TAIL)
  const reader = new RingReader(link.requests, control, REQUEST_HEAD, REQUEST_TAIL)
  const sum = (batch * (batch - 1)) / 2
  measure(`one thread: ${batch} records through and released`, sum, () => {
    for (let i = 0; i < batch; i++) {
      const offset = writer.claim(RECORD_SIZE)
      writer.words[offset >> 2] = RECORD_SIZE
      writer.words[(offset >> 2) + 1] = i
      writer.commit(RECORD_SIZE)
    }
    writer.publish()
    let seen = 0
    for (let offset = reader.peek(); offset >= 0; offset = reader.peek()) {
      seen += reader.words[(offset >> 2) + 1]
      reader.advance(RECORD_SIZE)
    }
    reader.release()
    return seen
  })
}

/** From any alignment to whole words, as io copies arguments into the ring. */
function copies(length: number): void {
  const source = Buffer.from(Array.from({ length: length + 8 }, (_, i) => i & 255))
  const memory = new SharedArrayBuffer(length + 8)
  const bytes = Buffer.from(memory)
  const words = new Int32Array(memory)
  const start = 3
  const expected = source.readInt32LE(start) ^ source.readInt32LE(start + length - 4)
  const checksum = () => words[0] ^ words[(length >> 2) - 1]
  measure(`copy ${length} bytes by words`, expected, () => {
    let at = start
    let to = 0
    for (const end = start + length; at < end; at += 4) {
      words[to++] =
        source[at] | (source[at + 1] << 8) | (source[at + 2] << 16) | (source[at + 3] << 24)
    }
    return checksum()
  })
  measure(`copy ${length} bytes by Buffer.copy`, expected, () => {
    source.copy(bytes, 0, start, start + length)
    return checksum()
  })
}

if (Bun.isMainThread) {
  for (const batch of BATCHES) await betweenThreads(batch)
  for (const batch of BATCHES) oneThread(batch)
  for (const length of [16, 24, 32, 40, 48, 64]) copies(length)
  await finish()
} else {
  self.onmessage = ({ data }: MessageEvent<Order>) => self.postMessage(consume(data))
}
