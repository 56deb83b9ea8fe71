/**
 * The append-only file as the core sees it: whether it is on, what it promises, how healthy it is.
 *
 *     off        nothing is written
 *     waiting    appendonly was just turned on: commands gather in a file that counts once the first
 *                rewrite is done
 *     on         every effect goes into the last increment
 *
 * Thread: core.
 * Owns: the job of the disk thread that appends; the state.
 * Never: touches a file itself.
 */
import type {
  AofBase,
  AofFound,
  AofFromDisk,
  AofPolicy,
  AofToDisk,
} from '../../../bridge/aof-control.ts'
import type { FromDisk } from '../../../bridge/disk-control.ts'
import { AOF_CRON_PERIOD_MS } from '../../../config/limits.ts'
import type { JobOwner } from '../../engine/disk-link.ts'
import { CommandError } from '../../engine/errors.ts'
import type { Durability } from '../../engine/withheld.ts'
import type { Server } from '../../server.ts'
import { AofRewrites } from './aof-rewrites.ts'
import { AppendWriter } from './append-writer.ts'

export type AofState = 'off' | 'waiting' | 'on'

/** What became of a request: the system's words, empty for success; bytes of the file it was about. */
export interface AofAnswer {
  readonly problem: string
  readonly size: number
}

export const CANNOT_TURN_ON = 'Unable to turn on AOF. Check server logs.'

export class Aof implements JobOwner, Durability {
  readonly #server: Server
  readonly writer: AppendWriter
  readonly rewrites: AofRewrites
  state: AofState = 'off'
  /** Bytes of all files when the last rewrite ended, or of the base when they were loaded. */
  baseSize = 0
  delayedCount = 0
  /** A sync is in progress in the background. */
  isSyncing = false
  #job = 0
  #found: readonly AofFound[] | undefined = undefined
  readonly #answers: ((answer: AofAnswer) => void)[] = []
  /** The size of all files was this when the writer's position was that. */
  #sizeThen = 0
  #positionThen = 0
  #writeProblem = ''
  #syncProblem = ''
  #policy: AofPolicy = 'everysec'
  #maySync = true
  #keepsHistory = false
  /** What the disk thread tells of lasts at least so long; 0: it tells of nothing. */
  #watchedMs = 0

  readonly #setPeriod: (periodMs: number) => void

  constructor(server: Server) {
    this.#server = server
    this.#setPeriod = server.timers.cron(Number.POSITIVE_INFINITY, () => this.tick())
    this.writer = new AppendWriter(server.disk, server.clock)
    this.rewrites = new AofRewrites(server, this)
    server.disk.settle = () => this.writer.close()
  }

  /** Bytes of all files, what is on its way included. */
  get currentSize(): number {
    return this.#sizeThen + this.writer.position - this.#positionThen
  }

  /** Bytes on their way to the disk thread. */
  get bufferedSize(): number {
    return this.state === 'off' ? 0 : this.#server.disk.pendingBytes
  }

  /** Why no write is accepted; undefined when there is no reason. */
  get refusal(): CommandError | undefined {
    if (this.state === 'off' || this.isHealthy) return undefined
    const problem = this.#writeProblem === '' ? this.#syncProblem : this.#writeProblem
    return new CommandError(`MISCONF Errors writing to the AOF file: ${problem}`)
  }

  get isHealthy(): boolean {
    return this.#writeProblem === '' && this.#syncProblem === ''
  }

  /** True until the disk thread has ended the job. */
  get isOpen(): boolean {
    return this.#job !== 0
  }

  /** Begins the job, unless it has begun; waits for what there is. */
  open(migrates: boolean): readonly AofFound[] {
    const { settings, disk } = this.#server
    if (this.#job !== 0) return []
    this.#policy = this.#wantedPolicy
    this.#maySync = true
    this.#found = undefined
    this.writer.position = 0
    for (const session of this.#server.clients.all()) session.writtenPosition = 0
    this.#positionThen = 0
    this.#setPeriod(AOF_CRON_PERIOD_MS)
    this.#job = disk.begin(
      {
        type: 'aof-begin',
        root: settings.raw('dir'),
        directoryName: settings.raw('appenddirname'),
        fileName: settings.raw('appendfilename'),
        migrates,
        policy: this.#policy,
      },
      this,
    )
    this.#watch()
    return this.#awaitFound()
  }

  #awaitFound(): readonly AofFound[] {
    while (this.#found === undefined) this.#server.disk.wait()
    return this.#found
  }

  /** A rewrite is scheduled: the clock has to look for the moment. */
  scheduled(): void {
    this.#setPeriod(AOF_CRON_PERIOD_MS)
  }

  /** What could be loaded now. */
  find(): readonly AofFound[] {
    if (this.#job === 0) return this.open(true)
    this.#found = undefined
    this.tell({ type: 'aof-find', migrates: true })
    return this.#awaitFound()
  }

  /** Tells the disk thread and waits for its answer. Not for an owner that is being told something. */
  ask(message: AofToDisk): AofAnswer {
    let answer: AofAnswer | undefined
    this.askLater(message, (what) => {
      answer = what
    })
    while (answer === undefined) this.#server.disk.wait()
    return answer
  }

  /** As `ask`, without waiting. */
  askLater(message: AofToDisk, answered: (answer: AofAnswer) => void): void {
    this.#answers.push(answered)
    this.tell(message)
  }

  tell(message: AofToDisk): void {
    this.#server.disk.tell(this.#job, message)
  }

  /** Everything was loaded: from now on commands are appended. `base`: for a start without files. */
  beginAppending(files: readonly AofFound[], base: AofBase | null): void {
    const total = files.reduce((sum, { size }) => sum + size, 0)
    const removesHistory = !this.#server.settings.bool('aof-disable-auto-gc')
    this.ask({ type: 'aof-append', base, removesHistory })
    this.baseSize = files.find(({ type }) => type === 'b')?.size ?? 0
    this.setSize(total)
    this.state = 'on'
    this.#feed(true)
    this.#promise()
  }

  /** What is appended now counts from `size` on. */
  setSize(size: number): void {
    this.#sizeThen = size
    this.#positionThen = this.writer.position
  }

  /** CONFIG SET appendonly: does what the setting says. False when that cannot be. */
  follow(isInTransaction: boolean): boolean {
    const isWanted = this.#server.settings.bool('appendonly')
    if (!isWanted) this.turnOff()
    else if (this.state === 'off') return this.turnOn(isInTransaction)
    return true
  }

  /** CONFIG SET appendonly yes. False when it could not be turned on; why was logged. */
  turnOn(isInTransaction: boolean): boolean {
    const { log, saves } = this.#server
    this.state = 'waiting'
    if (saves.isInBackground) {
      this.rewrites.schedule()
      log.warning(
        'AOF was enabled but there is already another background operation. An AOF background was scheduled to start when possible.',
      )
    } else if (isInTransaction) {
      this.rewrites.schedule()
      log.warning(
        'AOF was enabled during a transaction. An AOF background was scheduled to start when possible.',
      )
    } else {
      if (this.rewrites.isActive) {
        log.warning(
          'AOF was enabled but there is already an AOF rewriting in background. Stopping background AOF and starting a rewrite now.',
        )
        this.rewrites.abandon()
      }
      if (!this.rewrites.begin()) {
        this.state = 'off'
        this.#end()
        log.warning(
          "Redis needs to enable the AOF but can't trigger a background AOF rewrite operation. Check the above logs for more info about the error.",
        )
        return false
      }
    }
    this.#forgetProblems()
    return true
  }

  /** CONFIG SET appendonly no. */
  turnOff(): void {
    if (this.state === 'off') return
    this.#server.outbox.withheld.use(undefined)
    this.rewrites.isScheduled = false
    this.rewrites.abandon()
    this.state = 'off'
    this.#end()
    this.#server.updateGuard()
  }

  /** All data has been replaced by a primary's: the file begins anew with it. */
  restart(): void {
    if (this.state === 'off') return
    this.turnOff()
    if (this.turnOn(false)) return
    this.state = 'waiting'
    this.rewrites.schedule()
  }

  /** Writes and syncs everything; the server is about to end. False: it must not end yet. */
  beforeShutdown(isForced: boolean): boolean {
    if (this.state === 'off') return true
    const { log } = this.#server
    if (this.rewrites.isActive) {
      if (this.state === 'waiting') {
        if (!isForced) {
          log.warning("Writing initial AOF, can't exit.")
          return false
        }
        log.warning('Writing initial AOF. Exit anyway.')
      }
      log.warning('There is a child rewriting the AOF. Killing it!')
      this.rewrites.abandon()
    }
    log.notice('Calling fsync() on the AOF file.')
    const { problem } = this.ask({ type: 'aof-sync' })
    if (problem !== '') log.warning(`Fail to fsync the AOF file: ${problem}.`)
    return true
  }

  /** Effects go to the disk thread, or nowhere. */
  feedsRewrite(isFed: boolean): void {
    if (this.state === 'waiting') this.#feed(isFed)
  }

  /** The first rewrite is done. */
  becameOn(): void {
    if (this.state !== 'waiting') return
    this.state = 'on'
    this.#promise()
  }

  /** Without anybody who needs it the job ends. */
  closeIfUnused(): void {
    if (this.state === 'off' && !this.rewrites.isActive) this.#end()
  }

  /** DEBUG AOF-FLUSH-SLEEP. */
  sleepBeforeWrites(microseconds: number): void {
    if (this.#job !== 0) this.tell({ type: 'aof-sleep', microseconds })
  }

  settingsChanged(): void {
    const { settings } = this.#server
    this.writer.stamps = settings.bool('aof-timestamp-enabled')
    const keepsHistory = settings.bool('aof-disable-auto-gc')
    if (this.#keepsHistory && !keepsHistory && this.#job !== 0) {
      this.ask({ type: 'aof-remove-history' })
    }
    this.#keepsHistory = keepsHistory
    this.#watch()
    this.#promise()
  }

  /** Called by the clock. */
  tick(): void {
    if (this.#server.loading.active) return
    this.#promise()
    this.rewrites.tick()
  }

  told(message: FromDisk): void {
    const answer = message as AofFromDisk
    if (answer.type === 'aof-found') this.#found = answer.files
    else if (answer.type === 'aof-answer') this.#answers.shift()?.(answer)
    else if (answer.type === 'aof-lasted') this.#lasted(answer)
    else if (answer.type === 'aof-health') this.#healthChanged(answer)
  }

  /** For LATENCY: the disk thread measures. */
  #watch(): void {
    if (this.#job === 0) return
    const leastMs = this.#server.settings.int('latency-monitor-threshold')
    if (leastMs === this.#watchedMs) return
    this.#watchedMs = leastMs
    this.tell({ type: 'aof-watch', leastMs })
  }

  #lasted({ act, ms }: Extract<AofFromDisk, { type: 'aof-lasted' }>): void {
    const { latency, saves } = this.#server
    if (act === 'sync') return latency.record('aof-fsync-always', ms)
    latency.record('aof-write', ms)
    if (act === 'write-while-syncing') return latency.record('aof-write-pending-fsync', ms)
    const isWriting = saves.isInBackground || this.rewrites.isActive
    latency.record(isWriting ? 'aof-write-active-child' : 'aof-write-alone', ms)
  }

  seal(): number {
    this.#server.disk.publish()
    return this.writer.position | 0
  }

  durable(): number {
    return this.#server.disk.syncedPosition()
  }

  /** The file holds everything up to `position`, and is on the disk. */
  holds(position: number): boolean {
    return this.state === 'on' && ((this.durable() - position) | 0) >= 0
  }

  wait(): void {
    this.#server.disk.wait()
  }

  get #wantedPolicy(): AofPolicy {
    const text = this.#server.settings.text('appendfsync')
    return text === 'always' || text === 'no' ? text : 'everysec'
  }

  /** Lets the disk thread, and the replies, follow the settings. */
  #promise(): void {
    if (this.#job === 0 || this.state === 'off') return
    const { settings, saves, outbox } = this.#server
    const isWriting = saves.isInBackground || this.rewrites.isActive
    const maySync = !(settings.bool('no-appendfsync-on-rewrite') && isWriting)
    const policy = this.#wantedPolicy
    if (policy !== this.#policy || maySync !== this.#maySync) {
      this.#policy = policy
      this.#maySync = maySync
      this.tell({ type: 'aof-policy', policy, maySync })
    }
    const isHeld = policy === 'always' && this.state === 'on'
    if (isHeld !== outbox.withheld.isOn) outbox.withheld.use(isHeld ? this : undefined)
  }

  #feed(isFed: boolean): void {
    const { propagation } = this.#server
    if (isFed === (this.writer.job !== 0)) return
    this.writer.close()
    this.writer.job = isFed ? this.#job : 0
    this.writer.forgetDatabase()
    if (isFed) propagation.add(this.writer)
    else propagation.remove(this.writer)
  }

  #end(): void {
    if (this.#job === 0) return
    const job = this.#job
    this.#feed(false)
    this.tell({ type: 'aof-end' })
    this.#job = 0
    this.#watchedMs = 0
    if (!this.rewrites.isScheduled) this.#setPeriod(Number.POSITIVE_INFINITY)
    this.#server.disk.waitFor(job)
    this.#answers.length = 0
  }

  #healthChanged(health: Extract<AofFromDisk, { type: 'aof-health' }>): void {
    this.#writeProblem = health.writeProblem
    this.#syncProblem = health.syncProblem
    this.delayedCount = health.delayedCount
    this.isSyncing = health.isSyncing
    this.#server.updateGuard()
  }

  #forgetProblems(): void {
    const { log } = this.#server
    if (this.#syncProblem !== '') {
      log.warning('AOF reopen, just ignore the AOF fsync error in bio job')
    }
    if (this.#writeProblem !== '') log.warning('AOF reopen, just ignore the last error.')
    this.#writeProblem = ''
    this.#syncProblem = ''
    this.#server.updateGuard()
  }
}
