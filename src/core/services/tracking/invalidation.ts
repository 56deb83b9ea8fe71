/**
 * Invalidation messages: their bytes, and bringing them to connections.
 *
 *     > 2  invalidate             [keys] | null     to who speaks RESP3
 *     * 3  message __redis__:invalidate  [keys]     to who listens to a channel in RESP2
 *
 * Thread: core.
 * Owns: the form of a message.
 * Never: decides who is told of what.
 */
import { Recipients } from '../../engine/broadcasts.ts'
import type { CoreLink } from '../../engine/link.ts'
import type { Outbox } from '../../engine/outbox.ts'
import type { Session } from '../../engine/session.ts'

const PUSH_HEAD = Buffer.from('>2\r\n$10\r\ninvalidate\r\n')
const MESSAGE_HEAD = Buffer.from('*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n')
const CRLF = Buffer.from('\r\n')
const ALL_KEYS_RESP2 = Buffer.from('$-1\r\n')
const ALL_KEYS_RESP3 = Buffer.from('_\r\n')

/** A list of one key. */
export function oneKey(bytes: Buffer, offset: number, length: number): Buffer {
  const key = bytes.subarray(offset, offset + length)
  return Buffer.concat([Buffer.from(`*1\r\n$${length}\r\n`), key, CRLF])
}

/** A list of keys, one character a byte. */
export function manyKeys(keys: readonly string[]): Buffer {
  const parts = [`*${keys.length}\r\n`]
  for (const key of keys) parts.push(`$${key.length}\r\n${key}\r\n`)
  return Buffer.from(parts.join(''), 'latin1')
}

/** What stands for all keys, for who speaks that protocol. */
export function allKeys(protocol: number): Buffer {
  return protocol === 3 ? ALL_KEYS_RESP3 : ALL_KEYS_RESP2
}

/** Connections that get the same message, by link and protocol. */
export class Receivers {
  readonly #resp2 = new Map<CoreLink, number[]>()
  readonly #resp3 = new Map<CoreLink, number[]>()

  /** `isRedirected`: the messages are those of another client. Twice gets it twice. */
  add(session: Session, isRedirected: boolean): void {
    if (session.protocol === 3) return this.#add(this.#resp3, session)
    // In RESP2 nothing may come unasked but to who listens to channels.
    if (isRedirected && session.subscriptionCount > 0) this.#add(this.#resp2, session)
  }

  /** `keys`: made by one of the functions above. */
  send(outbox: Outbox, keys: Buffer): void {
    this.#send(outbox, this.#resp2, MESSAGE_HEAD, keys)
    this.#send(outbox, this.#resp3, PUSH_HEAD, keys)
  }

  #add(byLink: Map<CoreLink, number[]>, { link, connectionId }: Session): void {
    const ids = byLink.get(link)
    if (ids === undefined) byLink.set(link, [connectionId])
    else ids.push(connectionId)
  }

  #send(outbox: Outbox, byLink: Map<CoreLink, number[]>, head: Buffer, keys: Buffer): void {
    if (byLink.size === 0) return
    const message = Buffer.concat([head, keys])
    for (const [link, ids] of byLink) {
      outbox.broadcast(new Recipients(link, Int32Array.from(ids)), message, message.length)
    }
  }
}

/** Tells a client that its messages cannot be sent to `redirectId` any more. */
export function sendBrokenRedirect(outbox: Outbox, session: Session, redirectId: number): void {
  if (session.protocol !== 3) return
  const message = Buffer.from(`>2\r\n$21\r\ntracking-redir-broken\r\n:${redirectId}\r\n`)
  const to = new Recipients(session.link, Int32Array.of(session.connectionId))
  outbox.broadcast(to, message, message.length)
}
