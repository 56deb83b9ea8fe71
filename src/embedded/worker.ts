/**
 * The Worker that holds a server inside of an application: the server's main thread, and so its first
 * io thread, apart from the application's own, which may be busy.
 *
 * The threads of a server that has ended are kept for the next one: Workers are not meant to come and
 * go.
 *
 * Thread: main.
 * Owns: one server at a time, and the threads that wait for the next.
 * Never: ends the process, installs a signal handler, changes the directory.
 */
import { fromUnicode } from '../config/byte-text.ts'
import { quoteWord } from '../config/words.ts'
import { type ReservedPort, reservePort } from '../io/listen.ts'
import { type Configuration, loadConfiguration } from '../process/configuration.ts'
import type { Host, ThreadKind } from '../process/host.ts'
import { Logger } from '../process/logger.ts'
import { ServerProcess } from '../process/server-process.ts'
import type { FromEmbedded, ToEmbedded } from './messages.ts'

declare const self: Worker

const FILES: Readonly<Record<ThreadKind, string>> = {
  core: new URL('../core/thread.ts', import.meta.url).href,
  io: new URL('../io/worker.ts', import.meta.url).href,
  disk: new URL('../disk/worker.ts', import.meta.url).href,
}
/** Lines of the log that an error may quote. */
const LOG_LINES_KEPT = 5
const LINE_HEAD = /^\d+:[MS] .* # /

type Start = Extract<ToEmbedded, { type: 'start' }>

/** Threads that wait for a server. */
const idle: Record<ThreadKind, Worker[]> = { core: [], io: [], disk: [] }

class Embedded implements Host {
  readonly isOwn = false
  readonly note = ''
  readonly sharesPort: boolean
  readonly #configuration: Configuration
  readonly #port: ReservedPort | undefined
  readonly #used: { readonly kind: ThreadKind; readonly worker: Worker }[] = []
  /** What was logged last, for errors. */
  readonly #said: string[] = []
  readonly #server: ServerProcess
  #over = false

  constructor(configuration: Configuration, start: Start) {
    this.#configuration = configuration
    const { settings } = configuration
    this.#port = start.port === 0 ? reservePort(settings) : undefined
    if (this.#port !== undefined) settings.adopt({ port: String(this.#port.number) })
    this.sharesPort = this.#port !== undefined
    const logger = new Logger((text) => this.#keep(text))
    logger.configure(settings.text('logfile'), settings.text('loglevel'))
    this.#server = new ServerProcess(configuration, logger, this, start.ownsDirectory)
    this.#server.run()
  }

  thread(kind: ThreadKind): Worker {
    const worker = idle[kind].pop() ?? new Worker(FILES[kind])
    this.#used.push({ kind, worker })
    return worker
  }

  ready(): void {
    this.#port?.release()
    const { settings } = this.#configuration
    tell({ type: 'ready', port: settings.int('port'), unixsocket: settings.text('unixsocket') })
  }

  close(): void {
    this.#server.close()
  }

  shutdownFailed(): void {
    tell({ type: 'close-failed', message: this.#withLog('The server could not be closed') })
  }

  exit(status: number, reason: string): void {
    if (this.#over) return
    this.#over = true
    this.#port?.release()
    running = undefined
    if (status === 0) {
      for (const { kind, worker } of this.#used) idle[kind].push(worker)
      Bun.gc(true)
      return tell({ type: 'ended' })
    }
    for (const { worker } of this.#used) worker.terminate()
    tell({ type: 'failed', message: this.#withLog(reason) })
  }

  #keep(text: string): void {
    if (!LINE_HEAD.test(text)) return
    this.#said.push(text.replace(LINE_HEAD, '').trim())
    if (this.#said.length > LOG_LINES_KEPT) this.#said.shift()
  }

  /** The reason, and what led to it. */
  #withLog(reason: string): string {
    const before = this.#said.filter((line) => /could not|can't|error|fail/i.test(line))
    const causes = before.filter((line) => !reason.includes(line))
    return causes.length === 0 ? plain(reason) : `${plain(reason)} (${causes.join('; ')})`
  }
}

let running: Embedded | undefined

self.onmessage = ({ data }: MessageEvent<ToEmbedded>) => {
  if (data.type === 'close') return running?.close()
  try {
    start(data)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    tell({ type: 'failed', message: error.message })
  }
}

function start(message: Start): void {
  const options = message.directives
    .map(([name, words]) => [name, ...words].map(written).join(' '))
    .join('\n')
  const line = { task: 'serve', standardInput: false, options } as const
  const configuration = loadConfiguration(line, { isOwn: false })
  if (!('settings' in configuration)) {
    return tell({ type: 'refused', message: plain(configuration.text) })
  }
  running = new Embedded(configuration, message)
}

/** A word of a configuration line; in quotes only where it must be, since errors quote the line. */
function written(word: string): string {
  return /^[\w./:*-]+$/.test(word) ? word : quoteWord(fromUnicode(word))
}

/** A report of several lines, as one sentence: the line that is wrong, and why. */
function plain(report: string): string {
  const lines = report.trim().split('\n')
  const at = lines.findIndex((text) => text.startsWith('>>> '))
  if (at < 0) return lines.filter((text) => !text.startsWith('***')).join(' ')
  return `Bad directive ${lines[at].slice('>>> '.length)}: ${lines.slice(at + 1).join(' ')}`
}

function tell(message: FromEmbedded): void {
  self.postMessage(message)
}
