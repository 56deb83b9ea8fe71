/**
 * What the AOF and the replicas see of a write, in order. By default that is the call itself, when
 * it changed something; a handler whose effect depends on time or chance says what to write instead.
 *
 * Thread: core.
 * Owns: the effects of the call in progress.
 * Never: writes anything: whoever consumes effects is attached from outside.
 */

/** Receives one effect: the database it belongs to, and the command with its arguments. */
export type EffectConsumer = (dbIndex: number, argv: readonly Uint8Array[]) => void

export class Propagation {
  readonly #consumers: EffectConsumer[] = []
  /** True when somebody listens: nothing needs to be gathered otherwise. */
  active = false
  #rewritten = false

  attach(consumer: EffectConsumer): void {
    this.#consumers.push(consumer)
    this.active = true
  }

  /** Begins a call. */
  begin(): void {
    this.#rewritten = false
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
    for (const consumer of this.#consumers) consumer(dbIndex, argv)
  }
}
