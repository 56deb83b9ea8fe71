/**
 * Cuts listpacks in two, makes two into one, and cuts off the room behind one.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: leaves anything changed when there is no room.
 */
import type { Arena, Ref } from './arena.ts'
import {
  LISTPACK_EMPTY_SIZE,
  LISTPACK_END,
  LISTPACK_HEADER_SIZE,
  listpackCount,
  setCount,
} from './listpack.ts'

/**
 * Moves the elements from `at` on into a new pack, which it gives; `at` is neither the first element
 * nor 0. The old pack stays where it is. Throws: ARENA_FULL, with nothing changed.
 */
export function listpackSplit(arena: Arena, pack: Ref, at: number): Ref {
  const start = pack << 3
  const total = arena.words[pack << 1]
  const moved = start + total - at
  const count = listpackCount(arena, pack)
  const made = arena.allocate(LISTPACK_HEADER_SIZE + moved)
  const bytes = arena.bytes
  bytes.copyWithin((made << 3) + LISTPACK_HEADER_SIZE, at, start + total)
  bytes[at] = LISTPACK_END
  arena.words[pack << 1] = at - start + 1
  arena.words[made << 1] = LISTPACK_HEADER_SIZE + moved
  countAnew(arena, pack)
  setCount(arena, made, count - listpackCount(arena, pack))
  return made
}

/**
 * A pack of the elements of `a` and then those of `b`, which both stay. 0 when there is no room.
 */
export function listpackJoin(arena: Arena, a: Ref, b: Ref): Ref {
  const aTotal = arena.words[a << 1]
  const bTotal = arena.words[b << 1]
  const total = aTotal + bTotal - LISTPACK_EMPTY_SIZE
  const count = listpackCount(arena, a) + listpackCount(arena, b)
  const joined = arena.tryAllocate(total)
  if (joined === 0) return 0
  const bytes = arena.bytes
  const to = joined << 3
  bytes.copyWithin(to, a << 3, (a << 3) + aTotal - 1)
  bytes.copyWithin(to + aTotal - 1, (b << 3) + LISTPACK_HEADER_SIZE, (b << 3) + bTotal)
  arena.words[joined << 1] = total
  setCount(arena, joined, count)
  return joined
}

/** Gives back the room behind the elements; the pack may move. */
export function listpackFit(arena: Arena, pack: Ref): Ref {
  const size = arena.words[pack << 1]
  return arena.reallocate(pack, size, size)
}

/** Counts the elements one by one. */
function countAnew(arena: Arena, pack: Ref): void {
  setCount(arena, pack, COUNT_MAX)
  setCount(arena, pack, listpackCount(arena, pack))
}

/** What the header says when only counting helps. */
const COUNT_MAX = 0xffff
