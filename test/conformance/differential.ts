/**
 * The same stream of commands to two servers, answers compared, the dataset's digest too; a stream
 * that shows a difference is cut down to what is needed for it.
 *
 * Thread: any.
 * Owns: one connection to each server.
 * Never: keeps a state from one stream to the next.
 */
import { encodeRequest } from '../support/argv.ts'
import { type Address, Client } from '../support/client.ts'
import { notation, type Reply } from '../support/reply.ts'
import { agree } from './compare.ts'
import type { Argv } from './generator.ts'

export interface Difference {
  /** Place in the stream; its length when all replies agree and the digests do not. */
  readonly index: number
  readonly ours: string
  readonly theirs: string
}

const BATCH_COUNT = 50
const DIGEST: Argv = ['DEBUG', 'DIGEST']

export class Differential {
  readonly #ours: Address
  readonly #theirs: Address
  /** What CONFIG SET gets on both before a stream. */
  settings: Argv = []
  /** Replies compared so far. */
  comparedCount = 0

  constructor(ours: Address, theirs: Address) {
    this.#ours = ours
    this.#theirs = theirs
  }

  /** True when both servers can tell a digest of their data. */
  async canDigest(): Promise<boolean> {
    const clients = await Promise.all([Client.connect(this.#ours), Client.connect(this.#theirs)])
    const replies = await Promise.all(clients.map((client) => client.call(DIGEST)))
    for (const client of clients) client.terminate()
    return replies.every((reply) => reply.kind === '+')
  }

  /** Runs a stream on emptied servers. Gives the first difference; undefined: there is none. */
  async run(stream: readonly Argv[], withDigest: boolean): Promise<Difference | undefined> {
    const clients = await Promise.all([Client.connect(this.#ours), Client.connect(this.#theirs)])
    try {
      if (this.settings.length > 0) {
        const set = ['CONFIG', 'SET', ...this.settings]
        for (const client of clients) {
          const answer = notation(await client.call(set))
          if (answer !== '+OK') throw new Error(`${set.join(' ')}: ${answer}`)
        }
      }
      await Promise.all(clients.map((client) => client.call(['FLUSHALL'])))
      for (let start = 0; start < stream.length; start += BATCH_COUNT) {
        const batch = stream.slice(start, start + BATCH_COUNT)
        const found = await this.#batch(clients, batch, start)
        if (found !== undefined) return found
      }
      if (!withDigest) return undefined
      // Keys that are over but still there are gone once they were looked at.
      await Promise.all(clients.map((client) => client.call(['SCAN', '0', 'COUNT', '100000'])))
      const [ours, theirs] = await Promise.all(clients.map((client) => client.call(DIGEST)))
      if (notation(ours) === notation(theirs)) return undefined
      return { index: stream.length, ours: notation(ours), theirs: notation(theirs) }
    } finally {
      for (const client of clients) client.terminate()
    }
  }

  async #batch(
    clients: readonly Client[],
    batch: readonly Argv[],
    start: number,
  ): Promise<Difference | undefined> {
    const bytes = Buffer.concat(batch.map(encode))
    const answers = await Promise.all(clients.map((client) => all(client, bytes, batch.length)))
    for (let i = 0; i < batch.length; i++) {
      const [ours, theirs] = [answers[0][i], answers[1][i]]
      this.comparedCount++
      if (typeof ours !== 'string' && typeof theirs !== 'string' && agree(batch[i], ours, theirs)) {
        continue
      }
      return { index: start + i, ours: said(ours), theirs: said(theirs) }
    }
    return undefined
  }

  /** The shortest part of a stream that this finds to show the difference, within `budgetMs`. */
  async shrink(
    stream: readonly Argv[],
    withDigest: boolean,
    budgetMs: number,
  ): Promise<readonly Argv[]> {
    const deadline = performance.now() + budgetMs
    let kept = stream
    for (let size = Math.ceil(kept.length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let start = 0; start < kept.length && performance.now() < deadline; ) {
        const shorter = [...kept.slice(0, start), ...kept.slice(start + size)]
        const found = shorter.length === 0 ? undefined : await this.run(shorter, withDigest)
        if (found === undefined) start += size
        else kept = shorter.slice(0, found.index + 1)
      }
    }
    return kept
  }
}

function encode(argv: Argv): Buffer {
  return encodeRequest(argv.map((word) => Buffer.from(word, 'latin1')))
}

/** The replies to a batch; a text where something else than a reply came. */
async function all(client: Client, bytes: Buffer, count: number): Promise<(Reply | string)[]> {
  client.write(bytes)
  const answers: (Reply | string)[] = []
  while (answers.length < count) {
    try {
      answers.push(await client.next(5000))
    } catch (error) {
      return [...answers, ...Array(count - answers.length).fill(`!! ${(error as Error).message}`)]
    }
  }
  return answers
}

function said(answer: Reply | string): string {
  const text = typeof answer === 'string' ? answer : notation(answer)
  return text.length > 1000 ? `${text.slice(0, 1000)}... (${text.length} characters)` : text
}
