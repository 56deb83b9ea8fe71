/**
 * One socket: arriving chunks become whole requests, reply bytes become writes.
 *
 * Thread: io. Hot path.
 * Owns: bytes that are not a whole request yet; bytes that the kernel has not taken yet.
 * Never: looks inside a command, waits for the core.
 */
import type { Socket } from 'bun'
import { CLASS_NORMAL } from '../bridge/message.ts'
import { LINGER_MS } from '../config/limits.ts'
import type { ConnectionOwner } from './connections.ts'
import type { Unfinished } from './intake.ts'

export type ConnectionSocket = Socket<Connection | undefined>

export class Connection {
  readonly id: number
  readonly socket: ConnectionSocket
  readonly #owner: ConnectionOwner
  /** What arrived and could not be handed over whole yet; intake.ts fills and empties it. */
  unfinished: Unfinished | undefined = undefined
  /** Room for the next large request, kept by spare-input.ts, and how much of it was needed lately. */
  spareInput: Buffer | undefined = undefined
  spareInputPeak = 0
  /** Dialled: what arrives is no requests, and crosses as it comes. */
  readonly raw: boolean
  /** Its requests wait for room in the ring. */
  starved = false
  /** The core asked to read no further for now. */
  held = false
  /** The peer has shut its sending side. */
  ended = false
  /** The core knows that this connection is gone, or has ordered it to go. */
  reported = false
  /** Nothing more is read: the protocol was broken or the end is near. */
  deaf = false
  authenticated = false
  encrypted = false
  /** A message to many that is for this connection, too, has yet to be written. */
  awaitsBroadcast = false
  /** The peer has ended, and its last requests still wait for room in the ring. */
  endsWhenFed = false
  outputClass = CLASS_NORMAL
  /** When the soft output limit was first exceeded; 0 when it is not. */
  softLimitSinceMs = 0
  activeWindow = 0
  #paused = false
  #closing = false
  #shut = false
  #gone = false
  #output: Buffer[] = []
  /** Bytes of the first buffer of `#output` that have left. */
  #outputStart = 0
  #outputSize = 0

  constructor(owner: ConnectionOwner, id: number, socket: ConnectionSocket, raw = false) {
    this.#owner = owner
    this.id = id
    this.socket = socket
    this.raw = raw
  }

  get outputSize(): number {
    return this.#outputSize
  }

  get gone(): boolean {
    return this.#gone
  }

  /** Writes now what the kernel takes and keeps the rest. */
  send(bytes: Buffer, offset: number, length: number): void {
    if (this.#gone || this.#shut) return
    let sent = 0
    if (this.#outputSize === 0) {
      this.#owner.countWrite()
      sent = this.socket.write(bytes, offset, length)
      if (sent < 0) sent = 0
      this.#owner.countSent(sent)
      if (sent === length) return
    }
    this.#output.push(Buffer.from(bytes.subarray(offset + sent, offset + length))) // alloc: slow peer
    this.#outputSize += length - sent
    this.#owner.outputGrew(this)
  }

  /** The kernel has room again. */
  drain(): void {
    while (this.#output.length > 0) {
      const first = this.#output[0]
      const length = first.length - this.#outputStart
      this.#owner.countWrite()
      const sent = this.socket.write(first, this.#outputStart, length)
      if (sent <= 0) break
      this.#owner.countSent(sent)
      this.#outputSize -= sent
      if (sent < length) {
        this.#outputStart += sent
        break
      }
      this.#output.shift()
      this.#outputStart = 0
    }
    this.#owner.outputShrank(this)
    if (this.#outputSize === 0 && this.#closing) this.#shutdown()
  }

  /** Closes once everything handed to `send` has left. */
  closeAfterOutput(): void {
    this.deaf = true
    this.#closing = true
    this.resumeIfIdle()
    if (this.#outputSize === 0) this.#shutdown()
  }

  /** Closes at once; what the kernel has not taken is lost. */
  closeNow(): void {
    this.deaf = true
    this.#output.length = 0
    this.#outputSize = 0
    if (this.#gone) return
    // A clean end is what the peer is to see; that of TLS would wait for the peer's own.
    if (this.encrypted) this.socket.terminate()
    else this.socket.close()
  }

  /** The peer has sent its last byte. */
  peerEnded(): void {
    this.ended = true
    if (this.#shut && !this.#gone) this.socket.end()
  }

  /** The socket is closed; nothing can be sent any more. */
  socketClosed(): void {
    this.#gone = true
    this.#output.length = 0
    this.#outputSize = 0
    this.unfinished = undefined
    this.spareInput = undefined
  }

  /** Stops reading from the socket as long as the connection is starved or held. */
  pauseIfBusy(): void {
    if (this.#paused || this.#gone || !(this.starved || this.held)) return
    this.#paused = true
    this.socket.pause()
  }

  resumeIfIdle(): void {
    if (!this.#paused || this.#gone || ((this.starved || this.held) && !this.deaf)) return
    this.#paused = false
    this.socket.resume()
  }

  /**
   * Shuts our sending side and waits for the peer's end: closing at once would make the kernel
   * answer bytes still on their way with a reset, which destroys replies not yet read there.
   */
  // alloc: a connection's end
  #shutdown(): void {
    if (this.#shut || this.#gone) return
    this.#shut = true
    this.socket.shutdown()
    if (this.ended) {
      this.socket.end()
      return
    }
    const timer = setTimeout(() => this.closeNow(), LINGER_MS)
    timer.unref()
  }
}
