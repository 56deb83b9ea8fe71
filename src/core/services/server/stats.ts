/**
 * What the core counts about itself, for INFO.
 *
 * Thread: core.
 * Owns: counters since the start, and samples of the last seconds.
 * Never: decides by them.
 */
import { IDLE_SAMPLE_PERIOD_MS, SAMPLE_PERIOD_MS } from '../../../config/limits.ts'
import type { Server } from '../../server.ts'
import { uncountedBytes } from './account.ts'

const SAMPLE_COUNT = 16
/** An error's first word is looked for among this many bytes. */
const ERROR_CODE_SIZE_MAX = 31
/** Codes that are counted each on its own; what comes beyond counts as ERR. */
const ERROR_CODES_MAX = 128
const GENERAL_CODE = 'ERR'

/** A rate over the last samples. */
class Rate {
  readonly #samples = new Float64Array(SAMPLE_COUNT)
  #next = 0
  #lastValue = 0
  #lastMs = 0

  sample(nowMs: number, value: number): void {
    const elapsedMs = nowMs - this.#lastMs
    if (this.#lastMs > 0 && elapsedMs > 0) {
      this.#samples[this.#next] = ((value - this.#lastValue) * 1000) / elapsedMs
      this.#next = (this.#next + 1) % SAMPLE_COUNT
    }
    this.#lastMs = nowMs
    this.#lastValue = value
  }

  perSecond(): number {
    let sum = 0
    for (const sample of this.#samples) sum += sample
    return sum / SAMPLE_COUNT
  }

  /** The counter behind it has begun again. */
  reset(): void {
    this.#samples.fill(0)
    this.#lastMs = 0
  }
}

export class Stats {
  readonly #server: Server
  errorReplyCount = 0
  peakUsedBytes = 0
  /** The longest time between two looks at the request rings without sleeping, microseconds. */
  longestTurnUs = 0
  /** Replies by the first word of their error. */
  readonly errors = new Map<string, number>()
  readonly commandRate = new Rate()
  readonly inputRate = new Rate()
  readonly outputRate = new Rate()
  /** `INFO` counts from here after CONFIG RESETSTAT. */
  #bytesInBase = 0
  #bytesOutBase = 0
  #rejectedBase = 0
  #readsBase = 0
  #writesBase = 0
  #awakeSinceUs = 0

  constructor(server: Server) {
    this.#server = server
  }

  /** Counts an error reply by its first word. `text`: without the leading '-'. */
  countError(text: string): void {
    this.errorReplyCount++
    const blank = text.indexOf(' ')
    let code = blank < 0 || blank > ERROR_CODE_SIZE_MAX ? GENERAL_CODE : text.slice(0, blank)
    const count = this.errors.get(code)
    if (count === undefined && this.errors.size >= ERROR_CODES_MAX) code = GENERAL_CODE
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1)
  }

  /** A turn of the loop is over. One with requests is followed by another: its last call's end will do. */
  turnEnded(hadRequests: boolean): void {
    const { clock } = this.#server
    const nowUs = hadRequests ? clock.lapStartUs : clock.microseconds()
    if (this.#awakeSinceUs > 0) {
      this.longestTurnUs = Math.max(this.longestTurnUs, nowUs - this.#awakeSinceUs)
    }
    this.#awakeSinceUs = nowUs
  }

  fellAsleep(): void {
    this.#awakeSinceUs = 0
  }

  wokeUp(): void {
    this.#awakeSinceUs = this.#server.clock.microseconds()
  }

  /** Calls executed, whoever made them. */
  commandCount(): number {
    let sum = 0
    for (const entry of this.#server.commands.entries) sum += entry.calls
    return sum
  }

  bytesIn(): number {
    return this.#sum((link) => link.bytesIn) - this.#bytesInBase
  }

  bytesOut(): number {
    return this.#sum((link) => link.bytesOut) - this.#bytesOutBase
  }

  rejectedConnections(): number {
    return this.#sum((link) => link.rejected) - this.#rejectedBase
  }

  reads(): number {
    return this.#sum((link) => link.reads) - this.#readsBase
  }

  writes(): number {
    return this.#sum((link) => link.writes) - this.#writesBase
  }

  /** Takes samples from now on: ten times a second, and seldom while nothing happens. */
  beginSampling(): void {
    const { timers } = this.#server
    const setPeriod = timers.cron(SAMPLE_PERIOD_MS, () => {
      this.sample()
      const isIdle = this.commandRate.perSecond() === 0 && this.inputRate.perSecond() === 0
      setPeriod(isIdle ? IDLE_SAMPLE_PERIOD_MS : SAMPLE_PERIOD_MS)
    })
  }

  sample(): void {
    const { nowMs } = this.#server.clock
    this.commandRate.sample(nowMs, this.commandCount())
    this.inputRate.sample(nowMs, this.bytesIn())
    this.outputRate.sample(nowMs, this.bytesOut())
    this.notePeak()
  }

  /** Looks at the used memory now, so that the peak is never below it. */
  notePeak(): void {
    const { keyspace } = this.#server
    const usedBytes = keyspace.usedBytes() + keyspace.fixedBytes + uncountedBytes(this.#server)
    this.peakUsedBytes = Math.max(this.peakUsedBytes, usedBytes)
  }

  /** CONFIG RESETSTAT. */
  reset(): void {
    const { keyspace, clientMemory, clients, commands, eviction, latency, replication, users } =
      this.#server
    this.#bytesInBase += this.bytesIn()
    this.#bytesOutBase += this.bytesOut()
    this.#rejectedBase += this.rejectedConnections()
    this.#readsBase += this.reads()
    this.#writesBase += this.writes()
    this.errorReplyCount = 0
    this.longestTurnUs = 0
    eviction.resetCounters()
    keyspace.lazyFree.freedCount = 0
    clientMemory.evictedCount = 0
    this.errors.clear()
    this.commandRate.reset()
    this.inputRate.reset()
    this.outputRate.reset()
    this.peakUsedBytes = 0
    this.notePeak()
    keyspace.hits = 0
    keyspace.misses = 0
    keyspace.expiredCount = 0
    keyspace.expiredElementCount = 0
    clients.acceptedCount = 0
    replication.replicas.resetCounters()
    clients.queryLimitDisconnections = 0
    clients.outputLimitDisconnections = 0
    latency.resetHistograms()
    users.log.resetCounts()
    for (const entry of commands.entries) {
      entry.calls = 0
      entry.microseconds = 0
      entry.rejectedCalls = 0
      entry.failedCalls = 0
    }
  }

  #sum(value: (link: Server['links'][number]) => number): number {
    let sum = 0
    for (const link of this.#server.links) sum += value(link)
    return sum
  }
}
