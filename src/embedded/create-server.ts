/**
 * `import { createServer } from 'redbun'`: a server inside of an application.
 *
 * Nothing of it runs on the application's thread, so an application that computes for a second stalls
 * no client. The Workers of a closed server wait, asleep, for the next; they do not keep the
 * application alive.
 *
 * Thread: the application's.
 * Owns: the Workers that hold servers, one each.
 * Never: imports the server itself: that happens in the Worker.
 */
import type { RedbunOptions, RedbunServer } from '../redbun.d.ts'
import type { FromEmbedded, ToEmbedded } from './messages.ts'

/** Workers whose server has ended. */
const idle: Worker[] = []
/** A server for an application listens to its own machine, and saves what it is told to save. */
const DEFAULTS: readonly (readonly [string, readonly string[]])[] = [
  ['bind', ['127.0.0.1']],
  ['save', ['']],
]
/** Settings that say that files are wanted. */
const ABOUT_FILES = ['dir', 'dbfilename', 'appendonly', 'save']

/** Starts a server. Rejects with an Error that says what is wrong. */
export async function createServer(options: RedbunOptions = {}): Promise<RedbunServer> {
  const message = startMessage(options)
  const embedded = new EmbeddedServer(idle.pop() ?? makeWorker())
  await embedded.start(message)
  return embedded
}

class EmbeddedServer implements RedbunServer {
  url = ''
  port = 0
  readonly closed: Promise<void>
  readonly #worker: Worker
  readonly #started = Promise.withResolvers<void>()
  readonly #ended = Promise.withResolvers<void>()
  #closing: PromiseWithResolvers<void> | undefined = undefined
  readonly #onClose = () => this.#lost('its Worker ended unexpectedly')

  constructor(worker: Worker) {
    this.#worker = worker
    this.closed = this.#ended.promise
    // Whoever wants to know looks at them; an application must not die of it.
    this.#ended.promise.catch(() => {})
    this.#started.promise.catch(() => {})
    worker.ref()
    worker.onmessage = ({ data }: MessageEvent<FromEmbedded>) => this.#hear(data)
    worker.onerror = (event) => {
      event.preventDefault()
      this.#lost(event.message)
    }
    worker.addEventListener('close', this.#onClose)
  }

  start(message: ToEmbedded): Promise<void> {
    this.#worker.postMessage(message)
    return this.#started.promise
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = Promise.withResolvers<void>()
      this.#ended.promise.then(this.#closing.resolve, this.#closing.reject)
      this.#worker.postMessage({ type: 'close' } satisfies ToEmbedded)
    }
    return this.#closing.promise
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #hear(message: FromEmbedded): void {
    if (message.type === 'ready') {
      this.port = message.port
      this.url = urlOf(message.port, message.unixsocket)
      this.#started.resolve()
    } else if (message.type === 'refused') {
      this.#letGo()
      this.#started.reject(new Error(`Redbun cannot start: ${message.message}`))
    } else if (message.type === 'ended') {
      this.#letGo()
      this.#ended.resolve()
    } else if (message.type === 'close-failed') {
      this.#closing?.reject(new Error(`Redbun: ${message.message}`))
      this.#closing = undefined
    } else {
      this.#lost(message.message)
    }
  }

  /** The Worker may hold another server. */
  #letGo(): void {
    this.#forget()
    idle.push(this.#worker)
  }

  /** There is no server any more, and what is left of it must not be used again. */
  #lost(what: string): void {
    this.#forget()
    this.#worker.terminate()
    this.#started.reject(new Error(`Redbun cannot start: ${what}`))
    this.#ended.reject(new Error(`Redbun has failed: ${what}`))
  }

  #forget(): void {
    this.#worker.onmessage = null
    this.#worker.onerror = null
    this.#worker.removeEventListener('close', this.#onClose)
    this.#worker.unref()
  }
}

function makeWorker(): Worker {
  return new Worker(new URL('./worker.ts', import.meta.url).href)
}

/** Throws: an Error, for what is not even a directive. */
function startMessage({ port, unixsocket, settings = {} }: RedbunOptions): ToEmbedded {
  const wanted = port ?? (unixsocket === undefined ? 0 : false)
  const directives: (readonly [string, readonly string[]])[] = [...DEFAULTS]
  const names = Object.keys(settings)
  for (const [name, value] of Object.entries(settings)) {
    if (value !== undefined) directives.push([name, wordsOf(value)])
  }
  if (unixsocket !== undefined) directives.push(['unixsocket', [unixsocket]])
  directives.push(['port', [wanted === false ? '0' : String(wanted)]])
  return {
    type: 'start',
    directives,
    port: wanted === false ? undefined : wanted,
    ownsDirectory: names.some((name) => ABOUT_FILES.includes(name.toLowerCase())),
  }
}

function wordsOf(value: string | number | boolean | readonly (string | number)[]): string[] {
  if (typeof value === 'boolean') return [value ? 'yes' : 'no']
  if (typeof value === 'object') return value.map(String)
  return [String(value)]
}

function urlOf(port: number, unixsocket: string): string {
  if (port !== 0) return `redis://127.0.0.1:${port}`
  return unixsocket === '' ? '' : `redis+unix://${unixsocket}`
}
