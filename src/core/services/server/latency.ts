/**
 * How long calls take: a histogram for each command, the slow log, and the events that LATENCY
 * tells of.
 *
 * Thread: core. Hot path.
 * Owns: thresholds, histograms, the slow log's entries, the history of latency events.
 * Never: measures by itself: `call.ts` does.
 */
import { SLOW_LOG_ARGUMENT_COUNT, SLOW_LOG_ARGUMENT_SIZE } from '../../../config/limits.ts'
import { type CommandEntry, FLAG_SKIP_SLOWLOG } from '../../command/table.ts'
import type { Call } from '../../engine/call.ts'
import type { Server } from '../../server.ts'
import { Histogram } from './histogram.ts'

export interface SlowLogEntry {
  readonly id: number
  readonly unixSeconds: number
  readonly durationUs: number
  readonly argv: readonly Buffer[]
  readonly address: string
  readonly clientName: string
}

/** A sample of an event: when, and the worst within that second. */
export interface LatencySample {
  readonly unixSeconds: number
  durationMs: number
}

export interface LatencyEvent {
  readonly name: string
  worstMs: number
  readonly samples: LatencySample[]
}

const SAMPLES_MAX = 160
/** Several brief calls together take less. */
const EXACT_BELOW_US = 5000
const REDACTED = Buffer.from('(redacted)')

export class Latency {
  readonly #server: Server
  /** Microseconds; negative: the slow log is off. */
  #slowUs = -1
  #slowCountMax = 128
  /** Milliseconds; 0: events are not recorded. */
  #eventMs = 0
  /** Microseconds from which a call is looked at. */
  #watchUs = Number.POSITIVE_INFINITY
  #nextId = 0
  #tracking = true
  /** By command index; undefined until the command is called. */
  readonly #histograms: (Histogram | undefined)[] = []
  /** Newest first. */
  slowLog: SlowLogEntry[] = []
  readonly events = new Map<string, LatencyEvent>()

  constructor(server: Server) {
    this.#server = server
  }

  /** Takes over the `slowlog-*` and `latency-*` directives. */
  settingsChanged(): void {
    const { settings } = this.#server
    this.#tracking = settings.bool('latency-tracking')
    this.#slowUs = settings.int('slowlog-log-slower-than')
    this.#slowCountMax = settings.int('slowlog-max-len')
    this.#eventMs = settings.int('latency-monitor-threshold')
    this.#watchUs = this.#slowUs < 0 ? Number.POSITIVE_INFINITY : this.#slowUs
    if (this.#eventMs > 0) this.#watchUs = Math.min(this.#watchUs, this.#eventMs * 1000)
    if (this.slowLog.length > this.#slowCountMax) this.slowLog.length = this.#slowCountMax
  }

  /** `count` calls of the command are over, each of which took so long. */
  track(entry: CommandEntry, durationUs: number, count: number): void {
    if (!this.#tracking) return
    let histogram = this.#histograms[entry.index]
    if (histogram === undefined) {
      histogram = new Histogram() // alloc: once for each command
      this.#histograms[entry.index] = histogram
    }
    histogram.record(durationUs, count)
  }

  /** The command's histogram; undefined when there is nothing in it. */
  histogram(entry: CommandEntry): Histogram | undefined {
    const histogram = this.#histograms[entry.index]
    return histogram === undefined || histogram.count === 0 ? undefined : histogram
  }

  // alloc: CONFIG RESETSTAT only
  resetHistograms(): void {
    for (const histogram of this.#histograms) histogram?.reset()
  }

  /** True when even short calls are looked at: then each has to be timed for itself. */
  get exact(): boolean {
    return this.#watchUs < EXACT_BELOW_US
  }

  /** True when a call of this duration is to be given to `slowCall`. */
  watches(durationUs: number): boolean {
    return durationUs >= this.#watchUs
  }

  slowCall(call: Call, durationUs: number): void {
    const slow = this.#slowUs >= 0 && durationUs >= this.#slowUs
    if (slow && (call.entry.flagBits & FLAG_SKIP_SLOWLOG) === 0) this.#log(call, durationUs)
    const durationMs = Math.floor(durationUs / 1000)
    this.record(call.entry.isFast ? 'fast-command' : 'command', durationMs)
  }

  /** True when events are recorded. */
  get recording(): boolean {
    return this.#eventMs > 0
  }

  /** Records an event that lasted `durationMs`, if that is long enough to be recorded. */
  record(name: string, durationMs: number): void {
    if (this.#eventMs === 0 || durationMs < this.#eventMs) return
    let event = this.events.get(name)
    if (event === undefined) {
      event = { name, worstMs: 0, samples: [] }
      this.events.set(name, event)
    }
    const unixSeconds = Math.floor(this.#server.clock.nowMs / 1000)
    event.worstMs = Math.max(event.worstMs, durationMs)
    const last = event.samples.at(-1)
    if (last !== undefined && last.unixSeconds === unixSeconds) {
      last.durationMs = Math.max(last.durationMs, durationMs)
      return
    }
    event.samples.push({ unixSeconds, durationMs })
    if (event.samples.length > SAMPLES_MAX) event.samples.shift()
  }

  #log(call: Call, durationUs: number): void {
    if (this.#slowCountMax === 0) return
    this.slowLog.unshift({
      id: this.#nextId++,
      unixSeconds: Math.floor(this.#server.clock.nowMs / 1000),
      durationUs: Math.floor(durationUs),
      argv: shownArguments(call),
      address: call.session.info.address,
      clientName: call.session.name,
    })
    if (this.slowLog.length > this.#slowCountMax) this.slowLog.pop()
  }
}

/** The arguments, long ones and long lists of them cut. */
// alloc: slow calls only
function shownArguments(call: Call): Buffer[] {
  const { args } = call
  const shown: Buffer[] = []
  const count = Math.min(args.count, SLOW_LOG_ARGUMENT_COUNT)
  for (let i = 0; i < count; i++) {
    if (args.count > SLOW_LOG_ARGUMENT_COUNT && i === count - 1) {
      shown.push(Buffer.from(`... (${args.count - SLOW_LOG_ARGUMENT_COUNT + 1} more arguments)`))
      break
    }
    const bytes = call.redacted.includes(i) ? REDACTED : args.copy(i)
    if (bytes.length <= SLOW_LOG_ARGUMENT_SIZE) {
      shown.push(bytes)
      continue
    }
    const more = `... (${bytes.length - SLOW_LOG_ARGUMENT_SIZE} more bytes)`
    shown.push(Buffer.concat([bytes.subarray(0, SLOW_LOG_ARGUMENT_SIZE), Buffer.from(more)]))
  }
  return shown
}
