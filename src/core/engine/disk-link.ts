/**
 * The core's end of the link to the disk thread: messages and bytes go out, job by job, and what
 * comes back is given to the job's owner.
 *
 * The core seldom waits for the disk thread: when the ring is full, or when a call must not end
 * before a file is whole. While it waits it takes what comes back, and the disk thread never waits
 * for the core, so both rings may be full and both go on.
 *
 * Thread: core.
 * Owns: the numbers of jobs, and who has asked for each.
 * Never: knows what a job is about.
 */
import { decode, encode } from '@msgpack/msgpack'
import type { FromDisk, ToDisk } from '../../bridge/disk-control.ts'
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
} from '../../bridge/memory.ts'
import { HEADER_SIZE, KIND_CONTROL, KIND_JOB_BYTES } from '../../bridge/message.ts'
import { RingReader, RingWriter } from '../../bridge/ring.ts'
import { park, raiseFlag, readNumber, sleep, takeFlag, unpark, wake } from '../../bridge/wake.ts'
import {
  DISK_BATCH_COUNT,
  DISK_RECORD_SIZE,
  DISK_WAKE_SIZE,
  RING_WAIT_SLICE_MS,
} from '../../config/limits.ts'

/** Who has asked for a job. */
export interface JobOwner {
  /** The disk thread says something; after 'done' and 'failed' the job is over. */
  told(message: FromDisk): void
  /** `size` bytes at `offset`, a multiple of 8; gone after the call. */
  /** True when it wants no further bytes for now: they, and what follows them, wait in the ring. */
  isFull?(): boolean
  bytes?(bytes: Buffer, words: Int32Array, offset: number, size: number): void
}

export class DiskLink {
  readonly out: RingWriter
  readonly #process: Int32Array
  readonly #words: Int32Array
  readonly #in: RingReader
  readonly #owners = new Map<number, JobOwner>()
  readonly #startThread: () => void
  #started: boolean
  #nextJob = 1
  #taking = false
  /** Something is published, and the disk thread was not woken for it. */
  #mayDoze = false
  readonly #later: (() => void)[] = []
  /** Called before anything else is written and before it is published: ends an open record. */
  settle: () => void = () => undefined
  /** What `wait` does; in tests, where one thread plays both: lets the other side work. */
  idle: () => void = () => this.#sleep()

  /** `startThread` is called before the first message, unless the thread runs already. */
  constructor(memory: BridgeMemory, running: boolean, startThread: () => void) {
    const { disk } = memory
    this.#process = new Int32Array(memory.process)
    this.#words = new Int32Array(disk.words)
    this.out = new RingWriter(disk.toDisk, this.#words, TO_DISK_HEAD, TO_DISK_TAIL)
    this.#in = new RingReader(disk.fromDisk, this.#words, FROM_DISK_HEAD, FROM_DISK_TAIL)
    this.#started = running
    this.#startThread = startThread
  }

  /** Begins a job; gives its number. */
  begin(message: ToDisk, owner: JobOwner): number {
    if (!this.#started) {
      this.#started = true
      this.#startThread()
    }
    const job = this.#nextJob++
    this.#owners.set(job, owner)
    this.tell(job, message)
    return job
  }

  /** True until the disk thread has said that the job is over. */
  isOpen(job: number): boolean {
    return this.#owners.has(job)
  }

  tell(job: number, message: ToDisk): void {
    const payload = encode(message)
    const offset = this.claim(payload.length)
    this.out.bytes.set(payload, offset)
    this.#commit(KIND_CONTROL, job, offset, payload.length)
    this.publish()
  }

  /** Sends bytes of a job, in as many records as it takes. */
  send(job: number, bytes: Uint8Array, from: number, length: number): void {
    const end = from + length
    for (let at = from; at < end; ) {
      const size = Math.min(end - at, DISK_RECORD_SIZE)
      const offset = this.claim(size)
      if (bytes instanceof Buffer) bytes.copy(this.out.bytes, offset, at, at + size)
      else this.out.bytes.set(bytes.subarray(at, at + size), offset)
      this.commit(job, offset, size)
      at += size
    }
  }

  /**
   * Finds room for `size` bytes of payload, waiting for it if need be: where they may be written in
   * `out.bytes`. A later claim replaces one that was not committed.
   */
  claim(size: number): number {
    this.settle()
    const needed = HEADER_SIZE + size
    let offset = this.out.claim(needed)
    while (offset < 0) {
      this.publish()
      raiseFlag(this.#words, DISK_ROOM_WANTED)
      offset = this.out.claim(needed)
      if (offset < 0) this.wait()
    }
    return offset + HEADER_SIZE
  }

  /** What was written where `claim` said is a record of `size` bytes of the job. */
  commit(job: number, offset: number, size: number): void {
    this.#commit(KIND_JOB_BYTES, job, offset, size)
  }

  /** Makes everything visible to the disk thread, and wakes it. */
  publish(): void {
    this.settle()
    if (!this.out.publish() && !this.#mayDoze) return
    this.#mayDoze = false
    wake(this.#words, DISK_PARKED)
  }

  /**
   * As `publish`, but lets the disk thread sleep on while there is little for it: a wake costs as much
   * as many commands. Whoever offers publishes before it sleeps itself.
   */
  offer(): void {
    this.settle()
    if (this.out.publish()) this.#mayDoze = true
    if (this.#mayDoze && this.pendingBytes >= DISK_WAKE_SIZE) this.publish()
  }

  /** Bytes on their way to the disk thread. */
  get pendingBytes(): number {
    return this.out.pendingBytes()
  }

  /**
   * True while less than this share of the ring is on its way. Otherwise the disk thread wakes the core
   * when it has made room.
   */
  hasRoom(share: number): boolean {
    const most = this.out.capacity * share
    if (this.pendingBytes < most) return true
    this.publish()
    raiseFlag(this.#words, DISK_ROOM_WANTED)
    return this.pendingBytes < most
  }

  /** Up to where the disk holds the append-only file, modulo 2^32. */
  syncedPosition(): number {
    return readNumber(this.#words, AOF_SYNCED)
  }

  /** True when nothing has come that was not taken. */
  isEmpty(): boolean {
    return this.#in.isEmpty()
  }

  /**
   * Takes what has come. True when there was something. An owner that is being told something may
   * send, and so wait for room, but not for a job.
   */
  take(): boolean {
    if (this.#taking) return false
    this.#taking = true
    const some = this.#takeRecords()
    this.#taking = false
    for (let act = this.#later.shift(); act !== undefined; act = this.#later.shift()) act()
    return some
  }

  /** For an owner that is being told something: does it when waiting for a job is possible again. */
  later(act: () => void): void {
    this.#later.push(act)
  }

  #takeRecords(): boolean {
    const ring = this.#in
    let offset = ring.peek()
    if (offset < 0) return false
    for (let i = 0; offset >= 0 && i < DISK_BATCH_COUNT; i++) {
      const word = offset >> 2
      const size = ring.words[word]
      if (this.#owners.get(ring.words[word + 2])?.isFull?.() === true) break
      this.#record(offset)
      ring.advance(size)
      offset = ring.peek()
    }
    ring.release()
    if (takeFlag(this.#words, CORE_ROOM_WANTED)) wake(this.#words, DISK_PARKED)
    return true
  }

  /** Waits until something has come from the disk thread, or until it has made room. */
  wait(): void {
    this.publish()
    if (!this.take()) this.idle()
  }

  /** Waits until the job is over. */
  waitFor(job: number): void {
    while (this.isOpen(job)) this.wait()
  }

  #sleep(): void {
    park(this.#process, CORE_PARKED)
    if ((this.#taking || this.#in.isEmpty()) && !this.out.roomGrew()) {
      sleep(this.#process, CORE_PARKED, RING_WAIT_SLICE_MS)
    } else {
      unpark(this.#process, CORE_PARKED)
    }
  }

  #record(offset: number): void {
    const { bytes, words } = this.#in
    const word = offset >> 2
    const job = words[word + 2]
    const size = words[word + 3]
    const at = offset + HEADER_SIZE
    const owner = this.#owners.get(job)
    if (owner === undefined) return
    if (words[word + 1] === KIND_JOB_BYTES) return owner.bytes?.(bytes, words, at, size)
    const message = decode(bytes.subarray(at, at + size)) as FromDisk
    if (message.type === 'done' || message.type === 'failed') this.#owners.delete(job)
    owner.told(message)
  }

  #commit(kind: number, job: number, offset: number, payloadSize: number): void {
    const { words } = this.out
    const word = (offset - HEADER_SIZE) >> 2
    const size = (HEADER_SIZE + payloadSize + 7) & ~7
    words[word] = size
    words[word + 1] = kind
    words[word + 2] = job
    words[word + 3] = payloadSize
    this.out.commit(size)
  }
}
