/**
 * The control plane's end in the core: settings take effect, signals and answers arrive.
 *
 * Thread: core.
 * Owns: which part of the core is told of which directive; questions waiting for an answer.
 * Never: does a file's or a socket's work itself.
 */
import { encode } from '@msgpack/msgpack'
import type { FromCore, ToCore } from '../../../bridge/control.ts'
import type { Name } from '../../../config/params.ts'
import type { CoreLink } from '../../engine/link.ts'
import type { Server } from '../../server.ts'
import { infoText } from './info.ts'
import { shutdownFlags } from './shutdown.ts'

/**
 * `error`: empty for success. `about`: the directive that is to blame, if one is. `text`: what was
 * asked for, if it was a text.
 */
export type Answered = (error: string, about: string, text: string) => void

export class Control {
  readonly #server: Server
  readonly #questions = new Map<number, Answered>()
  #nextQuestion = 1
  /** What only the process knows: RSS, CPU time. Refreshed by the main thread. */
  process: Readonly<Record<string, number | string>> = {}

  constructor(server: Server) {
    this.#server = server
  }

  /** Makes every part of the core take over the settings it follows. */
  settingsChanged(): void {
    const server = this.#server
    const { settings } = server
    server.log.setLevel(settings.text('loglevel'))
    server.users.settingsChanged()
    server.eviction.settingsChanged()
    server.clientMemory.settingsChanged()
    server.latency.settingsChanged()
    server.scripting.settingsChanged()
    server.tracking.settingsChanged()
    server.outbox.held.use(settings)
    server.replication.settingsChanged()
    server.aof.settingsChanged()
    server.notifications.use(settings.text('notify-keyspace-events'))
    server.saves.settingsChanged()
    server.updateGuard()
  }

  /**
   * Tells every io thread that these directives have other values now. `answered`, if given, is told
   * what the main thread made of it.
   */
  announce(names: readonly Name[], answered?: Answered): void {
    const { settings } = this.#server
    const changed = names.map((name) => [name, settings.raw(name)] as const)
    const number = answered === undefined ? 0 : this.#question(answered)
    const payload = encode({ type: 'settings', changed, number } satisfies FromCore)
    for (const link of this.#server.links) this.#server.outbox.control(link, payload)
  }

  /** Asks the main thread for something. */
  ask(make: (number: number) => FromCore, answered: Answered): void {
    this.send(make(this.#question(answered)))
  }

  /** To the main thread. */
  send(message: FromCore): void {
    const { outbox, links } = this.#server
    outbox.control(links[0], encode(message))
  }

  receive(_link: CoreLink, message: ToCore): void {
    if (message.type === 'answer') {
      const answered = this.#questions.get(message.number)
      this.#questions.delete(message.number)
      answered?.(message.error, message.about, message.text ?? '')
    } else if (message.type === 'report') {
      this.#report(message.number)
    } else if (message.type === 'process') {
      this.process = message.values
      const { reclaim, keyspace } = this.#server
      reclaim.watch(Number(message.values.rss ?? 0), keyspace.usedBytes())
    } else if (message.type === 'started') {
      this.#server.reclaim.once()
    } else if (message.type === 'shutdown') {
      const { settings, shutdown } = this.#server
      const flags = shutdownFlags(settings.text('shutdown-on-sigterm'))
      if (message.signal === '') return shutdown.begin(flags, undefined)
      const setting = message.signal === 'SIGINT' ? 'shutdown-on-sigint' : 'shutdown-on-sigterm'
      shutdown.signal(shutdownFlags(settings.text(setting)))
    }
  }

  #report(number: number): void {
    const { slowLog } = this.#server.latency
    const last = slowLog.slice(0, 1).map(({ id, durationUs }) => ({ id, durationUs }))
    const info = infoText(this.#server, ['everything'])
    this.send({ type: 'report', number, info, slowLog: { length: slowLog.length, last } })
  }

  #question(answered: Answered): number {
    const number = this.#nextQuestion++
    this.#questions.set(number, answered)
    return number
  }
}
