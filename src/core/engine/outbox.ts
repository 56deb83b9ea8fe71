/**
 * Replies on their way: one record in a reply ring is open at a time, and everything that is written
 * for its connection goes straight into it. Another connection's turn, a full record or the end of
 * the batch closes it. What is closed becomes visible to io when it is published: at the end of a
 * batch, and meanwhile whenever enough has gathered that sending can overlap with executing.
 *
 * What goes to many connections is gathered apart, so that it does not cut up the replies between
 * which it was made: `broadcasts.ts`. It is put into the ring before anything else that is meant for
 * a connection that listens, so each connection gets everything in the order it was made.
 *
 * Thread: core. Hot path.
 * Owns: the open record; which links have something unpublished.
 * Never: keeps reply bytes of its own.
 */
import { encode } from '@msgpack/msgpack'
import { IO_PARKED, ROOM_WANTED } from '../../bridge/memory.ts'
import {
  type DialOrder,
  HEADER_SIZE,
  HEADER_WORDS,
  KIND_BROADCAST,
  KIND_CONTROL,
  KIND_DIAL,
  KIND_REPLY,
} from '../../bridge/message.ts'
import { park, sleep, unpark, wake } from '../../bridge/wake.ts'
import {
  BROADCAST_CONNECTION_COUNT,
  BROADCAST_SIZE,
  OUTBOX_PUBLISH_SIZE,
  OUTBOX_WAKE_COUNT,
  OUTBOX_WAKE_SIZE,
  REPLY_RECORD_CLAIM_SIZE,
  RING_WAIT_SLICE_MS,
} from '../../config/limits.ts'
import { assert } from '../../lib/assert.ts'
import { type BroadcastSink, Broadcasts, type Recipients } from './broadcasts.ts'
import { type HeldOutput, HeldOutputs } from './held-output.ts'
import type { CoreLink } from './link.ts'
import { Reply, type ReplySink } from './reply.ts'
import type { Session } from './session.ts'
import { Withheld } from './withheld.ts'

/** The longest record of `transmit`. */
const TRANSMIT_SIZE = 64 * 1024
const NO_PAYLOAD = new Uint8Array(0)
/** Where replies go that nobody wants: as long as the longest step of a reply. */
const DISCARDED = Buffer.allocUnsafe(128 * 1024)

/** A connection that something is sent to. */
export interface Addressee {
  readonly link: CoreLink
  readonly connectionId: number
}

export class Outbox implements ReplySink, BroadcastSink {
  readonly reply: Reply
  readonly #links: readonly CoreLink[]
  readonly #broadcasts = new Broadcasts()
  /** Messages sent to many so far. */
  broadcastCount = 0
  /** Whose record is open; undefined when none is. */
  #session: Session | undefined = undefined
  #recordOffset = 0
  #unpublishedSize = 0
  /** Bytes published for which nobody was woken, and in how many records. */
  #unwokenSize = 0
  #unwokenCount = 0
  #muted: Session | undefined = undefined
  readonly held = new HeldOutputs()
  readonly withheld: Withheld
  /** Where the reply writer writes when the open record is no record, but held. */
  #heldOpen: HeldOutput | undefined = undefined
  /** Sessions that passed their output limit in this turn. */
  #vain: Session[] = []
  /** Is told of each of them at the end of the turn. */
  onOverLimit: (session: Session) => void = () => {}

  constructor(links: readonly CoreLink[]) {
    this.#links = links
    this.withheld = new Withheld(links)
    this.reply = new Reply(this)
  }

  /** Directs the reply writer to a session. */
  select(session: Session): void {
    if (session.listens) this.#sendBroadcasts()
    this.reply.protocol = session.protocol
    if (session === this.#muted) {
      this.close()
      this.#discard()
      return
    }
    if (session === this.#session) return
    this.close()
    this.#open(session, REPLY_RECORD_CLAIM_SIZE)
  }

  /** Sends `size` bytes to many connections. */
  broadcast(to: Recipients, bytes: Buffer, size: number): void {
    this.broadcastCount++
    if (!this.#broadcasts.add(to, bytes, size)) {
      this.#sendBroadcasts()
      if (!this.#broadcasts.add(to, bytes, size)) this.#sendLong(to, bytes, size)
    }
    // Who is being answered may be among them.
    const session = this.#session
    if (session?.listens === true) this.#sendBroadcasts()
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
    const session = this.#session
    if (session === undefined) return
    this.#session = undefined
    if (this.#heldOpen !== undefined) {
      this.#heldOpen.size = this.reply.position
      this.#heldOpen = undefined
      return
    }
    const size = this.reply.position - this.#recordOffset - HEADER_SIZE
    if (size === 0) return
    const { link, connectionId } = session
    this.#commit(link, KIND_REPLY, connectionId, this.#recordOffset, size, size)
    if (this.#unpublishedSize < OUTBOX_PUBLISH_SIZE) return
    this.#sendBroadcasts()
    this.#publishSome()
  }

  /** The record is full: ends it and opens another of the same connection. */
  more(_reply: Reply, needed: number): void {
    const session = this.#session
    if (session === undefined) {
      assert(this.reply.isVain, 'a reply goes to a selected session')
      this.#discard()
      return
    }
    if (this.#heldOpen !== undefined) return this.#moreHeld(session, this.#heldOpen, needed)
    this.close()
    this.#open(session, Math.max(needed, REPLY_RECORD_CLAIM_SIZE))
  }

  /** Asks an io thread for a connection. */
  // alloc: once a dial
  dial(link: CoreLink, order: DialOrder): void {
    const payload = encode(order)
    this.#rare(link, KIND_DIAL, 0, payload, payload.length)
  }

  /** Sends bytes to a connection as they are, whoever it belongs to. */
  transmit({ link, connectionId }: Addressee, bytes: Buffer, offset: number, size: number): void {
    const open = this.#session
    this.close()
    const end = offset + size
    for (let at = offset; at < end; at += TRANSMIT_SIZE) {
      const length = Math.min(end - at, TRANSMIT_SIZE)
      const to = this.#claim(link, HEADER_SIZE + length)
      bytes.copy(link.replies.bytes, to + HEADER_SIZE, at, at + length)
      this.#commit(link, KIND_REPLY, connectionId, to, length, length)
    }
    if (this.#unpublishedSize >= OUTBOX_PUBLISH_SIZE) this.#publishSome()
    if (open !== undefined) this.#open(open, REPLY_RECORD_CLAIM_SIZE)
  }

  /** Sends a record without payload: close, class, hold. */
  order(session: Addressee, kind: number, value: number): void {
    this.#rare(session.link, kind, session.connectionId, NO_PAYLOAD, value)
  }

  /** Sends control bytes to one link's io thread. */
  control(link: CoreLink, payload: Uint8Array): void {
    this.#rare(link, KIND_CONTROL, 0, payload, payload.length)
  }

  /** Ends the batch: everything written becomes visible, and io threads that sleep are woken. */
  flush(): void {
    this.close()
    if (this.held.count > 0) this.#releaseHeld()
    if (this.#vain.length > 0) this.#reportVain()
    this.publish()
  }

  publish(): void {
    this.#sendBroadcasts()
    this.#publishRings()
  }

  /** For `Broadcasts`: writes a message, in as many records as it takes. */
  send(to: Recipients, bytes: Buffer, offset: number, size: number): void {
    const end = offset + size
    const { ids } = to
    for (let first = 0; first < ids.length; first += BROADCAST_CONNECTION_COUNT) {
      const count = Math.min(ids.length - first, BROADCAST_CONNECTION_COUNT)
      for (let at = offset; at < end; at += BROADCAST_SIZE) {
        this.#sendPiece(to, first, count, bytes, at, Math.min(end - at, BROADCAST_SIZE))
      }
    }
  }

  #sendPiece(
    { link, ids }: Recipients,
    first: number,
    count: number,
    bytes: Buffer,
    at: number,
    size: number,
  ): void {
    const payloadSize = count * 4 + size
    const offset = this.#claim(link, HEADER_SIZE + payloadSize)
    const { words } = link.replies
    const word = (offset >> 2) + HEADER_WORDS
    for (let i = 0; i < count; i++) words[word + i] = ids[first + i]
    bytes.copy(link.replies.bytes, (word + count) << 2, at, at + size)
    this.#commit(link, KIND_BROADCAST, count, offset, payloadSize, size)
  }

  /** A message too long to be gathered with others. */
  #sendLong(to: Recipients, bytes: Buffer, size: number): void {
    const session = this.#session
    this.close()
    this.send(to, bytes, 0, size)
    if (session !== undefined) this.#open(session, REPLY_RECORD_CLAIM_SIZE)
  }

  /** Puts what was gathered for many connections into the rings. */
  #sendBroadcasts(): void {
    if (this.#broadcasts.count === 0) return
    const session = this.#session
    this.close()
    if (this.held.count > 0) this.#releaseHeld()
    this.#broadcasts.sendAll(this)
    if (this.#unpublishedSize >= OUTBOX_PUBLISH_SIZE) this.#publishSome()
    if (session !== undefined) this.#open(session, REPLY_RECORD_CLAIM_SIZE)
  }

  #publishRings(): void {
    this.#publishAwake()
    const links = this.#links
    for (let i = 0; i < links.length; i++) {
      if (!links[i].unwoken) continue
      links[i].unwoken = false
      wake(links[i].words, IO_PARKED)
    }
    this.#unwokenSize = 0
    this.#unwokenCount = 0
  }

  /**
   * While the batch goes on: whoever is awake sees it. Who sleeps is woken for several replies or
   * for many bytes, since waking costs more than a write.
   */
  #publishSome(): void {
    this.#unwokenSize += this.#unpublishedSize
    const isMuch = this.#unwokenSize >= OUTBOX_WAKE_SIZE
    if (isMuch || this.#unwokenCount >= OUTBOX_WAKE_COUNT) this.#publishRings()
    else this.#publishAwake()
  }

  #publishAwake(): void {
    this.#unpublishedSize = 0
    if (this.withheld.isOn) return this.withheld.publish()
    const links = this.#links
    for (let i = 0; i < links.length; i++) {
      if (links[i].replies.publish()) links[i].unwoken = true
    }
  }

  /** Everything up to here is forgotten; there is room for as much again. */
  #discard(): void {
    this.reply.isVain = true
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
    const open = this.#session
    this.#sendBroadcasts()
    this.close()
    if (this.held.count > 0) this.#releaseHeld()
    const offset = this.#claim(link, HEADER_SIZE + payload.length)
    link.replies.bytes.set(payload, offset + HEADER_SIZE)
    this.#commit(link, kind, connectionId, offset, payload.length, value)
    if (open !== undefined) this.#open(open, REPLY_RECORD_CLAIM_SIZE)
  }

  #open(session: Session, payloadSize: number): void {
    if (session.vain) return this.#discard()
    this.reply.isVain = false
    if (this.held.limitSize > 0 && this.#openHeld(session)) return
    const { link } = session
    const offset = this.#claim(link, HEADER_SIZE + payloadSize)
    this.#session = session
    this.#recordOffset = offset
    const limit = offset + link.replies.room(offset)
    this.reply.useSpace(link.replies.bytes, offset + HEADER_SIZE, limit)
  }

  /** False when the session's output is not held. */
  #openHeld(session: Session): boolean {
    const held = this.held.of(session)
    if (held === undefined) return false
    this.#session = session
    this.#heldOpen = held
    this.reply.useSpace(held.bytes, held.size, held.bytes.length)
    return true
  }

  #moreHeld(session: Session, held: HeldOutput, needed: number): void {
    held.size = this.reply.position
    if (this.held.exceeds(session, held)) {
      this.#session = undefined
      this.#heldOpen = undefined
      this.held.forget(session)
      this.#giveUp(session)
      return this.#discard()
    }
    held.grow(needed, this.held.limitSize)
    this.reply.useSpace(held.bytes, held.size, held.bytes.length)
  }

  /** Nothing reaches the session any more; what it has begun it does to the end. */
  #giveUp(session: Session): void {
    session.vain = true
    session.closing = true
    this.#vain.push(session)
  }

  // alloc: once a turn, with a limit
  #releaseHeld(): void {
    this.held.takeAll((session, held) => {
      if (this.held.exceeds(session, held)) this.#giveUp(session)
      else this.transmit(session, held.bytes, 0, held.size)
    })
  }

  // alloc: for clients that go
  #reportVain(): void {
    for (const session of this.#vain.splice(0)) this.onOverLimit(session)
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
    this.#unwokenCount++
  }

  /** Claims space, waiting for io when the ring is full: io always drains, so this ends. */
  #claim(link: CoreLink, size: number): number {
    let offset = link.replies.claim(size)
    while (offset < 0) {
      this.#publishRings()
      this.withheld.wait()
      park(link.words, ROOM_WANTED)
      offset = link.replies.claim(size)
      if (offset < 0) sleep(link.words, ROOM_WANTED, RING_WAIT_SLICE_MS)
      else unpark(link.words, ROOM_WANTED)
      if (offset < 0) offset = link.replies.claim(size)
    }
    return offset
  }
}
