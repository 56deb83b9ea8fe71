/**
 * Places in a byte list: finding one, walking on, reading what is there.
 *
 * Thread: core. Hot path.
 * Owns: what was unpacked so that a compressed node could be read.
 * Never: needs room in the list's arena for reading.
 */
import type { Arena, Ref } from './arena.ts'
import { blobBytesOffset, blobLength } from './blob.ts'
import {
  BLOCK,
  COUNT,
  closeCopy,
  FIRST,
  LAST,
  NEXT,
  nodeBlock,
  nodeCount,
  nodeIsCompressed,
  nodeIsPlain,
  openCopy,
  openNode,
  PREVIOUS,
  SHAPE,
  scratchArena,
  settle,
} from './byte-list-node.ts'
import {
  type ListpackElement,
  listpackFirst,
  listpackLast,
  listpackNext,
  listpackPrevious,
  listpackRead,
  listpackSeek,
} from './listpack.ts'
import { listpackMatches, wantedAre } from './listpack-match.ts'

/** An element's place. Whoever has one calls `leave` when done; until then nobody else changes it. */
export class ListPosition {
  list: Ref = 0
  node: Ref = 0
  /** As in a listpack; of a plain node, where its bytes begin. 0: nowhere. */
  at = 0
  /** Where `at` is: the list's own arena, or when the node is compressed a scratch. */
  arena: Arena = scratchArena()
  /** The listpack or blob there. */
  block: Ref = 0
  plain = false
  /** What to give back to the scratch, 0: nothing. */
  copy: Ref = 0
  /** The node was opened to be changed and is to be compressed again. */
  opened = false
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
  // What a change that found no room has left open stays so until its node changes again.
  position.opened = false
  byteListLeave(arena, position)
  position.list = list
  position.at = 0
  if (wanted < 0 || wanted >= count) return false
  let node = 0
  let left = 0
  if (wanted < count >> 1) {
    node = words[(list << 1) + FIRST]
    left = wanted
    for (let has = nodeCount(arena, node); left >= has; has = nodeCount(arena, node)) {
      left -= has
      node = words[(node << 1) + NEXT]
    }
  } else {
    node = words[(list << 1) + LAST]
    left = wanted - (count - nodeCount(arena, node))
    while (left < 0) {
      node = words[(node << 1) + PREVIOUS]
      left += nodeCount(arena, node)
    }
  }
  enter(arena, position, node)
  position.at = position.plain
    ? blobBytesOffset(position.block)
    : listpackSeek(position.arena, position.block, left)
  return true
}

/** Makes a node the position's, wherever its elements can be read. */
function enter(arena: Arena, position: ListPosition, node: Ref): void {
  if (position.copy !== 0 || position.opened) leave(arena, position)
  position.node = node
  const shape = arena.words[(node << 1) + SHAPE]
  if (shape >= 0) {
    position.arena = arena
    position.block = arena.words[(node << 1) + BLOCK]
    position.plain = shape >>> 30 !== 0
    return
  }
  position.copy = openCopy(arena, node)
  position.arena = scratchArena()
  position.block = position.copy
  position.plain = nodeIsPlain(arena, node)
}

/** Ends the use of a position: what was unpacked for it goes. */
export function byteListLeave(arena: Arena, position: ListPosition): void {
  if (position.copy !== 0 || position.opened) leave(arena, position)
}

function leave(arena: Arena, position: ListPosition): void {
  if (position.copy !== 0) closeCopy(position.arena, position.copy)
  position.copy = 0
  if (position.opened) settle(arena, position.list, position.node)
  position.opened = false
}

/** Goes to the next element. False after the last. */
export function byteListNext(arena: Arena, position: ListPosition): boolean {
  if (!position.plain) {
    const next = listpackNext(position.arena, position.at)
    if (next !== 0) {
      position.at = next
      return true
    }
  }
  return byteListNextNode(arena, position)
}

/** Goes to the first element of the next node. False after the last node. */
export function byteListNextNode(arena: Arena, position: ListPosition): boolean {
  return enterFirst(arena, position, arena.words[(position.node << 1) + NEXT])
}

/** Goes to the element before. False before the first. */
export function byteListPrevious(arena: Arena, position: ListPosition): boolean {
  if (!position.plain) {
    const previous = listpackPrevious(position.arena, position.block, position.at)
    if (previous !== 0) {
      position.at = previous
      return true
    }
  }
  const node = arena.words[(position.node << 1) + PREVIOUS]
  if (node === 0) return false
  enter(arena, position, node)
  const { block } = position
  position.at = position.plain ? blobBytesOffset(block) : listpackLast(position.arena, block)
  return true
}

/** Goes to the first element of a node; false for node 0. */
export function enterFirst(arena: Arena, position: ListPosition, node: Ref): boolean {
  if (node === 0) return false
  enter(arena, position, node)
  const { block } = position
  position.at = position.plain ? blobBytesOffset(block) : listpackFirst(position.arena, block)
  return true
}

/** Fills `element` with what is at a position: valid until the position or the list changes. */
export function byteListRead(position: ListPosition, element: ListpackElement): void {
  if (!position.plain) return listpackRead(position.arena, position.at, element)
  element.isInteger = false
  element.bytes = position.arena.bytes
  element.offset = position.at
  element.length = blobLength(position.arena, position.block)
}

/** True when the element at a position is what `listpackWant` was told. */
export function byteListMatches(position: ListPosition): boolean {
  const { arena, at } = position
  if (!position.plain) return listpackMatches(arena, at)
  return wantedAre(arena.bytes, at, blobLength(arena, position.block))
}

/** Makes the node of a position one that can be changed. Throws: ARENA_FULL. */
export function open(arena: Arena, position: ListPosition): void {
  const { node } = position
  if (!nodeIsCompressed(arena, node)) return
  openNode(arena, node)
  const block = nodeBlock(arena, node)
  const offset = position.at - (position.block << 3)
  leave(arena, position)
  position.opened = true
  position.arena = arena
  position.block = block
  position.at = (block << 3) + offset
}
