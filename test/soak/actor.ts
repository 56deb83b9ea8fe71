/**
 * One client of the soak: sends what its model gives it, in pipelines of any length, checks every
 * reply in order, and goes away and comes back.
 *
 * Thread: any.
 * Owns: its connection, its part of the keys.
 * Never: leaves a write unanswered: then nobody would know what its keys hold.
 */
import type { Dice } from '../conformance/dice.ts'
import { type Address, Client, REPLY_TIMEOUT_MS } from '../support/client.ts'
import { notation } from '../support/reply.ts'
import { Model, type Step } from './model.ts'

const PIPELINE_MAX = 40
const SHOWN_SIZE = 300

export class Actor {
  readonly model: Model
  readonly #name: string
  readonly #dice: Dice
  readonly #address: Address
  #client: Client | undefined = undefined
  replies = 0
  connects = 0

  constructor(name: string, address: Address, dice: Dice) {
    this.#name = name
    this.#address = address
    this.#dice = dice
    this.model = new Model(name, dice)
  }

  /** One pipeline, or a coming and going. Throws: an Error for a reply that is wrong. */
  async act(): Promise<void> {
    if (this.#dice.chance(2)) this.#leave()
    const steps: Step[] = []
    const count = 1 + this.#dice.below(this.#dice.chance(50) ? 3 : PIPELINE_MAX)
    while (steps.length < count) steps.push(...this.model.next())
    await this.#run(steps)
    // What is only read may be left unread.
    if (this.#dice.chance(1)) {
      for (const { command } of this.model.everything()) this.#client?.send(command)
      this.#leave()
    }
  }

  /** Looks at all keys. Throws: as above. */
  async verify(): Promise<void> {
    await this.#run(this.model.everything())
  }

  end(): void {
    this.#client?.terminate()
    this.#client = undefined
  }

  async #run(steps: readonly Step[]): Promise<void> {
    const client = this.#client ?? (await this.#connect())
    const sentMs = Date.now()
    for (const { command } of steps) client.send(command)
    for (const { command, judge } of steps) {
      const reply = notation(await client.next(3 * REPLY_TIMEOUT_MS))
      this.replies++
      const expected = judge(reply, { sentMs, gotMs: Date.now() })
      if (expected === undefined) continue
      const [asked, got, wanted] = [command.join(' '), reply, expected].map((text) =>
        text.slice(0, SHOWN_SIZE),
      )
      throw new Error(`${this.#name}: ${asked}\n  got      ${got}\n  expected ${wanted}`)
    }
    if (client.unread > 0) throw new Error(`${this.#name}: a reply came that nobody asked for`)
  }

  async #connect(): Promise<Client> {
    const client = await Client.connect(this.#address)
    this.#client = client
    this.connects++
    return client
  }

  #leave(): void {
    if (this.#dice.chance(50)) this.#client?.terminate()
    else this.#client?.close()
    this.#client = undefined
  }
}
