/**
 * Scripts and functions: whether one may run, running it, and what happens when it takes long.
 *
 * A script that runs for longer than `busy-reply-threshold` lets others know that it does: from then
 * on the requests of all clients are looked at now and then, in the middle of it. They are told to
 * come back later, but for the few commands that may end it.
 *
 * Thread: core. Hot path.
 * Owns: the run in progress; the scripts and the functions.
 * Never: lets a script change anything unnoticed once it has been told to end.
 */
import type { Call } from '../../engine/call.ts'
import { CommandError, PRIMARY_DOWN } from '../../engine/errors.ts'
import type { Server } from '../../server.ts'
import { Debugging } from './debugger/debugging.ts'
import type { ScriptEngine } from './engine.ts'
import { Functions } from './functions.ts'
import { Prng } from './prng.ts'
import {
  SCRIPT_ALLOW_OOM,
  SCRIPT_ALLOW_STALE,
  SCRIPT_COMPAT,
  SCRIPT_NO_CLUSTER,
  SCRIPT_NO_WRITES,
  ScriptRun,
} from './run.ts'
import { Scripts } from './scripts.ts'

export const TOO_MANY_KEYS = new CommandError(
  "ERR Number of keys can't be greater than number of args",
)
export const NEGATIVE_KEYS = new CommandError("ERR Number of keys can't be negative")
const WRITES_IN_READ_ONLY = new CommandError(
  'ERR Can not execute a script with write flag using *_ro command.',
)
const STALE = new CommandError(
  "MASTERDOWN Link with MASTER is down, replica-serve-stale-data is set to 'no' and 'allow-stale' flag is not set on the script.",
)
const OUT_OF_MEMORY = new CommandError(
  "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'",
)
const CANNOT_SAVE = new CommandError(
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Writable scripts are blocked. Use 'no-writes' flag for read only scripts.",
)
export const BUSY_SCRIPT = new CommandError(
  'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
)
export const BUSY_FUNCTION = new CommandError(
  'BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.',
)
/** Only where DEBUG has let scripts call everything. */
const NESTED = new CommandError('ERR a script cannot run inside another')
const NOT_BUSY = new CommandError('NOTBUSY No scripts in execution right now.')
const UNKILLABLE = new CommandError(
  'UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.',
)

/** Executes what other clients have sent, in the middle of a script. */
export type ServeOthers = () => void
const NOT_IN_CLUSTER = new CommandError(
  "ERR Can not run script on cluster, 'no-cluster' flag is set.",
)

export class Scripting {
  readonly server: Server
  readonly run = new ScriptRun()
  readonly prng = new Prng()
  readonly scripts: Scripts
  readonly functions: Functions
  readonly debugging: Debugging
  /** The loop's; absent where there is none. */
  serveOthers: ServeOthers = () => {}
  /** `busy-reply-threshold`; infinite when nobody is ever told. */
  #patienceUs = Number.POSITIVE_INFINITY

  constructor(server: Server) {
    this.server = server
    this.scripts = new Scripts(this)
    this.functions = new Functions(this)
    this.debugging = new Debugging(server)
  }

  /** Takes over the directives. */
  settingsChanged(): void {
    const thresholdMs = this.server.settings.int('busy-reply-threshold')
    this.#patienceUs = thresholdMs === 0 ? Number.POSITIVE_INFINITY : thresholdMs * 1000
  }

  /** Bytes of what is known of scripts and functions outside Lua. */
  get cachedBytes(): number {
    return this.scripts.cachedBytes + this.functions.cachedBytes
  }

  /** What a client is told whose command may not run now; undefined: nothing runs that long. */
  get busyError(): CommandError | undefined {
    if (!this.run.isSlow) return undefined
    return this.run.isFunction ? BUSY_FUNCTION : BUSY_SCRIPT
  }

  /** QUIRK: who watches is shown the call before it is looked at, whatever becomes of it. */
  announce(call: Call): void {
    const { monitors } = this.server
    if (monitors.count > 0) monitors.show(call)
  }

  /** Runs what the engine has kept under `ref`, in place of `call`. Throws: CommandError. */
  perform(
    call: Call,
    engine: ScriptEngine,
    ref: number,
    name: string,
    flags: number,
    readOnly: boolean,
    keyCount: number,
    isFunction: boolean,
  ): void {
    if (this.run.caller !== undefined) throw NESTED
    this.#check(call, flags, readOnly)
    const { clock } = this.server
    const { run } = this
    const startUs = clock.lapStartUs
    run.begin(call, name, isFunction, flags, readOnly, this.#patienceUs)
    engine.perform(call, ref, FIRST_KEY, keyCount, isFunction)
    const wasSlow = run.isSlow
    run.end()
    if (wasSlow) this.server.updateGuard()
    // The time of its calls is also its own.
    clock.lapStartUs = startUs
  }

  /** The gates for scripts that have declared what they do. */
  #check({ server }: Call, flags: number, readOnly: boolean): void {
    const { replication } = server
    if ((flags & SCRIPT_COMPAT) !== 0) {
      if (replication.isStale) throw PRIMARY_DOWN
      return
    }
    if ((flags & SCRIPT_NO_CLUSTER) !== 0 && server.cluster.enabled) throw NOT_IN_CLUSTER
    if ((flags & SCRIPT_ALLOW_STALE) === 0 && replication.isStale) throw STALE
    if ((flags & SCRIPT_NO_WRITES) === 0) {
      const refusal = replication.writeRefusal
      if (refusal !== undefined && replication.isReplica) throw refusal
      if (server.saves.refusal !== undefined) throw CANNOT_SAVE
      if (readOnly) throw WRITES_IN_READ_ONLY
      if (refusal !== undefined) throw refusal
    }
    if ((flags & (SCRIPT_ALLOW_OOM | SCRIPT_NO_WRITES)) === 0 && server.eviction.isOver) {
      throw OUT_OF_MEMORY
    }
  }

  // ── Runs that take long ──────────────────────────────────────────────────────────────────────

  /** The script has run for a while without end: looks whether others should be told. Cold. */
  lookUp(): void {
    const { run, server } = this
    const nowUs = server.clock.microseconds()
    if (nowUs < run.lookAtUs) return
    run.lookAtUs = nowUs + LOOK_PERIOD_US
    if (!run.isSlow) {
      run.isSlow = true
      server.log.warning(
        `Slow script detected: still in execution after ${Math.floor(this.elapsedUs() / 1000)} milliseconds. You can try killing the script using the ${run.isFunction ? 'FUNCTION' : 'SCRIPT'} KILL command.`,
      )
      server.updateGuard()
    }
    this.serveOthers()
  }

  elapsedUs(): number {
    return this.server.clock.microseconds() - this.run.startedUs
  }

  /** SCRIPT KILL and FUNCTION KILL. Throws: CommandError. */
  kill(isFunction: boolean): void {
    const { run } = this
    if (run.caller === undefined) throw NOT_BUSY
    if (run.wrote) throw UNKILLABLE
    if (run.isFunction !== isFunction) throw run.isFunction ? BUSY_FUNCTION : BUSY_SCRIPT
    run.killed = true
  }
}

/** A slow script is interrupted at most so often. */
const LOOK_PERIOD_US = 1000
/** Arguments come behind script or function and the number of keys. */
const FIRST_KEY = 3
