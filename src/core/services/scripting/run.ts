/**
 * One script or function being run: who asked for it, what it may do, what it has done.
 *
 * Thread: core. Hot path.
 * Owns: the state of the run in progress; there is never more than one.
 * Never: runs anything.
 */
import { NO_SLOT } from '../../../lib/crc16.ts'
import type { Call } from '../../engine/call.ts'
import { AUDIENCE_ALL } from '../../engine/propagation.ts'

/** Flags that a script declares, by bit. Those of COMPAT declare none. */
export const SCRIPT_NO_WRITES = 1 << 0
export const SCRIPT_ALLOW_OOM = 1 << 1
export const SCRIPT_ALLOW_STALE = 1 << 2
export const SCRIPT_NO_CLUSTER = 1 << 3
export const SCRIPT_COMPAT = 1 << 4
export const SCRIPT_ALLOW_CROSS_SLOT = 1 << 5

/** In the order in which FUNCTION LIST tells them. */
export const SCRIPT_FLAG_NAMES: readonly (readonly [name: string, bit: number])[] = [
  ['no-writes', SCRIPT_NO_WRITES],
  ['allow-oom', SCRIPT_ALLOW_OOM],
  ['allow-stale', SCRIPT_ALLOW_STALE],
  ['no-cluster', SCRIPT_NO_CLUSTER],
  ['allow-cross-slot-keys', SCRIPT_ALLOW_CROSS_SLOT],
]

export class ScriptRun {
  /** The call of EVAL, FCALL or one of their kin; undefined: nothing runs. */
  caller: Call | undefined = undefined
  /** SHA of a script, name of a function. */
  name = ''
  isFunction = false
  /** For tests: scripts may call what is not for them, too; no run changes it. */
  allowsAll = false
  readOnly = false
  allowOom = false
  allowCrossSlot = false
  /** In a cluster: the slot of the keys so far. */
  slot = NO_SLOT
  /** A command that writes was called: from now on the run cannot be ended without a trace. */
  wrote = false
  startedUs = 0
  /** When to look whether it takes too long, on the same clock as `startedUs`. */
  lookAtUs = 0
  /** It has run for longer than `busy-reply-threshold`. */
  isSlow = false
  /** It was asked to end. */
  killed = false
  /** Which of AOF and replicas are told of what it does. */
  audience = AUDIENCE_ALL

  /** `patienceUs`: how long it may run before others are told. */
  begin(
    caller: Call,
    name: string,
    isFunction: boolean,
    flags: number,
    readOnly: boolean,
    patienceUs: number,
  ): void {
    const isCompat = (flags & SCRIPT_COMPAT) !== 0
    this.caller = caller
    this.name = name
    this.isFunction = isFunction
    this.readOnly = readOnly || (!isCompat && (flags & SCRIPT_NO_WRITES) !== 0)
    this.allowOom = !isCompat && (flags & SCRIPT_ALLOW_OOM) !== 0
    this.allowCrossSlot = isCompat || (flags & SCRIPT_ALLOW_CROSS_SLOT) !== 0
    this.slot = caller.server.cluster.enabled
      ? caller.server.cluster.slotOf(caller.entry, caller.args)
      : NO_SLOT
    this.wrote = false
    this.startedUs = caller.server.clock.lapStartUs
    this.lookAtUs = this.startedUs + patienceUs
    this.isSlow = false
    this.killed = false
    this.audience = AUDIENCE_ALL
  }

  end(): void {
    this.caller = undefined
    this.isSlow = false
  }
}
