/**
 * Who listens to what: channels, shard channels and patterns are all topics, and differ in how a
 * message finds them.
 *
 * Thread: core. Hot path.
 * Owns: the sessions of each topic, and their connections laid out for sending.
 * Never: makes or sends a message.
 */
import { Recipients } from '../../engine/broadcasts.ts'
import type { CoreLink } from '../../engine/link.ts'
import type { Session } from '../../engine/session.ts'

/** What one session listens to. */
export interface Subscriptions {
  readonly channels: Set<Topic>
  readonly patterns: Set<Topic>
  readonly shards: Set<Topic>
}

/** The words that each kind of topic is spoken of with. */
export interface TopicWords {
  readonly subscribe: string
  readonly unsubscribe: string
  readonly message: string
}

export class Topic {
  readonly name: Buffer
  /** How each message begins: its kind and this name, as RESP2; a push begins with another byte. */
  readonly head: Buffer
  readonly sessions = new Set<Session>()
  #recipients: RecipientGroups | undefined = undefined

  constructor(name: Buffer, words: TopicWords, partCount: number) {
    this.name = name
    const { message } = words
    const start = `*${partCount}\r\n$${message.length}\r\n${message}\r\n$${name.length}\r\n`
    this.head = Buffer.concat([Buffer.from(start), name, CRLF])
  }

  /** The connections of everybody who listens. */
  get recipients(): RecipientGroups {
    this.#recipients ??= groupsOf(this.sessions)
    return this.#recipients
  }

  /** Somebody came, went or speaks another protocol. */
  changed(): void {
    this.#recipients = undefined
  }
}

/** By protocol. */
export interface RecipientGroups {
  readonly resp2: readonly Recipients[]
  readonly resp3: readonly Recipients[]
}

export class Topics {
  readonly words: TopicWords
  readonly #which: keyof Subscriptions
  readonly #partCount: number
  /** By name, one character a byte. */
  readonly #byName = new Map<string, Topic>()

  constructor(which: keyof Subscriptions, words: TopicWords, partCount: number) {
    this.#which = which
    this.words = words
    this.#partCount = partCount
  }

  /** Topics that somebody listens to. */
  get count(): number {
    return this.#byName.size
  }

  all(): IterableIterator<Topic> {
    return this.#byName.values()
  }

  find(bytes: Buffer, offset: number, length: number): Topic | undefined {
    if (this.#byName.size === 0) return undefined
    return this.#byName.get(bytes.latin1Slice(offset, offset + length))
  }

  /** What a session listens to among these. */
  of(session: Session): Iterable<Topic> {
    return session.subscriptions?.[this.#which] ?? []
  }

  /** False when the session listens already. */
  // alloc: what is kept
  add(session: Session, name: Buffer): boolean {
    const text = name.toString('latin1')
    let topic = this.#byName.get(text)
    if (topic === undefined) {
      topic = new Topic(name, this.words, this.#partCount)
      this.#byName.set(text, topic)
    } else if (topic.sessions.has(session)) {
      return false
    }
    session.subscriptions ??= { channels: new Set(), patterns: new Set(), shards: new Set() }
    session.subscriptions[this.#which].add(topic)
    session.subscriptionCount++
    topic.sessions.add(session)
    topic.changed()
    return true
  }

  /** False when the session does not listen. */
  remove(session: Session, topic: Topic): boolean {
    if (!topic.sessions.delete(session)) return false
    topic.changed()
    session.subscriptions?.[this.#which].delete(topic)
    session.subscriptionCount--
    if (topic.sessions.size === 0) this.#byName.delete(topic.name.toString('latin1'))
    return true
  }
}

const CRLF = Buffer.from('\r\n')

// alloc: when somebody came or went
function groupsOf(sessions: ReadonlySet<Session>): RecipientGroups {
  const ids = [new Map<CoreLink, number[]>(), new Map<CoreLink, number[]>()]
  for (const { protocol, link, connectionId } of sessions) {
    const byLink = ids[protocol - 2]
    const list = byLink.get(link)
    if (list === undefined) byLink.set(link, [connectionId])
    else list.push(connectionId)
  }
  const [resp2, resp3] = ids.map((byLink) =>
    [...byLink].map(([link, list]) => new Recipients(link, Int32Array.from(list))),
  )
  return { resp2, resp3 }
}
