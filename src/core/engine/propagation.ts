/**
 * What the AOF and the replicas see of a write, in order. By default that is the call itself, when
 * it changed something; a handler whose effect depends on time or chance says what to write instead.
 * The effects of one call, or of one transaction, that are more than one are put between MULTI and
 * EXEC, so that they take effect together or not at all.
 *
 * Thread: core.
 * Owns: the effects of the call in progress.
 * Never: writes anything: whoever consumes effects is attached from outside.
 */

/** Receives one effect: the database it belongs to, and the command with its arguments. */
export type EffectConsumer = (dbIndex: number, argv: readonly Uint8Array[]) => void

interface Effect {
  readonly dbIndex: number
  readonly argv: readonly Uint8Array[]
}

const MULTI = [Buffer.from('MULTI')]
const EXEC = [Buffer.from('EXEC')]

export class Propagation {
  readonly #consumers: EffectConsumer[] = []
  /** True when somebody listens: nothing needs to be gathered otherwise. */
  active = false
  #rewritten = false
  /** Calls in progress, one inside the other. */
  #depth = 0
  #gathered: Effect[] = []

  attach(consumer: EffectConsumer): void {
    this.#consumers.push(consumer)
    this.active = true
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

  #release(): void {
    const effects = this.#gathered
    this.#gathered = []
    const together = effects.length > 1
    if (together) this.#consume(effects[0].dbIndex, MULTI)
    for (const { dbIndex, argv } of effects) this.#consume(dbIndex, argv)
    if (together) this.#consume(effects[effects.length - 1].dbIndex, EXEC)
  }

  #consume(dbIndex: number, argv: readonly Uint8Array[]): void {
    for (const consumer of this.#consumers) consumer(dbIndex, argv)
  }
}
