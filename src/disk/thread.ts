/**
 * The disk thread: takes the core's records in order and gives each to its job. A job that reads
 * goes on, step by step, as long as the core makes room for what was read.
 *
 * It lives in its event loop, so that a job may leave a slow call (fdatasync) to the runtime's own
 * threads. It never waits for the core: what finds no room in the ring is kept, or not yet read. So
 * the core may wait for it at any time.
 *
 * Thread: disk.
 * Owns: the jobs in progress.
 * Never: waits for the core, opens a file itself.
 */
import { decode, encode } from '@msgpack/msgpack'
import { CoreFollower } from '../bridge/core-follower.ts'
import type { FromDisk, ToDisk } from '../bridge/disk-control.ts'
import {
  AOF_SYNCED,
  type BridgeMemory,
  CORE_PARKED,
  CORE_ROOM_WANTED,
  DISK_PARKED,
  DISK_ROOM_WANTED,
  FROM_DISK_HEAD,
  FROM_DISK_TAIL,
  TO_DISK_HEAD,
  TO_DISK_TAIL,
} from '../bridge/memory.ts'
import { HEADER_SIZE, HEADER_WORDS, KIND_CONTROL, KIND_JOB_BYTES } from '../bridge/message.ts'
import { RingReader, RingWriter } from '../bridge/ring.ts'
import { LoopWaiter, publishNumber, raiseFlag, takeFlag, unpark, wake } from '../bridge/wake.ts'
import { assert } from '../lib/assert.ts'
import { DiskError } from './files.ts'
import type { Job, ToCore, Voice } from './job.ts'
import { startJob } from './jobs.ts'

/** Bytes of records taken before their room is given back, and other jobs have a step. */
const RELEASE_SIZE = 256 * 1024
/** How long it works before it looks at the event loop, where calls left to the runtime end. */
const AWAY_MS_MAX = 5
/** Steps of jobs that read, before the core's records are looked at again. */
const STEPS_PER_TURN = 16

export class DiskThread {
  readonly #process: Int32Array
  readonly #words: Int32Array
  readonly #in: RingReader
  readonly #out: RingWriter
  readonly #jobs = new Map<number, Job>()
  /** Messages that found no room. */
  readonly #kept: { readonly job: number; readonly payload: Uint8Array }[] = []
  readonly #waiter: LoopWaiter
  readonly #follower: CoreFollower
  /** Jobs that do not last. */
  #passingCount = 0
  /** Something found no room in this turn. */
  #roomWanted = false
  #isStopped = false
  readonly #goOn = () => this.run()

  readonly #voice: Voice

  constructor(memory: BridgeMemory, voice: Voice) {
    const { disk } = memory
    this.#voice = voice
    this.#process = new Int32Array(memory.process)
    // Beside a core that has settled it writes sooner than behind io and the client.
    this.#follower = new CoreFollower(this.#process, false)
    this.#words = new Int32Array(disk.words)
    this.#in = new RingReader(disk.toDisk, this.#words, TO_DISK_HEAD, TO_DISK_TAIL)
    this.#out = new RingWriter(disk.fromDisk, this.#words, FROM_DISK_HEAD, FROM_DISK_TAIL)
    this.#waiter = new LoopWaiter(this.#words, DISK_PARKED, () => this.run())
  }

  /**
   * Works until there is nothing to do, then sleeps in the event loop. A save may give it something
   * to do for minutes: then it looks there in between.
   */
  run(): void {
    if (this.#isStopped) return
    const untilMs = performance.now() + AWAY_MS_MAX
    for (;;) {
      this.#follower.follow(this.#passingCount === 0)
      while (this.turn()) {
        if (performance.now() < untilMs) continue
        setImmediate(this.#goOn)
        return
      }
      const parked = this.#waiter.park()
      const roomCame = this.#roomWanted && this.#out.roomGrew()
      if (parked && this.#in.isEmpty() && !roomCame) return
      unpark(this.#words, DISK_PARKED)
    }
  }

  /** Lets go of all files: the core has ended, and waits for nothing more. */
  stop(): void {
    this.#isStopped = true
    this.#waiter.stop()
    for (const id of [...this.#jobs.keys()]) this.#end(id)
    this.#follower.release()
  }

  /** Takes what has come and lets jobs go on. True when there was something to do. */
  turn(): boolean {
    this.#roomWanted = false
    let busy = this.#take()
    this.#sendKept()
    for (let i = 0; i < STEPS_PER_TURN && this.#step(); i++) busy = true
    this.publish()
    return busy
  }

  /** Makes what was written visible to the core: at the end of a turn, and from late callbacks. */
  publish(): void {
    if (this.#out.publish()) wake(this.#process, CORE_PARKED)
  }

  /**
   * Takes what has come, but not more than RELEASE_SIZE: while a save sends without end, what clients
   * wait for would never be synced.
   */
  #take(): boolean {
    const ring = this.#in
    let offset = ring.peek()
    if (offset < 0) return false
    for (; offset >= 0 && ring.heldBytes() <= RELEASE_SIZE; offset = ring.peek()) {
      const word = offset >> 2
      this.#record(ring.words[word + 1], ring.words[word + 2], offset, ring.words[word + 3])
      ring.advance(ring.words[word])
    }
    this.#release()
    return true
  }

  /** Gives ring space back, and tells the core if it waits for it. */
  #release(): void {
    this.#in.release()
    if (takeFlag(this.#words, DISK_ROOM_WANTED)) wake(this.#process, CORE_PARKED)
  }

  #record(kind: number, id: number, offset: number, size: number): void {
    const { bytes, words } = this.#in
    const at = offset + HEADER_SIZE
    if (kind === KIND_CONTROL) {
      const message = decode(bytes.subarray(at, at + size)) as ToDisk
      const job = this.#jobs.get(id)
      if (job !== undefined) this.#guard(id, () => job.told(message))
      else this.#guard(id, () => this.#begin(id, message))
      return
    }
    assert(kind === KIND_JOB_BYTES, `record kind ${kind} from the core`)
    const job = this.#jobs.get(id)
    // A job that has failed: the core has not heard of it yet.
    if (job === undefined) return
    this.#guard(id, () => job.bytes(bytes, words, at, size))
  }

  #begin(id: number, message: ToDisk): void {
    const job = startJob(message, this.#wayBack(id))
    if (job === undefined) return
    this.#jobs.set(id, job)
    if (!job.isLasting) this.#passingCount++
  }

  /** Lets every job do one step. True when one of them has more to do. */
  #step(): boolean {
    let more = false
    for (const [id, job] of this.#jobs) {
      this.#guard(id, () => {
        if (job.step()) more = true
      })
    }
    return more
  }

  /** What the system refuses ends the job; what is our own fault ends the process. */
  #guard(id: number, act: () => void): void {
    try {
      act()
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#tell(id, { type: 'failed', problem: error.problem })
    }
  }

  #wayBack(id: number): ToCore {
    const ring = this.#out
    let claimed = 0
    return {
      voice: this.#voice,
      tell: (message) => this.#tell(id, message),
      claim: (size) => {
        claimed = this.#claim(HEADER_SIZE + size)
        return claimed < 0 ? -1 : claimed + HEADER_SIZE
      },
      publish: () => this.publish(),
      synced: (position) => {
        publishNumber(this.#words, AOF_SYNCED, position | 0)
        wake(this.#process, CORE_PARKED)
      },
      commit: (size) => this.#commit(claimed, KIND_JOB_BYTES, id, size),
      ringBytes: ring.bytes,
      ringWords: ring.words,
    }
  }

  #tell(id: number, message: FromDisk): void {
    if (message.type === 'done' || message.type === 'failed') this.#end(id)
    this.#kept.push({ job: id, payload: encode(message) })
    this.#sendKept()
  }

  #end(id: number): void {
    const job = this.#jobs.get(id)
    if (job === undefined) return
    this.#jobs.delete(id)
    if (!job.isLasting) this.#passingCount--
    job.close()
  }

  #sendKept(): void {
    while (this.#kept.length > 0) {
      const { job, payload } = this.#kept[0]
      const offset = this.#claim(HEADER_SIZE + payload.length)
      if (offset < 0) return
      this.#out.bytes.set(payload, offset + HEADER_SIZE)
      this.#commit(offset, KIND_CONTROL, job, payload.length)
      this.#kept.shift()
    }
  }

  #claim(size: number): number {
    const offset = this.#out.claim(size)
    if (offset >= 0) return offset
    // Say that room is wanted, then look once more: the core may have made it meanwhile.
    this.#roomWanted = true
    this.publish()
    raiseFlag(this.#words, CORE_ROOM_WANTED)
    return this.#out.claim(size)
  }

  #commit(offset: number, kind: number, job: number, payloadSize: number): void {
    const { words } = this.#out
    const word = offset >> 2
    const size = (HEADER_WORDS * 4 + payloadSize + 7) & ~7
    words[word] = size
    words[word + 1] = kind
    words[word + 2] = job
    words[word + 3] = payloadSize
    this.#out.commit(size)
  }
}
