/**
 * Loading data: in slices between which clients are told that they have to wait.
 *
 * Thread: core.
 * Owns: what is being loaded, and what INFO tells of it.
 * Never: knows a file's format.
 */
import { LOADING_SLICE_US_MAX } from '../../../config/limits.ts'
import type { Server } from '../../server.ts'

/** Values between two looks at the clock. */
const CLOCK_PERIOD = 16

/** Something that loads. */
export interface Loader {
  readonly totalBytes: number
  readonly loadedBytes: number
  /** What the data took in memory where it was saved; 0: unknown. */
  readonly savedMemoryBytes: number
  /** True for one that is given its bytes as they come: it loads on then, and is not asked to. */
  readonly isFed?: boolean
  /** True while what was there before is still served. */
  readonly isAside?: boolean
  /** Loads on until `mayGoOn`, asked between two values, says no. False when it is over. */
  load(mayGoOn: () => boolean): boolean
}

export class Loading {
  readonly #server: Server
  /** Of the last RDB file that was loaded. */
  lastLoadedKeys = 0
  lastExpiredKeys = 0
  #loader: Loader | undefined = undefined
  #startedMs = 0
  #untilUs = 0
  #untilBytes = 0
  #askedCount = 0
  readonly #mayGoOn = () => this.#hasTime()

  constructor(server: Server) {
    this.#server = server
  }

  #isRefused = false

  /** True while calls are refused that may not be made without data. */
  get active(): boolean {
    return (this.#loader !== undefined && !this.isAside) || this.#isRefused
  }

  /** True while data are loaded that nobody sees before they are whole. */
  get isAside(): boolean {
    return this.#loader?.isAside === true
  }

  begin(loader: Loader): void {
    this.#loader = loader
    this.#startedMs = this.#server.clock.nowMs
    this.#server.keyspace.expires = loader.isAside === true
    this.#server.updateGuard()
  }

  /** True until everything is loaded. */
  get isBusy(): boolean {
    return this.#loader !== undefined
  }

  /** True while there is something to do in every turn. */
  get isDriven(): boolean {
    return this.#loader !== undefined && this.#loader.isFed !== true
  }

  /** A loader that is fed has got everything, or gets nothing more. */
  ended(loader: Loader): void {
    this.#end(loader)
  }

  /** The data cannot be loaded, and the process is about to end: nothing is served any more. */
  refuse(): void {
    this.#isRefused = true
  }

  /** Loads a slice; called in every turn of the loop. */
  turn(): void {
    const loader = this.#loader
    if (loader === undefined || loader.isFed === true) return
    const { settings, clock } = this.#server
    this.#untilUs = clock.microseconds() + LOADING_SLICE_US_MAX
    this.#untilBytes = loader.loadedBytes + settings.int('loading-process-events-interval-bytes')
    if (!loader.load(this.#mayGoOn)) this.#end(loader)
  }

  /** Loads everything at once. */
  finish(): void {
    const loader = this.#loader
    if (loader === undefined || loader.isFed === true) return
    while (loader.load(always));
    this.#end(loader)
  }

  /** INFO's lines while something is loaded. */
  lines(): string[] {
    const loader = this.#loader
    if (loader === undefined) return []
    const { totalBytes, loadedBytes, savedMemoryBytes } = loader
    const seconds = Math.floor((this.#server.clock.nowMs - this.#startedMs) / 1000)
    const total = Math.max(totalBytes, 1)
    const left = Math.max(totalBytes - loadedBytes, 0)
    const eta = seconds === 0 || loadedBytes === 0 ? 1 : Math.floor((seconds * left) / loadedBytes)
    return [
      `loading_start_time:${Math.floor(this.#startedMs / 1000)}`,
      `loading_total_bytes:${totalBytes}`,
      `loading_rdb_used_mem:${savedMemoryBytes}`,
      `loading_loaded_bytes:${loadedBytes}`,
      `loading_loaded_perc:${((loadedBytes * 100) / total).toFixed(2)}`,
      `loading_eta_seconds:${eta}`,
    ]
  }

  /** A loader may have begun another one, whose turn comes next. */
  #end(loader: Loader): void {
    if (this.#loader !== loader) return
    this.#loader = undefined
    this.#server.keyspace.expires = true
    this.#server.keyspace.findNextDeadline()
    this.#server.updateGuard()
  }

  #hasTime(): boolean {
    if ((this.#loader?.loadedBytes ?? 0) >= this.#untilBytes) return false
    if (++this.#askedCount % CLOCK_PERIOD !== 0) return true
    return this.#server.clock.microseconds() < this.#untilUs
  }
}

function always(): boolean {
  return true
}
