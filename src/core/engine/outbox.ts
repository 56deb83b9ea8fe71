/**
 * Replies on their way: one record in a reply ring is open at a time, and everything that is written
 * for its connection goes straight into it. Another connection's turn, a full record or the end of
 * the batch closes it. What is closed becomes visible to io when it is published: at the end of a
 * batch, and meanwhile whenever enough has gathered that sending can overlap with executing.
 *
 * Thread: core. Hot path.
 * Owns: the open record; which links have something unpublished.
 * Never: keeps reply bytes of its own.
 */
import { IO_PARKED, ROOM_WANTED } from '../../bridge/memory.ts'
import { HEADER_SIZE, KIND_CONTROL, KIND_REPLY } from '../../bridge/message.ts'
import { park, sleep, unpark, wake } from '../../bridge/wake.ts'
import {
  OUTBOX_PUBLISH_SIZE,
  REPLY_RECORD_CLAIM_SIZE,
  RING_WAIT_SLICE_MS,
} from '../../config/limits.ts'
import { assert } from '../../lib/assert.ts'
import type { CoreLink } from './link.ts'
import { Reply, type ReplySink } from './reply.ts'
import type { Session } from './session.ts'

const NO_PAYLOAD = new Uint8Array(0)
/** Where replies go that nobody wants: as long as the longest step of a reply. */
const DISCARDED = Buffer.allocUnsafe(128 * 1024)

export class Outbox implements ReplySink {
  readonly reply: Reply
  readonly #links: readonly CoreLink[]
  /** Link whose ring holds the open record; undefined when none is open. */
  #link: CoreLink | undefined = undefined
  #connectionId = 0
  #recordOffset = 0
  #unpublishedSize = 0
  #muted: Session | undefined = undefined

  constructor(links: readonly CoreLink[]) {
    this.#links = links
    this.reply = new Reply(this)
  }

  /** Directs the reply writer to a session. */
  select(session: Session): void {
    this.reply.protocol = session.protocol
    if (session === this.#muted) {
      this.close()
      this.#discard()
      return
    }
    if (this.#link === session.link && this.#connectionId === session.connectionId) return
    this.close()
    this.#open(session.link, session.connectionId, REPLY_RECORD_CLAIM_SIZE)
  }

  /** What is written for this session from now on goes nowhere, until `unmute`. */
  mute(session: Session): void {
    this.#muted = session
    this.select(session)
  }

  unmute(): void {
    this.#muted = undefined
  }

  /** Ends the open record, if there is one. */
  close(): void {
    const link = this.#link
    if (link === undefined) return
    this.#link = undefined
    const size = this.reply.position - this.#recordOffset - HEADER_SIZE
    if (size === 0) return
    this.#commit(link, KIND_REPLY, this.#connectionId, this.#recordOffset, size, size)
    if (this.#unpublishedSize >= OUTBOX_PUBLISH_SIZE) this.publish()
  }

  /** The record is full: ends it and opens another of the same connection. */
  more(_reply: Reply, needed: number): void {
    const link = this.#link
    if (link === undefined) {
      assert(this.#muted !== undefined, 'a reply goes to a selected session')
      this.#discard()
      return
    }
    const connectionId = this.#connectionId
    this.close()
    this.#open(link, connectionId, Math.max(needed, REPLY_RECORD_CLAIM_SIZE))
  }

  /** Sends a record without payload: close, class, hold. */
  order(session: Session, kind: number, value: number): void {
    this.#rare(session.link, kind, session.connectionId, NO_PAYLOAD, value)
  }

  /** Sends control bytes to one link's io thread. */
  control(link: CoreLink, payload: Uint8Array): void {
    this.#rare(link, KIND_CONTROL, 0, payload, payload.length)
  }

  /** Ends the batch: everything written becomes visible, and io threads that sleep are woken. */
  flush(): void {
    this.close()
    this.publish()
  }

  publish(): void {
    this.#unpublishedSize = 0
    const links = this.#links
    for (let i = 0; i < links.length; i++) {
      if (links[i].replies.publish()) wake(links[i].words, IO_PARKED)
    }
  }

  /** Everything up to here is forgotten; there is room for as much again. */
  #discard(): void {
    this.reply.useSpace(DISCARDED, 0, DISCARDED.length)
  }

  /** Writes a record in between: whoever was being answered goes on in another one. */
  #rare(
    link: CoreLink,
    kind: number,
    connectionId: number,
    payload: Uint8Array,
    value: number,
  ): void {
    const open = this.#link
    const openId = this.#connectionId
    this.close()
    const offset = this.#claim(link, HEADER_SIZE + payload.length)
    link.replies.bytes.set(payload, offset + HEADER_SIZE)
    this.#commit(link, kind, connectionId, offset, payload.length, value)
    if (open !== undefined) this.#open(open, openId, REPLY_RECORD_CLAIM_SIZE)
  }

  #open(link: CoreLink, connectionId: number, payloadSize: number): void {
    const offset = this.#claim(link, HEADER_SIZE + payloadSize)
    this.#link = link
    this.#connectionId = connectionId
    this.#recordOffset = offset
    const limit = offset + link.replies.room(offset)
    this.reply.useSpace(link.replies.bytes, offset + HEADER_SIZE, limit)
  }

  #commit(
    link: CoreLink,
    kind: number,
    connectionId: number,
    offset: number,
    payloadSize: number,
    value: number,
  ): void {
    const words = link.replies.words
    const word = offset >> 2
    const size = (HEADER_SIZE + payloadSize + 7) & ~7
    words[word] = size
    words[word + 1] = kind
    words[word + 2] = connectionId
    words[word + 3] = value
    link.replies.commit(size)
    this.#unpublishedSize += size
  }

  /** Claims space, waiting for io when the ring is full: io always drains, so this ends. */
  #claim(link: CoreLink, size: number): number {
    let offset = link.replies.claim(size)
    while (offset < 0) {
      this.publish()
      park(link.words, ROOM_WANTED)
      offset = link.replies.claim(size)
      if (offset < 0) sleep(link.words, ROOM_WANTED, RING_WAIT_SLICE_MS)
      else unpark(link.words, ROOM_WANTED)
      if (offset < 0) offset = link.replies.claim(size)
    }
    return offset
  }
}
