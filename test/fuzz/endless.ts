/**
 * A server that is asked for what may never end: what runs for too long is ended with SCRIPT KILL or
 * FUNCTION KILL, or with SHUTDOWN where it has written.
 *
 * Thread: any.
 * Owns: the server, a new one after each that had to be ended.
 * Never: looks at a reply.
 */
import type { CommandText } from '../support/argv.ts'
import { Client } from '../support/client.ts'
import { notation, type Reply } from '../support/reply.ts'
import { type RunningServer, startRedbun } from '../support/server.ts'
import { BOUNDED, expectHealth, SERVED_WITHIN_MS, said } from './health.ts'

const BUSY_MS = 50
const POLL_MS = 20
const ARGS = [...BOUNDED, '--busy-reply-threshold', String(BUSY_MS)]

export class EndlessServer {
  #server: RunningServer

  private constructor(server: RunningServer) {
    this.#server = server
  }

  static async start(): Promise<EndlessServer> {
    return new EndlessServer(await startRedbun({ args: ARGS }))
  }

  /** The reply; undefined when the server had to be ended instead. Throws: an Error without either. */
  async ask(command: CommandText): Promise<Reply | undefined> {
    const server = this.#server
    const client = await Client.connect(server.address)
    client.send(command)
    const state = { isDone: false }
    const outcome = client.next(SERVED_WITHIN_MS).catch((error: Error) => error)
    void outcome.then(() => {
      state.isDone = true
    })
    await Promise.race([outcome, Bun.sleep(2 * BUSY_MS)])
    while (!state.isDone && this.#server.isRunning) await this.#kill(outcome)
    client.terminate()
    const reply = await outcome
    if (!(reply instanceof Error)) return reply
    if (server !== this.#server) return undefined
    await this.expectHealth()
    throw reply
  }

  async expectHealth(): Promise<void> {
    await expectHealth(this.#server)
  }

  stop(signal: 'SIGKILL'): Promise<unknown> {
    return this.#server.stop(signal)
  }

  /** Ends what runs, and the server with it where nothing else can. */
  async #kill(outcome: Promise<unknown>): Promise<void> {
    const killer = await Client.connect(this.#server.address)
    for (const kind of ['SCRIPT', 'FUNCTION']) {
      const said = notation(await killer.call(`${kind} KILL`, SERVED_WITHIN_MS))
      if (!said.startsWith('-UNKILLABLE')) continue
      killer.send('SHUTDOWN NOSAVE')
      await this.#restart()
      break
    }
    killer.terminate()
    await Promise.race([outcome, Bun.sleep(POLL_MS)])
  }

  async #restart(): Promise<void> {
    const { child } = this.#server
    const status = await Promise.race([child.exited, Bun.sleep(SERVED_WITHIN_MS)])
    const text = said(this.#server)
    await this.#server.stop('SIGKILL')
    this.#server = await startRedbun({ args: ARGS })
    if (status !== 0) throw new Error(`SHUTDOWN NOSAVE ends it with ${status}:\n${text}`)
  }
}
