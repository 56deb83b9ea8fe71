/**
 * Other servers that this one has called: a primary, the target of MIGRATE. io dials and hands over
 * bytes as they come; what they mean is the owner's business.
 *
 * Thread: core.
 * Owns: connections that were dialled, and dials without an answer yet.
 * Never: waits: an owner that loses patience hangs up.
 */
import {
  type DialedInfo,
  KIND_CLOSE_AFTER,
  KIND_CLOSE_NOW,
  KIND_HOLD,
} from '../../bridge/message.ts'
import type { CoreLink } from './link.ts'
import type { Outbox } from './outbox.ts'

export interface PeerAddress {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  /** The address that it is called from, if this machine has it; empty: any. */
  readonly source: string
}

/** What an owner is told. After `failed` or `closed` nothing more comes. */
export interface PeerOwner {
  opened(): void
  /** There is no connection; `reason` as strerror says it. */
  failed(reason: string): void
  /** `size` bytes at `offset`, valid during the call. */
  received(bytes: Buffer, offset: number, size: number): void
  /** The other side has ended the connection. */
  closed(): void
}

export class Peer {
  readonly link: CoreLink
  readonly #peers: Peers
  readonly number: number
  readonly owner: PeerOwner
  /** 0 until the connection stands. */
  connectionId = 0
  isOpen = false
  /** Our own end, 'ip:port'. */
  localAddress = ''
  fd = -1

  constructor(peers: Peers, link: CoreLink, number: number, owner: PeerOwner) {
    this.#peers = peers
    this.link = link
    this.number = number
    this.owner = owner
  }

  send(bytes: Buffer, offset = 0, size: number = bytes.length): void {
    this.#peers.send(this, bytes, offset, size)
  }

  /** Reads no more of what the other side sends, but for what is on its way already; or reads on. */
  hold(held: boolean): void {
    this.#peers.hold(this, held)
  }

  /** Ends the connection once everything sent has left; the owner is told nothing more. */
  close(): void {
    this.#peers.end(this, KIND_CLOSE_AFTER)
  }

  /** Ends the connection, or the attempt at one, now; the owner is told nothing more. */
  hangUp(): void {
    this.#peers.end(this, KIND_CLOSE_NOW)
  }

  /** Bytes sent that the peer has not taken yet. */
  get waitingBytes(): number {
    return this.isOpen ? this.link.outputBytes(this) : 0
  }
}

export class Peers {
  readonly #outbox: Outbox
  readonly #link: CoreLink
  readonly #dialing = new Map<number, Peer>()
  readonly #open = new Map<number, Peer>()
  #nextNumber = 1

  /** `link`: the io thread that dials. */
  constructor(outbox: Outbox, link: CoreLink) {
    this.#outbox = outbox
    this.#link = link
  }

  dial(address: PeerAddress, owner: PeerOwner): Peer {
    const peer = new Peer(this, this.#link, this.#nextNumber++, owner)
    this.#dialing.set(peer.number, peer)
    this.#outbox.dial(this.#link, { number: peer.number, ...address })
    return peer
  }

  /** io answers a dial. */
  dialed(connectionId: number, { number, error, info }: DialedInfo): void {
    const peer = this.#dialing.get(number)
    this.#dialing.delete(number)
    if (peer === undefined) {
      // Whoever wanted it has hung up meanwhile.
      if (error === '') {
        this.#outbox.order({ link: this.#link, connectionId }, KIND_CLOSE_NOW, 0)
      }
      return
    }
    if (error !== '') return peer.owner.failed(error)
    peer.connectionId = connectionId
    peer.isOpen = true
    peer.localAddress = info.localAddress
    peer.fd = info.fd
    this.#open.set(connectionId, peer)
    peer.owner.opened()
  }

  received(connectionId: number, bytes: Buffer, offset: number, size: number): void {
    this.#open.get(connectionId)?.owner.received(bytes, offset, size)
  }

  closedByPeer(connectionId: number): void {
    const peer = this.#open.get(connectionId)
    if (peer === undefined) return
    this.end(peer, KIND_CLOSE_AFTER)
    peer.owner.closed()
  }

  send(peer: Peer, bytes: Buffer, offset: number, size: number): void {
    if (peer.isOpen) this.#outbox.transmit(peer, bytes, offset, size)
  }

  hold(peer: Peer, held: boolean): void {
    if (peer.isOpen) this.#outbox.order(peer, KIND_HOLD, held ? 1 : 0)
  }

  /** `kind`: KIND_CLOSE_AFTER or KIND_CLOSE_NOW. */
  end(peer: Peer, kind: number): void {
    this.#dialing.delete(peer.number)
    if (!peer.isOpen) return
    peer.isOpen = false
    this.#open.delete(peer.connectionId)
    this.#outbox.order(peer, kind, 0)
  }
}
