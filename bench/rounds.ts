/**
 * Throughput and latency of all servers, case by case, in alternating rounds.
 *
 *   one data set: fill all servers, warm up ─▶ round 1: case 1 A B, case 2 A B, ... ─▶ round 2: B A ...
 *
 * A ratio is that of two measurements that follow each other; the ratio reported is the median of
 * all rounds. Every measurement takes about the same time, so each server has as many requests to
 * answer as it can in that time; how many that is, the warm-up shows.
 *
 * Thread: main.
 * Owns: the order of measurements.
 * Never: keeps a number of a run in which a server refused something, or GET missed.
 */
import type { Case } from './cases.ts'
import type { Options } from './options.ts'
import type { Progress } from './progress.ts'
import { type Measurement, measure } from './redis-benchmark.ts'
import type { Server } from './servers.ts'

/** What a round says of a server. */
export interface RoundResult extends Measurement {
  /** Microseconds of the server's processor time a request; null where nobody says. */
  readonly processorUs: number | null
}

export interface CaseResult extends Case {
  /** By server, in their order; in each, by round. */
  readonly measurements: readonly (readonly RoundResult[])[]
}

const SECONDS = 1
/** redis-benchmark with threads looks at the clock four times a second. */
const THREADED_SECONDS = 4
const WARM_UP_SECONDS = 0.4
/** Requests of the first, shortest run: enough for an idea of the speed. */
const FIRST_COUNT = 2000
const WARM_UP_TURNS_MAX = 15
/** A server that has become faster by this is not warm yet. */
const WARM_UP_GAIN = 1.15
/** Shorter runs with threads all seem to last a quarter of a second. */
const THREADED_WARM_UP_SECONDS_MIN = 0.6

export function stepCount(cases: readonly Case[], servers: number, options: Options): number {
  return cases.length * servers * (options.rounds + 1)
}

export async function measureCases(
  cases: readonly Case[],
  servers: readonly Server[],
  options: Options,
  progress: Progress,
): Promise<CaseResult[]> {
  const results: CaseResult[] = []
  for (const dataSet of new Set(cases.map((one) => one.dataSet))) {
    const group = cases.filter((one) => one.dataSet === dataSet)
    results.push(...(await measureGroup(group, servers, options, progress)))
  }
  for (const server of servers) await server.flush()
  return results
}

async function measureGroup(
  cases: readonly Case[],
  servers: readonly Server[],
  options: Options,
  progress: Progress,
): Promise<CaseResult[]> {
  for (const server of servers) await fill(server, cases[0], progress)
  const counts = new Map<Case, number[]>()
  for (const one of cases) {
    const ofCase: number[] = []
    for (const server of servers) {
      progress.step(`warm-up ${one.id} ${server.name}`)
      ofCase.push(await warmUp(server, one, options))
    }
    counts.set(one, ofCase)
  }
  const results = cases.map((one) => ({
    ...one,
    measurements: servers.map((): RoundResult[] => []),
  }))
  for (let round = 0; round < options.rounds; round++) {
    for (const [number, one] of cases.entries()) {
      for (let turn = 0; turn < servers.length; turn++) {
        const index = (turn + round) % servers.length
        const server = servers[index]
        progress.step(`round ${round + 1}/${options.rounds} ${one.id} ${server.name}`)
        const count = counts.get(one)?.[index] ?? FIRST_COUNT
        const measured = await measureOnce(server, one, count, options)
        results[number].measurements[index].push(measured)
      }
    }
  }
  return results
}

async function fill(server: Server, one: Case, progress: Progress): Promise<void> {
  progress.note(`${one.dataSet.name} into ${server.name}`)
  await server.flush()
  await one.dataSet.fill(server, one.keyCount)
}

/**
 * Runs longer and longer, as the speed becomes known, until it does not rise any more.
 * Gives how many requests a measurement should have.
 */
async function warmUp(server: Server, one: Case, options: Options): Promise<number> {
  const shortest = options.threads > 1 ? THREADED_WARM_UP_SECONDS_MIN : 0
  const seconds = Math.max(WARM_UP_SECONDS * Math.min(options.requestsScale, 1), shortest)
  let best = 0
  let steadyTurns = 0
  for (let turn = 0; turn < WARM_UP_TURNS_MAX && steadyTurns < 2; turn++) {
    const { throughput } = await measureOnce(server, one, countFor(one, best, seconds), options)
    steadyTurns = throughput > best * WARM_UP_GAIN ? 0 : steadyTurns + 1
    best = Math.max(best, throughput)
  }
  return countFor(one, best, secondsOf(options) * options.requestsScale)
}

function secondsOf(options: Options): number {
  return options.threads > 1 ? THREADED_SECONDS : SECONDS
}

/** At least some pipelines for every connection. */
function countFor(one: Case, throughput: number, seconds: number): number {
  const least = one.connections * one.pipeline * 10
  return Math.max(Math.ceil(throughput * seconds), least, FIRST_COUNT)
}

async function measureOnce(
  server: Server,
  one: Case,
  count: number,
  options: Options,
): Promise<RoundResult> {
  await one.reset?.(server, count)
  const before = await server.info()
  const expectedMs = secondsOf(options) * 1000 * Math.max(options.requestsScale, 1)
  const startSeconds = server.processorSeconds() ?? Number.NaN
  const measured = await measure(server, one, count, options.threads, expectedMs)
  const usedUs = ((server.processorSeconds() ?? Number.NaN) - startSeconds) * 1e6
  const after = await server.info()
  const grown = (name: string) => Number(after.get(name) ?? 0) - Number(before.get(name) ?? 0)
  const problems = [
    grown('total_commands_processed') < count ? 'requests were lost' : '',
    grown('total_error_replies') > 0 ? 'there were error replies' : '',
    one.looksUp && grown('keyspace_misses') > 0 ? 'keys were missing' : '',
    one.looksUp && grown('keyspace_hits') < count ? 'keys were not looked up' : '',
  ].filter((text) => text !== '')
  if (problems.length > 0) throw new Error(`${server.name}, ${one.id}: ${problems.join(', ')}`)
  return { ...measured, processorUs: Number.isNaN(usedUs) ? null : usedUs / count }
}
