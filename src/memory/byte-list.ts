/**
 * A list: a chain of nodes (byte-list-node.ts), each a listpack of bounded size or one large element,
 * so that both ends take and give in constant time and a place in the middle is found by stepping
 * over whole nodes.
 *
 * Where one node ends and the next begins is as in Redis's quicklist: what goes in, is replaced or
 * taken out leaves the nodes that it leaves there, and so the same bytes in a DUMP.
 *
 * Thread: core. Hot path.
 * Owns: the order of the elements.
 * Never: keeps an empty node; changes anything when it throws ARENA_FULL.
 */
import { ARENA_FULL, type Arena, type Ref } from './arena.ts'
import {
  BLOCK,
  COUNT,
  copyNode,
  FIRST,
  fitNode,
  freeNode,
  hasRoom,
  isLarge,
  joinAround,
  LAST,
  LIST_HEADER_SIZE,
  link,
  listDepth,
  listFill,
  makeNode,
  makePackNode,
  makePlainNode,
  NEXT,
  NODES,
  nodeBlock,
  nodeCount,
  nodeIsCompressed,
  OPTIONS,
  openNode,
  PREVIOUS,
  SHAPE,
  settle,
  splitNode,
  unlink,
} from './byte-list-node.ts'
import {
  byteListLeave,
  byteListSeek,
  enterFirst,
  ListPosition,
  open,
} from './byte-list-position.ts'
import type { VisitBlock } from './check.ts'
import {
  listpackCount,
  listpackFirst,
  listpackInsert,
  listpackLast,
  listpackNext,
  listpackPosition,
  listpackRemove,
  listpackReplace,
} from './listpack.ts'

/** An empty list. `options`: of `listOptions`. Throws: ARENA_FULL. */
export function byteListCreate(arena: Arena, options: number): Ref {
  const list = arena.allocate(LIST_HEADER_SIZE)
  arena.words.fill(0, list << 1, (list << 1) + OPTIONS)
  arena.words[(list << 1) + OPTIONS] = options
  return list
}

export function byteListFree(arena: Arena, list: Ref): void {
  let node = arena.words[(list << 1) + FIRST]
  while (node !== 0) {
    const next = arena.words[(node << 1) + NEXT]
    freeNode(arena, node)
    node = next
  }
  arena.free(list)
}

export function byteListVisit(arena: Arena, list: Ref, visit: VisitBlock): void {
  const words = arena.words
  visit(list)
  for (let node = words[(list << 1) + FIRST]; node !== 0; node = words[(node << 1) + NEXT]) {
    visit(node)
    visit(words[(node << 1) + BLOCK])
  }
}

export function byteListMemoryBytes(arena: Arena, list: Ref): number {
  const words = arena.words
  let bytes = arena.blockSizeBytes(list)
  for (let node = words[(list << 1) + FIRST]; node !== 0; node = words[(node << 1) + NEXT]) {
    bytes += arena.blockSizeBytes(node) + arena.blockSizeBytes(words[(node << 1) + BLOCK])
  }
  return bytes
}

export function byteListCount(arena: Arena, list: Ref): number {
  return arena.words[(list << 1) + COUNT]
}

export function byteListNodeCount(arena: Arena, list: Ref): number {
  return arena.words[(list << 1) + NODES]
}

/** The first node, 0 if there is none. */
export function byteListFirstNode(arena: Arena, list: Ref): Ref {
  return arena.words[(list << 1) + FIRST]
}

/** The node after another, 0 if there is none. */
export function byteListNextNode(arena: Arena, node: Ref): Ref {
  return arena.words[(node << 1) + NEXT]
}

/** Throws: ARENA_FULL, having freed what it had made. */
export function byteListCopy(arena: Arena, list: Ref, toArena: Arena): Ref {
  const copy = byteListCreate(toArena, arena.words[(list << 1) + OPTIONS])
  let done = false
  try {
    let node = arena.words[(list << 1) + FIRST]
    while (node !== 0) {
      append(toArena, copy, copyNode(arena, node, toArena))
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
  let node = 0
  try {
    node = makePackNode(arena, pack)
  } finally {
    if (node === 0) arena.free(pack)
  }
  const last = arena.words[(list << 1) + LAST]
  append(arena, list, node)
  settle(arena, list, last)
}

/** Adds an element as a node of its own. Throws: ARENA_FULL. */
export function byteListAppendPlain(
  arena: Arena,
  list: Ref,
  bytes: Buffer,
  offset: number,
  length: number,
): void {
  const last = arena.words[(list << 1) + LAST]
  append(arena, list, makePlainNode(arena, bytes, offset, length))
  settle(arena, list, last)
}

function append(arena: Arena, list: Ref, node: Ref): void {
  link(arena, list, node, arena.words[(list << 1) + LAST], 0)
  arena.words[(list << 1) + COUNT] += nodeCount(arena, node)
}

/** Adds an element at an end. Throws: ARENA_FULL. */
export function byteListPush(
  arena: Arena,
  list: Ref,
  atEnd: boolean,
  bytes: Buffer,
  offset: number,
  length: number,
): void {
  const words = arena.words
  const header = list << 1
  const node = words[header + (atEnd ? LAST : FIRST)]
  if (hasRoom(arena, node, length, listFill(arena, list))) {
    put(arena, node, atEnd, bytes, offset, length)
  } else {
    linkAtEnd(arena, list, makeNode(arena, bytes, offset, length), node, atEnd)
  }
  words[header + COUNT]++
}

/**
 * Takes the element at one end and puts it at the other, or the same. `bytes`: a copy of the element.
 * Throws: ARENA_FULL.
 */
export function byteListRotate(
  arena: Arena,
  list: Ref,
  fromEnd: boolean,
  toEnd: boolean,
  bytes: Buffer,
  offset: number,
  length: number,
): void {
  const words = arena.words
  const from = fromEnd ? words[(list << 1) + COUNT] - 1 : 0
  byteListOpenRange(arena, list, from, 1)
  // In case that there is no room for the element where it would go.
  const spare = makeNode(arena, bytes, offset, length)
  byteListRemoveEnd(arena, list, fromEnd)
  const node = words[(list << 1) + (toEnd ? LAST : FIRST)]
  let done = false
  if (hasRoom(arena, node, length, listFill(arena, list))) {
    try {
      put(arena, node, toEnd, bytes, offset, length)
      done = true
    } catch (error) {
      if (error !== ARENA_FULL) throw error
    }
  }
  if (done) freeNode(arena, spare)
  else linkAtEnd(arena, list, spare, node, toEnd)
  words[(list << 1) + COUNT]++
}

/** Makes a node the first or the last, next to the one that was it. */
function linkAtEnd(arena: Arena, list: Ref, made: Ref, node: Ref, atEnd: boolean): void {
  link(arena, list, made, atEnd ? node : 0, atEnd ? 0 : node)
  if (node === 0) return
  // Nothing more goes into the one before.
  fitNode(arena, node)
  settle(arena, list, node)
}

/** Puts an element at an end of a node that has room. Throws: ARENA_FULL. */
function put(
  arena: Arena,
  node: Ref,
  atEnd: boolean,
  bytes: Buffer,
  offset: number,
  length: number,
): void {
  if (nodeIsCompressed(arena, node)) openNode(arena, node)
  const word = node << 1
  const pack = arena.words[word + BLOCK]
  const before = atEnd ? 0 : listpackFirst(arena, pack)
  arena.words[word + BLOCK] = listpackInsert(arena, pack, before, bytes, offset, length)
  arena.words[word + SHAPE]++
}

/**
 * Puts bytes in the place of an element; the position is used up. Throws: ARENA_FULL.
 */
export function byteListReplace(
  arena: Arena,
  list: Ref,
  position: ListPosition,
  bytes: Buffer,
  offset: number,
  length: number,
): void {
  const { node } = position
  if (position.plain || isLarge(length)) {
    replaceWithNode(arena, list, position, bytes, offset, length)
  } else {
    open(arena, position)
    const pack = nodeBlock(arena, node)
    const word = (node << 1) + BLOCK
    arena.words[word] = listpackReplace(arena, pack, position.at, bytes, offset, length)
  }
  byteListLeave(arena, position)
}

/** Replaces where one of the two elements is, or is to be, a node of its own. */
function replaceWithNode(
  arena: Arena,
  list: Ref,
  position: ListPosition,
  bytes: Buffer,
  offset: number,
  length: number,
): void {
  const { node } = position
  if (!isLarge(length)) {
    insert(arena, list, position, true, bytes, offset, length)
    byteListLeave(arena, position)
    unlink(arena, list, node)
    return settle(arena, list, 0)
  }
  if (!position.plain) return replacePacked(arena, list, position, bytes, offset, length)
  const made = makeNode(arena, bytes, offset, length)
  byteListLeave(arena, position)
  link(arena, list, made, node, arena.words[(node << 1) + NEXT])
  unlink(arena, list, node)
  settle(arena, list, made)
}

/** Puts a large element in the place of one in a pack, which is cut in two behind it. */
function replacePacked(
  arena: Arena,
  list: Ref,
  position: ListPosition,
  bytes: Buffer,
  offset: number,
  length: number,
): void {
  const words = arena.words
  const { node } = position
  open(arena, position)
  const made = makeNode(arena, bytes, offset, length)
  const cut = listpackNext(arena, position.at)
  let right = 0
  if (cut !== 0) {
    try {
      right = splitNode(arena, node, cut)
    } finally {
      if (right === 0) freeNode(arena, made)
    }
    link(arena, list, right, node, words[(node << 1) + NEXT])
  }
  link(arena, list, made, node, words[(node << 1) + NEXT])
  position.opened = false
  if (nodeCount(arena, node) === 1) {
    unlink(arena, list, node)
  } else {
    const pack = nodeBlock(arena, node)
    words[(node << 1) + BLOCK] = listpackRemove(arena, pack, position.at, 1)
    words[(node << 1) + SHAPE]--
    settle(arena, list, node)
  }
  settle(arena, list, right)
  settle(arena, list, made)
}

/** Puts bytes before the element at a position, or after it; the position is used up. Throws: ARENA_FULL. */
export function byteListInsert(
  arena: Arena,
  list: Ref,
  position: ListPosition,
  after: boolean,
  bytes: Buffer,
  offset: number,
  length: number,
): void {
  insert(arena, list, position, after, bytes, offset, length)
  arena.words[(list << 1) + COUNT]++
  byteListLeave(arena, position)
}

/** As `byteListInsert`, but does not count. */
function insert(
  arena: Arena,
  list: Ref,
  position: ListPosition,
  after: boolean,
  bytes: Buffer,
  offset: number,
  length: number,
): void {
  const words = arena.words
  const { node } = position
  const fill = listFill(arena, list)
  if (hasRoom(arena, node, length, fill)) {
    open(arena, position)
    const pack = nodeBlock(arena, node)
    const before = after ? listpackNext(arena, position.at) : position.at
    words[(node << 1) + BLOCK] = listpackInsert(arena, pack, before, bytes, offset, length)
    words[(node << 1) + SHAPE]++
    return
  }
  const atBorder = position.plain || isAtBorder(position, after)
  if (!atBorder) return insertInside(arena, list, position, after, bytes, offset, length)
  const neighbour = words[(node << 1) + (after ? NEXT : PREVIOUS)]
  if (hasRoom(arena, neighbour, length, fill)) {
    put(arena, neighbour, !after, bytes, offset, length)
    settle(arena, list, neighbour)
    return
  }
  const made = makeNode(arena, bytes, offset, length)
  link(arena, list, made, after ? node : neighbour, after ? neighbour : node)
  settle(arena, list, made)
  settle(arena, list, node)
}

/** Whether the element is the last of its pack, or not `after`, the first. */
function isAtBorder(position: ListPosition, after: boolean): boolean {
  if (after) return listpackNext(position.arena, position.at) === 0
  return position.at === listpackFirst(position.arena, position.block)
}

/** Cuts a full node in two and puts the element between the halves. */
function insertInside(
  arena: Arena,
  list: Ref,
  position: ListPosition,
  after: boolean,
  bytes: Buffer,
  offset: number,
  length: number,
): void {
  const words = arena.words
  const { node } = position
  const large = isLarge(length)
  open(arena, position)
  const made = large ? makeNode(arena, bytes, offset, length) : 0
  let right = 0
  try {
    const cut = after ? listpackNext(arena, position.at) : position.at
    right = splitNode(arena, node, cut)
  } finally {
    if (right === 0 && large) freeNode(arena, made)
  }
  // From here on the node may become part of another.
  position.opened = false
  link(arena, list, right, node, words[(node << 1) + NEXT])
  if (large) {
    link(arena, list, made, node, right)
    settle(arena, list, node)
    settle(arena, list, right)
    return
  }
  let done = false
  try {
    put(arena, after ? right : node, !after, bytes, offset, length)
    done = true
  } finally {
    // Redis joins around the half that kept its place: the left one, or before the element the right.
    joinAround(arena, list, after || !done ? node : right)
  }
}

/**
 * Takes out the element at a position, which then is at the one after it. False when there is none
 * after it. Throws: ARENA_FULL.
 */
export function byteListRemove(arena: Arena, list: Ref, position: ListPosition): boolean {
  const words = arena.words
  const { node } = position
  const word = node << 1
  const next = words[word + NEXT]
  if (nodeCount(arena, node) === 1) {
    position.opened = false
    byteListLeave(arena, position)
    unlink(arena, list, node)
    words[(list << 1) + COUNT]--
    settle(arena, list, 0)
    position.at = 0
    return enterFirst(arena, position, next)
  }
  open(arena, position)
  position.block = listpackRemove(arena, words[word + BLOCK], position.at, 1)
  words[word + BLOCK] = position.block
  words[word + SHAPE]--
  words[(list << 1) + COUNT]--
  position.at = listpackPosition()
  return position.at !== 0 || enterFirst(arena, position, next)
}

/** Takes out the element at an end. Throws: ARENA_FULL. */
export function byteListRemoveEnd(arena: Arena, list: Ref, atEnd: boolean): void {
  const words = arena.words
  const node = words[(list << 1) + (atEnd ? LAST : FIRST)]
  const word = node << 1
  if (nodeCount(arena, node) === 1) {
    unlink(arena, list, node)
    settle(arena, list, 0)
  } else {
    openNode(arena, node)
    const pack = words[word + BLOCK]
    const at = atEnd ? listpackLast(arena, pack) : listpackFirst(arena, pack)
    words[word + BLOCK] = listpackRemove(arena, pack, at, 1)
    words[word + SHAPE]--
  }
  words[(list << 1) + COUNT]--
}

/**
 * Makes sure that `byteListRemoveRange` of this range finds all the room it needs. Throws: ARENA_FULL,
 * with nothing changed.
 */
export function byteListOpenRange(arena: Arena, list: Ref, start: number, count: number): void {
  if (listDepth(arena, list) === 0 || count <= 0) return
  openBorder(arena, list, start, count, false)
  openBorder(arena, list, start + count - 1, count, true)
}

/** Opens the node at an end of a range, unless all of the node is in it. */
function openBorder(arena: Arena, list: Ref, index: number, count: number, after: boolean): void {
  byteListSeek(arena, list, index, range)
  const { node } = range
  const isWhole = range.plain || (isAtBorder(range, after) && nodeCount(arena, node) <= count)
  byteListLeave(arena, range)
  if (!isWhole) openNode(arena, node)
}

/** Takes out `count` elements from `start` on; both lie within the list. Throws: ARENA_FULL. */
export function byteListRemoveRange(arena: Arena, list: Ref, start: number, count: number): void {
  const words = arena.words
  if (count <= 0) return
  byteListOpenRange(arena, list, start, count)
  byteListSeek(arena, list, start, range)
  const first = range.node
  let left = count
  let node = first
  const { at } = range
  const fromFirst = range.plain || isAtBorder(range, false)
  // The nodes that keep some of their elements: those at the two ends of the range.
  let cutBefore = 0
  let cutAfter = 0
  byteListLeave(arena, range)
  while (left > 0) {
    const word = node << 1
    const next = words[word + NEXT]
    const has = nodeCount(arena, node)
    const pack = words[word + BLOCK]
    if (left >= has && (node !== first || fromFirst)) {
      left -= has
      unlink(arena, list, node)
    } else {
      const from = node === first ? at : listpackFirst(arena, pack)
      const shrunk = listpackRemove(arena, pack, from, left)
      const now = listpackCount(arena, shrunk)
      words[word + BLOCK] = shrunk
      words[word + SHAPE] = now
      left -= has - now
      cutBefore = cutAfter
      cutAfter = node
    }
    node = next
  }
  words[(list << 1) + COUNT] -= count
  settle(arena, list, cutBefore)
  settle(arena, list, cutAfter)
}

const range = new ListPosition()
