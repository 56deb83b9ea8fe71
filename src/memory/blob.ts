/**
 * Length and bytes, in one block: string values, raw.
 *
 *   word 0   length
 *   then     the bytes, and room to grow up to the end of the block
 *
 * A blob that grows takes as much again as it holds, at most 1 MiB more than it needs; one that is
 * created or fitted takes what it needs. A function that may move the blob answers its ref.
 *
 * Thread: core. Hot path.
 * Owns: the length and the room behind the bytes.
 * Never: shows a byte that nobody wrote: a gap is filled with zeros.
 */

import type { Arena, Ref } from './arena.ts'
import type { VisitBlock } from './check.ts'
import { copyBytes } from './copy.ts'

export const BLOB_HEADER_SIZE = 4
const OVERALLOCATION_SIZE_MAX = 1024 * 1024

/** A new blob with a copy of the bytes. Throws `ARENA_FULL`. */
export function blobCreate(
  arena: Arena,
  src: Buffer,
  srcWords: Int32Array,
  srcOffset: number,
  length: number,
): Ref {
  const ref = arena.allocate(length + BLOB_HEADER_SIZE)
  const words = arena.words
  words[ref << 1] = length
  copyBytes(arena.bytes, words, (ref << 3) + BLOB_HEADER_SIZE, src, srcWords, srcOffset, length)
  return ref
}

/** A new blob of undefined bytes, for the caller to fill. Throws `ARENA_FULL`. */
export function blobCreateUnfilled(arena: Arena, length: number): Ref {
  const ref = arena.allocate(length + BLOB_HEADER_SIZE)
  arena.words[ref << 1] = length
  return ref
}

export function blobFree(arena: Arena, ref: Ref): void {
  arena.free(ref)
}

export function blobLength(arena: Arena, ref: Ref): number {
  return arena.words[ref << 1]
}

/** Byte offset of the bytes in `arena.bytes`, a multiple of 4. */
export function blobBytesOffset(ref: Ref): number {
  return (ref << 3) + BLOB_HEADER_SIZE
}

/** The length up to which the blob can grow where it lies. */
export function blobCapacity(arena: Arena, ref: Ref): number {
  return arena.blockSizeBytes(ref) - BLOB_HEADER_SIZE
}

/** Puts other bytes in place of all; the source is not in this blob. Throws `ARENA_FULL`. */
export function blobReplace(
  arena: Arena,
  ref: Ref,
  src: Buffer,
  srcWords: Int32Array,
  srcOffset: number,
  length: number,
): Ref {
  const fitted = arena.reallocate(ref, length + BLOB_HEADER_SIZE, 0)
  const words = arena.words
  words[fitted << 1] = length
  copyBytes(arena.bytes, words, (fitted << 3) + BLOB_HEADER_SIZE, src, srcWords, srcOffset, length)
  return fitted
}

/** Adds bytes at the end; the source is not in this blob. Throws `ARENA_FULL`. */
export function blobAppend(
  arena: Arena,
  ref: Ref,
  src: Buffer,
  srcWords: Int32Array,
  srcOffset: number,
  length: number,
): Ref {
  const oldLength = arena.words[ref << 1]
  const grown = makeRoom(arena, ref, oldLength + length)
  const words = arena.words
  words[grown << 1] = oldLength + length
  const to = (grown << 3) + BLOB_HEADER_SIZE + oldLength
  copyBytes(arena.bytes, words, to, src, srcWords, srcOffset, length)
  return grown
}

/** Overwrites bytes from `at` on, growing with zeros in a gap. Throws `ARENA_FULL`. */
export function blobSetRange(
  arena: Arena,
  ref: Ref,
  at: number,
  src: Buffer,
  srcWords: Int32Array,
  srcOffset: number,
  length: number,
): Ref {
  const oldLength = arena.words[ref << 1]
  const fitted = at + length > oldLength ? blobResize(arena, ref, at + length) : ref
  const to = (fitted << 3) + BLOB_HEADER_SIZE + at
  copyBytes(arena.bytes, arena.words, to, src, srcWords, srcOffset, length)
  return fitted
}

/**
 * Makes the blob `length` bytes long: cut at the end, or grown by zeros. Throws `ARENA_FULL` only
 * when growing.
 */
export function blobResize(arena: Arena, ref: Ref, length: number): Ref {
  const oldLength = arena.words[ref << 1]
  if (length <= oldLength) {
    arena.words[ref << 1] = length
    // Room for as much again may stay; more goes back.
    if (length * 2 + 64 >= oldLength) return ref
    return arena.reallocate(ref, length + BLOB_HEADER_SIZE, length + BLOB_HEADER_SIZE)
  }
  const grown = makeRoom(arena, ref, length)
  const start = (grown << 3) + BLOB_HEADER_SIZE
  arena.words[grown << 1] = length
  arena.bytes.fill(0, start + oldLength, start + length)
  return grown
}

/** Gives back the room behind the bytes. */
export function blobFit(arena: Arena, ref: Ref): Ref {
  const size = arena.words[ref << 1] + BLOB_HEADER_SIZE
  return arena.reallocate(ref, size, size)
}

/** Tells the checker's visitor every block of the blob. */
export function blobVisit(_arena: Arena, ref: Ref, visitBlock: VisitBlock): void {
  visitBlock(ref)
}

/** The blob in a block that has room for `length`, which is not set. Throws `ARENA_FULL`. */
function makeRoom(arena: Arena, ref: Ref, length: number): Ref {
  const size = length + BLOB_HEADER_SIZE
  if (size <= arena.blockSizeBytes(ref)) return ref
  const extra = Math.min(length, OVERALLOCATION_SIZE_MAX)
  const keepSize = arena.words[ref << 1] + BLOB_HEADER_SIZE
  const roomy = arena.tryAllocate(size + extra)
  if (roomy === 0) return arena.reallocate(ref, size, keepSize)
  arena.bytes.copyWithin(roomy << 3, ref << 3, (ref << 3) + keepSize)
  arena.free(ref)
  return roomy
}
