/**
 * Messages to many connections that follow each other in the ring, joined as long as they are for
 * the same connections: one write for each connection takes them all.
 *
 * Thread: io. Hot path.
 * Owns: the bytes of messages that were joined; a single one stays in the ring.
 * Never: keeps anything beyond the next release of the ring.
 */
import { HEADER_WORDS } from '../bridge/message.ts'
import type { RingReader } from '../bridge/ring.ts'
import { BROADCAST_CONNECTION_COUNT, BROADCAST_SIZE } from '../config/limits.ts'
import type { Connection } from './connection.ts'
import type { Connections } from './connections.ts'

const NOTHING = Buffer.alloc(0)

export class JoinedBroadcasts {
  readonly #ids = new Int32Array(BROADCAST_CONNECTION_COUNT)
  #count = 0
  /** Those of them that are still there. */
  readonly #connections: Connection[] = []
  readonly #joined = Buffer.allocUnsafe(BROADCAST_SIZE)
  /** Where the bytes are: in the ring, or in `#joined`. */
  #bytes: Buffer = NOTHING
  #offset = 0
  #size = 0

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
      this.#connections.push(connection)
    }
  }

  /** Writes what is there. */
  send(): void {
    const size = this.#size
    if (size === 0) return
    this.#size = 0
    const connections = this.#connections
    for (let i = 0; i < connections.length; i++) {
      connections[i].awaitsBroadcast = false
      connections[i].send(this.#bytes, this.#offset, size)
    }
    connections.length = 0
    this.#bytes = NOTHING
  }

  #join(bytes: Buffer, at: number, size: number): void {
    if (this.#bytes !== this.#joined) {
      this.#bytes.copy(this.#joined, 0, this.#offset, this.#offset + this.#size)
      this.#bytes = this.#joined
      this.#offset = 0
    }
    bytes.copy(this.#joined, this.#size, at, at + size)
    this.#size += size
  }

  #isFor(words: Int32Array, ids: number, count: number): boolean {
    if (count !== this.#count) return false
    for (let i = 0; i < count; i++) if (words[ids + i] !== this.#ids[i]) return false
    return true
  }
}
