/**
 * The other thread of the ring and wake tests.
 *
 * Thread: a Worker of the tests.
 * Owns: the writer's end of a ring, or the far end of a ping-pong.
 * Never: waits without a limit.
 */
import { RingWriter } from '../../src/bridge/ring.ts'
import { park, sleep, unpark, wake } from '../../src/bridge/wake.ts'
import { Dice } from '../conformance/dice.ts'
import {
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

declare const self: Worker

self.onmessage = (event: MessageEvent<PeerOrder>) => {
  const order = event.data
  if (order.task === 'write') write(order)
  else answer(order)
}

/** Writes the sequence: records of seeded sizes whose words say their number. */
function write(order: PeerOrder): void {
  const control = new Int32Array(order.control)
  const ring = new RingWriter(order.ring, control, HEAD, TAIL)
  const dice = new Dice(order.seed)
  for (let number = 0; number < order.count; number++) {
    const size = recordSize(dice, ring.capacity)
    let offset = ring.claim(size)
    while (offset < 0) {
      if (ring.publish()) wake(control, READER_PARKED)
      park(control, WRITER_PARKED)
      offset = ring.claim(size)
      if (offset >= 0) unpark(control, WRITER_PARKED)
      else sleepCounting(control, WRITER_PARKED)
      if (offset < 0) offset = ring.claim(size)
    }
    const first = offset >> 2
    ring.words[first] = size
    for (let word = 1; word < size >> 2; word++) ring.words[first + word] = number + word
    ring.commit(size)
    // Batches of seeded length: what is not published must not be seen.
    if (dice.chance(30) && ring.publish()) wake(control, READER_PARKED)
  }
  if (ring.publish()) wake(control, READER_PARKED)
}

/** Sends every ping back, sleeping in between. */
function answer(order: PeerOrder): void {
  const control = new Int32Array(order.control)
  for (let number = 1; number <= order.count; number++) {
    while (Atomics.load(control, PING) < number) {
      park(control, WRITER_PARKED)
      if (Atomics.load(control, PING) >= number) unpark(control, WRITER_PARKED)
      else sleepCounting(control, WRITER_PARKED)
    }
    Atomics.store(control, PONG, number)
    wake(control, READER_PARKED)
  }
}

/** A sleep that ends by its limit is a wake-up lost. */
function sleepCounting(control: Int32Array, index: number): void {
  const before = performance.now()
  sleep(control, index, SLEEP_MS)
  if (performance.now() - before >= SLEEP_MS) Atomics.add(control, STALLS, 1)
}
