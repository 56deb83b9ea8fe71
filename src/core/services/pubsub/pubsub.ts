/**
 * Publish and subscribe: who listens, and bringing a message to them. A message crosses each ring
 * once, with the list of the connections that get it.
 *
 * Thread: core. Hot path.
 * Owns: all topics.
 * Never: keeps a message.
 */
import { CLASS_NORMAL, CLASS_PUBSUB, KIND_CLASS } from '../../../bridge/message.ts'
import { matchGlob } from '../../../lib/glob.ts'
import type { Outbox } from '../../engine/outbox.ts'
import type { Session } from '../../engine/session.ts'
import { Frame } from './frame.ts'
import { type Topic, Topics } from './topics.ts'

export class PubSub {
  readonly channels = new Topics(
    'channels',
    { subscribe: 'subscribe', unsubscribe: 'unsubscribe', message: 'message' },
    3,
  )
  readonly patterns = new Topics(
    'patterns',
    { subscribe: 'psubscribe', unsubscribe: 'punsubscribe', message: 'pmessage' },
    4,
  )
  readonly shards = new Topics(
    'shards',
    { subscribe: 'ssubscribe', unsubscribe: 'sunsubscribe', message: 'smessage' },
    3,
  )
  readonly #outbox: Outbox
  readonly #frame = new Frame()
  /** Is told when the first listener came or the last one went. */
  onAudience: () => void = () => {}
  /** Anybody listens to channels or patterns. */
  hasAudience = false

  constructor(outbox: Outbox) {
    this.#outbox = outbox
  }

  /** The session listens to the topic from now on. */
  subscribe(topics: Topics, session: Session, name: Buffer): void {
    if (!topics.add(session, name)) return
    if (session.subscriptionCount === 1) this.#setClass(session, CLASS_PUBSUB)
    this.#lookAtAudience()
  }

  unsubscribe(topics: Topics, session: Session, topic: Topic): void {
    if (!topics.remove(session, topic)) return
    if (session.subscriptionCount === 0) this.#setClass(session, CLASS_NORMAL)
    this.#lookAtAudience()
  }

  /** The session listens to nothing any more, and is not told so. */
  // alloc: a session's end
  leave(session: Session): void {
    if (session.subscriptionCount === 0) return
    for (const topics of [this.channels, this.patterns, this.shards]) {
      for (const topic of topics.of(session)) this.unsubscribe(topics, session, topic)
    }
  }

  /** The session speaks RESP2 or RESP3 now. */
  // alloc: seldom
  protocolChanged(session: Session): void {
    if (session.subscriptionCount === 0) return
    for (const topics of [this.channels, this.patterns, this.shards]) {
      for (const topic of topics.of(session)) topic.changed()
    }
  }

  /**
   * Brings a message to everybody who listens to the channel or to a pattern that it matches. The
   * ranges are of the channel's name and the message. Gives how many got it; who listens twice gets
   * it twice.
   */
  publish(
    channel: Buffer,
    offset: number,
    length: number,
    message: Buffer,
    messageOffset: number,
    messageLength: number,
  ): number {
    let count = 0
    const topic = this.channels.find(channel, offset, length)
    if (topic !== undefined) {
      this.#frame.begin(topic.head, 1, messageLength)
      this.#frame.bulk(message, messageOffset, messageLength)
      count += this.#send(topic)
    }
    if (this.patterns.count === 0) return count
    for (const pattern of this.patterns.all()) {
      // alloc: an iterator a message
      const { name } = pattern
      if (!matchGlob(name, 0, name.length, channel, offset, length)) continue
      this.#frame.begin(pattern.head, 2, length + messageLength)
      this.#frame.bulk(channel, offset, length)
      this.#frame.bulk(message, messageOffset, messageLength)
      count += this.#send(pattern)
    }
    return count
  }

  /** As `publish`, to a shard channel. */
  publishToShard(
    channel: Buffer,
    offset: number,
    length: number,
    message: Buffer,
    messageOffset: number,
    messageLength: number,
  ): number {
    const topic = this.shards.find(channel, offset, length)
    if (topic === undefined) return 0
    this.#frame.begin(topic.head, 1, messageLength)
    this.#frame.bulk(message, messageOffset, messageLength)
    return this.#send(topic)
  }

  /** Sends the frame to everybody who listens to the topic. */
  #send(topic: Topic): number {
    const { resp2, resp3 } = topic.recipients
    const frame = this.#frame
    if (resp2.length > 0) {
      frame.speak(2)
      for (let i = 0; i < resp2.length; i++) {
        this.#outbox.broadcast(resp2[i], frame.bytes, frame.size)
      }
    }
    if (resp3.length > 0) {
      frame.speak(3)
      for (let i = 0; i < resp3.length; i++) {
        this.#outbox.broadcast(resp3[i], frame.bytes, frame.size)
      }
    }
    return topic.sessions.size
  }

  #setClass(session: Session, outputClass: number): void {
    session.outputClass = outputClass
    session.updateSpecial()
    if (!session.closed) this.#outbox.order(session, KIND_CLASS, outputClass)
  }

  #lookAtAudience(): void {
    const has = this.channels.count + this.patterns.count > 0
    if (has === this.hasAudience) return
    this.hasAudience = has
    this.onAudience()
  }
}
