/**
 * Delivery of messages to 1, 100 and 1000 subscribers, ours beside redis-server.
 *
 *   publishers, pipelines of P ──▶ server ──▶ N subscribers of one channel
 *         ◀── how many got it ──┘              every byte counted
 *
 * Goals: deliveries a second until the last subscriber has the last message, and the processor time
 * that one costs the server, which the subscribers' own work cannot hide.
 * Non-goals: patterns, long messages.
 *
 * `bun run bench` measures some of them briefly; all of them, and for longer:
 * `bun bench/pubsub.ts [--rounds N] [--io-threads N]`; BENCH_SMOKE=1 sends few messages, silently.
 *
 * Thread: main.
 * Owns: its sockets while a round runs.
 * Never: counts a round in which a message was lost, or one too many came.
 */
import type { Socket } from 'bun'
import { IS_SMOKE, say } from './micro/measure.ts'
import { Options, parseOptions } from './options.ts'
import type { Progress } from './progress.ts'
import { type Server, starters } from './servers.ts'
import { ratioText, shortCount, spreadOf } from './statistics.ts'

const CASES = [
  { subscribers: 1, publishers: 1, pipeline: 1, messages: 20_000 },
  { subscribers: 1, publishers: 1, pipeline: 16, messages: 100_000 },
  { subscribers: 100, publishers: 1, pipeline: 1, messages: 3000 },
  { subscribers: 100, publishers: 1, pipeline: 16, messages: 15_000 },
  { subscribers: 100, publishers: 50, pipeline: 1, messages: 20_000 },
  { subscribers: 1000, publishers: 1, pipeline: 1, messages: 300 },
  { subscribers: 1000, publishers: 1, pipeline: 16, messages: 2000 },
  { subscribers: 1000, publishers: 50, pipeline: 1, messages: 3000 },
] as const
type Case = (typeof CASES)[number]

const CHANNEL = 'news'
const PAYLOAD = 'x'.repeat(64)
const PUBLISH = `*3\r\n$7\r\nPUBLISH\r\n$4\r\n${CHANNEL}\r\n$64\r\n${PAYLOAD}\r\n`
const MESSAGE_SIZE = `*3\r\n$7\r\nmessage\r\n$4\r\n${CHANNEL}\r\n$64\r\n${PAYLOAD}\r\n`.length
const SUBSCRIBE = `*2\r\n$9\r\nSUBSCRIBE\r\n$4\r\n${CHANNEL}\r\n`
const CONFIRMATION_SIZE = `*3\r\n$9\r\nsubscribe\r\n$4\r\n${CHANNEL}\r\n:1\r\n`.length
const SILENCE_MS_MAX = 20_000
const SMOKE_SCALE = 0.01
/** What `measureDelivery` leaves of the messages, and with how few subscribers it does not begin. */
const BRIEF_SCALE = 0.2
const BRIEF_SUBSCRIBERS_MIN = 100
const BRIEF_ROUNDS = 3

/** Of ours and the reference, in this order where there are two of something. */
export interface DeliveryResult {
  readonly subscribers: number
  readonly publishers: number
  readonly pipeline: number
  readonly perSecond: readonly number[]
  /** Ours over theirs, round by round: the median. */
  readonly ratio: number
  /** Microseconds of the server's processor time a delivery. */
  readonly costUs: readonly number[]
}

interface Result {
  readonly perSecond: number
  /** Of the server's processor time; undefined where /proc does not say. */
  readonly usPerDelivery: number | undefined
}

/** Counts bytes up to a goal. */
class Counter {
  #left = 0
  #reached = Promise.withResolvers<void>()

  expect(size: number): Promise<void> {
    this.#reached = Promise.withResolvers<void>()
    this.#left = size
    const timer = setTimeout(
      () => this.#reached.reject(new Error(`${this.#left} bytes did not come`)),
      SILENCE_MS_MAX,
    )
    return this.#reached.promise.finally(() => clearTimeout(timer))
  }

  count(size: number): void {
    this.#left -= size
    if (this.#left === 0) this.#reached.resolve()
    else if (this.#left < 0) this.#reached.reject(new Error('more came than was published'))
  }
}

async function connect(server: Server, counter: Counter): Promise<Socket<undefined>> {
  const data = (_: Socket<undefined>, chunk: Buffer) => counter.count(chunk.length)
  const socket = { binaryType: 'buffer' as const, data }
  return await Bun.connect({ hostname: server.host, port: server.port, socket, data: undefined })
}

/** The cases with many subscribers, briefly. */
export async function measureDelivery(
  servers: readonly Server[],
  progress: Progress,
): Promise<DeliveryResult[]> {
  const results: DeliveryResult[] = []
  for (const one of BRIEF_CASES) {
    progress.step(`delivery to ${one.subscribers} subscribers by ${one.publishers}`)
    results.push(await compare(servers, one, BRIEF_ROUNDS, BRIEF_SCALE))
  }
  return results
}

const BRIEF_CASES = CASES.filter(({ subscribers }) => subscribers >= BRIEF_SUBSCRIBERS_MIN)
export const DELIVERY_STEPS = BRIEF_CASES.length

async function measure(server: Server, one: Case, scale: number): Promise<Result> {
  const { subscribers, publishers, pipeline, messages } = one
  const count = Math.max(pipeline, messages * scale)
  const batches = Math.ceil(count / pipeline / publishers)
  const received = new Counter()
  const opening = Array.from({ length: subscribers }, () => connect(server, received))
  const sockets = await Promise.all(opening)
  const senders = await Promise.all(
    Array.from({ length: publishers }, async () => {
      const answered = new Counter()
      return { answered, socket: await connect(server, answered) }
    }),
  )
  try {
    const confirmed = received.expect(subscribers * CONFIRMATION_SIZE)
    for (const socket of sockets) socket.write(SUBSCRIBE)
    await confirmed
    const request = PUBLISH.repeat(pipeline)
    const replySize = `:${subscribers}\r\n`.length * pipeline
    const deliveries = batches * publishers * pipeline * subscribers
    const all = received.expect(deliveries * MESSAGE_SIZE)
    const processor = server.processorSeconds()
    const startMs = performance.now()
    const sending = senders.map(async ({ answered, socket }) => {
      for (let i = 0; i < batches; i++) {
        const answer = answered.expect(replySize)
        socket.write(request)
        await answer
      }
    })
    await Promise.all([...sending, all])
    const seconds = (performance.now() - startMs) / 1000
    const used = (server.processorSeconds() ?? Number.NaN) - (processor ?? Number.NaN)
    return {
      perSecond: deliveries / seconds,
      usPerDelivery: Number.isNaN(used) ? undefined : (used * 1e6) / deliveries,
    }
  } finally {
    for (const { socket } of senders) socket.end()
    for (const socket of sockets) socket.end()
  }
}

async function main(options: Options): Promise<void> {
  const { redbun, redis } = await starters(options)
  const servers = [await redbun(), await redis()]
  try {
    say(
      '| subscribers | publishers | pipeline | Redbun | Redis | ratio | processor time a delivery |',
    )
    say('| ---: | ---: | ---: | ---: | ---: | ---: | --- |')
    for (const one of CASES) {
      const rounds = IS_SMOKE ? 1 : options.rounds
      const result = await compare(servers, one, rounds, IS_SMOKE ? SMOKE_SCALE : 1)
      const [ours, theirs] = result.perSecond
      const [ourCost, theirCost] = result.costUs
      say(
        `| ${one.subscribers} | ${one.publishers} | ${one.pipeline} | ${shortCount(ours)} | ${shortCount(theirs)} ` +
          `| ${ratioText(result.ratio)} | ${ourCost.toFixed(2)} µs, ${theirCost.toFixed(2)} µs |`,
      )
    }
  } finally {
    for (const server of servers) await server.stop()
  }
}

async function compare(
  servers: readonly Server[],
  one: Case,
  rounds: number,
  scale: number,
): Promise<DeliveryResult> {
  const results = servers.map((): Result[] => [])
  // The first round is for the compiler.
  for (let round = IS_SMOKE ? 0 : -1; round < rounds; round++) {
    for (let turn = 0; turn < servers.length; turn++) {
      const index = (turn + Math.max(round, 0)) % servers.length
      const result = await measure(servers[index], one, scale)
      if (round >= 0) results[index].push(result)
    }
  }
  const ratios = results[0].map(({ perSecond }, i) => perSecond / results[1][i].perSecond)
  return {
    subscribers: one.subscribers,
    publishers: one.publishers,
    pipeline: one.pipeline,
    perSecond: results.map((list) => spreadOf(list.map(({ perSecond }) => perSecond)).median),
    ratio: spreadOf(ratios).median,
    costUs: results.map((list) => spreadOf(list.map((part) => part.usPerDelivery ?? 0)).median),
  }
}

if (import.meta.main) {
  await main(IS_SMOKE ? new Options() : parseOptions(process.argv.slice(2)))
}
