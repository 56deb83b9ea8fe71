/**
 * A long list: a chain of listpacks, each of bounded size, so that both ends take and give in
 * constant time and a place in the middle is found by stepping over whole packs.
 *
 *     header   first node | last node | elements | nodes
 *     node     previous | next | pack | elements
 *
 * Thread: core. Hot path.
 * Owns: the chain, and when a pack is full.
 * Never: keeps an empty node; changes anything when it throws ARENA_FULL.
 */
import { ARENA_FULL, type Arena, type Ref } from './arena.ts'
import type { VisitBlock } from './check.ts'
import {
  listpackCopy,
  listpackCount,
  listpackCreate,
  listpackEncodedSize,
  listpackFirst,
  listpackFit,
  listpackInsert,
  listpackLast,
  listpackNext,
  listpackPosition,
  listpackPrevious,
  listpackRemove,
  listpackReplace,
  listpackSeek,
  listpackSizeBytes,
  listpackSplit,
} from './listpack.ts'

const FIRST = 0
const LAST = 1
const COUNT = 2
const NODES = 3
const HEADER_SIZE = 16
const PREVIOUS = 0
const NEXT = 1
const PACK = 2
const NODE_COUNT = 3
const NODE_SIZE = 16

/** A node limited by its number of elements is limited to so many bytes, too. */
const COUNTED_SIZE_MAX = 8192
/** Limits of `list-max-listpack-size` from -1 to -5. */
const SIZE_LIMITS = [4096, 8192, 16384, 32768, 65536]
/** Redis estimates the cost of an element by this beside its bytes. */
const ELEMENT_OVERHEAD = 8

/** An element's place. */
export class ListPosition {
  node: Ref = 0
  /** As in a listpack; 0: nowhere. */
  at = 0
}

/** An empty list. Throws: ARENA_FULL. */
export function byteListCreate(arena: Arena): Ref {
  const list = arena.allocate(HEADER_SIZE)
  arena.words.fill(0, list << 1, (list << 1) + (HEADER_SIZE >> 2))
  return list
}

// alloc: once for a whole list
export function byteListFree(arena: Arena, list: Ref): void {
  const blocks: Ref[] = []
  byteListVisit(arena, list, (block) => blocks.push(block))
  for (let i = 0; i < blocks.length; i++) arena.free(blocks[i])
}

export function byteListVisit(arena: Arena, list: Ref, visit: VisitBlock): void {
  const words = arena.words
  visit(list)
  for (let node = words[(list << 1) + FIRST]; node !== 0; node = words[(node << 1) + NEXT]) {
    visit(node)
    visit(words[(node << 1) + PACK])
  }
}

export function byteListMemoryBytes(arena: Arena, list: Ref): number {
  const words = arena.words
  let bytes = arena.blockSizeBytes(list)
  for (let node = words[(list << 1) + FIRST]; node !== 0; node = words[(node << 1) + NEXT]) {
    bytes += arena.blockSizeBytes(node) + arena.blockSizeBytes(words[(node << 1) + PACK])
  }
  return bytes
}

export function byteListCount(arena: Arena, list: Ref): number {
  return arena.words[(list << 1) + COUNT]
}

export function byteListNodeCount(arena: Arena, list: Ref): number {
  return arena.words[(list << 1) + NODES]
}

/** The first node, 0 if there is none; its pack; the node after it. */
export function byteListFirstNode(arena: Arena, list: Ref): Ref {
  return arena.words[(list << 1) + FIRST]
}

export function byteListPack(arena: Arena, node: Ref): Ref {
  return arena.words[(node << 1) + PACK]
}

export function byteListNextNode(arena: Arena, node: Ref): Ref {
  return arena.words[(node << 1) + NEXT]
}

/** Throws: ARENA_FULL, having freed what it had made. */
export function byteListCopy(arena: Arena, list: Ref, toArena: Arena): Ref {
  const copy = byteListCreate(toArena)
  let done = false
  try {
    let node = arena.words[(list << 1) + FIRST]
    while (node !== 0) {
      byteListAppendPack(toArena, copy, listpackCopy(arena, byteListPack(arena, node), toArena))
      node = arena.words[(node << 1) + NEXT]
    }
    done = true
  } finally {
    if (!done) byteListFree(toArena, copy)
  }
  return copy
}

/** Takes over a pack with elements as the last node. Throws: ARENA_FULL, having freed the pack. */
export function byteListAppendPack(arena: Arena, list: Ref, pack: Ref): void {
  const last = arena.words[(list << 1) + LAST]
  const node = arena.tryAllocate(NODE_SIZE)
  if (node === 0) {
    arena.free(pack)
    throw ARENA_FULL
  }
  link(arena, list, node, last, 0, pack)
  arena.words[(list << 1) + COUNT] += arena.words[(node << 1) + NODE_COUNT]
}

/** Adds an element at an end. `limit`: as `list-max-listpack-size`. Throws: ARENA_FULL. */
export function byteListPush(
  arena: Arena,
  list: Ref,
  atEnd: boolean,
  bytes: Buffer,
  offset: number,
  length: number,
  limit: number,
): void {
  const words = arena.words
  const header = list << 1
  const node = words[header + (atEnd ? LAST : FIRST)]
  if (node !== 0 && hasRoom(arena, node, length, limit)) {
    const word = node << 1
    const pack = words[word + PACK]
    const before = atEnd ? 0 : listpackFirst(arena, pack)
    words[word + PACK] = listpackInsert(arena, pack, before, bytes, offset, length)
    words[word + NODE_COUNT]++
  } else {
    const made = makeNode(arena, list, atEnd ? node : 0, atEnd ? 0 : node, bytes, offset, length)
    // Nothing more goes into the one before.
    if (node !== 0 && made !== 0) fit(arena, node)
  }
  words[header + COUNT]++
}

/** Finds the element at `index`; negative: from the end. False when there is none. */
export function byteListSeek(
  arena: Arena,
  list: Ref,
  index: number,
  position: ListPosition,
): boolean {
  const words = arena.words
  const count = words[(list << 1) + COUNT]
  const wanted = index < 0 ? index + count : index
  position.at = 0
  if (wanted < 0 || wanted >= count) return false
  let node = 0
  let left = 0
  if (wanted < count >> 1) {
    node = words[(list << 1) + FIRST]
    left = wanted
    while (left >= words[(node << 1) + NODE_COUNT]) {
      left -= words[(node << 1) + NODE_COUNT]
      node = words[(node << 1) + NEXT]
    }
  } else {
    node = words[(list << 1) + LAST]
    left = wanted - (count - words[(node << 1) + NODE_COUNT])
    while (left < 0) {
      node = words[(node << 1) + PREVIOUS]
      left += words[(node << 1) + NODE_COUNT]
    }
  }
  position.node = node
  position.at = listpackSeek(arena, words[(node << 1) + PACK], left)
  return true
}

/** Goes to the next element. False after the last. */
export function byteListNext(arena: Arena, position: ListPosition): boolean {
  const words = arena.words
  const next = listpackNext(arena, position.at)
  if (next !== 0) {
    position.at = next
    return true
  }
  const node = words[(position.node << 1) + NEXT]
  if (node === 0) return false
  position.node = node
  position.at = listpackFirst(arena, words[(node << 1) + PACK])
  return true
}

/** Goes to the element before. False before the first. */
export function byteListPrevious(arena: Arena, position: ListPosition): boolean {
  const words = arena.words
  const previous = listpackPrevious(arena, words[(position.node << 1) + PACK], position.at)
  if (previous !== 0) {
    position.at = previous
    return true
  }
  const node = words[(position.node << 1) + PREVIOUS]
  if (node === 0) return false
  position.node = node
  position.at = listpackLast(arena, words[(node << 1) + PACK])
  return true
}

/** Puts bytes in the place of an element. Throws: ARENA_FULL. */
export function byteListReplace(
  arena: Arena,
  position: ListPosition,
  bytes: Buffer,
  offset: number,
  length: number,
): void {
  const word = (position.node << 1) + PACK
  const pack = arena.words[word]
  arena.words[word] = listpackReplace(arena, pack, position.at, bytes, offset, length)
  position.at = listpackPosition()
}

/** Puts bytes before the element at a position, or after it. Throws: ARENA_FULL. */
export function byteListInsert(
  arena: Arena,
  list: Ref,
  position: ListPosition,
  after: boolean,
  bytes: Buffer,
  offset: number,
  length: number,
  limit: number,
): void {
  const words = arena.words
  const { node } = position
  const word = node << 1
  const before = after ? listpackNext(arena, position.at) : position.at
  if (hasRoom(arena, node, length, limit)) {
    const pack = words[word + PACK]
    words[word + PACK] = listpackInsert(arena, pack, before, bytes, offset, length)
    words[word + NODE_COUNT]++
  } else if (before === 0) {
    const next = words[word + NEXT]
    makeNode(arena, list, node, next, bytes, offset, length)
  } else if (before === listpackFirst(arena, words[word + PACK])) {
    makeNode(arena, list, words[word + PREVIOUS], node, bytes, offset, length)
  } else {
    splitNode(arena, list, node, before)
    makeNode(arena, list, node, words[word + NEXT], bytes, offset, length)
  }
  words[(list << 1) + COUNT]++
}

/**
 * Takes out the element at a position, which then is at the one after it. False when there is none
 * after it.
 */
export function byteListRemove(arena: Arena, list: Ref, position: ListPosition): boolean {
  const words = arena.words
  const { node } = position
  const word = node << 1
  const next = words[word + NEXT]
  words[(list << 1) + COUNT]--
  if (words[word + NODE_COUNT] === 1) {
    unlink(arena, list, node)
  } else {
    words[word + PACK] = listpackRemove(arena, words[word + PACK], position.at, 1)
    words[word + NODE_COUNT]--
    position.at = listpackPosition()
    if (position.at !== 0) return true
  }
  position.node = next
  position.at = next === 0 ? 0 : listpackFirst(arena, words[(next << 1) + PACK])
  return next !== 0
}

/** Takes out `count` elements from `start` on; both lie within the list. */
export function byteListRemoveRange(arena: Arena, list: Ref, start: number, count: number): void {
  const words = arena.words
  if (count <= 0 || !byteListSeek(arena, list, start, range)) return
  let left = count
  let node = range.node
  let at = range.at
  while (left > 0) {
    const word = node << 1
    const next = words[word + NEXT]
    const has = words[word + NODE_COUNT]
    const isFirst = at === listpackFirst(arena, words[word + PACK])
    if (isFirst && left >= has) {
      left -= has
      words[(list << 1) + COUNT] -= has
      unlink(arena, list, node)
    } else {
      const before = has
      words[word + PACK] = listpackRemove(arena, words[word + PACK], at, left)
      const now = listpackCount(arena, words[word + PACK])
      words[word + NODE_COUNT] = now
      left -= before - now
      words[(list << 1) + COUNT] -= before - now
    }
    node = next
    at = node === 0 ? 0 : listpackFirst(arena, words[(node << 1) + PACK])
  }
}

const range = new ListPosition()

function hasRoom(arena: Arena, node: Ref, length: number, limit: number): boolean {
  const size = listpackSizeBytes(arena, arena.words[(node << 1) + PACK]) + length + ELEMENT_OVERHEAD
  if (limit < 0) return size <= SIZE_LIMITS[Math.min(-limit, SIZE_LIMITS.length) - 1]
  return size <= COUNTED_SIZE_MAX && arena.words[(node << 1) + NODE_COUNT] < Math.max(limit, 1)
}

/** A node of one element between two others. Throws: ARENA_FULL, with nothing changed. */
function makeNode(
  arena: Arena,
  list: Ref,
  previous: Ref,
  next: Ref,
  bytes: Buffer,
  offset: number,
  length: number,
): Ref {
  const node = arena.allocate(NODE_SIZE)
  let pack = 0
  try {
    const size = listpackEncodedSize(bytes, offset, length)
    pack = listpackInsert(arena, listpackCreate(arena, size + 7), 0, bytes, offset, length)
  } finally {
    if (pack === 0) arena.free(node)
  }
  link(arena, list, node, previous, next, pack)
  return node
}

/** Moves the elements from `at` on into a node of their own. Throws: ARENA_FULL. */
function splitNode(arena: Arena, list: Ref, node: Ref, at: number): void {
  const words = arena.words
  const made = arena.allocate(NODE_SIZE)
  const pack = words[(node << 1) + PACK]
  let half = 0
  try {
    half = listpackSplit(arena, pack, at)
  } finally {
    if (half === 0) arena.free(made)
  }
  words[(node << 1) + NODE_COUNT] = listpackCount(arena, pack)
  link(arena, list, made, node, words[(node << 1) + NEXT], half)
}

function fit(arena: Arena, node: Ref): void {
  const word = (node << 1) + PACK
  arena.words[word] = listpackFit(arena, arena.words[word])
}

function link(arena: Arena, list: Ref, node: Ref, previous: Ref, next: Ref, pack: Ref): void {
  const words = arena.words
  const word = node << 1
  words[word + PREVIOUS] = previous
  words[word + NEXT] = next
  words[word + PACK] = pack
  words[word + NODE_COUNT] = listpackCount(arena, pack)
  if (previous === 0) words[(list << 1) + FIRST] = node
  else words[(previous << 1) + NEXT] = node
  if (next === 0) words[(list << 1) + LAST] = node
  else words[(next << 1) + PREVIOUS] = node
  words[(list << 1) + NODES]++
}

function unlink(arena: Arena, list: Ref, node: Ref): void {
  const words = arena.words
  const previous = words[(node << 1) + PREVIOUS]
  const next = words[(node << 1) + NEXT]
  if (previous === 0) words[(list << 1) + FIRST] = next
  else words[(previous << 1) + NEXT] = next
  if (next === 0) words[(list << 1) + LAST] = previous
  else words[(next << 1) + PREVIOUS] = previous
  words[(list << 1) + NODES]--
  arena.free(words[(node << 1) + PACK])
  arena.free(node)
}
