/**
 * Messages to many connections that follow each other in the ring, joined as long as they are for
 * the same connections: one write for each connection takes them all.
 *
 * Writing to many takes long: to a thousand, five milliseconds. So it is done by parts, between which
 * requests are read and answered, and what is published meanwhile joins what waits. Each connection
 * gets all that there is for it when its turn comes:
 *
 *     | m m m | m m |            bytes, in the order they were made
 *             ^ of the connections served before the last two came
 *     ^ of those that are next
 *
 * MEASURED: bench/pubsub.ts, 100 subscribers, 1 publisher: twice the deliveries a second of writing to
 * all at once, since one write takes several messages.
 *
 * Thread: io. Hot path.
 * Owns: the bytes of messages that were joined; a single one stays in the ring until `keep`.
 * Never: lets anything else to a connection go before what waits for it: see `awaitsBroadcast`.
 */
import { HEADER_WORDS } from '../bridge/message.ts'
import type { RingReader } from '../bridge/ring.ts'
import {
  BROADCAST_CONNECTION_COUNT,
  BROADCAST_PART_MIN,
  BROADCAST_PART_SHIFT,
  BROADCAST_SIZE,
} from '../config/limits.ts'
import type { Connection } from './connection.ts'
import type { Connections } from './connections.ts'

const NOTHING = Buffer.alloc(0)

export class JoinedBroadcasts {
  readonly #ids = new Int32Array(BROADCAST_CONNECTION_COUNT)
  #count = 0
  /** Those of them that are still there, and how many of the bytes each has got. */
  readonly #connections: Connection[] = []
  readonly #sentSizes = new Int32Array(BROADCAST_CONNECTION_COUNT)
  /** Who is next, and how many have not got all. */
  #next = 0
  #waitingCount = 0
  readonly #joined = Buffer.allocUnsafe(BROADCAST_SIZE)
  /** Where the bytes are: in the ring, or in `#joined`. */
  #bytes: Buffer = NOTHING
  #offset = 0
  #size = 0

  /** Something waits for somebody. */
  get isWaiting(): boolean {
    return this.#size > 0
  }

  /** Takes the record at `word`; what is there for others is sent before. */
  add(ring: RingReader, word: number, connections: Connections): void {
    const { words, bytes } = ring
    const count = words[word + 2]
    const size = words[word + 3]
    const ids = word + HEADER_WORDS
    const at = (ids + count) << 2
    if (this.#size > 0) {
      if (this.#size + size <= BROADCAST_SIZE && this.#isFor(words, ids, count)) {
        this.#join(bytes, at, size)
        return
      }
      this.send()
    }
    this.#count = count
    this.#bytes = bytes
    this.#offset = at
    this.#size = size
    for (let i = 0; i < count; i++) {
      this.#ids[i] = words[ids + i]
      const connection = connections.find(words[ids + i])
      if (connection === undefined) continue
      connection.awaitsBroadcast = true
      this.#sentSizes[this.#connections.length] = 0
      this.#connections.push(connection)
    }
    this.#waitingCount = this.#connections.length
    if (this.#waitingCount === 0) this.#end()
  }

  /** Writes what is there, to all. */
  send(): void {
    while (this.#size > 0) this.#sendNext()
  }

  /** Writes what is there to some of those for whom it is. */
  sendPart(): void {
    const part = this.#connections.length >> BROADCAST_PART_SHIFT
    for (let left = Math.max(part, BROADCAST_PART_MIN); left > 0 && this.#size > 0; left--) {
      this.#sendNext()
    }
  }

  /** The ring is about to be released. */
  keep(): void {
    if (this.#size === 0 || this.#bytes === this.#joined) return
    this.#bytes.copy(this.#joined, 0, this.#offset, this.#offset + this.#size)
    this.#bytes = this.#joined
    this.#offset = 0
  }

  #sendNext(): void {
    const connections = this.#connections
    const sentSizes = this.#sentSizes
    const size = this.#size
    let next = this.#next
    while (sentSizes[next] === size) next = next + 1 === connections.length ? 0 : next + 1
    const connection = connections[next]
    const sent = sentSizes[next]
    sentSizes[next] = size
    this.#next = next + 1 === connections.length ? 0 : next + 1
    connection.awaitsBroadcast = false
    connection.send(this.#bytes, this.#offset + sent, size - sent)
    if (--this.#waitingCount === 0) this.#end()
  }

  #end(): void {
    this.#connections.length = 0
    this.#next = 0
    this.#size = 0
    this.#bytes = NOTHING
  }

  #join(bytes: Buffer, at: number, size: number): void {
    this.keep()
    bytes.copy(this.#joined, this.#size, at, at + size)
    this.#size += size
    const connections = this.#connections
    for (let i = 0; i < connections.length; i++) connections[i].awaitsBroadcast = true
    this.#waitingCount = connections.length
  }

  #isFor(words: Int32Array, ids: number, count: number): boolean {
    if (count !== this.#count) return false
    for (let i = 0; i < count; i++) if (words[ids + i] !== this.#ids[i]) return false
    return true
  }
}
