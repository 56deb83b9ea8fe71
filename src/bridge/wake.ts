/**
 * Sleeping and waking: the one place that decides how threads wait for each other.
 *
 * The core sleeps in `Atomics.wait` on one word for all links; an io thread sleeps in its event loop
 * and is woken there by a promise of `Atomics.waitAsync`. Both say that they sleep by storing 1,
 * look once more for work, and only then sleep; the other side publishes first and then takes the 1
 * back with a compare-and-exchange. JavaScript's atomics are sequentially consistent, so one of the
 * two always sees the other, and a notify (10-20 µs when somebody waits) happens only then.
 *
 * Thread: any. Hot path.
 * Owns: the parked words.
 * Never: looks into a ring.
 */

/** Wakes the thread parked at `words[index]`, if it is. */
export function wake(words: Int32Array, index: number): void {
  if (Atomics.load(words, index) !== 1) return
  if (Atomics.compareExchange(words, index, 1, 0) === 1) Atomics.notify(words, index, 1)
}

/** Says that this thread is about to sleep. Look for work once more after it. */
export function park(words: Int32Array, index: number): void {
  Atomics.store(words, index, 1)
}

/** Takes `park` back. False when another thread has just woken this one. */
export function unpark(words: Int32Array, index: number): boolean {
  return Atomics.compareExchange(words, index, 1, 0) === 1
}

/** Sleeps until woken, `timeoutMs` at most. Only after `park`. */
export function sleep(words: Int32Array, index: number, timeoutMs: number): void {
  Atomics.wait(words, index, 1, timeoutMs)
  Atomics.store(words, index, 0)
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
    Atomics.store(this.#words, this.#index, 1)
    if (this.#armed) return true
    const result = Atomics.waitAsync(this.#words, this.#index, 1)
    if (!result.async) return false
    this.#armed = true
    result.value.then(() => {
      this.#armed = false
      this.#onWake()
    })
    return true
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
