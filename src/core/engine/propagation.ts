/**
 * What the AOF and the replicas see of a write, in order. By default that is the call itself, when
 * it changed something; a handler whose effect depends on time or chance says what to write instead.
 * The effects of one call, or of one transaction, that are more than one are put between MULTI and
 * EXEC, so that they take effect together or not at all.
 *
 * A call that is its own only effect is handed on where its arguments lie; nothing is copied for it.
 *
 * Thread: core. Hot path.
 * Owns: the effects of the call in progress.
 * Never: writes anything: whoever consumes effects is attached from outside.
 */
import type { Args } from './args.ts'

/** Receives one effect: the database it belongs to, and the command with its arguments. */
export type EffectConsumer = (dbIndex: number, argv: readonly Uint8Array[]) => void

/** Who wants effects as they are. */
export interface EffectSink {
  /** A call that is its own effect; `args` are the call's and end with it. */
  call(dbIndex: number, args: Args): void
  /** A command that no client wrote; `argv` belongs to nobody and may be kept. */
  effect(dbIndex: number, argv: readonly Uint8Array[]): void
}

interface Effect {
  readonly dbIndex: number
  readonly argv: readonly Uint8Array[]
}

const MULTI = [Buffer.from('MULTI')]
const EXEC = [Buffer.from('EXEC')]

export class Propagation {
  #sinks: EffectSink[] = []
  /** True when somebody listens: nothing needs to be gathered otherwise. */
  active = false
  #rewritten = false
  /** Calls in progress, one inside the other. */
  #depth = 0
  #gathered: Effect[] = []

  /** As `add`, for one who wants every effect as a list. */
  // alloc: once
  attach(consumer: EffectConsumer): void {
    this.add({
      call: (dbIndex, args) => consumer(dbIndex, copied(args)),
      effect: consumer,
    })
  }

  /** `sink` gets the effects from now on. */
  // alloc: once
  add(sink: EffectSink): void {
    this.#sinks = [...this.#sinks, sink]
    this.active = true
  }

  /** `sink` gets no more effects. */
  // alloc: once
  remove(sink: EffectSink): void {
    this.#sinks = this.#sinks.filter((one) => one !== sink)
    this.active = this.#sinks.length > 0
  }

  /** Begins a call. */
  begin(): void {
    this.#rewritten = false
    this.#depth++
  }

  /** Ends a call. */
  end(): void {
    if (--this.#depth === 0 && this.#gathered.length > 0) this.#release()
  }

  /** Calls in progress, one inside the other. */
  get depth(): number {
    return this.#depth
  }

  get isWithinCall(): boolean {
    return this.#depth > 0
  }

  /** True when the call said what to propagate, so that it is not propagated itself. */
  get rewritten(): boolean {
    return this.#rewritten
  }

  /** Propagates this in place of the call itself; several times for several commands. */
  as(dbIndex: number, argv: readonly Uint8Array[]): void {
    this.#rewritten = true
    this.emit(dbIndex, argv)
  }

  /** Says that the call is not to be propagated at all. */
  nothing(): void {
    this.#rewritten = true
  }

  /** Propagates an effect that no call asked for: an expired key. */
  emit(dbIndex: number, argv: readonly Uint8Array[]): void {
    if (this.#depth > 0) this.#gathered.push({ dbIndex, argv })
    else this.#consume(dbIndex, argv)
  }

  /** Propagates the call in progress as it is. */
  call(dbIndex: number, args: Args): void {
    if (this.#depth > 1 || this.#gathered.length > 0) return this.emit(dbIndex, copied(args))
    const sinks = this.#sinks
    for (let i = 0; i < sinks.length; i++) sinks[i].call(dbIndex, args)
  }

  // alloc: for commands that no client wrote
  #release(): void {
    const effects = this.#gathered
    this.#gathered = []
    const together = effects.length > 1
    if (together) this.#consume(effects[0].dbIndex, MULTI)
    for (const { dbIndex, argv } of effects) this.#consume(dbIndex, argv)
    if (together) this.#consume(effects[effects.length - 1].dbIndex, EXEC)
  }

  #consume(dbIndex: number, argv: readonly Uint8Array[]): void {
    const sinks = this.#sinks
    for (let i = 0; i < sinks.length; i++) sinks[i].effect(dbIndex, argv)
  }
}

// alloc: for effects that outlive their call
function copied(args: Args): Buffer[] {
  const argv: Buffer[] = []
  for (let i = 0; i < args.count; i++) argv.push(args.copy(i))
  return argv
}
