/**
 * The process: makes the shared memory, starts the threads, listens, and ends in order.
 *
 * Thread: main.
 * Owns: threads, listeners, the pid file, what happens on a signal.
 * Never: looks at a request: as an io thread it does, but that is io's business.
 */
import { existsSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, constants } from 'node:os'
import { join } from 'node:path'
import type { FromCore } from '../bridge/control.ts'
import { CONNECTED, createBridgeMemory } from '../bridge/memory.ts'
import { readNumber } from '../bridge/wake.ts'
import { toUnicode } from '../config/byte-text.ts'
import {
  CONNECTION_SLOTS,
  GARBAGE_SIZE_MAX,
  REPLY_RING_SIZE,
  REQUEST_RING_SIZE,
  VITALS_PERIOD_MS,
} from '../config/limits.ts'
import type { LogLevel } from '../config/log-levels.ts'
import { configErrorReport } from '../config/parse.ts'
import type { Settings } from '../config/settings.ts'
import { REDBUN_VERSION, REDIS_VERSION } from '../config/version.ts'
import type { CoreStart } from '../core/server.ts'
import type { DiskSays, DiskStart } from '../disk/worker.ts'
import { isAboutListening, type ListenOutcome, listen } from '../io/listen.ts'
import { SPREADS } from '../io/listener.ts'
import { Metrics } from '../io/metrics.ts'
import { IoThread } from '../io/thread.ts'
import type { IoStart } from '../io/worker.ts'
import type { LookupItem } from '../lib/command-lookup.ts'
import { checkRdbMain } from './check-rdb.ts'
import { type Configuration, enterDirectory, findDirectory, readText } from './configuration.ts'
import type { Host } from './host.ts'
import type { Logger } from './logger.ts'
import { logo } from './logo.ts'
import { OomScore } from './oom-score.ts'
import { replaceText, rewriteConfiguration } from './rewrite.ts'
import { Threads } from './threads.ts'
import { isAboutTitle, Title } from './title.ts'
import { processValues } from './vitals.ts'

/** Why a changed directive cannot be followed. */
interface SettingFailure {
  readonly about: string
  readonly error: string
}

const SECRET_SIZE = 32
const IS_WINDOWS = process.platform === 'win32'
/** Garbage of the start is collected after so many: sooner, much of it is still held. */
const TIDY_AFTER_TICKS = 2
const ONE_IO_THREAD =
  'WARNING: this system does not spread connections over io-threads, so there is one.'
const CANNOT_BIND = 'Failed to bind to specified addresses.'
const CANNOT_LISTEN = 'Unable to listen on this port. Check server logs.'
const CANNOT_SCORE = 'Failed to set current oom_score_adj. Check server logs.'
const CANNOT_USE_TLS = 'Unable to update TLS configuration. Check server logs.'

export class ServerProcess {
  readonly #configuration: Configuration
  readonly #logger: Logger
  readonly #io: IoThread
  readonly #host: Host
  readonly #threads = new Threads()
  readonly #memory: CoreStart['memory']
  readonly #hashSeed = randomBytes(4).readInt32LE()
  readonly #oomScore: OomScore
  readonly #title: Title
  readonly #metrics: Metrics
  #listening = 0
  #ending = false
  #sharing: number
  #ready = false
  #leastRss = Number.POSITIVE_INFINITY
  /** Vitals told while nobody was connected, one after the other. */
  #quietTicks = 0
  #pidFileWritten = false
  #vitals: ReturnType<typeof setInterval> | undefined = undefined

  /** `ownsDirectory`: a file that lies there is to be loaded. */
  constructor(configuration: Configuration, logger: Logger, host: Host, ownsDirectory = true) {
    const { settings } = configuration
    this.#configuration = configuration
    this.#logger = logger
    this.#host = host
    this.#oomScore = new OomScore(settings.text('replicaof') !== '', (text) => logger.warning(text))
    this.#title = new Title(configuration.file)
    this.#metrics = new Metrics(settings, (number) => this.#io.tellCore({ type: 'report', number }))
    this.#sharing = SPREADS ? settings.int('io-threads') : 1
    this.#memory = createBridgeMemory(
      this.#sharing,
      REQUEST_RING_SIZE,
      REPLY_RING_SIZE,
      CONNECTION_SLOTS,
    )
    const hasData = ownsDirectory && (settings.bool('appendonly') || hasRdbFile(settings))
    if (hasData) this.#startDisk()
    this.#startCore(hasData)
    this.#io = new IoThread({
      memory: this.#memory,
      index: 0,
      settings,
      sharesPort: host.sharesPort,
      hashSeed: this.#hashSeed,
      processorCount: availableParallelism(),
      onControl: (message) => this.#control(message),
      debug: logger.debugging ? (text) => logger.debug(text) : undefined,
      warn: (text) => logger.warning(text),
    })
  }

  /** Begins to listen to signals and to look after what is due. */
  run(): void {
    const { settings } = this.#configuration
    this.#logger.warning(`oO0OoO0OoO0Oo Redbun is starting oO0OoO0OoO0Oo`)
    this.#logger.warning(
      `Redbun version=${REDBUN_VERSION}, as Redis ${REDIS_VERSION}, Bun ${Bun.version}, pid=${process.pid}, just started`,
    )
    this.#logger.warning(
      this.#configuration.file === ''
        ? 'Warning: no config file specified, using the default config. In order to specify a config file use bun run server /path/to/redis.conf'
        : 'Configuration loaded',
    )
    if (this.#host.note !== '') this.#logger.debug(this.#host.note)
    if (this.#sharing < settings.int('io-threads')) this.#logger.warning(ONE_IO_THREAD)
    this.#oomScore.apply(settings)
    if (this.#host.isOwn) {
      process.on('SIGTERM', () => this.#signal('SIGTERM'))
      process.on('SIGINT', () => this.#signal('SIGINT'))
      process.on('SIGHUP', () => this.#hangUp())
      if (IS_WINDOWS) process.on('SIGBREAK', () => this.#signal('SIGTERM'))
      process.on('SIGABRT', () => this.#crash('SIGABRT'))
    }
    this.#vitals = setInterval(() => this.#tellVitals(), VITALS_PERIOD_MS)
    this.#vitals.unref()
  }

  /** Ends it as a signal does, only at once. */
  close(): void {
    if (this.#ending) return
    this.#ending = true
    this.#io.tellCore({ type: 'shutdown', signal: '' })
  }

  /** `hasData`: there is something to load. */
  #startCore(hasData: boolean): void {
    const worker = this.#host.thread('core')
    this.#watch(worker, 'core')
    const start: CoreStart = {
      memory: this.#memory,
      settings: this.#configuration.settings.toPlain(),
      renames: this.#configuration.extras.renames,
      users: this.#configuration.extras.users,
      ...this.#aclFile(),
      ...this.#clusterFile(),
      secret: randomBytes(SECRET_SIZE),
      hashSeed: this.#hashSeed,
      randomSeed: randomBytes(4).readInt32LE(),
      processId: process.pid,
      runId: randomBytes(20).toString('hex'),
      startedMs: Date.now(),
      executable: process.execPath,
      processorCount: availableParallelism(),
      configFile: this.#configuration.file,
      diskRuns: hasData,
    }
    worker.postMessage(start)
  }

  #aclFile(): Pick<CoreStart, 'aclFile'> {
    const path = this.#configuration.settings.raw('aclfile')
    return path === '' ? {} : { aclFile: readText(path) }
  }

  #clusterFile(): Pick<CoreStart, 'clusterFile'> {
    const { settings } = this.#configuration
    if (!settings.bool('cluster-enabled')) return {}
    const path = settings.raw('cluster-config-file')
    return existsSync(toUnicode(path)) ? { clusterFile: readText(path) } : {}
  }

  /** A thread that dies takes the server down: it must never be half alive. */
  #watch(worker: Worker, name: string): void {
    this.#threads.watch(worker, (what) => {
      if (this.#ending && what === '') return
      const text =
        what === '' ? `The ${name} thread ended unexpectedly` : `The ${name} thread failed: ${what}`
      this.#logger.warning(text)
      this.#host.exit(1, text)
    })
  }

  #control(message: FromCore): void {
    const number = 'number' in message ? message.number : 0
    if (message.type === 'log') this.#logger.write(message.level, message.text)
    else if (message.type === 'role') this.#follow(message.isReplica)
    else if (message.type === 'commands') this.#startIo(message.commands)
    else if (message.type === 'ready') this.#coreReady()
    else if (message.type === 'fatal') this.#refuse(message)
    else if (message.type === 'settings') this.#settingsChanged(message)
    else if (message.type === 'crash') this.#crash(message.signal)
    else if (message.type === 'shutdown') this.#end(message.status)
    else if (message.type === 'shutdown-failed') this.#goOn()
    else if (message.type === 'disk') {
      this.#io.roam()
      this.#startDisk()
    } else if (message.type === 'report') this.#metrics.answer(number, message)
    else if (message.type === 'rewrite') {
      const error = rewriteConfiguration(this.#configuration.file, message)
      this.#io.tellCore({ type: 'answer', number, error, about: '' })
    } else if (message.type === 'text-read') {
      const content = readText(message.path)
      const error = 'problem' in content ? content.problem : ''
      const text = 'text' in content ? content.text : ''
      this.#io.tellCore({ type: 'answer', number, error, about: '', text })
    } else if (message.type === 'text-write') {
      const error = replaceText(message.path, message.text)
      this.#io.tellCore({ type: 'answer', number, error, about: '' })
    }
  }

  /** The core cannot start with this configuration. */
  #refuse({ text, place, file }: Extract<FromCore, { type: 'fatal' }>): void {
    if (place === undefined) return this.#fatal(text, file)
    const report = configErrorReport(place.lineNumber, place.line, text)
    if (this.#host.isOwn) process.stderr.write(report)
    this.#host.exit(1, report)
  }

  #follow(isReplica: boolean): void {
    this.#logger.role = isReplica ? 'S' : 'M'
    this.#oomScore.isReplica = isReplica
    this.#oomScore.apply(this.#configuration.settings)
  }

  #goOn(): void {
    this.#ending = false
    this.#host.shutdownFailed()
  }

  /** The core knows its commands: io can read requests, so the doors may open. */
  #startIo(commands: readonly LookupItem[]): void {
    this.#io.useCommands(commands)
    for (let index = 1; index < this.#sharing; index++) {
      const worker = this.#host.thread('io')
      this.#watch(worker, `io ${index}`)
      worker.onmessage = (event: MessageEvent<WorkerMessage>) => this.#workerSaid(event.data)
      const start: IoStart = {
        memory: this.#memory,
        index,
        settings: this.#configuration.settings.toPlain(),
        hashSeed: this.#hashSeed,
        processorCount: availableParallelism(),
        commands,
        debugging: this.#logger.debugging,
      }
      worker.postMessage(start)
    }
    const clients = listen(this.#io.listeners, this.#configuration.settings, { unix: true })
    const metrics = this.#metrics.listen()
    this.#listened({
      warnings: [...clients.warnings, ...metrics.warnings],
      failure: clients.failure ?? metrics.failure,
    })
  }

  /** Later than the others, and only if it is needed: most of what a server does needs no file. */
  #startDisk(): void {
    const worker = this.#host.thread('disk')
    this.#watch(worker, 'disk')
    worker.onmessage = ({ data }: MessageEvent<DiskSays>) => {
      if (data.type === 'fatal') this.#fatal(data.text)
      else this.#logger.write(data.level, data.text)
    }
    const start: DiskStart = { memory: this.#memory }
    worker.postMessage(start)
  }

  #workerSaid(message: WorkerMessage): void {
    if (message.type === 'log') this.#logger.write(message.level, message.text)
    else this.#listened(message.outcome)
  }

  #listened(outcome: ListenOutcome): void {
    for (const warning of outcome.warnings) this.#logger.warning(warning)
    if (outcome.failure !== undefined) return this.#fatal(outcome.failure)
    if (++this.#listening === this.#sharing) {
      this.#showLogo()
      this.#logger.warning('Server initialized')
    }
    this.#sayReady()
  }

  /** Only once the doors are open: that is what they expect who read the process id there. */
  #showLogo(): void {
    const { settings } = this.#configuration
    if (!settings.bool('always-show-logo') && !process.stdout.isTTY) return
    this.#logger.raw(logo(settings.int('port')))
  }

  #coreReady(): void {
    this.#ready = true
    this.#sayReady()
  }

  #sayReady(): void {
    if (!this.#ready || this.#listening < this.#sharing) return
    this.#writePidFile()
    this.#showTitle()
    this.#logger.notice('Ready to accept connections')
    this.#host.ready()
  }

  /** `file`: an RDB file of which the log shall say what is wrong with it. */
  #fatal(text: string, file?: Extract<FromCore, { type: 'fatal' }>['file']): void {
    if (file !== undefined) {
      const say = (line: string) => this.#logger.raw(`${line}\n`)
      // The check sees what the file consists of, not what is inside its values.
      if (checkRdbMain([file.path], say) === 0) {
        say('--- RDB ERROR DETECTED ---')
        say(file.problem)
      }
    }
    this.#logger.warning(text)
    this.#host.exit(1, text)
  }

  #signal(signal: string): void {
    if (this.#ending) {
      if (signal !== 'SIGINT') return
      this.#logger.warning('You insist... exiting now.')
      for (const kind of ['', 'bg-']) rmSync(`temp-${kind}${process.pid}.rdb`, { force: true })
      process.exit(1)
    }
    if (!this.#ready) {
      this.#logger.warning('Received shutdown signal during loading, exiting now.')
      process.exit(0)
    }
    this.#ending = true
    this.#logger.warning(`Received ${signal} scheduling shutdown...`)
    this.#io.tellCore({ type: 'shutdown', signal })
  }

  /** A server outlives the terminal that it was started from, where the system lets it. */
  #hangUp(): void {
    // There the window is closed, and what does not end by itself is ended seconds later.
    if (IS_WINDOWS) this.#signal('SIGTERM')
  }

  /** Says what can be said, and dies of the signal. */
  #crash(signal: 'SIGABRT' | 'SIGSEGV'): void {
    if (!this.#host.isOwn) return this.#host.exit(1, `It was asked to end as by ${signal}`)
    this.#logger.raw('\n\n=== REDBUN BUG REPORT START: Cut & paste starting from here ===\n')
    this.#logger.warning(
      `Redbun ${REDBUN_VERSION} crashed by signal: ${constants.signals[signal]}, si_code: 0`,
    )
    this.#logger.raw(`${JSON.stringify({ ...processValues(), ready: this.#ready })}\n`)
    this.#logger.raw('=== REDBUN BUG REPORT END. Make sure to include from START to END. ===\n\n')
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  }

  #end(status: number): void {
    this.#ending = true
    const { settings } = this.#configuration
    this.#io.listeners.stop()
    this.#metrics.stop()
    clearInterval(this.#vitals)
    const pidFile = settings.text('pidfile')
    if (pidFile !== '' && this.#pidFileWritten) unlinkSync(pidFile)
    this.#logger.warning('Redbun is now ready to exit, bye bye...')
    if (this.#host.isOwn) return this.#host.exit(status, '')
    // Later: io is in the middle of delivering the word.
    setImmediate(() => {
      this.#io.stop()
      this.#threads.stop().then(() => this.#host.exit(status, ''))
    })
  }

  #writePidFile(): void {
    const path = this.#configuration.settings.text('pidfile')
    if (path === '') return
    try {
      writeFileSync(path, `${process.pid}\n`)
      this.#pidFileWritten = true
    } catch (error) {
      this.#logger.warning(`Failed to write PID file: ${(error as Error).message}`)
    }
  }

  #settingsChanged(message: Extract<FromCore, { type: 'settings' }>): void {
    const { settings } = this.#configuration
    this.#logger.configure(settings.text('logfile'), settings.text('loglevel'))
    this.#io.debug = this.#logger.debugging ? (text) => this.#logger.debug(text) : undefined
    const names = message.changed.map(([name]) => name)
    if (names.some(isAboutTitle)) this.#showTitle()
    const failure = this.#enter(names) ?? this.#listenAgain(names) ?? this.#score(names)
    if (message.number === 0) return
    const { error, about } = failure ?? { error: '', about: '' }
    this.#io.tellCore({ type: 'answer', number: message.number, error, about })
  }

  #enter(names: readonly string[]): SettingFailure | undefined {
    if (!names.includes('dir')) return undefined
    const go = this.#host.isOwn ? enterDirectory : findDirectory
    const problem = go(this.#configuration.settings.raw('dir'))
    return 'problem' in problem ? { about: 'dir', error: problem.problem } : undefined
  }

  #score(names: readonly string[]): SettingFailure | undefined {
    const about = names.find((name) => name.startsWith('oom-score-adj'))
    if (about === undefined) return undefined
    if (this.#oomScore.apply(this.#configuration.settings)) return undefined
    return { about, error: CANNOT_SCORE }
  }

  #listenAgain(names: readonly string[]): SettingFailure | undefined {
    const about = names.find((name) => isAboutListening(name))
    if (about === undefined) return undefined
    this.#io.listeners.stopTcp()
    const outcome = listen(this.#io.listeners, this.#configuration.settings, { unix: false })
    for (const warning of outcome.warnings) this.#logger.warning(warning)
    if (outcome.failure === undefined) return undefined
    this.#logger.warning(outcome.failure)
    if (names.includes('bind')) return { about: 'bind', error: CANNOT_BIND }
    return { about, error: about.endsWith('port') ? CANNOT_LISTEN : CANNOT_USE_TLS }
  }

  #showTitle(): void {
    if (this.#host.isOwn) this.#title.apply(this.#configuration.settings)
  }

  #tellVitals(): void {
    const values = processValues()
    this.#io.tellCore({ type: 'process', values })
    if (this.#quietTicks < TIDY_AFTER_TICKS) this.#awaitQuiet()
    // As the core does for its own: chunks that sockets brought are such memory, too.
    if (values.rss < this.#leastRss) this.#leastRss = values.rss
    if (values.rss - this.#leastRss < GARBAGE_SIZE_MAX) return
    this.#leastRss = values.rss
    Bun.gc(true)
  }

  /** Collects what starting has left, some 10 MB, in a moment in which nobody would have to wait. */
  #awaitQuiet(): void {
    const isQuiet = readNumber(new Int32Array(this.#memory.process), CONNECTED) === 0
    this.#quietTicks = isQuiet ? this.#quietTicks + 1 : 0
    if (this.#quietTicks < TIDY_AFTER_TICKS) return
    this.#io.tellCore({ type: 'started' })
    Bun.gc(true)
  }
}

/** What an io Worker tells the main thread. */
export type WorkerMessage =
  | { readonly type: 'log'; readonly level: LogLevel; readonly text: string }
  | { readonly type: 'listened'; readonly outcome: ListenOutcome }

function hasRdbFile(settings: Settings): boolean {
  return existsSync(join(settings.text('dir'), settings.text('dbfilename')))
}

/** Bytes that nobody can guess. */
function randomBytes(size: number): Buffer {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(size)))
}
