/**
 * Nodes of the byte tree: their layout, the order of items, and the way down.
 *
 *   tree      word 0 root        1 height (0: the root is a leaf)   2 item count
 *                  3 key words | tie << 8                           4 bytes of nodes
 *                  5 first leaf  6 last leaf
 *   node      word 0 record count   1 room, in records   2 leaf before   3 leaf after; then records
 *   leaf      record: key words, value
 *   inner     record: key words and value of the child's first item; child ref; items below it
 *
 * Leaf and inner records start alike, so one search serves both. Key words are stored with the top
 * bit flipped, so that signed comparison gives the unsigned order. An inner record always copies an
 * item that is in the tree, never one that was removed: items may name entries, which must be alive
 * to be compared.
 *
 * Thread: core. Hot path.
 * Owns: the probe (the item searched for) and the path, both valid until the next descent.
 * Never: changes a node.
 */

import type { Arena, Ref } from './arena.ts'
import { compareBytes } from './copy.ts'
import { ENTRY_KEY_LENGTH_MASK, ENTRY_KEY_OFFSET } from './entry.ts'

export const TREE_ROOT = 0
export const TREE_HEIGHT = 1
export const TREE_COUNT = 2
export const TREE_SHAPE = 3
export const TREE_NODE_BYTES = 4
export const TREE_FIRST_LEAF = 5
export const TREE_LAST_LEAF = 6

export const NODE_COUNT = 0
export const NODE_ROOM = 1
export const LEAF_BEFORE = 2
export const LEAF_AFTER = 3
/** Words of a node before its records. */
export const NODE_HEADER_WORDS = 4
/** Words of an inner record behind the item: child ref and items below. */
export const CHILD_WORDS = 2

/** No two items have the same key. */
export const TIE_UNIQUE = 0
/** Items of the same key are in the order of their values, unsigned. */
export const TIE_BY_VALUE = 1
/** Values are entry refs; items of the same key are in the order of the entries' keys. */
export const TIE_BY_ENTRY_KEY = 2

/** Where the probe lies among items of its key: before all, after all, or as its tie says. */
export const PROBE_BEFORE = 0
export const PROBE_AFTER = 1
export const PROBE_ITEM = 2
/** As an entry with the key in `probe.keyBytes` would. */
export const PROBE_ENTRY_KEY = 3

export const SIGN = 0x80000000 | 0
const PATH_MAX = 16

class Probe {
  k0 = 0
  k1 = 0
  k2 = 0
  k3 = 0
  value = 0
  kind = PROBE_ITEM
  keyBytes: Buffer = Buffer.alloc(0)
  keyOffset = 0
  keyLength = 0
}

/** What the next descent looks for; key words with the top bit flipped. */
export const probe = new Probe()

/** The last descent: node of each level, from the root to the leaf. */
export const pathNodes = new Int32Array(PATH_MAX)
/** The index of the record taken in each node; in the leaf, that of the first item not below. */
export const pathIndexes = new Int32Array(PATH_MAX)

export function setProbe(
  k0: number,
  k1: number,
  k2: number,
  k3: number,
  value: number,
  kind: number,
): void {
  probe.k0 = k0 ^ SIGN
  probe.k1 = k1 ^ SIGN
  probe.k2 = k2 ^ SIGN
  probe.k3 = k3 ^ SIGN
  probe.value = value | 0
  probe.kind = kind
}

/** Goes from the root to the leaf where the probe belongs, and leaves the path. */
export function descend(arena: Arena, tree: Ref): void {
  const words = arena.words
  const header = tree << 1
  const height = words[header + TREE_HEIGHT]
  const shape = words[header + TREE_SHAPE]
  const keyWords = shape & 0xff
  const stride = keyWords + 1 + CHILD_WORDS
  let node = words[header + TREE_ROOT]
  for (let level = 0; level < height; level++) {
    const below = countUpTo(arena, words, node, stride, shape, 1) - 1
    const index = Math.max(below, 0)
    pathNodes[level] = node
    pathIndexes[level] = index
    node = words[(node << 1) + NODE_HEADER_WORDS + index * stride + keyWords + 1]
  }
  pathNodes[height] = node
  pathIndexes[height] = countUpTo(arena, words, node, keyWords + 1, shape, 0)
}

/** Goes to the item of this rank, which exists, and leaves the path. */
export function descendToRank(arena: Arena, tree: Ref, rank: number): void {
  const words = arena.words
  const header = tree << 1
  const height = words[header + TREE_HEIGHT]
  const keyWords = words[header + TREE_SHAPE] & 0xff
  const stride = keyWords + 1 + CHILD_WORDS
  let node = words[header + TREE_ROOT]
  let left = rank
  for (let level = 0; level < height; level++) {
    let record = (node << 1) + NODE_HEADER_WORDS + keyWords + 1
    let index = 0
    while (left >= words[record + 1]) {
      left -= words[record + 1]
      record += stride
      index++
    }
    pathNodes[level] = node
    pathIndexes[level] = index
    node = words[record]
  }
  pathNodes[height] = node
  pathIndexes[height] = left
}

/** How many items of the tree come before the place the path leads to. */
export function pathRank(arena: Arena, tree: Ref): number {
  const words = arena.words
  const header = tree << 1
  const height = words[header + TREE_HEIGHT]
  const keyWords = words[header + TREE_SHAPE] & 0xff
  const stride = keyWords + 1 + CHILD_WORDS
  let rank = pathIndexes[height]
  for (let level = 0; level < height; level++) {
    let record = (pathNodes[level] << 1) + NODE_HEADER_WORDS + keyWords + 2
    for (let index = pathIndexes[level]; index > 0; index--) {
      rank += words[record]
      record += stride
    }
  }
  return rank
}

/** Whether the path leads to an item that equals the probe. */
export function pathIsAtProbe(arena: Arena, tree: Ref): boolean {
  const words = arena.words
  const header = tree << 1
  const shape = words[header + TREE_SHAPE]
  const height = words[header + TREE_HEIGHT]
  const leaf = pathNodes[height]
  const index = pathIndexes[height]
  if (index >= words[leaf << 1]) return false
  const item = (leaf << 1) + NODE_HEADER_WORDS + index * ((shape & 0xff) + 1)
  return compareToProbe(arena, words, item, shape) === 0
}

/** The number of records of a node that are below the probe, or with `bias` 1 not above it. */
function countUpTo(
  arena: Arena,
  words: Int32Array,
  node: Ref,
  stride: number,
  shape: number,
  bias: number,
): number {
  const records = (node << 1) + NODE_HEADER_WORDS
  const k0 = probe.k0
  const k1 = probe.k1
  let low = 0
  let high = words[node << 1]
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = records + middle * stride
    // Two words settle nearly all comparisons.
    const a = words[item]
    const b = words[item + 1]
    let order: number
    if (a !== k0) order = a < k0 ? -1 : 1
    else if (b !== k1) order = b < k1 ? -1 : 1
    else order = compareRest(arena, words, item, shape)
    if (order < bias) low = middle + 1
    else high = middle
  }
  return low
}

function compareToProbe(arena: Arena, words: Int32Array, item: number, shape: number): number {
  if (words[item] !== probe.k0) return words[item] < probe.k0 ? -1 : 1
  if (words[item + 1] !== probe.k1) return words[item + 1] < probe.k1 ? -1 : 1
  return compareRest(arena, words, item, shape)
}

/** The order of an item and the probe whose first two key words are the same. */
function compareRest(arena: Arena, words: Int32Array, item: number, shape: number): number {
  const keyWords = shape & 0xff
  if (keyWords === 4) {
    if (words[item + 2] !== probe.k2) return words[item + 2] < probe.k2 ? -1 : 1
    if (words[item + 3] !== probe.k3) return words[item + 3] < probe.k3 ? -1 : 1
  }
  const kind = probe.kind
  if (kind === PROBE_BEFORE) return 1
  if (kind === PROBE_AFTER) return -1
  const tie = shape >> 8
  if (tie === TIE_UNIQUE) return 0
  const value = words[item + keyWords]
  if (kind === PROBE_ENTRY_KEY) {
    const length = words[(value << 1) + 1] & ENTRY_KEY_LENGTH_MASK
    const offset = (value << 3) + ENTRY_KEY_OFFSET
    const { keyBytes, keyOffset, keyLength } = probe
    return compareBytes(arena.bytes, offset, length, keyBytes, keyOffset, keyLength)
  }
  if (value === probe.value) return 0
  if (tie === TIE_BY_VALUE) return (value ^ SIGN) < (probe.value ^ SIGN) ? -1 : 1
  return compareEntryKeys(arena, value, probe.value)
}

function compareEntryKeys(arena: Arena, a: Ref, b: Ref): number {
  const words = arena.words
  const bytes = arena.bytes
  return compareBytes(
    bytes,
    (a << 3) + ENTRY_KEY_OFFSET,
    words[(a << 1) + 1] & ENTRY_KEY_LENGTH_MASK,
    bytes,
    (b << 3) + ENTRY_KEY_OFFSET,
    words[(b << 1) + 1] & ENTRY_KEY_LENGTH_MASK,
  )
}
