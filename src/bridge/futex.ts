/**
 * Sleeping on a shared word by the system's own call, where there is one: the C library's `syscall`
 * with Linux's futex. `Atomics.wait` is the same in portable, but holds a lock while it wakes, on which
 * the thread that wakes up then waits again: two switches more for every wake-up.
 *
 * Thread: any. Hot path.
 * Owns: the system call.
 * Never: sleeps longer than it was told, which may be shorter.
 */
import { dlopen, type Pointer, ptr } from 'bun:ffi'
import { nativeMemory } from './native-memory.ts'

const FUTEX_WAIT_PRIVATE = 128
const FUTEX_WAKE_PRIVATE = 129
/** By architecture, Linux's number of the call. */
const FUTEX_CALLS: Readonly<Record<string, number>> = { x64: 202, arm64: 98 }

export interface Futex {
  /** Sleeps while the word is `value`, `timeoutMs` at most. */
  wait(words: Int32Array, index: number, value: number, timeoutMs: number): void
  /** Wakes one who sleeps on the word. */
  wake(words: Int32Array, index: number): void
}

/** Undefined where there is no such call. */
export const futex: Futex | undefined = load()

// alloc: once, at start
function load(): Futex | undefined {
  const number = FUTEX_CALLS[process.arch]
  if (process.platform !== 'linux' || number === undefined) return undefined
  const call = loadCall()
  if (call === undefined) return undefined
  // Seconds and nanoseconds, two words each.
  const { buffer, address: timeoutAt } = nativeMemory(4 * Int32Array.BYTES_PER_ELEMENT)
  const timeout = new Int32Array(buffer)
  const addresses = new WeakMap<Int32Array, number>()
  const addressOf = (words: Int32Array, index: number): Pointer => {
    let address = addresses.get(words)
    if (address === undefined) {
      address = ptr(words)
      addresses.set(words, address)
    }
    return (address + index * 4) as Pointer
  }
  return {
    wait(words, index, value, timeoutMs) {
      timeout[0] = Math.floor(timeoutMs / 1000)
      timeout[2] = Math.floor((timeoutMs % 1000) * 1e6)
      call(number, addressOf(words, index), FUTEX_WAIT_PRIVATE, value, timeoutAt)
    },
    wake(words, index) {
      call(number, addressOf(words, index), FUTEX_WAKE_PRIVATE, 1, null)
    },
  }
}

type FutexCall = (
  number: number,
  word: Pointer,
  operation: number,
  value: number,
  timeout: Pointer | null,
) => number

// alloc: once, at start
function loadCall(): FutexCall | undefined {
  try {
    return dlopen('libc.so.6', {
      syscall: { args: ['i32', 'ptr', 'i32', 'i32', 'ptr'], returns: 'i32' },
    }).symbols.syscall
  } catch (error) {
    // musl's loader takes every name that begins with "libc." for itself, so Alpine has it too. A Bun
    // that cannot call C at all has not: `Atomics` does it then.
    if (error instanceof Error) return undefined
    throw error
  }
}
