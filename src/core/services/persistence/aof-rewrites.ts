/**
 * Rewrites of the append-only file: commands go to a new increment, a snapshot of what was there
 * before becomes the new base, and then everything older is deleted.
 *
 * Thread: core.
 * Owns: the rewrite in progress, and when the next one is due.
 * Never: begins one while something else writes a snapshot.
 */
import type { AofBase } from '../../../bridge/aof-control.ts'
import { AOF_REWRITE_DELAY_MINUTES_MAX, AOF_REWRITE_FAILURES_MAX } from '../../../config/limits.ts'
import type { Snapshot } from '../../keyspace/snapshot.ts'
import type { Server } from '../../server.ts'
import type { Aof } from './aof.ts'
import { CommandFile } from './command-file.ts'
import { RdbFile, type RdbOutcome } from './rdb-file.ts'

type BaseFile = RdbFile | CommandFile

interface Rewrite {
  readonly file: { abandon(): void }
  readonly base: AofBase
  readonly startedSeconds: number
  /** Where the increment begins that goes with the new base. */
  readonly position: number
}

export class AofRewrites {
  readonly #server: Server
  readonly #aof: Aof
  isScheduled = false
  isLastGood = true
  /** Rewrites that were begun. */
  count = 0
  /** That failed, since the last that did not. */
  failureCount = 0
  /** -1: there was none. */
  lastDurationSeconds = -1
  /** Bytes of keys that the last rewrite wrote early, since they were about to change. */
  lastEarlyBytes = 0
  #current: Rewrite | undefined = undefined
  #snapshot: Snapshot | undefined = undefined
  /** Minutes by which the next is put off, and the second until when. */
  #delayMinutes = 0
  #notBefore = 0

  constructor(server: Server, aof: Aof) {
    this.#server = server
    this.#aof = aof
    const { saves } = server
    const before = saves.isOtherWriting
    saves.isOtherWriting = () => this.isActive || before()
  }

  get isActive(): boolean {
    return this.#current !== undefined
  }

  /** For how long the rewrite in progress has gone on; -1: there is none. */
  get currentSeconds(): number {
    const rewrite = this.#current
    return rewrite === undefined ? -1 : this.#seconds() - rewrite.startedSeconds
  }

  /** True while a rewrite cannot begin since something else writes a snapshot. */
  get isBlocked(): boolean {
    const { saves, keyspace } = this.#server
    return saves.isInBackground || saves.isOtherWriting() || keyspace.snapshot !== undefined
  }

  /** Begins a rewrite. Only while nothing else writes a snapshot. False: it could not; see the log. */
  begin(): boolean {
    const { log, settings, start } = this.#server
    const aof = this.#aof
    aof.open(false)
    aof.writer.forgetDatabase()
    if (aof.state !== 'off') {
      const { problem } = aof.ask({ type: 'aof-rotate', temporary: aof.state === 'waiting' })
      if (problem !== '') {
        this.isLastGood = false
        return false
      }
      aof.feedsRewrite(true)
      aof.writer.forgetDatabase()
    }
    this.count++
    const isRdb = settings.bool('aof-use-rdb-preamble')
    const temporaryName = `temp-rewriteaof-bg-${start.processId}.aof`
    const file = this.#makeBase(temporaryName, isRdb, (outcome) => this.#baseEnded(outcome))
    this.isScheduled = false
    this.#current = {
      file,
      base: { temporaryName, isRdb },
      startedSeconds: this.#seconds(),
      position: aof.writer.position,
    }
    this.#snapshot = file.takeSnapshot()
    log.notice(`Background append only file rewriting started by pid ${start.processId}`)
    return true
  }

  /** At the start, without any file: a base with what is there, made at once. */
  makeFirst(): AofBase {
    const { settings, start, control } = this.#server
    const isRdb = settings.bool('aof-use-rdb-preamble')
    const temporaryName = `temp-rewriteaof-${start.processId}.aof`
    const file = this.#makeBase(temporaryName, isRdb, (outcome) => {
      if (!('problem' in outcome)) return
      const text = `Write error writing append only file on disk: ${outcome.problem.text}`
      control.send({ type: 'fatal', text })
    })
    file.takeAll()
    return { temporaryName, isRdb }
  }

  /** A rewrite begins as soon as it can. */
  schedule(): void {
    this.isScheduled = true
    this.#aof.scheduled()
  }

  /** Stops the rewrite in progress, if there is one. */
  abandon(): void {
    const rewrite = this.#current
    if (rewrite === undefined) return
    const { log, start } = this.#server
    log.notice(`Killing running AOF rewrite child: ${start.processId}`)
    rewrite.file.abandon()
    this.#current = undefined
    this.#aof.feedsRewrite(false)
    this.#aof.tell({ type: 'aof-rewrite-failed', base: rewrite.base.temporaryName })
  }

  /** Called by the clock: begins what is scheduled, or due by the file's size. */
  tick(): void {
    if (this.isBlocked) return
    if (this.isScheduled) {
      if (!this.#isLimited()) this.begin()
      return
    }
    const { settings, log } = this.#server
    const aof = this.#aof
    const percentage = settings.int('auto-aof-rewrite-percentage')
    if (aof.state !== 'on' || percentage === 0) return
    if (aof.currentSize <= settings.int('auto-aof-rewrite-min-size')) return
    const growth = Math.floor((aof.currentSize * 100) / (aof.baseSize || 1)) - 100
    if (growth < percentage || this.#isLimited()) return
    log.notice(`Starting automatic rewriting of AOF on ${growth}% growth`)
    this.begin()
  }

  #makeBase(name: string, isRdb: boolean, onOutcome: (outcome: RdbOutcome) => void): BaseFile {
    const { settings, start } = this.#server
    const options = {
      directory: settings.raw('dir'),
      name,
      temporaryName: `temp-rewriteaof-base-${start.processId}.aof`,
      isAofBase: true,
      isBackground: true,
      syncsAsItGoes: settings.bool('aof-rewrite-incremental-fsync'),
    }
    return isRdb
      ? new RdbFile(this.#server, options, onOutcome)
      : new CommandFile(this.#server, options, onOutcome)
  }

  #baseEnded(outcome: RdbOutcome): void {
    const rewrite = this.#current
    if (rewrite === undefined) return
    const { log, settings } = this.#server
    if ('problem' in outcome) {
      log.warning(`Write error writing append only file on disk: ${outcome.problem.text}`)
      log.warning('Background AOF rewrite terminated with error')
      this.#aof.tell({ type: 'aof-rewrite-failed', base: rewrite.base.temporaryName })
      this.#failed(rewrite)
      return
    }
    const { temporaryName } = rewrite.base
    log.notice(`Successfully created the temporary AOF base file ${temporaryName}`)
    log.notice('Background AOF rewrite terminated with success')
    this.#aof.askLater(
      {
        type: 'aof-rewritten',
        base: rewrite.base,
        removesHistory: !settings.bool('aof-disable-auto-gc'),
      },
      ({ problem, size }) => {
        if (this.#current !== rewrite) return
        if (problem === '') this.#succeeded(rewrite, size)
        else this.#failed(rewrite)
      },
    )
  }

  #succeeded(rewrite: Rewrite, size: number): void {
    const aof = this.#aof
    this.#finish(rewrite)
    if (aof.state !== 'off') {
      aof.setSize(size + aof.writer.position - rewrite.position)
      aof.baseSize = aof.currentSize
    }
    this.isLastGood = true
    this.failureCount = 0
    this.#server.log.notice('Background AOF rewrite finished successfully')
    aof.becameOn()
    this.#server.disk.later(() => aof.closeIfUnused())
  }

  #failed(rewrite: Rewrite): void {
    const aof = this.#aof
    this.#finish(rewrite)
    this.isLastGood = false
    this.failureCount++
    if (aof.state === 'waiting') this.schedule()
    aof.feedsRewrite(false)
    this.#server.disk.later(() => aof.closeIfUnused())
  }

  #finish(rewrite: Rewrite): void {
    this.#current = undefined
    this.lastEarlyBytes = this.#snapshot?.earlyBytes ?? 0
    this.#snapshot = undefined
    this.lastDurationSeconds = this.#seconds() - rewrite.startedSeconds
  }

  /** After failures in a row a rewrite waits, each time longer. */
  #isLimited(): boolean {
    if (this.failureCount < AOF_REWRITE_FAILURES_MAX) {
      this.#delayMinutes = 0
      this.#notBefore = 0
      return false
    }
    if (this.#notBefore !== 0) {
      if (this.#seconds() < this.#notBefore) return true
      this.#notBefore = 0
      return false
    }
    const next = this.#delayMinutes === 0 ? 1 : this.#delayMinutes * 2
    this.#delayMinutes = Math.min(next, AOF_REWRITE_DELAY_MINUTES_MAX)
    this.#notBefore = this.#seconds() + this.#delayMinutes * 60
    this.#server.log.warning(
      `Background AOF rewrite has repeatedly failed and triggered the limit, will retry in ${this.#delayMinutes} minutes`,
    )
    return true
  }

  #seconds(): number {
    return Math.floor(this.#server.clock.nowMs / 1000)
  }
}
