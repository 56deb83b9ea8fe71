/**
 * Letting another thread have the processor. Without it one that spins keeps its processor until its
 * time slice ends, and the client whose request it waits for cannot send it; and one that works where
 * nobody waits for it, as in a save, makes everybody else wait as long.
 *
 * Thread: any. Hot path.
 * Owns: the system call.
 * Never: sleeps.
 */
import { dlopen } from 'bun:ffi'

/** Gives the processor to whoever else wants it; does nothing where the system has no such call. */
export const yieldProcessor: () => unknown = load()

// alloc: once, at start
function load(): () => unknown {
  const library = process.platform === 'darwin' ? 'libSystem.B.dylib' : 'libc.so.6'
  if (process.platform === 'win32') return () => undefined
  try {
    return dlopen(library, { sched_yield: { args: [], returns: 'i32' } }).symbols.sched_yield
  } catch (error) {
    // A Bun that cannot call C: who spins then only keeps its processor longer. Not musl, whose loader
    // takes every name that begins with "libc." for itself.
    if (error instanceof Error) return () => undefined
    throw error
  }
}
