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

/** Who may be told of an effect, by bit: redis.set_repl lets a script choose. */
export const AUDIENCE_AOF = 1
export const AUDIENCE_REPLICAS = 2
export const AUDIENCE_ALL = AUDIENCE_AOF | AUDIENCE_REPLICAS

/** Who wants effects as they are. */
export interface EffectSink {
  /** Which audience the sink belongs to; without it, it wants all effects that anybody gets. */
  readonly audience?: number
  /** A call that is its own effect; `args` are the call's and end with it. */
  call(dbIndex: number, args: Args): void
  /** A command that no client wrote; `argv` belongs to nobody and may be kept. */
  effect(dbIndex: number, argv: readonly Uint8Array[]): void
}

interface Effect {
  readonly dbIndex: number
  readonly argv: readonly Uint8Array[]
  readonly audience: number
}

const DEL = Buffer.from('DEL')
const UNLINK = Buffer.from('UNLINK')
const MULTI = [Buffer.from('MULTI')]
const EXEC = [Buffer.from('EXEC')]

export class Propagation {
  #sinks: EffectSink[] = []
  /** True when somebody listens: nothing needs to be gathered otherwise. */
  active = false
  #isMuted = false
  #rewritten = false
  /** Who is told of the effects of the call in progress. */
  audience = AUDIENCE_ALL
  /** Calls in progress, one inside the other. */
  #depth = 0
  #gathered: Effect[] = []
  /** The effects of the call in progress take effect together. */
  #together = true

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
    this.#update()
  }

  /** `sink` gets no more effects. */
  // alloc: once
  remove(sink: EffectSink): void {
    this.#sinks = this.#sinks.filter((one) => one !== sink)
    this.#update()
  }

  /** While a file is loaded nobody is told of effects. */
  mute(isMuted: boolean): void {
    this.#isMuted = isMuted
    this.#update()
  }

  #update(): void {
    this.active = this.#sinks.length > 0 && !this.#isMuted
  }

  /** Begins a call. */
  begin(): void {
    this.#rewritten = false
    if (this.#depth++ === 0) this.#together = true
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

  /** The effects of the call in progress, if it is no part of another, have nothing to do with each other. */
  apart(): void {
    if (this.#depth === 1) this.#together = false
  }

  /** Propagates an effect that no call asked for: an expired key. */
  emit(dbIndex: number, argv: readonly Uint8Array[]): void {
    const { audience } = this
    if (audience === 0) return
    if (this.#depth > 0) this.#gathered.push({ dbIndex, argv, audience })
    else for (const sink of this.#sinks) sink.effect(dbIndex, argv) // alloc: seldom
  }

  /** A key was deleted that nobody asked to delete. */
  emitDeletion(dbIndex: number, key: Uint8Array, lazily: boolean): void {
    this.emit(dbIndex, [lazily ? UNLINK : DEL, key]) // alloc: a key's last act
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
    for (const sink of this.#sinks) {
      const audience = sink.audience ?? AUDIENCE_ALL
      const heard = effects.filter((effect) => (effect.audience & audience) !== 0)
      const together = heard.length > 1 && this.#together
      if (together) sink.effect(heard[0].dbIndex, MULTI)
      for (const { dbIndex, argv } of heard) sink.effect(dbIndex, argv)
      if (together) sink.effect(heard[heard.length - 1].dbIndex, EXEC)
    }
  }
}

// alloc: for effects that outlive their call
function copied(args: Args): Buffer[] {
  const argv: Buffer[] = []
  for (let i = 0; i < args.count; i++) argv.push(args.copy(i))
  return argv
}
