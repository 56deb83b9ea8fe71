/**
 * `metrics-port`: tells Prometheus over HTTP, at /metrics, how the server is.
 *
 * It listens where `bind` says. Whoever reaches the port may read, as with an exporter: there are numbers
 * and names of commands, but nothing of a key.
 *
 * Thread: main.
 * Owns: the doors, and the questions to the core that are not answered yet.
 * Never: keeps a client waiting for a core that is busy: then it says so.
 */
import type { Settings } from '../config/settings.ts'
import { type CoreReport, exposition } from '../lib/exposition.ts'
import { bindAll, type ListenOutcome } from './listen.ts'

const ANSWERED_WITHIN_MS = 5000
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export class Metrics {
  readonly #settings: Settings
  readonly #ask: (number: number) => void
  readonly #servers: { stop(force: boolean): unknown }[] = []
  readonly #waiting = new Map<number, (report: CoreReport | undefined) => void>()
  #asked = 0

  /** `ask`: asks the core for a report, which comes to `answer` with the same number. */
  constructor(settings: Settings, ask: (number: number) => void) {
    this.#settings = settings
    this.#ask = ask
  }

  listen(): ListenOutcome {
    const warnings: string[] = []
    const port = this.#settings.int('metrics-port')
    const fetch = (request: Request) => this.#respond(request)
    const open = (hostname: string) => {
      this.#servers.push(Bun.serve({ hostname, port, ipv6Only: hostname.includes(':'), fetch }))
    }
    try {
      if (port !== 0) bindAll(this.#settings, port, 'metrics-port', open, warnings)
    } catch (error) {
      return { warnings, failure: (error as Error).message }
    }
    return { warnings, failure: undefined }
  }

  answer(number: number, report: CoreReport): void {
    this.#waiting.get(number)?.(report)
  }

  stop(): void {
    for (const server of this.#servers.splice(0)) server.stop(true)
    for (const tell of this.#waiting.values()) tell(undefined)
  }

  async #respond(request: Request): Promise<Response> {
    if (new URL(request.url).pathname !== '/metrics') {
      return new Response('Metrics are at /metrics.\n', { status: 404 })
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return new Response('Only GET.\n', { status: 405, headers: { allow: 'GET, HEAD' } })
    }
    const report = await this.#report()
    if (report === undefined) return new Response('The server is busy.\n', { status: 503 })
    const text = exposition(report, this.#settings.int('maxclients'), Date.now())
    return new Response(text, { headers: { 'content-type': CONTENT_TYPE } })
  }

  /** Undefined: the core has not answered in time. */
  async #report(): Promise<CoreReport | undefined> {
    const number = ++this.#asked
    const { promise, resolve } = Promise.withResolvers<CoreReport | undefined>()
    this.#waiting.set(number, resolve)
    const timer = setTimeout(resolve, ANSWERED_WITHIN_MS, undefined)
    this.#ask(number)
    const report = await promise
    clearTimeout(timer)
    this.#waiting.delete(number)
    return report
  }
}
