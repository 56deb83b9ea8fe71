/**
 * On which processors this thread may run. Left alone, the system moves threads that wake each other
 * from one processor to another, and often lets a client wait for the very one on which the core looks
 * for its request.
 *
 * Thread: any. Hot path.
 * Owns: the system's calls, and on which processors this thread could run before it was confined.
 * Never: takes a processor from others: they may run on all.
 *
 * @see https://man7.org/linux/man-pages/man2/sched_setaffinity.2.html
 */
import { dlopen, type Pointer } from 'bun:ffi'
import { nativeMemory } from './native-memory.ts'

/** Bytes of a set of processors, a bit each: as many as the C library knows. */
const SET_SIZE = 128

export interface Affinity {
  /** On which processor this thread runs now. */
  current(): number
  /** From now on this thread runs on no other. */
  only(processor: number): void
  /** From now on this thread runs on any other, if there is one. */
  without(processor: number): void
  /** From now on this thread runs where it could before. */
  anywhere(): void
}

/** Undefined where there are no such calls. */
export const affinity: Affinity | undefined = load()

// alloc: once, at start
function load(): Affinity | undefined {
  if (process.platform !== 'linux') return undefined
  const call = loadCalls()
  if (call === undefined) return undefined
  const { buffer: beforeBuffer, address: beforeAt } = nativeMemory(SET_SIZE)
  const before = new Uint8Array(beforeBuffer)
  if (call.sched_getaffinity(0, SET_SIZE, beforeAt) < 0) return undefined
  const { buffer, address: setAt } = nativeMemory(SET_SIZE)
  const set = new Uint8Array(buffer)
  let isConfined = false
  /** Notes where the thread may run: somebody may have said so since the start. */
  const noteBefore = () => {
    if (!isConfined) call.sched_getaffinity(0, SET_SIZE, beforeAt)
    isConfined = true
  }
  return {
    current: () => call.sched_getcpu(),
    only(processor) {
      noteBefore()
      set.fill(0)
      set[processor >> 3] = 1 << (processor & 7)
      call.sched_setaffinity(0, SET_SIZE, setAt)
    },
    without(processor) {
      noteBefore()
      set.set(before)
      set[processor >> 3] &= ~(1 << (processor & 7))
      // An empty set is refused, and nothing changes.
      call.sched_setaffinity(0, SET_SIZE, setAt)
    },
    anywhere() {
      if (isConfined) call.sched_setaffinity(0, SET_SIZE, beforeAt)
      isConfined = false
    },
  }
}

interface Calls {
  sched_getcpu(): number
  sched_getaffinity(thread: number, size: number, set: Pointer): number
  sched_setaffinity(thread: number, size: number, set: Pointer): number
}

// alloc: as above
function loadCalls(): Calls | undefined {
  const set = { args: ['i32', 'u64', 'ptr'], returns: 'i32' } as const
  try {
    return dlopen('libc.so.6', {
      sched_getcpu: { args: [], returns: 'i32' },
      sched_getaffinity: set,
      sched_setaffinity: set,
    }).symbols
  } catch (error) {
    // A Bun that cannot call C. Not musl, whose loader takes every name that begins with "libc." for itself.
    if (error instanceof Error) return undefined
    throw error
  }
}
