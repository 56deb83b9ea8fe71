/**
 * Sleeping and waking: the one place that decides how threads wait for each other.
 *
 * The core sleeps on one word for all links; an io thread sleeps in its event loop and is woken there
 * by a promise of `Atomics.waitAsync`. Both say that they sleep by a number in their word, look once
 * more for work, and only then sleep; the other side publishes first and then takes the number back
 * with a compare-and-exchange. JavaScript's atomics are sequentially consistent, so one of the two
 * always sees the other, and a wake-up (10-20 µs when somebody waits) happens only then.
 *
 * Thread: any. Hot path.
 * Owns: the parked words.
 * Never: looks into a ring.
 */
import { SPIN_CONNECTIONS_MAX, SPIN_CONNECTIONS_MAX_TIGHT } from '../config/limits.ts'
import { futex } from './futex.ts'

/** In the word of who sleeps by `Atomics`, in the word of who sleeps by a futex, and of nobody. */
const BY_ATOMICS = 1
const BY_FUTEX = 2
const AWAKE = 0
/** How `sleep` does it. */
const ASLEEP = futex === undefined ? BY_ATOMICS : BY_FUTEX

/** Whether there is a processor for each thread, and one more for who asks: only then spinning helps. */
export function isRoomy(processorCount: number, ioThreadCount: number): boolean {
  return processorCount > ioThreadCount + 2
}

/** With more connections active than this, core and io do not look for what may come before they sleep. */
export function fewConnectionsMax(roomy: boolean): number {
  return roomy ? SPIN_CONNECTIONS_MAX : SPIN_CONNECTIONS_MAX_TIGHT
}

/** Wakes the thread parked at `words[index]`, if it is. */
export function wake(words: Int32Array, index: number): void {
  const how = Atomics.load(words, index)
  if (how === AWAKE || Atomics.compareExchange(words, index, how, AWAKE) !== how) return
  if (how === BY_FUTEX) futex?.wake(words, index)
  else Atomics.notify(words, index, 1)
}

/** Says that this thread is about to sleep. Look for work once more after it. */
export function park(words: Int32Array, index: number): void {
  Atomics.store(words, index, ASLEEP)
}

/** Takes a parking back. False when another thread has just woken this one. */
export function unpark(words: Int32Array, index: number): boolean {
  return Atomics.exchange(words, index, AWAKE) !== AWAKE
}

/** Sleeps until woken, `timeoutMs` at most. Only after `park`. */
export function sleep(words: Int32Array, index: number, timeoutMs: number): void {
  if (futex === undefined) Atomics.wait(words, index, ASLEEP, timeoutMs)
  else futex.wait(words, index, ASLEEP, timeoutMs)
  Atomics.store(words, index, AWAKE)
}

const nobody = new Int32Array(new SharedArrayBuffer(4))

/** Stops this thread for so long; nothing wakes it. */
export function stopThread(durationMs: number): void {
  Atomics.wait(nobody, 0, 0, durationMs)
}

/** Calls `onWake` in this thread's event loop whenever the parked word is taken by another thread. */
export class LoopWaiter {
  readonly #words: Int32Array
  readonly #index: number
  readonly #onWake: () => void
  #armed = false
  #stopped = false

  constructor(words: Int32Array, index: number, onWake: () => void) {
    this.#words = words
    this.#index = index
    this.#onWake = onWake
  }

  /**
   * Parks and leaves a waiter behind. The waiter stays when this thread unparks by itself, so most
   * calls are one store. False when work may have come meanwhile: look again.
   */
  // alloc: once for each time the thread was woken
  park(): boolean {
    Atomics.store(this.#words, this.#index, BY_ATOMICS)
    if (this.#armed) return true
    const result = Atomics.waitAsync(this.#words, this.#index, BY_ATOMICS)
    if (!result.async) return false
    this.#armed = true
    result.value.then(() => {
      this.#armed = false
      if (!this.#stopped) this.#onWake()
    })
    return true
  }

  /** Wakes nobody any more, and leaves no waiter behind. */
  stop(): void {
    this.#stopped = true
    Atomics.store(this.#words, this.#index, AWAKE)
    Atomics.notify(this.#words, this.#index)
  }
}

/** Raises a flag for the other side. */
export function raiseFlag(words: Int32Array, index: number): void {
  Atomics.store(words, index, 1)
}

/** True when the other side has raised the flag, which is then down again. */
export function takeFlag(words: Int32Array, index: number): boolean {
  if (Atomics.load(words, index) === 0) return false
  Atomics.store(words, index, 0)
  return true
}

/** A shared number that others may read at any time. */
export function publishNumber(words: Int32Array, index: number, value: number): void {
  Atomics.store(words, index, value)
}

export function readNumber(words: Int32Array, index: number): number {
  return Atomics.load(words, index)
}

/** Adds to a number that all threads share. Gives what it was before. */
export function addShared(words: Int32Array, index: number, value: number): number {
  return Atomics.add(words, index, value)
}
