/**
 * Messages to many connections on their way to the rings. Those made in one batch for the same
 * connections are joined, so that each connection gets one write for all of them.
 *
 *     entry 0        entry 1   ...
 *     | m m m m m m | m m    |           bytes, in the order they were made
 *
 * Thread: core. Hot path.
 * Owns: message bytes that are in no ring yet.
 * Never: changes the order of what two entries have in common.
 */
import { BROADCAST_ENTRY_COUNT, BROADCAST_SIZE } from '../../config/limits.ts'
import type { CoreLink } from './link.ts'

/** Connections of one link that get the same bytes. Never changed once made. */
export class Recipients {
  readonly link: CoreLink
  readonly ids: Int32Array

  constructor(link: CoreLink, ids: Int32Array) {
    this.link = link
    this.ids = ids
  }
}

export interface BroadcastSink {
  send(to: Recipients, bytes: Buffer, offset: number, size: number): void
}

export class Broadcasts {
  readonly #bytes = Buffer.allocUnsafe(BROADCAST_SIZE)
  #size = 0
  readonly #recipients: Recipients[] = []
  /** Where each entry's bytes end. */
  readonly #ends = new Int32Array(BROADCAST_ENTRY_COUNT)
  /** Entries that wait. */
  count = 0

  /** Keeps the message; false when there is no room for it. */
  add(to: Recipients, bytes: Buffer, size: number): boolean {
    if (size > BROADCAST_SIZE - this.#size) return false
    const last = this.count - 1
    const joins = last >= 0 && isSame(this.#recipients[last], to)
    if (!joins) {
      if (this.count === BROADCAST_ENTRY_COUNT) return false
      this.#recipients[this.count++] = to
    }
    bytes.copy(this.#bytes, this.#size, 0, size)
    this.#size += size
    this.#ends[this.count - 1] = this.#size
    return true
  }

  /** Gives everything to the sink and forgets it. */
  sendAll(sink: BroadcastSink): void {
    const count = this.count
    this.count = 0
    this.#size = 0
    let start = 0
    for (let i = 0; i < count; i++) {
      const end = this.#ends[i]
      sink.send(this.#recipients[i], this.#bytes, start, end - start)
      start = end
    }
    this.#recipients.length = 0
  }
}

function isSame(a: Recipients, b: Recipients): boolean {
  if (a === b) return true
  const { ids } = a
  const others = b.ids
  if (a.link !== b.link || ids.length !== others.length) return false
  for (let i = 0; i < ids.length; i++) if (ids[i] !== others[i]) return false
  return true
}
