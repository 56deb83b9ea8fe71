/**
 * Copying short runs of bytes of any alignment by words: a loop over bytes takes twice as long, and a
 * call of the system's copy pays only for more than `COPIED_SIZE_MAX` bytes.
 * MEASURED: bench/micro/reply.bench.ts, array of 10 bulks of 32 bytes.
 *
 * Thread: any. Hot path.
 * Owns: the views of the memories that bytes were copied between.
 * Never: reads or changes a byte outside the given ranges.
 */

/** From a smaller memory, like the digits of a number, words are not worth a view. */
export const VIEWED_SIZE_MIN = 4096
const COPIED_SIZE_MAX = 96

/** By the memory that they show: rings, arenas. */
const views = new WeakMap<Buffer, DataView>()

/** Words of any alignment in a memory. */
// alloc: once for each ring and arena
export function viewOf(bytes: Buffer): DataView {
  let view = views.get(bytes)
  if (view === undefined) {
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    views.set(bytes, view)
  }
  return view
}

let target: Buffer = Buffer.alloc(0)
let targetView: DataView = viewOf(target)
let source: Buffer = target
let sourceView: DataView = targetView

/** Copies `length` bytes between two memories, or within one where the ranges do not overlap. */
export function copyUnaligned(
  to: Buffer,
  toOffset: number,
  from: Buffer,
  fromOffset: number,
  length: number,
): void {
  if (length > COPIED_SIZE_MAX) {
    from.copy(to, toOffset, fromOffset, fromOffset + length)
    return
  }
  if (length < 4 || to.length < VIEWED_SIZE_MIN || from.length < VIEWED_SIZE_MIN) {
    for (let i = 0; i < length; i++) to[toOffset + i] = from[fromOffset + i]
    return
  }
  if (to !== target) {
    target = to
    targetView = viewOf(to)
  }
  if (from !== source) {
    source = from
    sourceView = viewOf(from)
  }
  copyViewed(targetView, toOffset, sourceView, fromOffset, length)
}

/** Copies `length` bytes, at least 4, between two views, or within one where the ranges are apart. */
export function copyViewed(
  to: DataView,
  toOffset: number,
  from: DataView,
  fromOffset: number,
  length: number,
): void {
  const ahead = toOffset - fromOffset
  const end = fromOffset + length
  let at = fromOffset
  for (; at + 16 <= end; at += 16) {
    const into = at + ahead
    to.setInt32(into, from.getInt32(at, true), true)
    to.setInt32(into + 4, from.getInt32(at + 4, true), true)
    to.setInt32(into + 8, from.getInt32(at + 8, true), true)
    to.setInt32(into + 12, from.getInt32(at + 12, true), true)
  }
  for (; at + 4 <= end; at += 4) to.setInt32(at + ahead, from.getInt32(at, true), true)
  // The last word takes bytes again that the one before it has taken.
  if (at < end) to.setInt32(end - 4 + ahead, from.getInt32(end - 4, true), true)
}
