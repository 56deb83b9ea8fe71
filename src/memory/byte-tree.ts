/**
 * Counted B+tree: items in order, with rank, select and seek in log n.
 *
 * An item is a key of two or four 32-bit words, compared as one big-endian unsigned number, and a
 * value word. Items of the same key are ordered as the tree's tie says. Serves sorted sets (score,
 * then member), stream ids, pending entries, deadlines. A skip list, as Redis has, needs some 40
 * bytes an item and a cache miss a step.
 *
 * Key words are given and answered as 32-bit integers, signed or not; a tree of two words ignores
 * the third and fourth. A `TreePosition` belongs to the caller and is void after any change to the
 * tree; leaf 0 is no item. `byte-tree-node.ts` has the layout, `byte-tree-change.ts` the changes.
 *
 * Thread: core. Hot path.
 * Owns: trees.
 * Never: allocates on the JavaScript heap, holds a second copy of an equal item.
 */

import { type Arena, type Ref, roundedSizeBytes } from './arena.ts'
import { copyFirstUp, createTree, insertAtPath, removeAtPath } from './byte-tree-change.ts'
import {
  CHILD_WORDS,
  descend,
  descendToRank,
  LEAF_AFTER,
  LEAF_BEFORE,
  NODE_HEADER_WORDS,
  PROBE_AFTER,
  PROBE_BEFORE,
  PROBE_ENTRY_KEY,
  PROBE_ITEM,
  pathIndexes,
  pathIsAtProbe,
  pathNodes,
  pathRank,
  probe,
  SIGN,
  setProbe,
  TIE_BY_ENTRY_KEY,
  TIE_BY_VALUE,
  TIE_UNIQUE,
  TREE_COUNT,
  TREE_FIRST_LEAF,
  TREE_HEIGHT,
  TREE_LAST_LEAF,
  TREE_NODE_BYTES,
  TREE_SHAPE,
} from './byte-tree-node.ts'
import type { VisitBlock } from './check.ts'

export { TIE_BY_ENTRY_KEY, TIE_BY_VALUE, TIE_UNIQUE }

const TREE_SIZE = 32

/** An item's place: a leaf and an index in it. */
export class TreePosition {
  leaf: Ref = 0
  index = 0
}

const doubleView = new Float64Array(1)
const doubleWords = new Int32Array(doubleView.buffer)

/** The upper word of a key in the order of doubles; NaN excepted, -0 is 0. */
export function doubleToKeyHi(value: number): number {
  doubleView[0] = value + 0
  const hi = doubleWords[1]
  return hi < 0 ? ~hi : hi ^ SIGN
}

/** The lower word that belongs to `doubleToKeyHi`. */
export function doubleToKeyLo(value: number): number {
  doubleView[0] = value + 0
  const lo = doubleWords[0]
  return doubleWords[1] < 0 ? ~lo : lo
}

/** The double whose key words these are. */
export function keyToDouble(hi: number, lo: number): number {
  const positive = (hi & SIGN) !== 0
  doubleWords[1] = positive ? hi ^ SIGN : ~hi
  doubleWords[0] = positive ? lo : ~lo
  return doubleView[0]
}

/** A new empty tree for keys of 2 or 4 words. Throws `ARENA_FULL`. */
export function byteTreeCreate(arena: Arena, keyWords: 2 | 4, tie: number): Ref {
  return createTree(arena, keyWords, tie)
}

export function byteTreeFree(arena: Arena, tree: Ref): void {
  const words = arena.words
  freeBelow(arena, words[tree << 1], words[(tree << 1) + TREE_HEIGHT], tree)
  arena.free(tree)
}

export function byteTreeCount(arena: Arena, tree: Ref): number {
  return arena.words[(tree << 1) + TREE_COUNT]
}

/** Bytes of all blocks of the tree. */
export function byteTreeMemoryBytes(arena: Arena, tree: Ref): number {
  return roundedSizeBytes(TREE_SIZE) + arena.words[(tree << 1) + TREE_NODE_BYTES]
}

/** Answers false, and changes nothing, if an equal item is there. Throws `ARENA_FULL`. */
export function byteTreeInsert(
  arena: Arena,
  tree: Ref,
  value: number,
  k0: number,
  k1: number,
  k2 = 0,
  k3 = 0,
): boolean {
  setProbe(k0, k1, k2, k3, value, PROBE_ITEM)
  descend(arena, tree)
  if (pathIsAtProbe(arena, tree)) return false
  insertAtPath(arena, tree)
  return true
}

/** Answers whether the item was there. In a `TIE_UNIQUE` tree the value does not matter. */
export function byteTreeRemove(
  arena: Arena,
  tree: Ref,
  value: number,
  k0: number,
  k1: number,
  k2 = 0,
  k3 = 0,
): boolean {
  setProbe(k0, k1, k2, k3, value, PROBE_ITEM)
  descend(arena, tree)
  if (!pathIsAtProbe(arena, tree)) return false
  removeAtPath(arena, tree, 1)
  return true
}

/**
 * Gives an item another value; answers whether the item was there. With `TIE_BY_ENTRY_KEY` both
 * entries are alive and have the same key. Throws `ARENA_FULL` in a `TIE_BY_VALUE` tree only.
 */
export function byteTreeReplaceValue(
  arena: Arena,
  tree: Ref,
  oldValue: number,
  newValue: number,
  k0: number,
  k1: number,
  k2 = 0,
  k3 = 0,
): boolean {
  setProbe(k0, k1, k2, k3, oldValue, PROBE_ITEM)
  descend(arena, tree)
  if (!pathIsAtProbe(arena, tree)) return false
  const words = arena.words
  const shape = words[(tree << 1) + TREE_SHAPE]
  if (shape >> 8 === TIE_BY_VALUE) {
    byteTreeInsert(arena, tree, newValue, k0, k1, k2, k3)
    if (oldValue !== newValue) byteTreeRemove(arena, tree, oldValue, k0, k1, k2, k3)
    return true
  }
  const height = words[(tree << 1) + TREE_HEIGHT]
  const keyWords = shape & 0xff
  const index = pathIndexes[height]
  const item = (pathNodes[height] << 1) + NODE_HEADER_WORDS + index * (keyWords + 1)
  words[item + keyWords] = newValue
  if (index === 0) copyFirstUp(arena, tree, height)
  return true
}

/** Takes out `count` items from `rank` on; `see` gets each value, before, in order. */
export function byteTreeRemoveRange(
  arena: Arena,
  tree: Ref,
  rank: number,
  count: number,
  see: ((value: number) => void) | undefined,
): void {
  const words = arena.words
  const stride = (words[(tree << 1) + TREE_SHAPE] & 0xff) + 1
  let left = Math.min(count, words[(tree << 1) + TREE_COUNT] - rank)
  while (left > 0) {
    descendToRank(arena, tree, rank)
    const height = words[(tree << 1) + TREE_HEIGHT]
    const leaf = pathNodes[height] << 1
    const index = pathIndexes[height]
    const chunk = Math.min(left, words[leaf] - index)
    if (see !== undefined) {
      let at = leaf + NODE_HEADER_WORDS + index * stride + stride - 1
      for (let seen = 0; seen < chunk; seen++) {
        see(words[at])
        at += stride
      }
    }
    removeAtPath(arena, tree, chunk)
    left -= chunk
  }
}

/** Goes to exactly this item; answers whether it is there. */
export function byteTreeFind(
  arena: Arena,
  tree: Ref,
  position: TreePosition,
  value: number,
  k0: number,
  k1: number,
  k2 = 0,
  k3 = 0,
): boolean {
  setProbe(k0, k1, k2, k3, value, PROBE_ITEM)
  descend(arena, tree)
  takePath(arena, tree, position)
  return pathIsAtProbe(arena, tree)
}

/** Goes to the first item whose key is not below; answers whether there is one. */
export function byteTreeSeek(
  arena: Arena,
  tree: Ref,
  position: TreePosition,
  k0: number,
  k1: number,
  k2 = 0,
  k3 = 0,
): boolean {
  setProbe(k0, k1, k2, k3, 0, PROBE_BEFORE)
  descend(arena, tree)
  return takePath(arena, tree, position)
}

/** Goes to the first item whose key is above; answers whether there is one. */
export function byteTreeSeekAfter(
  arena: Arena,
  tree: Ref,
  position: TreePosition,
  k0: number,
  k1: number,
  k2 = 0,
  k3 = 0,
): boolean {
  setProbe(k0, k1, k2, k3, 0, PROBE_AFTER)
  descend(arena, tree)
  return takePath(arena, tree, position)
}

/**
 * In a `TIE_BY_ENTRY_KEY` tree of two key words: goes to the first item not below this key with an
 * entry of these bytes; answers whether there is one.
 */
export function byteTreeSeekEntryKey(
  arena: Arena,
  tree: Ref,
  position: TreePosition,
  k0: number,
  k1: number,
  keyBytes: Buffer,
  keyOffset: number,
  keyLength: number,
): boolean {
  setProbe(k0, k1, 0, 0, 0, PROBE_ENTRY_KEY)
  probe.keyBytes = keyBytes
  probe.keyOffset = keyOffset
  probe.keyLength = keyLength
  descend(arena, tree)
  return takePath(arena, tree, position)
}

/** The rank of an item, from 0; -1 if it is not there. */
export function byteTreeRank(
  arena: Arena,
  tree: Ref,
  value: number,
  k0: number,
  k1: number,
  k2 = 0,
  k3 = 0,
): number {
  setProbe(k0, k1, k2, k3, value, PROBE_ITEM)
  descend(arena, tree)
  return pathIsAtProbe(arena, tree) ? pathRank(arena, tree) : -1
}

/** How many items have a key below this one. */
export function byteTreeCountBelow(
  arena: Arena,
  tree: Ref,
  k0: number,
  k1: number,
  k2 = 0,
  k3 = 0,
): number {
  setProbe(k0, k1, k2, k3, 0, PROBE_BEFORE)
  descend(arena, tree)
  return pathRank(arena, tree)
}

/** How many items have this key or one below. */
export function byteTreeCountUpTo(
  arena: Arena,
  tree: Ref,
  k0: number,
  k1: number,
  k2 = 0,
  k3 = 0,
): number {
  setProbe(k0, k1, k2, k3, 0, PROBE_AFTER)
  descend(arena, tree)
  return pathRank(arena, tree)
}

/** In a `TIE_BY_ENTRY_KEY` tree: how many items lie below this key with an entry of these bytes. */
export function byteTreeCountBelowEntryKey(
  arena: Arena,
  tree: Ref,
  k0: number,
  k1: number,
  keyBytes: Buffer,
  keyOffset: number,
  keyLength: number,
): number {
  setProbe(k0, k1, 0, 0, 0, PROBE_ENTRY_KEY)
  probe.keyBytes = keyBytes
  probe.keyOffset = keyOffset
  probe.keyLength = keyLength
  descend(arena, tree)
  return pathRank(arena, tree)
}

/** Goes to the item of this rank; answers whether there is one. */
export function byteTreeAt(arena: Arena, tree: Ref, position: TreePosition, rank: number): boolean {
  if (rank < 0 || rank >= arena.words[(tree << 1) + TREE_COUNT]) {
    position.leaf = 0
    return false
  }
  descendToRank(arena, tree, rank)
  return takePath(arena, tree, position)
}

/** Goes to the first item; answers whether there is one. */
export function byteTreeFirst(arena: Arena, tree: Ref, position: TreePosition): boolean {
  const words = arena.words
  const isEmpty = words[(tree << 1) + TREE_COUNT] === 0
  position.leaf = isEmpty ? 0 : words[(tree << 1) + TREE_FIRST_LEAF]
  position.index = 0
  return !isEmpty
}

/** Goes to the last item; answers whether there is one. */
export function byteTreeLast(arena: Arena, tree: Ref, position: TreePosition): boolean {
  const words = arena.words
  const isEmpty = words[(tree << 1) + TREE_COUNT] === 0
  const leaf = words[(tree << 1) + TREE_LAST_LEAF]
  position.leaf = isEmpty ? 0 : leaf
  position.index = isEmpty ? 0 : words[leaf << 1] - 1
  return !isEmpty
}

/** One item on; answers whether there is one. */
export function byteTreeNext(arena: Arena, position: TreePosition): boolean {
  const words = arena.words
  const leaf = position.leaf << 1
  if (++position.index < words[leaf]) return true
  return byteTreeNextLeaf(arena, position)
}

/** To the first item of the next leaf; answers whether there is one. */
export function byteTreeNextLeaf(arena: Arena, position: TreePosition): boolean {
  position.leaf = arena.words[(position.leaf << 1) + LEAF_AFTER]
  position.index = 0
  return position.leaf !== 0
}

/** How many items the leaf holds from a position on. */
export function byteTreeRunCount(arena: Arena, position: TreePosition): number {
  return arena.words[position.leaf << 1] - position.index
}

/** The word that holds the value of the item at a position; that of the next is a stride behind. */
export function byteTreeValueWord(arena: Arena, tree: Ref, position: TreePosition): number {
  const stride = byteTreeStride(arena, tree)
  return (position.leaf << 1) + NODE_HEADER_WORDS + position.index * stride + stride - 1
}

/** Words from one item of a leaf to the next. */
export function byteTreeStride(arena: Arena, tree: Ref): number {
  return (arena.words[(tree << 1) + TREE_SHAPE] & 0xff) + 1
}

/** One item back; answers whether there is one. */
export function byteTreePrevious(arena: Arena, position: TreePosition): boolean {
  if (position.index-- > 0) return true
  return byteTreePreviousLeaf(arena, position)
}

/** To the last item of the leaf before; answers whether there is one. */
export function byteTreePreviousLeaf(arena: Arena, position: TreePosition): boolean {
  const words = arena.words
  const leaf = words[(position.leaf << 1) + LEAF_BEFORE]
  position.leaf = leaf
  position.index = leaf === 0 ? 0 : words[leaf << 1] - 1
  return leaf !== 0
}

/** Key word `word` (0 the most significant) of the item at a position, as a signed integer. */
export function byteTreeItemKey(
  arena: Arena,
  tree: Ref,
  position: TreePosition,
  word: number,
): number {
  const stride = (arena.words[(tree << 1) + TREE_SHAPE] & 0xff) + 1
  const item = (position.leaf << 1) + NODE_HEADER_WORDS + position.index * stride
  return arena.words[item + word] ^ SIGN
}

/** The value of the item at a position. */
export function byteTreeItemValue(arena: Arena, tree: Ref, position: TreePosition): number {
  return arena.words[byteTreeValueWord(arena, tree, position)]
}

/** The key of the item at a position, as the double it was made of. */
export function byteTreeItemDouble(arena: Arena, tree: Ref, position: TreePosition): number {
  const stride = (arena.words[(tree << 1) + TREE_SHAPE] & 0xff) + 1
  const item = (position.leaf << 1) + NODE_HEADER_WORDS + position.index * stride
  return keyToDouble(arena.words[item] ^ SIGN, arena.words[item + 1] ^ SIGN)
}

/** Tells the checker's visitor every block of the tree; what values name is their owner's. */
export function byteTreeVisit(arena: Arena, tree: Ref, visitBlock: VisitBlock): void {
  const words = arena.words
  visitBelow(arena, words[tree << 1], words[(tree << 1) + TREE_HEIGHT], tree, visitBlock)
  visitBlock(tree)
}

/** The position the path leads to; past the end of a leaf, the first of the next. */
function takePath(arena: Arena, tree: Ref, position: TreePosition): boolean {
  const words = arena.words
  const height = words[(tree << 1) + TREE_HEIGHT]
  const leaf = pathNodes[height]
  const index = pathIndexes[height]
  const isInside = index < words[leaf << 1]
  position.leaf = isInside ? leaf : words[(leaf << 1) + LEAF_AFTER]
  position.index = isInside ? index : 0
  return position.leaf !== 0
}

function visitBelow(
  arena: Arena,
  node: Ref,
  height: number,
  tree: Ref,
  visitBlock: VisitBlock,
): void {
  const words = arena.words
  if (height > 0) {
    const keyWords = words[(tree << 1) + TREE_SHAPE] & 0xff
    for (let index = 0; index < words[node << 1]; index++) {
      const record = (node << 1) + NODE_HEADER_WORDS + index * (keyWords + 1 + CHILD_WORDS)
      visitBelow(arena, words[record + keyWords + 1], height - 1, tree, visitBlock)
    }
  }
  visitBlock(node)
}

function freeBelow(arena: Arena, node: Ref, height: number, tree: Ref): void {
  const words = arena.words
  if (height > 0) {
    const keyWords = words[(tree << 1) + TREE_SHAPE] & 0xff
    for (let index = 0; index < words[node << 1]; index++) {
      const record = (node << 1) + NODE_HEADER_WORDS + index * (keyWords + 1 + CHILD_WORDS)
      freeBelow(arena, words[record + keyWords + 1], height - 1, tree)
    }
  }
  arena.free(node)
}
