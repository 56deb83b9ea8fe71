/**
 * Connections by id. An id is a slot and a generation, so that a reply that comes late cannot reach
 * whoever has the slot now; slots are reused oldest first, so that a generation lives long.
 *
 * Thread: io. Hot path.
 * Owns: which slot belongs to whom.
 * Never: sends or receives.
 */
import { connectionId, connectionSlot } from '../bridge/message.ts'
import type { Connection, ConnectionSocket } from './connection.ts'

/** What a connection tells the thread that it lives in. */
export interface ConnectionOwner {
  countWrite(): void
  countSent(size: number): void
  /** More output waits than before: limits are to be checked. */
  outputGrew(connection: Connection): void
  outputShrank(connection: Connection): void
}

const GENERATION_MASK = 0x7ff

export class Connections {
  readonly #capacity: number
  readonly #bySlot: (Connection | undefined)[] = []
  readonly #generations: number[] = []
  readonly #freeSlots: number[] = []
  #freeStart = 0
  #count = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get count(): number {
    return this.#count
  }

  /** Makes a connection in a free slot; undefined when there is none. */
  open(
    socket: ConnectionSocket,
    make: (id: number, socket: ConnectionSocket) => Connection,
  ): Connection | undefined {
    let slot = this.#bySlot.length
    // Keep a stock of free slots, so that none is reused at once.
    if (this.#freeSlots.length - this.#freeStart > 64 || slot >= this.#capacity) {
      if (this.#freeStart === this.#freeSlots.length) return undefined
      slot = this.#freeSlots[this.#freeStart++]
      if (this.#freeStart > 4096) {
        this.#freeSlots.splice(0, this.#freeStart)
        this.#freeStart = 0
      }
    } else {
      this.#generations[slot] = 0
      this.#bySlot[slot] = undefined
    }
    const connection = make(connectionId(slot, this.#generations[slot]), socket)
    this.#bySlot[slot] = connection
    this.#count++
    return connection
  }

  /** The connection with this very id. */
  find(id: number): Connection | undefined {
    const connection = this.#bySlot[connectionSlot(id)]
    return connection !== undefined && connection.id === id ? connection : undefined
  }

  close(connection: Connection): void {
    const slot = connectionSlot(connection.id)
    if (this.#bySlot[slot] !== connection) return
    this.#bySlot[slot] = undefined
    this.#generations[slot] = (this.#generations[slot] + 1) & GENERATION_MASK
    this.#freeSlots.push(slot)
    this.#count--
  }

  // alloc: ten times a second at most
  forEach(visit: (connection: Connection) => void): void {
    for (const connection of this.#bySlot) if (connection !== undefined) visit(connection)
  }
}
