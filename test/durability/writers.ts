/**
 * Clients that write without end and know what was acknowledged, and the question what of it is
 * there after a restart.
 *
 * Each client counts: its list gets 1, 2, 3 and so on, every other number together with a second
 * list in one transaction. So what is there can be told to be a prefix, without a hole, and no
 * transaction is there by half.
 *
 * Thread: any.
 * Owns: its connections.
 * Never: waits for a server that is gone.
 */
import { type Address, Client, ConnectionEnded } from '../support/client.ts'
import type { Reply } from '../support/reply.ts'

/** Steps on their way at one time. */
const PIPELINE = 8

interface Step {
  readonly number: number
  readonly replies: number
}

/** What one client knows. */
export interface Acknowledged {
  readonly name: string
  /** Steps that were sent, and up to which all were acknowledged. */
  sent: number
  acknowledged: number
  /** When each step was acknowledged: milliseconds, by step. */
  readonly times: number[]
}

export class Writers {
  readonly #address: Address
  readonly #states: Acknowledged[]
  #stopped = false
  #refused = 0

  constructor(address: Address, count: number, prefix = 'w') {
    this.#address = address
    this.#states = Array.from({ length: count }, (_, i) => {
      return { name: `${prefix}${i}`, sent: 0, acknowledged: 0, times: [0] }
    })
  }

  get states(): readonly Acknowledged[] {
    return this.#states
  }

  /** Errors that came instead of an acknowledgement. */
  get refused(): number {
    return this.#refused
  }

  /** Writes until `stop`, or until the server is gone. */
  async run(): Promise<void> {
    await Promise.all(this.#states.map((state) => this.#write(state)))
  }

  stop(): void {
    this.#stopped = true
  }

  async #write(state: Acknowledged): Promise<void> {
    let client: Client
    try {
      client = await Client.connect(this.#address)
    } catch (error) {
      // The server is gone already.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error
      return
    }
    const waiting: Step[] = []
    try {
      while (!this.#stopped) {
        while (waiting.length < PIPELINE) waiting.push(this.#send(client, state))
        if (!(await this.#receive(client, state, waiting))) break
      }
      while (waiting.length > 0 && (await this.#receive(client, state, waiting)));
    } catch (error) {
      // The connection ended, which is what the test is about.
      if (!(error instanceof ConnectionEnded)) throw error
    }
    client.terminate()
  }

  #send(client: Client, state: Acknowledged): Step {
    const number = ++state.sent
    const { name } = state
    const padding = 'x'.repeat(number % 97)
    if (number % 2 === 0) {
      client.send(['RPUSH', `list:${name}`, number])
      client.send(['SET', `text:${name}`, `${number} ${padding}`])
      return { number, replies: 2 }
    }
    client.send(['MULTI'])
    client.send(['RPUSH', `list:${name}`, number])
    client.send(['RPUSH', `odd:${name}`, number])
    client.send(['EXEC'])
    return { number, replies: 4 }
  }

  /** False when the step was refused: then this client ends. */
  async #receive(client: Client, state: Acknowledged, waiting: Step[]): Promise<boolean> {
    const step = waiting.shift()
    if (step === undefined) return false
    const replies: Reply[] = []
    for (let i = 0; i < step.replies; i++) replies.push(await client.next(60_000))
    if (replies.some(({ kind }) => kind === '-')) {
      this.#refused++
      return false
    }
    state.acknowledged = step.number
    state.times.push(performance.now())
    return true
  }
}

/** What is wrong with what a server holds, in words; empty for nothing. */
export async function faults(
  client: Client,
  states: readonly Acknowledged[],
  /** What was acknowledged before this moment has to be there. */
  beforeMs: number,
): Promise<string[]> {
  const found: string[] = []
  for (const { name, sent, times } of states) {
    const list = await numbers(client, `list:${name}`)
    const odd = await numbers(client, `odd:${name}`)
    const last = list.length
    if (!list.every((number, i) => number === i + 1)) found.push(`${name}: a hole in ${list}`)
    const expected = Math.ceil(last / 2)
    if (odd.length !== expected || !odd.every((number, i) => number === 2 * i + 1)) {
      found.push(`${name}: half a transaction: ${last} and ${odd.length}`)
    }
    if (last > sent) found.push(`${name}: ${last} of ${sent}`)
    const due = times.findLastIndex((ms) => ms < beforeMs)
    if (last < due) found.push(`${name}: ${last} is there, ${due} was acknowledged`)
  }
  return found
}

async function numbers(client: Client, key: string): Promise<number[]> {
  const reply = await client.call(['LRANGE', key, '0', '-1'])
  if (reply.kind === '-') throw new Error(`${key}: ${reply.bytes?.toString()}`)
  return (reply.items ?? []).map((item) => Number(item.bytes?.toString()))
}
