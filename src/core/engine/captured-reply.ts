/**
 * A reply that is written into memory of its own, for what can be sent only later.
 *
 * Thread: core.
 * Owns: the bytes.
 * Never: sends anything.
 */
import { Reply, type ReplySink } from './reply.ts'

const START_SIZE = 1024

export class CapturedReply implements ReplySink {
  readonly reply: Reply
  #bytes = Buffer.allocUnsafe(START_SIZE)

  /** `protocol`: 2 or 3. */
  constructor(protocol: number) {
    this.reply = new Reply(this)
    this.reply.protocol = protocol
    this.reply.useSpace(this.#bytes, 0, this.#bytes.length)
  }

  more(reply: Reply, needed: number): void {
    const used = reply.position
    const bytes = Buffer.allocUnsafe(Math.max(used + needed, this.#bytes.length * 2))
    this.#bytes.copy(bytes, 0, 0, used)
    this.#bytes = bytes
    reply.useSpace(bytes, used, bytes.length)
  }

  /** What was written since the last time. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.reply.position))
    this.reply.mark()
    this.reply.useSpace(this.#bytes, 0, this.#bytes.length)
    return taken
  }
}
