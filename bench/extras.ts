/**
 * What throughput does not say: memory a key, time to start, cost of idling and of saving, and how
 * long a mixed load is kept waiting.
 *
 * Each is measured on fresh processes, ours and the reference in turn.
 *
 * Thread: main.
 * Owns: how these are measured.
 * Never: measures a process that did something else before.
 */
import { type ElementCost, elementCosts } from './collections.ts'
import { everyKey, load, Mixture } from './load.ts'
import type { Options } from './options.ts'
import type { Progress } from './progress.ts'
import { measureSaving, type Saving } from './saving.ts'
import type { Server, Start } from './servers.ts'
import { type Spread, spreadOf } from './statistics.ts'

export interface Memory {
  readonly keyCount: number
  /** Bytes; undefined where /proc does not say. */
  readonly rssPerKey: number | undefined
  readonly usedPerKey: number
  readonly rssBytes: number | undefined
}

export interface Idle {
  readonly rssBytes: number | undefined
  /** Share of one processor, in percent. */
  readonly processorPercent: number | undefined
}

export interface Mixed {
  readonly keyCount: number
  readonly seconds: number
  readonly throughput: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
  /** The core's longest turn by its own account; undefined for others. */
  readonly longestTurnMs: number | undefined
}

export interface Extras {
  readonly name: string
  readonly startMs: Spread
  readonly idle: Idle
  readonly memory: Memory
  readonly saving: Saving
  readonly mixed: Mixed
  /** Of collections, in one key each. */
  readonly elements: readonly ElementCost[]
}

const START_COUNT = 10
const IDLE_SECONDS = 5
/** For what a server does after its first PONG: timers, a collection, compiling. */
const SETTLE_MS = 2000
const VALUE_SIZE = 32
const WARM_UP_KEYS = 1000
const WARM_UP_SECONDS = 2
const MIXED_PIPELINE = 16
/** Connections and pipeline that load as fast as servers take it. */
const LOADING = { connections: 8, pipeline: 32 }
export const EXTRAS_STEPS = 2 * 5

export async function measureExtras(
  starts: readonly Start[],
  options: Options,
  progress: Progress,
): Promise<Extras[]> {
  const startMs = starts.map((): number[] => [])
  progress.note(`start to first PONG, ${START_COUNT} times each`)
  for (let round = 0; round < START_COUNT; round++) {
    for (const [index, start] of starts.entries()) {
      const before = performance.now()
      const server = await start()
      startMs[index].push(performance.now() - before)
      await server.stop()
    }
  }
  const extras: Extras[] = []
  for (const [index, start] of starts.entries()) {
    const server = await start()
    const { name } = server
    progress.step(`${name}: idle for ${IDLE_SECONDS} s`)
    const idle = await measureIdle(server)
    progress.step(`${name}: memory of ${options.keys} keys`)
    const memory = await measureMemory(server, options.keys)
    progress.step(`${name}: saving ${options.keys} keys`)
    const saving = await measureSaving(server, options)
    progress.step(`${name}: mixed load for ${options.mixedSeconds} s`)
    const mixed = await measureMixed(server, options)
    progress.step(`${name}: memory of collections of ${options.keys} elements`)
    await server.flush()
    const elements = await elementCosts(server, options.keys)
    await server.stop()
    extras.push({ name, startMs: spreadOf(startMs[index]), idle, memory, saving, mixed, elements })
  }
  return extras
}

async function measureIdle(server: Server): Promise<Idle> {
  await Bun.sleep(SETTLE_MS)
  const before = server.processorSeconds()
  const startMs = performance.now()
  await Bun.sleep(IDLE_SECONDS * 1000)
  const after = server.processorSeconds()
  const seconds = (performance.now() - startMs) / 1000
  return {
    rssBytes: server.rssBytes(),
    processorPercent:
      before === undefined || after === undefined ? undefined : ((after - before) / seconds) * 100,
  }
}

/**
 * Growth while distinct keys are set. A warm-up on few keys comes first, so that buffers and compiled
 * code, which do not grow with keys, are there before.
 */
async function measureMemory(server: Server, keyCount: number): Promise<Memory> {
  const deadlineMs = performance.now() + WARM_UP_SECONDS * 1000
  while (performance.now() < deadlineMs) {
    const requests = everyKey(WARM_UP_KEYS, VALUE_SIZE)
    await load({ target: server, ...LOADING, requests })
  }
  await server.flush()
  await Bun.sleep(SETTLE_MS)
  const rssBefore = server.rssBytes()
  const usedBefore = await server.infoNumber('used_memory')
  await load({ target: server, ...LOADING, requests: everyKey(keyCount, VALUE_SIZE) })
  await Bun.sleep(SETTLE_MS)
  const rssBytes = server.rssBytes()
  const used = await server.infoNumber('used_memory')
  const size = await server.with((client) => client.call('DBSIZE'))
  if (Number(size.bytes) !== keyCount) throw new Error(`${server.name} has lost keys`)
  return {
    keyCount,
    rssPerKey:
      rssBytes === undefined || rssBefore === undefined
        ? undefined
        : (rssBytes - rssBefore) / keyCount,
    usedPerKey: (used - usedBefore) / keyCount,
    rssBytes,
  }
}

/** On the keys that are there. The first seconds do not count. */
async function measureMixed(server: Server, options: Options): Promise<Mixed> {
  const plan = {
    target: server,
    connections: options.clients,
    pipeline: MIXED_PIPELINE,
    requests: new Mixture(options.keys, VALUE_SIZE),
  }
  await load({ ...plan, seconds: WARM_UP_SECONDS })
  await server.with((client) => client.text('CONFIG RESETSTAT'))
  const { requestCount, seconds, latency } = await load({ ...plan, seconds: options.mixedSeconds })
  const longestTurnUs = Number((await server.info()).get('longest_turn_usec') ?? Number.NaN)
  return {
    keyCount: options.keys,
    seconds,
    throughput: requestCount / seconds,
    p50Ms: latency.percentileMs(50),
    p99Ms: latency.percentileMs(99),
    p999Ms: latency.percentileMs(99.9),
    maxMs: latency.maxUs / 1000,
    longestTurnMs: Number.isNaN(longestTurnUs) ? undefined : longestTurnUs / 1000,
  }
}
