/**
 * The load generator that everybody knows, run once and read.
 *
 * Its plain output is read, not `--csv`: only that one has the latencies beyond p99, and throughput
 * and latency then come from the same requests. A latency is, by the program's definition, the time
 * from sending a pipeline to the first bytes of its replies, while all connections ask as fast as
 * they are answered.
 *
 * Thread: main.
 * Owns: the program's arguments and the shape of its output.
 * Never: waits for ever: against a server that is gone the program would.
 */
import type { Case } from './cases.ts'
import { hold, leashed } from './leash.ts'

export interface Target {
  readonly host: string
  readonly port: number
}

export interface Measurement {
  readonly requestCount: number
  readonly throughput: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

/** Beyond the time that a run should take. */
const PATIENCE_MS = 30_000

/** Throws: an Error when the program fails, takes too long or says something else. */
export async function measure(
  target: Target,
  one: Case,
  requestCount: number,
  threads: number,
  expectedMs: number,
): Promise<Measurement> {
  const command = [
    ...['redis-benchmark', '-h', target.host, '-p', String(target.port)],
    ...['-n', String(requestCount), '-c', String(one.connections)],
    ...['-P', String(one.pipeline), '-d', String(one.valueSize), '-r', String(one.keyCount)],
    ...['--precision', '3', ...(threads > 1 ? ['--threads', String(threads)] : [])],
    ...one.words,
  ]
  const child = hold(
    Bun.spawn(leashed(command), {
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
      timeout: expectedMs * 5 + PATIENCE_MS,
      killSignal: 'SIGKILL',
    }),
  )
  const [output, errors, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (status !== 0) {
    const said = `${output.slice(-500)}\n${errors.slice(-500)}`
    throw new Error(`${command.join(' ')} ended with ${status}:\n${said}`)
  }
  return parseOutput(output)
}

/** Throws: an Error for output of another shape. */
export function parseOutput(output: string): Measurement {
  const throughput = find(output, /throughput summary: ([\d.]+) requests per second/)
  const requestCount = find(output, /(\d+) requests completed in/)
  const summary = /latency summary \(msec\):\s+avg .*\n([\d. ]+)/.exec(output)?.[1]
  const numbers = summary?.trim().split(/\s+/).map(Number) ?? []
  if (numbers.length !== 6 || numbers.some(Number.isNaN)) {
    throw new Error(`redis-benchmark gave no latency summary:\n${output.slice(-1000)}`)
  }
  const [, , p50Ms, , p99Ms, maxMs] = numbers
  return { requestCount, throughput, p50Ms, p99Ms, p999Ms: percentile(output, 99.9), maxMs }
}

/** From lines like `99.902% <= 1.207 milliseconds (cumulative count 99904)`. */
function percentile(output: string, wanted: number): number {
  const part = /Latency by percentile distribution:\n([\s\S]*?)\n\n/.exec(output)?.[1] ?? ''
  for (const [, share, ms] of part.matchAll(/^([\d.]+)% <= ([\d.]+) milliseconds/gm)) {
    if (Number(share) >= wanted) return Number(ms)
  }
  throw new Error(`redis-benchmark gave no percentile ${wanted}:\n${output.slice(-1000)}`)
}

function find(output: string, pattern: RegExp): number {
  const text = pattern.exec(output)?.[1]
  if (text === undefined) throw new Error(`redis-benchmark did not say ${pattern}:\n${output}`)
  return Number(text)
}
