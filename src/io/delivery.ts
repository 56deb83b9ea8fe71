/**
 * Records from the core become writes to sockets.
 *
 * A message to many connections is a write for each of them, which is by far the most that it costs.
 * So those that follow each other are joined when they are for the same connections, while requests
 * come in they wait until all of these are read, see `deliverReplies`, and they are written by parts.
 *
 * Thread: io. Hot path.
 * Owns: nothing: what a socket does not take, its connection keeps.
 * Never: lets a slow peer hold the ring.
 */
import { decode } from '@msgpack/msgpack'
import type { FromCore } from '../bridge/control.ts'
import { ROOM_WANTED } from '../bridge/memory.ts'
import {
  type DialOrder,
  HEADER_SIZE,
  KIND_AUTHENTICATED,
  KIND_BROADCAST,
  KIND_CLASS,
  KIND_CLOSE_AFTER,
  KIND_CLOSE_NOW,
  KIND_CONTROL,
  KIND_DIAL,
  KIND_HOLD,
  KIND_LOGIN_DONE,
  KIND_REPLY,
} from '../bridge/message.ts'
import type { RingReader } from '../bridge/ring.ts'
import { wake } from '../bridge/wake.ts'
import { REPLY_RELEASE_SIZE } from '../config/limits.ts'
import { assert } from '../lib/assert.ts'
import type { Connection } from './connection.ts'
import type { Connections } from './connections.ts'
import { JoinedBroadcasts } from './joined-broadcasts.ts'

/** What delivery leaves to the thread. */
export interface DeliveryOwner {
  control(message: FromCore): void
  dial(order: DialOrder): void
  held(connection: Connection, hold: boolean): void
}

export class Delivery {
  readonly #ring: RingReader
  readonly #link: Int32Array
  readonly #connections: Connections
  readonly #owner: DeliveryOwner
  readonly #joined = new JoinedBroadcasts()
  /** Writes a line of the debug log; undefined when that level is off. */
  debug: ((text: string) => void) | undefined = undefined

  constructor(ring: RingReader, link: Int32Array, connections: Connections, owner: DeliveryOwner) {
    this.#ring = ring
    this.#link = link
    this.#connections = connections
    this.#owner = owner
  }

  /**
   * Delivers everything published, but of messages to many perhaps only a part: see
   * `hasBroadcasts`. False when there was nothing new.
   */
  deliver(): boolean {
    return this.#deliver(false)
  }

  /** Messages to many wait to be written: `deliver` is to be called soon. */
  get hasBroadcasts(): boolean {
    return this.#joined.isWaiting
  }

  /** Writes them all. */
  writeBroadcasts(): void {
    this.#joined.send()
  }

  /** As `deliver`, up to the first message to many connections. */
  deliverReplies(): void {
    this.#deliver(true)
  }

  #deliver(stopsAtBroadcast: boolean): boolean {
    const ring = this.#ring
    let offset = ring.peek()
    if (offset < 0) {
      if (!stopsAtBroadcast) this.#joined.sendPart()
      return false
    }
    while (offset >= 0) {
      const word = offset >> 2
      if (ring.words[word + 1] === KIND_REPLY) {
        const connection = this.#connections.find(ring.words[word + 2])
        if (connection !== undefined) {
          if (connection.awaitsBroadcast) this.#joined.send()
          connection.send(ring.bytes, offset + HEADER_SIZE, ring.words[word + 3])
          if (this.debug !== undefined) {
            this.debug(`Reply of ${ring.words[word + 3]} bytes sent, id ${connection.id}`) // alloc: debug
          }
        }
      } else if (ring.words[word + 1] === KIND_BROADCAST) {
        if (stopsAtBroadcast) break
        this.#joined.add(ring, word, this.#connections)
        if (this.debug !== undefined) {
          const count = ring.words[word + 2]
          this.debug(`Message of ${ring.words[word + 3]} bytes for ${count} connections`) // alloc: debug
        }
      } else {
        this.#joined.send()
        this.#rare(word, offset)
      }
      ring.advance(ring.words[word])
      if (ring.heldBytes() > REPLY_RELEASE_SIZE) this.#release()
      offset = ring.peek()
    }
    if (!stopsAtBroadcast) this.#joined.sendPart()
    this.#release()
    return true
  }

  isEmpty(): boolean {
    return this.#ring.isEmpty()
  }

  #release(): void {
    this.#joined.keep()
    this.#ring.release()
    wake(this.#link, ROOM_WANTED)
  }

  // alloc: records that are rare
  #rare(word: number, offset: number): void {
    const { words, bytes } = this.#ring
    const kind = words[word + 1]
    const value = words[word + 3]
    if (kind === KIND_CONTROL || kind === KIND_DIAL) {
      const at = offset + HEADER_SIZE
      const message = decode(bytes.subarray(at, at + value))
      if (kind === KIND_DIAL) this.#owner.dial(message as DialOrder)
      else this.#owner.control(message as FromCore)
      return
    }
    const connection = this.#connections.find(words[word + 2])
    if (connection === undefined) return
    if (kind === KIND_CLOSE_AFTER) {
      connection.reported = true
      connection.closeAfterOutput()
    } else if (kind === KIND_CLOSE_NOW) {
      connection.reported = true
      connection.closeNow()
    } else if (kind === KIND_HOLD) {
      this.#owner.held(connection, value === 1)
    } else if (kind === KIND_CLASS) {
      connection.outputClass = value
      connection.softLimitSinceMs = 0
    } else if (kind === KIND_AUTHENTICATED) {
      connection.authenticated = value === 1
    } else if (kind === KIND_LOGIN_DONE) {
      connection.authenticated = value === 1
      this.#owner.held(connection, false)
    } else {
      assert(false, `record kind ${kind} from the core`)
    }
  }
}
