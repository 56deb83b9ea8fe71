/**
 * `--latency` and `--latency-history`: how long a PING takes, again and again.
 *
 * Thread: the client's only one.
 * Owns: the samples of the current period.
 * Never: sends the next PING before the last is answered.
 */
import { Failure } from './failure.ts'
import type { Options, OutputMode } from './options.ts'
import { pause } from './pause.ts'
import type { Session } from './session.ts'

const SAMPLE_PERIOD_MS = 10
const PERIOD_MS = 1000
const HISTORY_PERIOD_MS = 15_000
const LINE_BEGIN = '\x1b[0G\x1b[2K'

/** Whole milliseconds. */
export class Samples {
  count = 0
  minMs = 0
  maxMs = 0
  #sumMs = 0

  add(ms: number): void {
    this.minMs = this.count === 0 ? ms : Math.min(this.minMs, ms)
    this.maxMs = Math.max(this.maxMs, ms)
    this.#sumMs += ms
    this.count++
  }

  show(mode: OutputMode): string {
    const { minMs, maxMs, count } = this
    const average = (this.#sumMs / count).toFixed(2)
    if (mode === 'csv') return `${minMs},${maxMs},${average},${count}`
    if (mode === 'raw') return `${minMs} ${maxMs} ${average} ${count}`
    if (mode === 'json') {
      return `{"min": ${minMs}, "max": ${maxMs}, "avg": ${average}, "count": ${count}}`
    }
    return `min: ${minMs}, max: ${maxMs}, avg: ${average} (${count} samples)`
  }
}

/** On a terminal it goes on until it is stopped. Throws: Failure. */
export async function runLatency(session: Session, options: Options): Promise<number> {
  const { output } = session
  const isHistory = options.mode === 'latency-history'
  const isShown = output.mode === 'pretty'
  const usualMs = isHistory ? HISTORY_PERIOD_MS : PERIOD_MS
  const periodMs = options.intervalMs > 0 ? options.intervalMs : usualMs
  let samples = new Samples()
  let startMs = performance.now()
  for (;;) {
    const sentMs = performance.now()
    if ((await session.ask(['PING'])) === undefined) {
      throw new Failure('Error: Server closed the connection')
    }
    samples.add(Math.floor(performance.now() - sentMs))
    if (isShown) output.text(LINE_BEGIN + samples.show(output.mode))
    const elapsedMs = performance.now() - startMs
    if (elapsedMs > periodMs && (isHistory || !isShown)) {
      if (isShown) output.line(` -- ${(elapsedMs / 1000).toFixed(2)} seconds range`)
      else output.line(samples.show(output.mode))
      if (!isHistory) return 0
      samples = new Samples()
      startMs = performance.now()
    }
    await pause(SAMPLE_PERIOD_MS)
  }
}
