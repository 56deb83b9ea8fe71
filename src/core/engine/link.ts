/**
 * The core's end of one link: a request ring to read, a reply ring to write, and the sessions whose
 * sockets live at the other end.
 *
 * Thread: core. Hot path.
 * Owns: sessions by connection slot.
 * Never: waits.
 */
import {
  ACTIVE_CONNECTIONS,
  BYTES_IN,
  BYTES_OUT,
  HELD_BYTES,
  type LinkMemory,
  READS,
  REJECTED,
  REPLY_HEAD,
  REPLY_TAIL,
  REQUEST_HEAD,
  REQUEST_TAIL,
  SLOT_INPUT_BYTES,
  SLOT_OUTPUT_BYTES,
  SLOT_SPARE_BYTES,
  SLOT_UNREAD_BYTES,
  SLOT_WORDS,
  WRITES,
} from '../../bridge/memory.ts'
import { connectionSlot } from '../../bridge/message.ts'
import { RingReader, RingWriter } from '../../bridge/ring.ts'
import { readNumber } from '../../bridge/wake.ts'
import type { Session } from './session.ts'

export class CoreLink {
  readonly index: number
  readonly words: Int32Array
  readonly requests: RingReader
  readonly replies: RingWriter
  /** Replies were published, and io was not woken for them. */
  unwoken = false
  readonly #counters: Float64Array
  readonly #slots: Int32Array
  /** By slot. */
  readonly #sessions: (Session | undefined)[] = []

  constructor(index: number, memory: LinkMemory) {
    this.index = index
    this.words = new Int32Array(memory.words)
    this.requests = new RingReader(memory.requests, this.words, REQUEST_HEAD, REQUEST_TAIL)
    this.replies = new RingWriter(memory.replies, this.words, REPLY_HEAD, REPLY_TAIL)
    this.#counters = new Float64Array(memory.counters)
    this.#slots = new Int32Array(memory.slots)
  }

  /** The session of a connection; undefined when it is gone or the id is of an older one. */
  session(connectionId: number): Session | undefined {
    const session = this.#sessions[connectionSlot(connectionId)]
    return session !== undefined && session.connectionId === connectionId ? session : undefined
  }

  add(session: Session): void {
    this.#sessions[connectionSlot(session.connectionId)] = session
  }

  remove(session: Session): void {
    if (this.session(session.connectionId) === session) {
      this.#sessions[connectionSlot(session.connectionId)] = undefined
    }
  }

  /** Bytes that io holds of this session's unfinished request. */
  inputBytes(session: Session): number {
    return this.#slots[connectionSlot(session.connectionId) * SLOT_WORDS + SLOT_INPUT_BYTES]
  }

  /** Bytes that io holds for this session because its peer does not read. */
  outputBytes({ connectionId }: { readonly connectionId: number }): number {
    return this.#slots[connectionSlot(connectionId) * SLOT_WORDS + SLOT_OUTPUT_BYTES]
  }

  /** Of the input, what is not part of an argument read to its end. */
  unreadBytes({ connectionId }: Session): number {
    return this.#slots[connectionSlot(connectionId) * SLOT_WORDS + SLOT_UNREAD_BYTES]
  }

  /** Bytes that io has set aside for this session's input and that hold none. */
  spareBytes({ connectionId }: Session): number {
    return this.#slots[connectionSlot(connectionId) * SLOT_WORDS + SLOT_SPARE_BYTES]
  }

  /** Bytes that io holds for all its connections. */
  get heldBytes(): number {
    return this.#counters[HELD_BYTES]
  }

  get bytesIn(): number {
    return this.#counters[BYTES_IN]
  }

  get bytesOut(): number {
    return this.#counters[BYTES_OUT]
  }

  get rejected(): number {
    return this.#counters[REJECTED]
  }

  get reads(): number {
    return this.#counters[READS]
  }

  get writes(): number {
    return this.#counters[WRITES]
  }

  /** Connections that sent something in the last few milliseconds. */
  get active(): number {
    return readNumber(this.words, ACTIVE_CONNECTIONS)
  }
}
