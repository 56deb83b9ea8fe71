/**
 * RDB files as Redis makes them: at once (SAVE, at the end, after FLUSHALL), in the background
 * (BGSAVE, save points), and what INFO tells of them.
 *
 * Thread: core.
 * Owns: which changes are on the disk; the background save in progress.
 * Never: touches a file itself.
 */
import type { DiskProblem } from '../../../bridge/disk-control.ts'
import { stopThread } from '../../../bridge/wake.ts'
import { toUnicode } from '../../../config/byte-text.ts'
import { SAVE_CRON_PERIOD_MS, SAVE_RETRY_SECONDS } from '../../../config/limits.ts'
import { CommandError } from '../../engine/errors.ts'
import type { Server } from '../../server.ts'
import type { ReplicationPosition } from './rdb-body.ts'
import { RdbFile, type RdbFileOptions, type RdbOutcome } from './rdb-file.ts'

/** As Redis tells megabytes. */
const MEGABYTE = 1024 * 1024

const CANNOT_PERSIST = new CommandError(
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.",
)

interface Background {
  readonly file: RdbFile
  readonly onEnd: (isGood: boolean) => void
  readonly dirtyBefore: number
  readonly startedSeconds: number
  readonly snapshot: ReturnType<RdbFile['takeSnapshot']>
}

export class Saves {
  readonly #server: Server
  /** Unix seconds. The start stands for a save that has not been, as in Redis. */
  lastSaveSeconds: number
  isLastGood = true
  /** Of the last background save; -1: there was none. */
  lastDurationSeconds = -1
  /** Saves that somebody asked for. */
  count = 0
  /** Bytes of keys that the last background save wrote early, since they were about to change. */
  lastEarlyBytes = 0
  /** Where replicas stand; whoever feeds them says so. */
  replicationPosition: () => ReplicationPosition | undefined = () => undefined
  /** True while something else writes a snapshot: two at once are never taken. */
  isOtherWriting: () => boolean = () => false
  /** What writes are answered with as long as they cannot be saved; undefined: they are welcome. */
  refusal: CommandError | undefined = undefined
  #isScheduled = false
  readonly #setPeriod: (periodMs: number) => void
  #lastTrySeconds = 0
  #savedDirty = 0
  #background: Background | undefined = undefined

  constructor(server: Server) {
    this.#server = server
    this.lastSaveSeconds = Math.floor(server.start.startedMs / 1000)
    this.#setPeriod = server.timers.cron(Number.POSITIVE_INFINITY, () => this.#tick())
  }

  /** Changes that no file holds. */
  get changes(): number {
    return this.#server.keyspace.dirty - this.#savedDirty
  }

  /** What is there now counts as saved. */
  forgetChanges(): void {
    this.#savedDirty = this.#server.keyspace.dirty
  }

  get isInBackground(): boolean {
    return this.#background !== undefined
  }

  /** Keys given, keys there were, bytes given early; all 0 when nothing is written in the background. */
  get progress(): { given: number; total: number; earlyBytes: number } {
    const { snapshot } = this.#server.keyspace
    return {
      given: snapshot?.givenCount ?? 0,
      total: snapshot?.keyCount ?? 0,
      earlyBytes: snapshot?.earlyBytes ?? 0,
    }
  }

  /** For how long the background save has gone on; -1: there is none. */
  get currentSeconds(): number {
    const background = this.#background
    return background === undefined ? -1 : this.#seconds() - background.startedSeconds
  }

  /** Whether the last save was good, or what that means, may be another matter now. */
  settingsChanged(): void {
    const stops = this.#server.settings.bool('stop-writes-on-bgsave-error')
    const refuses = stops && !this.isLastGood && this.points().length > 0
    this.refusal = refuses ? CANNOT_PERSIST : undefined
    // An idle core is not woken for nothing.
    const mayBeDue = this.#isScheduled || this.points().length > 0
    this.#setPeriod(mayBeDue ? SAVE_CRON_PERIOD_MS : Number.POSITIVE_INFINITY)
    this.#server.updateGuard()
  }

  /** Writes a file and waits for it. False when it could not be written. */
  save(): boolean {
    const { keyspace, log, settings } = this.#server
    let outcome: RdbOutcome | undefined
    const file = new RdbFile(this.#server, this.#options(false), (what) => {
      outcome = what
    })
    const delayUs = settings.int('rdb-key-save-delay')
    file.takeAll(delayUs > 0 ? () => stopThread(delayUs / 1000) : undefined)
    if (outcome === undefined || 'problem' in outcome) {
      if (outcome !== undefined) this.#tellProblem(outcome.problem)
      return false
    }
    log.notice('DB saved on disk')
    this.#savedDirty = keyspace.dirty
    this.lastSaveSeconds = this.#seconds()
    this.#judged(true)
    return true
  }

  /**
   * Begins a save in the background. Only while nothing else writes a snapshot. `onEnd` is called
   * when the file is in its place, or will not be.
   */
  begin(onEnd: (isGood: boolean) => void = () => {}): void {
    const { keyspace, log, start } = this.#server
    const file = new RdbFile(this.#server, this.#options(true), (outcome) => this.#ended(outcome))
    this.#lastTrySeconds = this.#seconds()
    this.#background = {
      file,
      onEnd,
      dirtyBefore: keyspace.dirty,
      startedSeconds: this.#seconds(),
      snapshot: file.takeSnapshot(),
    }
    log.notice(`Background saving started by pid ${start.processId}`)
  }

  /** Stops the background save, if there is one. */
  abandon(): void {
    const background = this.#background
    if (background === undefined) return
    background.file.abandon()
    this.#finish(background)
    background.onEnd(false)
  }

  /** Lets a background save begin as soon as it can. */
  schedule(): void {
    this.#isScheduled = true
    this.settingsChanged()
  }

  /** Begins what a save point, or BGSAVE SCHEDULE, wants. */
  #tick(): void {
    if (this.isInBackground || this.isOtherWriting() || this.#server.loading.active) return
    const now = this.#seconds()
    const mayTry = this.isLastGood || now - this.#lastTrySeconds > SAVE_RETRY_SECONDS
    if (!mayTry) return
    for (const { seconds, changes } of this.points()) {
      if (this.changes < changes || now - this.lastSaveSeconds <= seconds) continue
      this.#server.log.notice(`${changes} changes in ${seconds} seconds. Saving...`)
      this.begin()
      return
    }
    if (!this.#isScheduled) return
    this.#isScheduled = false
    this.begin()
  }

  /** The directive `save`. */
  points(): { readonly seconds: number; readonly changes: number }[] {
    const words = this.#server.settings.raw('save').split(' ')
    const points: { seconds: number; changes: number }[] = []
    for (let i = 0; i + 1 < words.length; i += 2) {
      points.push({ seconds: Number(words[i]), changes: Number(words[i + 1]) })
    }
    return points
  }

  #options(isBackground: boolean): RdbFileOptions {
    const { settings, start } = this.#server
    return {
      directory: settings.raw('dir'),
      name: settings.raw('dbfilename'),
      temporaryName: `temp-${isBackground ? 'bg-' : ''}${start.processId}.rdb`,
      replication: this.replicationPosition(),
      isAofBase: false,
      isBackground,
    }
  }

  #ended(outcome: RdbOutcome): void {
    const background = this.#background
    if (background === undefined) return
    const { log } = this.#server
    this.#finish(background)
    if ('problem' in outcome) {
      this.#tellProblem(outcome.problem)
      log.warning('Background saving error')
      this.#judged(false)
      background.onEnd(false)
      return
    }
    log.notice('DB saved on disk')
    const early = `${(this.lastEarlyBytes / MEGABYTE).toFixed(2)} MB`
    log.notice(`Snapshot for RDB: ${early} written early, before they changed`)
    log.notice('Background saving terminated with success')
    this.#savedDirty = background.dirtyBefore
    this.lastSaveSeconds = this.#seconds()
    this.#judged(true)
    background.onEnd(true)
  }

  #finish(background: Background): void {
    this.lastEarlyBytes = background.snapshot.earlyBytes
    this.lastDurationSeconds = this.#seconds() - background.startedSeconds
    this.#background = undefined
  }

  #judged(isGood: boolean): void {
    this.isLastGood = isGood
    this.settingsChanged()
  }

  #tellProblem({ point, text }: DiskProblem): void {
    const { log, settings } = this.#server
    const root = toUnicode(settings.raw('dir'))
    const name = toUnicode(settings.raw('dbfilename'))
    if (point === 'rdb-open') {
      log.warning(
        `Failed opening the temp RDB file ${name} (in server root dir ${root}) for saving: ${text}`,
      )
    } else if (point === 'rdb-rename') {
      log.warning(
        `Error moving temp DB file on the final destination ${name} (in server root dir ${root}): ${text}`,
      )
    } else if (point === 'rdb-sync-directory') {
      log.warning(`Failed to fsync directory while saving DB: ${text}`)
    } else {
      log.warning(`Write error saving DB on disk: ${text}`)
    }
  }

  #seconds(): number {
    return Math.floor(this.#server.clock.nowMs / 1000)
  }
}
