/**
 * A load generator for what redis-benchmark cannot do: distinct keys, and a mixture of commands.
 *
 *   requests (templates with digits to fill in) ──▶ one buffer a connection ──▶ socket
 *   histogram ◀── time of a whole pipeline ◀── replies counted, errors seen ◀──┘
 *
 * Thread: main.
 * Owns: its sockets while a load runs.
 * Never: loses an error reply, or waits for ever.
 */
import type { Socket } from 'bun'
import { Random } from '../src/lib/random.ts'
import { Histogram } from './histogram.ts'
import type { Target } from './redis-benchmark.ts'

const SILENCE_MS_MAX = 20_000
const DIGITS = 12
/** Where digits go in a template. */
const HOLE = '0'.repeat(DIGITS)
const HOLES = new RegExp(HOLE, 'g')

/** A request with holes for a number of twelve digits, as redis-benchmark names its keys. */
export class Template {
  readonly bytes: Buffer
  readonly #holes: readonly number[]

  /** `words`: twelve zeros among them are a hole; all holes get the same number. */
  constructor(words: readonly string[]) {
    const parts = words.map((word) => `$${word.length}\r\n${word}\r\n`)
    const text = `*${words.length}\r\n${parts.join('')}`
    this.bytes = Buffer.from(text, 'latin1')
    this.#holes = [...text.matchAll(HOLES)].map(({ index }) => index)
    if (this.#holes.length === 0) throw new Error('a template has no place for its number')
  }

  /** Gives the offset behind the request. */
  write(buffer: Buffer, offset: number, number: number): number {
    this.bytes.copy(buffer, offset)
    for (const hole of this.#holes) {
      let rest = number
      for (let at = offset + hole + DIGITS - 1; rest > 0; at--) {
        const next = Math.floor(rest / 10)
        buffer[at] = 48 + rest - next * 10
        rest = next
      }
    }
    return offset + this.bytes.length
  }
}

/** What is to be sent. */
export interface Requests {
  /** Bytes of the longest request. */
  readonly sizeMax: number
  /** Writes the next request and gives the offset behind it; -1: there is none left. */
  write(buffer: Buffer, offset: number): number
}

/** A template with every number from 0 to `count - 1`, once. */
export class EveryNumber implements Requests {
  readonly sizeMax: number
  readonly #template: Template
  readonly #count: number
  #next = 0

  constructor(template: Template, count: number) {
    this.#template = template
    this.sizeMax = template.bytes.length
    this.#count = count
  }

  write(buffer: Buffer, offset: number): number {
    if (this.#next === this.#count) return -1
    return this.#template.write(buffer, offset, this.#next++)
  }
}

/** SET of every key from 0 to `count - 1`, once. */
export function everyKey(count: number, valueSize: number): EveryNumber {
  return new EveryNumber(new Template(['SET', `key:${HOLE}`, 'x'.repeat(valueSize)]), count)
}

/** Half GET, a third SET, the rest INCR, DEL and EXPIRE, on random keys. */
export class Mixture implements Requests {
  readonly sizeMax: number
  readonly #templates: readonly Template[]
  readonly #keyCount: number
  readonly #random = new Random(20_240_229)

  constructor(keyCount: number, valueSize: number) {
    const key = `key:${HOLE}`
    const get = new Template(['GET', key])
    const set = new Template(['SET', key, 'y'.repeat(valueSize)])
    const rest = [
      new Template(['INCR', `num:${HOLE}`]),
      new Template(['DEL', key]),
      new Template(['EXPIRE', key, '30']),
    ]
    this.#templates = [...new Array<Template>(10).fill(get), ...new Array(7).fill(set), ...rest]
    this.sizeMax = Math.max(...this.#templates.map(({ bytes }) => bytes.length))
    this.#keyCount = keyCount
  }

  write(buffer: Buffer, offset: number): number {
    const template = this.#templates[this.#random.below(this.#templates.length)]
    return template.write(buffer, offset, this.#random.below(this.#keyCount))
  }
}

export interface LoadPlan {
  readonly target: Target
  readonly connections: number
  readonly pipeline: number
  readonly requests: Requests
  /** When to stop, unless the requests end before. */
  readonly seconds?: number
}

export interface LoadResult {
  readonly requestCount: number
  readonly seconds: number
  /** Of whole pipelines. */
  readonly latency: Histogram
}

/** Throws: an Error for the first error reply, a lost connection, or silence. */
export function load(plan: LoadPlan): Promise<LoadResult> {
  return new Load(plan).run()
}

class Load {
  readonly plan: LoadPlan
  readonly latency = new Histogram()
  readonly #done = Promise.withResolvers<void>()
  readonly #startMs = performance.now()
  readonly #stopMs: number
  #connections: LoadConnection[] = []
  #busy = 0
  requestCount = 0

  constructor(plan: LoadPlan) {
    this.plan = plan
    this.#stopMs =
      plan.seconds === undefined ? Number.POSITIVE_INFINITY : this.#startMs + plan.seconds * 1000
  }

  async run(): Promise<LoadResult> {
    let seen = -1
    const watch = setInterval(() => {
      if (this.requestCount === seen) this.failed(new Error('the server has fallen silent'))
      seen = this.requestCount
    }, SILENCE_MS_MAX)
    try {
      const { connections } = this.plan
      const opening = Array.from({ length: connections }, () => LoadConnection.open(this))
      this.#connections = await Promise.all(opening)
      this.#busy = connections
      for (const connection of this.#connections) connection.next()
      await this.#done.promise
    } finally {
      clearInterval(watch)
      for (const connection of this.#connections) connection.close()
    }
    const seconds = (performance.now() - this.#startMs) / 1000
    return { requestCount: this.requestCount, seconds, latency: this.latency }
  }

  get isOver(): boolean {
    return performance.now() >= this.#stopMs
  }

  failed(error: Error): void {
    this.#done.reject(error)
  }

  /** A connection has nothing more to send. */
  finished(): void {
    if (--this.#busy === 0) this.#done.resolve()
  }
}

class LoadConnection {
  readonly #load: Load
  readonly #buffer: Buffer
  readonly #replies = new ReplyCounter()
  #socket: Socket<undefined> | undefined = undefined
  #size = 0
  #sent = 0
  #awaited = 0
  #inBatch = 0
  #sentAtMs = 0
  #closed = false

  constructor(load: Load) {
    this.#load = load
    this.#buffer = Buffer.alloc(load.plan.requests.sizeMax * load.plan.pipeline)
  }

  static async open(load: Load): Promise<LoadConnection> {
    const connection = new LoadConnection(load)
    connection.#socket = await Bun.connect({
      hostname: load.plan.target.host,
      port: load.plan.target.port,
      data: undefined,
      socket: {
        binaryType: 'buffer',
        data: (_, chunk: Buffer) => connection.#received(chunk),
        drain: () => connection.#write(),
        close: () => {
          if (!connection.#closed) load.failed(new Error('the server closed a connection'))
        },
        error: (_, error) => load.failed(error),
      },
    })
    return connection
  }

  /** Sends the next pipeline, or ends. */
  next(): void {
    const { plan } = this.#load
    let offset = 0
    let count = 0
    const wanted = this.#load.isOver ? 0 : plan.pipeline
    while (count < wanted) {
      const end = plan.requests.write(this.#buffer, offset)
      if (end < 0) break
      offset = end
      count++
    }
    if (count === 0) {
      this.#load.finished()
      return
    }
    this.#size = offset
    this.#sent = 0
    this.#awaited = count
    this.#inBatch = count
    this.#sentAtMs = performance.now()
    this.#write()
  }

  close(): void {
    this.#closed = true
    this.#socket?.end()
  }

  #write(): void {
    if (this.#sent === this.#size) return
    const sent = this.#socket?.write(this.#buffer, this.#sent, this.#size - this.#sent) ?? -1
    if (sent > 0) this.#sent += sent
  }

  #received(chunk: Buffer): void {
    this.#awaited -= this.#replies.feed(chunk)
    if (this.#replies.error !== '') this.#load.failed(new Error(this.#replies.error))
    if (this.#awaited > 0) return
    this.#load.latency.add((performance.now() - this.#sentAtMs) * 1000)
    this.#load.requestCount += this.#inBatch
    this.next()
  }
}

/** Counts replies that are no aggregates, in pieces of any size. */
export class ReplyCounter {
  /** The first error reply. */
  error = ''
  /** Bytes of a bulk that are still to come, its line end included. */
  #skip = 0
  #line = ''

  /** Gives how many replies ended in this chunk. */
  feed(chunk: Buffer): number {
    let count = 0
    let at = 0
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at)
        at += step
        this.#skip -= step
        if (this.#skip === 0) count++
        continue
      }
      const end = chunk.indexOf(10, at)
      if (end < 0) {
        this.#line += chunk.latin1Slice(at, chunk.length)
        break
      }
      const line = this.#line + chunk.latin1Slice(at, end + 1)
      this.#line = ''
      at = end + 1
      if (line.startsWith('$') && line !== '$-1\r\n') this.#skip = Number(line.slice(1)) + 2
      else count++
      if (line.startsWith('-') && this.error === '') this.error = line.trim()
    }
    return count
  }
}
