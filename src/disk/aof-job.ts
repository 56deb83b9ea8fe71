/**
 * The append-only file as a job: for as long as appendonly is on, commands arrive and are appended,
 * and now and then the core wants other files.
 *
 * Thread: disk.
 * Owns: which increment commands go to.
 * Never: reads a command.
 */
import type { AofAct, AofPolicy, AofToDisk } from '../bridge/aof-control.ts'
import type { ToDisk } from '../bridge/disk-control.ts'
import { assert } from '../lib/assert.ts'
import { AofFatalError, AofFiles, type OpenIncrement } from './aof-files.ts'
import { AppendFile, type AppendListener } from './append-file.ts'
import { DiskError } from './files.ts'
import type { Job, ToCore } from './job.ts'

export class AofJob implements Job, AppendListener {
  readonly isLasting = true
  readonly #core: ToCore
  readonly #files: AofFiles
  #append: AppendFile | undefined = undefined
  /** The current increment is no part of the manifest yet. */
  #isTemporary = false
  #policy: AofPolicy
  #maySync = true
  /** Bytes taken by increments before the current one. */
  #position = 0
  #writeProblem = ''
  #syncProblem = ''
  #delayedCount = 0
  #isSyncing = false
  #sleepUs = 0
  /** What lasts so long is told of. */
  #leastMs = Number.POSITIVE_INFINITY

  constructor(order: Extract<AofToDisk, { type: 'aof-begin' }>, core: ToCore) {
    this.#core = core
    this.#policy = order.policy
    this.#files = new AofFiles(order, core.voice)
    core.synced(0)
    this.#find(order.migrates)
  }

  told(message: ToDisk): void {
    switch (message.type) {
      case 'aof-find':
        this.#append?.flush()
        return this.#find(message.migrates)
      case 'aof-sync':
        return this.#core.tell({
          type: 'aof-answer',
          problem: this.#append?.syncAll() ?? '',
          size: 0,
        })
      case 'aof-truncate':
        return this.#answer(() => {
          this.#files.truncate(message.name, message.size)
          return message.size
        })
      case 'aof-append':
        return this.#orDie(() => {
          const opened = this.#files.openLast(message.base ?? undefined)
          this.#use(opened, false)
          // A server that died after a rewrite has left them.
          if (message.removesHistory) this.#files.removeHistory()
          this.#core.tell({ type: 'aof-answer', problem: '', size: opened.size })
        })
      case 'aof-rotate':
        return this.#rotate(message.temporary)
      case 'aof-rewritten':
        return this.#rewritten(message)
      case 'aof-rewrite-failed':
        this.#files.removeTemporaryBase(message.base)
        return this.#dropTemporary()
      case 'aof-policy':
        this.#policy = message.policy
        this.#maySync = message.maySync
        return this.#append?.setPolicy(message.policy, message.maySync)
      case 'aof-remove-history':
        return this.#answer(() => {
          this.#files.removeHistory()
          return 0
        })
      case 'aof-watch':
        this.#leastMs = message.leastMs || Number.POSITIVE_INFINITY
        return
      case 'aof-sleep':
        this.#sleepUs = message.microseconds
        if (this.#append !== undefined) this.#append.sleepUs = this.#sleepUs
        return
      case 'aof-end':
        return this.#end()
      default:
        assert(false, `the append-only file is told '${message.type}'`)
    }
  }

  bytes(bytes: Buffer, _words: Int32Array, offset: number, size: number): void {
    if (this.#append === undefined) this.#position += size
    else this.#append.add(bytes, offset, size)
  }

  step(): boolean {
    this.#append?.commit()
    return false
  }

  close(): void {
    this.#append?.abandon()
    this.#append = undefined
  }

  synced(position: number): void {
    this.#core.synced(position)
  }

  writeFailed(problem: string): void {
    this.#writeProblem = problem
    this.#tellHealth()
  }

  syncFailed(problem: string): void {
    this.#syncProblem = problem
    this.#tellHealth()
  }

  syncing(isSyncing: boolean): void {
    this.#isSyncing = isSyncing
    this.#tellHealth()
  }

  lasted(act: AofAct, ms: number): void {
    if (ms >= this.#leastMs) this.#core.tell({ type: 'aof-lasted', act, ms: Math.floor(ms) })
  }

  delayed(): void {
    this.#delayedCount++
    this.#core.voice.log(
      'notice',
      'Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for fsync to complete, this may slow down Redis.',
    )
    this.#tellHealth()
  }

  warn(text: string): void {
    this.#core.voice.log('warning', text)
  }

  fatal(text: string): void {
    this.#core.voice.fatal(text)
  }

  #tellHealth(): void {
    this.#core.tell({
      type: 'aof-health',
      writeProblem: this.#writeProblem,
      syncProblem: this.#syncProblem,
      delayedCount: this.#delayedCount,
      isSyncing: this.#isSyncing,
    })
    this.#core.publish()
  }

  #use(opened: OpenIncrement, isTemporary: boolean): void {
    const { file, size } = opened
    this.#append = new AppendFile(this, file, size, this.#position, this.#policy)
    this.#append.setPolicy(this.#policy, this.#maySync)
    this.#append.sleepUs = this.#sleepUs
    this.#isTemporary = isTemporary
  }

  #find(migrates: boolean): void {
    this.#orDie(() => {
      this.#files.load(migrates)
      this.#core.tell({ type: 'aof-found', files: this.#files.found() })
    })
  }

  #rotate(isTemporary: boolean): void {
    const opened = this.#files.openNew(isTemporary)
    if (opened === undefined) {
      this.#core.tell({ type: 'aof-answer', problem: 'see the log', size: 0 })
      return
    }
    this.#letGo()
    this.#use(opened, isTemporary)
    this.#core.tell({ type: 'aof-answer', problem: '', size: 0 })
  }

  #rewritten(message: Extract<AofToDisk, { type: 'aof-rewritten' }>): void {
    const isAppending = this.#append !== undefined
    const size = this.#files.rewritten(message.base, this.#isTemporary, isAppending)
    if (size < 0) {
      this.#files.removeTemporaryBase(message.base.temporaryName)
      this.#dropTemporary()
      this.#core.tell({ type: 'aof-answer', problem: 'see the log', size: 0 })
      return
    }
    this.#isTemporary = false
    if (message.removesHistory) this.#files.removeHistory()
    this.#core.tell({ type: 'aof-answer', problem: '', size })
  }

  /** An increment of a rewrite that will not be: the next one begins another. */
  #dropTemporary(): void {
    if (!this.#isTemporary) return
    this.#isTemporary = false
    this.#position = this.#append?.position ?? this.#position
    this.#append?.abandon()
    this.#append = undefined
    this.#files.removeTemporaryIncrement()
    this.synced(this.#position)
  }

  #letGo(): void {
    const append = this.#append
    if (append === undefined) return
    this.#append = undefined
    this.#position = append.position
    const problem = append.finish()
    if (problem === '') return
    this.warn(`Fail to fsync the AOF file: ${problem}`)
    if (this.#policy === 'always') this.fatal('Exiting...')
  }

  #end(): void {
    if (this.#isTemporary) this.#dropTemporary()
    this.#letGo()
    this.#core.synced(this.#position)
    this.#core.tell({ type: 'done', size: 0 })
  }

  #answer(act: () => number): void {
    try {
      this.#core.tell({ type: 'aof-answer', problem: '', size: act() })
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      this.#core.tell({ type: 'aof-answer', problem: error.problem.text, size: 0 })
    }
  }

  #orDie(act: () => void): void {
    try {
      act()
    } catch (error) {
      if (!(error instanceof AofFatalError)) throw error
      this.#core.voice.fatal(error.text)
    }
  }

  written(): void {}
}
