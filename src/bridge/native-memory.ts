/**
 * Memory whose address system calls may be given again and again.
 *
 * Thread: any.
 * Owns: nothing.
 * Never: frees: it lives as long as what was made of it.
 */
import { type Pointer, ptr } from 'bun:ffi'

export interface NativeMemory {
  readonly buffer: ArrayBuffer
  readonly address: Pointer
}

/**
 * MEASURED: a small typed array made by its length alone has its elements in the collector's heap, and the
 * compiler moves them once it makes code for that very array; an address taken before is then of memory that
 * nobody writes any more. Those of an ArrayBuffer stay.
 */
// alloc: at start
export function nativeMemory(size: number): NativeMemory {
  const buffer = new ArrayBuffer(size)
  return { buffer, address: ptr(buffer) }
}
