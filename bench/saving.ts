/**
 * What saving costs: its time while nobody asks, and the throughput and p99 of SET while one BGSAVE
 * follows another, beside those of the seconds before.
 *
 * Thread: main.
 * Owns: the saves.
 * Never: leaves one running.
 */
import { makeCases } from './cases.ts'
import type { Options } from './options.ts'
import { measure } from './redis-benchmark.ts'
import type { Server } from './servers.ts'
import { type Spread, spreadOf } from './statistics.ts'

export interface Saving {
  /** Of a BGSAVE while nobody asks. */
  readonly quietSeconds: Spread
  /** Of a BGSAVE under the load. */
  readonly loadedSeconds: Spread
  readonly throughput: Spread
  readonly throughputSaving: Spread
  readonly p99Ms: Spread
  readonly p99SavingMs: Spread
  /** p99 while saving to that of the measurement before it. */
  readonly p99Ratio: Spread
}

const ROUNDS = 3
const PIPELINE = 16
const VALUE_SIZE = 32
const SECONDS = 3
const FIRST_COUNT = 100_000
const POLL_MS = 50
/** Between a save and the next: more often would be a load of its own. */
const REST_MS = 100

/** On the keys that are there. Throws: an Error when a save fails. */
export async function measureSaving(server: Server, options: Options): Promise<Saving> {
  const id = `set-c${options.clients}-p${PIPELINE}-${VALUE_SIZE}b`
  const one = makeCases(options.clients, options.keys, [id])[0]
  const run = (count: number) => measure(server, one, count, options.threads, SECONDS * 1000)
  const first = await run(Math.ceil(FIRST_COUNT * options.requestsScale))
  const count = Math.ceil(first.throughput * SECONDS * options.requestsScale)
  const quiet: number[] = []
  const loaded: number[] = []
  const without: Awaited<ReturnType<typeof run>>[] = []
  const during: typeof without = []
  for (let round = 0; round < ROUNDS; round++) {
    quiet.push(await save(server))
    without.push(await run(count))
    const isOver = { now: false }
    const saves = saveUntil(server, isOver)
    during.push(await run(count))
    isOver.now = true
    loaded.push(...(await saves))
  }
  return {
    quietSeconds: spreadOf(quiet),
    loadedSeconds: spreadOf(loaded),
    throughput: spreadOf(without.map(({ throughput }) => throughput)),
    throughputSaving: spreadOf(during.map(({ throughput }) => throughput)),
    p99Ms: spreadOf(without.map(({ p99Ms }) => p99Ms)),
    p99SavingMs: spreadOf(during.map(({ p99Ms }) => p99Ms)),
    p99Ratio: spreadOf(during.map(({ p99Ms }, i) => p99Ms / without[i].p99Ms)),
  }
}

/** One save after the other. Gives the seconds of each that ended under the load, or of the last one. */
async function saveUntil(server: Server, isOver: { readonly now: boolean }): Promise<number[]> {
  const all: number[] = []
  for (;;) {
    const seconds = await save(server)
    if (!isOver.now || all.length === 0) all.push(seconds)
    if (isOver.now) return all
    await Bun.sleep(REST_MS)
  }
}

/** Seconds of one BGSAVE. */
function save(server: Server): Promise<number> {
  return server.with(async (client) => {
    const startMs = performance.now()
    await client.text('BGSAVE')
    let info = ''
    do {
      await Bun.sleep(POLL_MS)
      info = await client.text('INFO persistence')
    } while (!info.includes('rdb_bgsave_in_progress:0'))
    if (!info.includes('rdb_last_bgsave_status:ok')) throw new Error(`${server.name} cannot save`)
    return (performance.now() - startMs) / 1000
  })
}
