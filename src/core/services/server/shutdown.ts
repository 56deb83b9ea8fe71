/**
 * The end of the server, on request or by a signal: what is to be saved is saved first, and when that
 * fails the server goes on.
 *
 * Thread: core.
 * Owns: the shutdown in progress, and who waits for it.
 * Never: ends while something is not saved that should be.
 */
import { SHUTDOWN_PERIOD_MS } from '../../../config/limits.ts'
import { command } from '../../command/command.ts'
import type { Answer, Call } from '../../engine/call.ts'
import { CommandError, SYNTAX } from '../../engine/errors.ts'
import type { Server } from '../../server.ts'

export interface ShutdownFlags {
  readonly save: boolean
  readonly nosave: boolean
  readonly now: boolean
  readonly force: boolean
}

const NOT_IN_PROGRESS = new CommandError('ERR No shutdown in progress.')
const FAILED = 'ERR Errors trying to SHUTDOWN. Check logs.'
const MAY_NOT_WAIT = new CommandError(
  "ERR SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client",
)

export class Shutdown {
  readonly #server: Server
  /** What has to be finished before the data is saved. Gives false to prevent the end. */
  readonly duties: ((flags: ShutdownFlags) => boolean)[] = []
  /** False while a replica lacks what was written last: it gets some time. */
  isReady: () => boolean = () => true
  #flags: ShutdownFlags | undefined = undefined
  #untilMs = 0
  readonly #waiting: Answer[] = []
  readonly #setPeriod: (periodMs: number) => void
  /** What a signal has asked for, and when it is looked at. */
  #signalled: ShutdownFlags | undefined = undefined
  readonly #setSignalPeriod: (periodMs: number) => void
  readonly #setAnswerPeriod: (periodMs: number) => void

  constructor(server: Server) {
    this.#server = server
    this.#setPeriod = server.timers.every(Number.POSITIVE_INFINITY, () => this.#tick())
    this.#setAnswerPeriod = server.timers.every(Number.POSITIVE_INFINITY, () => this.#answer())
    this.#setSignalPeriod = server.timers.cron(Number.POSITIVE_INFINITY, () => this.#obey())
  }

  /** Calls that wait for the end. */
  get waitingCount(): number {
    return this.#waiting.length
  }

  /** A signal asks for the end, which begins at the next look at the clock, unless it is aborted. */
  signal(flags: ShutdownFlags): void {
    this.#signalled = flags
    this.#setSignalPeriod(0)
  }

  /** Milliseconds that replicas have left; -1 when no shutdown is in progress. */
  get leftMs(): number {
    if (this.#flags === undefined) return -1
    return Math.max(this.#untilMs - this.#server.clock.nowMs, 0)
  }

  /** Begins the end; `answer` is called if it fails. */
  begin(asked: ShutdownFlags, answer: Answer | undefined): void {
    if (answer !== undefined) this.#waiting.push(answer)
    if (this.#flags !== undefined) return
    const { log, loading, settings, clock, pause } = this.#server
    // What is only half loaded must not replace the file.
    this.#flags = loading.active ? { ...asked, save: false, nosave: true } : asked
    log.warning('User requested shutdown...')
    const timeoutMs = settings.int('shutdown-timeout') * 1000
    if (asked.now || timeoutMs === 0 || this.isReady()) return this.#finish(this.#flags)
    pause.hold()
    this.#untilMs = clock.nowMs + timeoutMs
    this.#setPeriod(SHUTDOWN_PERIOD_MS)
  }

  /** Takes it back. False when there was nothing to take back. */
  abort(): boolean {
    if (this.#flags === undefined && this.#signalled === undefined) return false
    this.#server.log.notice('Shutdown manually aborted.')
    this.#cancel()
    return true
  }

  #obey(): void {
    const flags = this.#signalled
    this.#signalled = undefined
    this.#setSignalPeriod(Number.POSITIVE_INFINITY)
    if (flags !== undefined) this.begin(flags, undefined)
  }

  #tick(): void {
    if (this.#flags === undefined) return
    if (this.#server.clock.nowMs < this.#untilMs && !this.isReady()) return
    this.#finish(this.#flags)
  }

  #finish(flags: ShutdownFlags): void {
    const { control, log, saves } = this.#server
    if (saves.isInBackground) {
      log.warning('There is a child saving an .rdb. Killing it!')
      saves.abandon()
    }
    if (this.duties.every((duty) => duty(flags)) && this.#save(flags)) {
      control.send({ type: 'shutdown', status: 0 })
      this.#server.ended = true
      return
    }
    log.warning('Errors trying to shut down the server. Check the logs for more information.')
    this.#cancel()
  }

  #save({ save, nosave, force }: ShutdownFlags): boolean {
    const { log, saves } = this.#server
    if (!save && (nosave || saves.points().length === 0)) return true
    log.notice('Saving the final RDB snapshot before exiting.')
    if (saves.save()) return true
    log.warning(`Error trying to save the DB, ${force ? 'exit anyway' : "can't exit"}.`)
    return force
  }

  #cancel(): void {
    const { control, pause } = this.#server
    if (this.#untilMs > 0) pause.release()
    this.#flags = undefined
    this.#signalled = undefined
    this.#untilMs = 0
    this.#setPeriod(Number.POSITIVE_INFINITY)
    control.send({ type: 'shutdown-failed' })
    if (this.#waiting.length > 0) this.#setAnswerPeriod(0)
  }

  /** Later, since the call in progress is another's, or still has to say that it waits. */
  #answer(): void {
    this.#setAnswerPeriod(Number.POSITIVE_INFINITY)
    if (this.#flags !== undefined) return
    for (const answer of this.#waiting.splice(0)) answer((reply) => reply.error(FAILED))
  }
}

/** `words`: a value of `shutdown-on-sigterm` or `shutdown-on-sigint`. */
export function shutdownFlags(words: string): ShutdownFlags {
  const given = new Set(words.split(' '))
  const [save, nosave, now, force] = ['save', 'nosave', 'now', 'force'].map((w) => given.has(w))
  return { save, nosave, now, force }
}

export const shutdownCommand = command({
  name: 'SHUTDOWN',
  usage: '[nosave_save: NOSAVE | SAVE] [NOW]@7.0.0 [FORCE]@7.0.0 [ABORT]@7.0.0',
  summary: 'Saves what is to be saved and ends the server.',
  since: '1.0.0',
  complexity:
    'O(N) when saving, where N is the total number of keys in all databases when saving data, otherwise O(1)',
  flags: ['admin', 'noscript', 'loading', 'stale', 'no_multi', 'allow_busy'],
  answersLater: true,
  history: [['7.0.0', 'NOW, FORCE and ABORT came.']],
  reply: 'ok',

  run(call) {
    const { server, reply } = call
    const flags = flagsOf(call)
    if (flags === 'abort') {
      if (!server.shutdown.abort()) throw NOT_IN_PROGRESS
      return reply.ok()
    }
    const busy = server.scripting.busyError
    if (busy !== undefined && !flags.nosave) throw busy
    if (!flags.now && !call.mayBlock) throw MAY_NOT_WAIT
    // The connection ends with the process; what it still asks for is not answered.
    server.shutdown.begin(flags, call.answerLater())
  },
})

function flagsOf({ args }: Call): ShutdownFlags | 'abort' {
  const flags = { save: false, nosave: false, now: false, force: false }
  let abort = false
  for (let i = 1; i < args.count; i++) {
    if (args.is(i, 'NOSAVE')) flags.nosave = true
    else if (args.is(i, 'SAVE')) flags.save = true
    else if (args.is(i, 'NOW')) flags.now = true
    else if (args.is(i, 'FORCE')) flags.force = true
    else if (args.is(i, 'ABORT')) abort = true
    else throw SYNTAX
  }
  if (flags.save && flags.nosave) throw SYNTAX
  if (!abort) return flags
  if (flags.save || flags.nosave || flags.now || flags.force) throw SYNTAX
  return 'abort'
}
