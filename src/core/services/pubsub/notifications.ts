/**
 * Keyspace notifications: events of keys become messages, to a channel of the key and to one of the
 * event.
 *
 *     __keyspace@0__:mykey  set          K
 *     __keyevent@0__:set    mykey        E
 *
 * Thread: core. Hot path.
 * Owns: what `notify-keyspace-events` asks for.
 * Never: publishes as long as nobody subscribes to anything.
 */
import {
  type EventListener,
  type EventName,
  eventClasses,
  type KeyEvents,
} from '../../keyspace/events.ts'
import type { PubSub } from './pubsub.ts'

const START_SIZE = 256

export class Notifications implements EventListener {
  readonly #events: KeyEvents
  readonly #pubsub: PubSub
  #configured = 0
  #toKeys = false
  #toEvents = false
  /** The name of the channel, and of the event. */
  #channel = Buffer.allocUnsafe(START_SIZE)
  readonly #event = Buffer.allocUnsafe(START_SIZE)

  constructor(events: KeyEvents, pubsub: PubSub) {
    this.#events = events
    this.#pubsub = pubsub
    pubsub.onAudience = () => events.refresh()
    events.attachEvents(this)
  }

  get classes(): number {
    return this.#pubsub.hasAudience ? this.#configured : 0
  }

  /** Takes over the value of `notify-keyspace-events`. */
  use(letters: string): void {
    this.#toKeys = letters.includes('K')
    this.#toEvents = letters.includes('E')
    this.#configured = this.#toKeys || this.#toEvents ? eventClasses(letters) : 0
    this.#events.refresh()
  }

  notify(event: EventName, dbIndex: number, bytes: Buffer, offset: number, length: number): void {
    const pubsub = this.#pubsub
    const name = this.#event
    const nameSize = name.latin1Write(event, 0)
    if (this.#toKeys) {
      const size = this.#name(`__keyspace@${dbIndex}__:`, bytes, offset, length) // alloc: while somebody listens
      pubsub.publish(this.#channel, 0, size, name, 0, nameSize)
    }
    if (this.#toEvents) {
      const size = this.#name(`__keyevent@${dbIndex}__:`, name, 0, nameSize) // alloc: as above
      pubsub.publish(this.#channel, 0, size, bytes, offset, length)
    }
  }

  /** Makes the channel's name; gives its size. */
  #name(start: string, bytes: Buffer, offset: number, length: number): number {
    const size = start.length + length
    // alloc: for a longer key than all before
    if (size > this.#channel.length) this.#channel = Buffer.allocUnsafe(2 * size)
    this.#channel.latin1Write(start, 0)
    bytes.copy(this.#channel, start.length, offset, offset + length)
    return size
  }
}
