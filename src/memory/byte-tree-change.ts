/**
 * Putting items into a byte tree and taking them out: splits, merges, borrowing.
 *
 * A full node splits in two halves; at the right end of the tree the old node stays full instead,
 * so that keys that only grow (times, stream ids) fill their nodes. A node less than a third full
 * merges with a neighbour or takes records from it. A root leaf starts small and doubles.
 *
 * Thread: core. Hot path.
 * Owns: the shape of the tree.
 * Never: throws after a change; lets a leaf other than the root be empty; leaves a root with a
 * single child.
 */

import { ARENA_FULL, type Arena, type Ref } from './arena.ts'
import {
  CHILD_WORDS,
  LEAF_AFTER,
  LEAF_BEFORE,
  NODE_COUNT,
  NODE_HEADER_WORDS,
  NODE_ROOM,
  pathIndexes,
  pathNodes,
  probe,
  TREE_COUNT,
  TREE_FIRST_LEAF,
  TREE_HEIGHT,
  TREE_LAST_LEAF,
  TREE_NODE_BYTES,
  TREE_ROOT,
  TREE_SHAPE,
} from './byte-tree-node.ts'

/** MEASURED: `bench/micro/byte-map.bench.ts` times the tree beside the map. */
const NODE_SIZE = 1024
const ROOT_LEAF_SIZE_MIN = 64
/** Shorter moves are loops over words, longer ones native calls. */
const WORD_LOOP_MAX = 24

/** Blocks taken before a change that needs them. */
const spareNodes = new Int32Array(20)
let spareCount = 0

/** A new empty tree. Throws `ARENA_FULL`. */
export function createTree(arena: Arena, keyWords: number, tie: number): Ref {
  const tree = arena.allocate(32)
  const leaf = arena.tryAllocate(ROOT_LEAF_SIZE_MIN)
  if (leaf === 0) {
    arena.free(tree)
    throw ARENA_FULL
  }
  const words = arena.words
  const header = tree << 1
  words[header + TREE_ROOT] = leaf
  words[header + TREE_HEIGHT] = 0
  words[header + TREE_COUNT] = 0
  words[header + TREE_SHAPE] = keyWords | (tie << 8)
  words[header + TREE_NODE_BYTES] = arena.blockSizeBytes(leaf)
  words[header + TREE_FIRST_LEAF] = leaf
  words[header + TREE_LAST_LEAF] = leaf
  clearNode(arena, leaf, keyWords + 1)
  return tree
}

/** Puts the probe where the path leads. Throws `ARENA_FULL`. */
export function insertAtPath(arena: Arena, tree: Ref): void {
  const header = tree << 1
  let words = arena.words
  const height = words[header + TREE_HEIGHT]
  const keyWords = words[header + TREE_SHAPE] & 0xff
  let leaf = pathNodes[height]
  const index = pathIndexes[height]
  const isFull = words[leaf << 1] === words[(leaf << 1) + NODE_ROOM]
  // Take all memory first.
  let splits = false
  if (isFull) {
    if (height === 0 && arena.blockSizeBytes(leaf) < NODE_SIZE) leaf = growRootLeaf(arena, tree)
    else {
      takeSpareNodes(arena, tree)
      splits = true
    }
  }
  // Count the item in, and make it the first of the subtrees whose first it is.
  words = arena.words
  words[header + TREE_COUNT]++
  let isFirst = index === 0
  const childStride = keyWords + 1 + CHILD_WORDS
  for (let level = height - 1; level >= 0; level--) {
    const record = (pathNodes[level] << 1) + NODE_HEADER_WORDS + pathIndexes[level] * childStride
    words[record + keyWords + 2]++
    if (isFirst) writeProbe(words, record, keyWords)
    if (pathIndexes[level] !== 0) isFirst = false
  }
  // Put it in.
  const stride = keyWords + 1
  if (!splits) {
    openGap(words, leaf, index, stride)
    writeProbe(words, (leaf << 1) + NODE_HEADER_WORDS + index * stride, keyWords)
    return
  }
  const right = splitLeaf(arena, tree, leaf, index, stride)
  const leftCount = words[leaf << 1]
  const isLeft = index <= leftCount && !(index === leftCount && words[right << 1] === 0)
  const target = isLeft ? leaf : right
  const at = isLeft ? index : index - leftCount
  openGap(words, target, at, stride)
  writeProbe(words, (target << 1) + NODE_HEADER_WORDS + at * stride, keyWords)
  linkChild(arena, tree, leaf, right)
}

/** Takes `count` items out of the leaf the path leads to, from the path's index on. */
export function removeAtPath(arena: Arena, tree: Ref, count: number): void {
  const words = arena.words
  const header = tree << 1
  const height = words[header + TREE_HEIGHT]
  const keyWords = words[header + TREE_SHAPE] & 0xff
  const leaf = pathNodes[height]
  const index = pathIndexes[height]
  words[header + TREE_COUNT] -= count
  const childStride = keyWords + 1 + CHILD_WORDS
  for (let level = height - 1; level >= 0; level--) {
    const record = (pathNodes[level] << 1) + NODE_HEADER_WORDS + pathIndexes[level] * childStride
    words[record + keyWords + 2] -= count
  }
  closeGap(words, leaf, index, count, keyWords + 1)
  if (height === 0) {
    shrinkRootLeaf(arena, tree)
    return
  }
  if (words[leaf << 1] === 0) {
    unlinkLeaf(arena, tree, leaf)
    removeNode(arena, tree, height)
  } else {
    if (index === 0) copyFirstUp(arena, tree, height)
    balance(arena, tree, height)
  }
  lowerRoot(arena, tree)
}

/** Copies the first item of the path's node at this level to the records that show it. */
export function copyFirstUp(arena: Arena, tree: Ref, fromLevel: number): void {
  const words = arena.words
  const keyWords = words[(tree << 1) + TREE_SHAPE] & 0xff
  const childStride = keyWords + 1 + CHILD_WORDS
  const first = (pathNodes[fromLevel] << 1) + NODE_HEADER_WORDS
  for (let level = fromLevel - 1; level >= 0; level--) {
    const record = (pathNodes[level] << 1) + NODE_HEADER_WORDS + pathIndexes[level] * childStride
    for (let word = 0; word <= keyWords; word++) words[record + word] = words[first + word]
    if (pathIndexes[level] !== 0) return
  }
}

function writeProbe(words: Int32Array, record: number, keyWords: number): void {
  words[record] = probe.k0
  words[record + 1] = probe.k1
  if (keyWords === 4) {
    words[record + 2] = probe.k2
    words[record + 3] = probe.k3
  }
  words[record + keyWords] = probe.value
}

/** Takes the nodes that splitting along the path needs, or throws with none taken. */
function takeSpareNodes(arena: Arena, tree: Ref): void {
  const words = arena.words
  let level = words[(tree << 1) + TREE_HEIGHT]
  let count = 0
  while (level >= 0) {
    const node = pathNodes[level] << 1
    if (words[node] < words[node + NODE_ROOM]) break
    count++
    level--
  }
  if (level < 0) count++
  for (spareCount = 0; spareCount < count; spareCount++) {
    const node = arena.tryAllocate(NODE_SIZE)
    if (node === 0) {
      while (spareCount > 0) arena.free(spareNodes[--spareCount])
      throw ARENA_FULL
    }
    spareNodes[spareCount] = node
  }
  words[(tree << 1) + TREE_NODE_BYTES] += count * NODE_SIZE
}

/** A spare node, laid out empty. */
function useSpareNode(arena: Arena, stride: number): Ref {
  const node = spareNodes[--spareCount]
  clearNode(arena, node, stride)
  return node
}

function clearNode(arena: Arena, node: Ref, stride: number): void {
  const words = arena.words
  const start = node << 1
  const size = arena.blockSizeBytes(node)
  words[start + NODE_COUNT] = 0
  words[start + NODE_ROOM] = Math.floor(((size >> 2) - NODE_HEADER_WORDS) / stride)
  words[start + LEAF_BEFORE] = 0
  words[start + LEAF_AFTER] = 0
}

/** Doubles the one leaf of a tree. Throws `ARENA_FULL`. */
function growRootLeaf(arena: Arena, tree: Ref): Ref {
  const leaf = arena.words[(tree << 1) + TREE_ROOT]
  const size = arena.blockSizeBytes(leaf)
  return resizeRootLeaf(arena, tree, leaf, size, size * 2)
}

function shrinkRootLeaf(arena: Arena, tree: Ref): void {
  const words = arena.words
  const leaf = words[(tree << 1) + TREE_ROOT]
  const size = arena.blockSizeBytes(leaf)
  if (size === ROOT_LEAF_SIZE_MIN || words[leaf << 1] * 4 > words[(leaf << 1) + NODE_ROOM]) return
  resizeRootLeaf(arena, tree, leaf, size, size >> 1)
}

function resizeRootLeaf(arena: Arena, tree: Ref, leaf: Ref, oldSize: number, newSize: number): Ref {
  const header = tree << 1
  const resized = arena.reallocate(leaf, newSize, Math.min(oldSize, newSize))
  const words = arena.words
  const size = arena.blockSizeBytes(resized)
  const stride = (words[header + TREE_SHAPE] & 0xff) + 1
  words[(resized << 1) + NODE_ROOM] = Math.floor(((size >> 2) - NODE_HEADER_WORDS) / stride)
  words[header + TREE_ROOT] = resized
  words[header + TREE_FIRST_LEAF] = resized
  words[header + TREE_LAST_LEAF] = resized
  words[header + TREE_NODE_BYTES] += size - oldSize
  return resized
}

/** Moves the upper half of a leaf to a new one behind it; nothing when appending to the last. */
function splitLeaf(arena: Arena, tree: Ref, leaf: Ref, index: number, stride: number): Ref {
  const words = arena.words
  const header = tree << 1
  const right = useSpareNode(arena, stride)
  const count = words[leaf << 1]
  const after = words[(leaf << 1) + LEAF_AFTER]
  if (after !== 0 || index < count) moveTail(words, leaf, right, count >> 1, stride)
  words[(right << 1) + LEAF_BEFORE] = leaf
  words[(right << 1) + LEAF_AFTER] = after
  words[(leaf << 1) + LEAF_AFTER] = right
  if (after !== 0) words[(after << 1) + LEAF_BEFORE] = right
  else words[header + TREE_LAST_LEAF] = right
  return right
}

/** Enters a new right half into the parents of the path, splitting those that are full. */
function linkChild(arena: Arena, tree: Ref, leaf: Ref, newLeaf: Ref): void {
  const words = arena.words
  const header = tree << 1
  const keyWords = words[header + TREE_SHAPE] & 0xff
  const stride = keyWords + 1 + CHILD_WORDS
  const height = words[header + TREE_HEIGHT]
  let left = leaf
  let right = newLeaf
  let leftItems = words[leaf << 1]
  let rightItems = words[newLeaf << 1]
  for (let level = height - 1; level >= 0; level--) {
    const node = pathNodes[level]
    const index = pathIndexes[level]
    const record = (node << 1) + NODE_HEADER_WORDS + index * stride
    words[record + keyWords + 2] = leftItems
    let target = node
    let at = index + 1
    let newNode = 0
    const count = words[node << 1]
    if (count === words[(node << 1) + NODE_ROOM]) {
      newNode = useSpareNode(arena, stride)
      const keep = at === count ? count : count >> 1
      moveTail(words, node, newNode, keep, stride)
      if (at > keep || at === count) {
        target = newNode
        at -= keep
      }
    }
    openGap(words, target, at, stride)
    writeChild(words, target, at, keyWords, right, rightItems)
    if (newNode === 0) return
    left = node
    right = newNode
    leftItems = sumItems(words, node, keyWords)
    rightItems = sumItems(words, newNode, keyWords)
  }
  const root = useSpareNode(arena, stride)
  words[root << 1] = 2
  writeChild(words, root, 0, keyWords, left, leftItems)
  writeChild(words, root, 1, keyWords, right, rightItems)
  words[header + TREE_ROOT] = root
  words[header + TREE_HEIGHT] = height + 1
}

function writeChild(
  words: Int32Array,
  node: Ref,
  index: number,
  keyWords: number,
  child: Ref,
  items: number,
): void {
  const record = (node << 1) + NODE_HEADER_WORDS + index * (keyWords + 1 + CHILD_WORDS)
  const first = (child << 1) + NODE_HEADER_WORDS
  for (let word = 0; word <= keyWords; word++) words[record + word] = words[first + word]
  words[record + keyWords + 1] = child
  words[record + keyWords + 2] = items
}

function sumItems(words: Int32Array, node: Ref, keyWords: number): number {
  const stride = keyWords + 1 + CHILD_WORDS
  let sum = 0
  let record = (node << 1) + NODE_HEADER_WORDS + keyWords + 2
  for (let left = words[node << 1]; left > 0; left--) {
    sum += words[record]
    record += stride
  }
  return sum
}

/** Frees the path's node at this level, which is empty, and takes it out of its parent. */
function removeNode(arena: Arena, tree: Ref, level: number): void {
  freeNode(arena, tree, pathNodes[level])
  removeChild(arena, tree, level - 1, pathIndexes[level - 1])
}

/** Takes a child out of the path's node at this level. */
function removeChild(arena: Arena, tree: Ref, level: number, index: number): void {
  const words = arena.words
  const node = pathNodes[level]
  const keyWords = words[(tree << 1) + TREE_SHAPE] & 0xff
  closeGap(words, node, index, 1, keyWords + 1 + CHILD_WORDS)
  if (level === 0) return
  if (words[node << 1] === 0) {
    removeNode(arena, tree, level)
    return
  }
  if (index === 0) copyFirstUp(arena, tree, level)
  balance(arena, tree, level)
}

/** Merges the path's node with a neighbour or borrows from it, if it has too few records. */
function balance(arena: Arena, tree: Ref, level: number): void {
  const words = arena.words
  const node = pathNodes[level]
  const room = words[(node << 1) + NODE_ROOM]
  if (level === 0 || words[node << 1] * 3 >= room) return
  const header = tree << 1
  const keyWords = words[header + TREE_SHAPE] & 0xff
  const isLeaf = level === words[header + TREE_HEIGHT]
  const stride = isLeaf ? keyWords + 1 : keyWords + 1 + CHILD_WORDS
  const childStride = keyWords + 1 + CHILD_WORDS
  const parent = pathNodes[level - 1]
  const index = pathIndexes[level - 1]
  const hasRight = index + 1 < words[parent << 1]
  if (!hasRight && index === 0) return
  const leftIndex = hasRight ? index : index - 1
  const leftRecord = (parent << 1) + NODE_HEADER_WORDS + leftIndex * childStride
  const rightRecord = leftRecord + childStride
  const left = words[leftRecord + keyWords + 1]
  const right = words[rightRecord + keyWords + 1]
  const leftCount = words[left << 1]
  const rightCount = words[right << 1]
  if (leftCount + rightCount <= room) {
    moveHead(words, right, left, rightCount, stride)
    words[leftRecord + keyWords + 2] += words[rightRecord + keyWords + 2]
    if (isLeaf) unlinkLeaf(arena, tree, right)
    freeNode(arena, tree, right)
    removeChild(arena, tree, level - 1, leftIndex + 1)
    return
  }
  const evenCount = (leftCount + rightCount) >> 1
  const before = isLeaf ? leftCount : sumItems(words, left, keyWords)
  if (leftCount < evenCount) moveHead(words, right, left, evenCount - leftCount, stride)
  else moveTail(words, left, right, evenCount, stride)
  const moved = (isLeaf ? words[left << 1] : sumItems(words, left, keyWords)) - before
  words[leftRecord + keyWords + 2] += moved
  words[rightRecord + keyWords + 2] -= moved
  const first = (right << 1) + NODE_HEADER_WORDS
  for (let word = 0; word <= keyWords; word++) words[rightRecord + word] = words[first + word]
}

function unlinkLeaf(arena: Arena, tree: Ref, leaf: Ref): void {
  const words = arena.words
  const header = tree << 1
  const before = words[(leaf << 1) + LEAF_BEFORE]
  const after = words[(leaf << 1) + LEAF_AFTER]
  if (before !== 0) words[(before << 1) + LEAF_AFTER] = after
  else words[header + TREE_FIRST_LEAF] = after
  if (after !== 0) words[(after << 1) + LEAF_BEFORE] = before
  else words[header + TREE_LAST_LEAF] = before
}

/** A root with a single child gives way to it. */
function lowerRoot(arena: Arena, tree: Ref): void {
  const words = arena.words
  const header = tree << 1
  const keyWords = words[header + TREE_SHAPE] & 0xff
  while (words[header + TREE_HEIGHT] > 0) {
    const root = words[header + TREE_ROOT]
    if (words[root << 1] > 1) return
    words[header + TREE_ROOT] = words[(root << 1) + NODE_HEADER_WORDS + keyWords + 1]
    words[header + TREE_HEIGHT]--
    freeNode(arena, tree, root)
  }
}

function freeNode(arena: Arena, tree: Ref, node: Ref): void {
  arena.words[(tree << 1) + TREE_NODE_BYTES] -= arena.blockSizeBytes(node)
  arena.free(node)
}

/** Makes room for one record before `index`. */
function openGap(words: Int32Array, node: Ref, index: number, stride: number): void {
  const count = words[node << 1]
  const from = (node << 1) + NODE_HEADER_WORDS + index * stride
  const end = (node << 1) + NODE_HEADER_WORDS + count * stride
  if (end - from <= WORD_LOOP_MAX) {
    for (let word = end - 1; word >= from; word--) words[word + stride] = words[word]
  } else {
    words.copyWithin(from + stride, from, end)
  }
  words[node << 1] = count + 1
}

/** Takes out `gap` records from `index` on. */
function closeGap(words: Int32Array, node: Ref, index: number, gap: number, stride: number): void {
  const count = words[node << 1]
  const to = (node << 1) + NODE_HEADER_WORDS + index * stride
  const end = (node << 1) + NODE_HEADER_WORDS + count * stride
  words.copyWithin(to, to + gap * stride, end)
  words[node << 1] = count - gap
}

/** Moves the records from `keep` on to the front of the node to the right. */
function moveTail(words: Int32Array, left: Ref, right: Ref, keep: number, stride: number): void {
  const count = words[left << 1] - keep
  const to = (right << 1) + NODE_HEADER_WORDS
  const from = (left << 1) + NODE_HEADER_WORDS + keep * stride
  words.copyWithin(to + count * stride, to, to + words[right << 1] * stride)
  words.copyWithin(to, from, from + count * stride)
  words[left << 1] = keep
  words[right << 1] += count
}

/** Moves the first `count` records to the end of the node to the left. */
function moveHead(words: Int32Array, right: Ref, left: Ref, count: number, stride: number): void {
  const leftCount = words[left << 1]
  const to = (left << 1) + NODE_HEADER_WORDS + leftCount * stride
  const from = (right << 1) + NODE_HEADER_WORDS
  words.copyWithin(to, from, from + count * stride)
  words[left << 1] = leftCount + count
  closeGap(words, right, 0, count, stride)
}
