/**
 * A large sorted set ("skiplist" to clients): a byte map from members to entries, and a byte tree of
 * the entries in the order of their scores, then of their members. An entry holds its score as a
 * double whose low word is the entry's header and whose high word is its payload. The tree's key is
 * the score as well, in an order-preserving form that knows no -0: hence the copy in the entry.
 *
 * Thread: core. Hot path.
 * Owns: the entries, the map and the tree.
 * Never: lets map and tree disagree, also when memory runs out.
 */
import { hashWords } from '../../../lib/hash.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteMapCreate,
  byteMapFind,
  byteMapForEach,
  byteMapFree,
  byteMapInsert,
  byteMapRemove,
} from '../../../memory/byte-map.ts'
import {
  byteTreeAt,
  byteTreeCount,
  byteTreeCountBelow,
  byteTreeCountBelowEntryKey,
  byteTreeCountUpTo,
  byteTreeCreate,
  byteTreeFirst,
  byteTreeFree,
  byteTreeInsert,
  byteTreeItemKey,
  byteTreeItemValue,
  byteTreeLast,
  byteTreeNext,
  byteTreeRank,
  byteTreeRemove,
  byteTreeRemoveRange,
  doubleToKeyHi,
  doubleToKeyLo,
  TIE_BY_ENTRY_KEY,
  TreePosition,
} from '../../../memory/byte-tree.ts'
import { compareBytes } from '../../../memory/copy.ts'
import {
  ENTRY_KEY_LENGTH_MASK,
  entryCreateAligned,
  entryKeyLength,
  entryKeyOffset,
} from '../../../memory/entry.ts'

/** Sets of so many members are walked where a search may find anything. */
const WALKED_MAX = 128
/** The payload: the score's high word. */
const PAYLOAD_SIZE = 4

const score = new Float64Array(1)
const scoreWords = new Int32Array(score.buffer)
const position = new TreePosition()
const lastPosition = new TreePosition()

/** The score that an entry holds. */
export function entryScore(arena: Arena, entry: Ref): number {
  const words = arena.words
  const word = entry << 1
  scoreWords[0] = words[word]
  scoreWords[1] = words[word + 2 + (((words[word + 1] & ENTRY_KEY_LENGTH_MASK) + 3) >> 2)]
  return score[0]
}

function setEntryScore(arena: Arena, entry: Ref, value: number): void {
  const words = arena.words
  const word = entry << 1
  score[0] = value
  words[word] = scoreWords[0]
  words[word + 2 + (((words[word + 1] & ENTRY_KEY_LENGTH_MASK) + 3) >> 2)] = scoreWords[1]
}

/** An empty tree for entries. Throws: ARENA_FULL. */
export function scoreTreeCreate(arena: Arena): Ref {
  return byteTreeCreate(arena, 2, TIE_BY_ENTRY_KEY)
}

/** The entry of a member, 0 when there is none. `offset` is a multiple of 4. */
export function treeFind(
  arena: Arena,
  map: Ref,
  words: Int32Array,
  offset: number,
  length: number,
): Ref {
  const hash = hashWords(words, offset >> 2, length, arena.hashSeed)
  return byteMapFind(arena, map, hash, words, offset, length)
}

/** Adds a member that is not there. Throws: ARENA_FULL, with nothing changed. */
export function treeAdd(
  arena: Arena,
  map: Ref,
  tree: Ref,
  words: Int32Array,
  offset: number,
  length: number,
  value: number,
): void {
  const entry = entryCreateAligned(arena, words, offset, length, PAYLOAD_SIZE)
  setEntryScore(arena, entry, value)
  const high = doubleToKeyHi(value)
  const low = doubleToKeyLo(value)
  let ordered = false
  let done = false
  try {
    byteTreeInsert(arena, tree, entry, high, low)
    ordered = true
    byteMapInsert(arena, map, hashWords(words, offset >> 2, length, arena.hashSeed), entry)
    done = true
  } finally {
    if (!done) {
      if (ordered) byteTreeRemove(arena, tree, entry, high, low)
      arena.free(entry)
    }
  }
}

/** Adds a member to the map alone: whoever builds a set makes its tree last. */
export function mapAdd(
  arena: Arena,
  map: Ref,
  words: Int32Array,
  offset: number,
  length: number,
  value: number,
): void {
  const entry = entryCreateAligned(arena, words, offset, length, PAYLOAD_SIZE)
  setEntryScore(arena, entry, value)
  let done = false
  try {
    byteMapInsert(arena, map, hashWords(words, offset >> 2, length, arena.hashSeed), entry)
    done = true
  } finally {
    if (!done) arena.free(entry)
  }
}

/** Changes the score of an entry that is in a map alone. */
export function mapSetScore(arena: Arena, entry: Ref, value: number): void {
  setEntryScore(arena, entry, value)
}

/** A tree of all entries of a map. Throws: ARENA_FULL, having freed the tree. */
// alloc: once for a whole set
export function treeOfMap(arena: Arena, map: Ref): Ref {
  const tree = scoreTreeCreate(arena)
  let done = false
  try {
    byteMapForEach(arena, map, (entry) => {
      const value = entryScore(arena, entry)
      byteTreeInsert(arena, tree, entry, doubleToKeyHi(value), doubleToKeyLo(value))
    })
    done = true
  } finally {
    if (!done) byteTreeFree(arena, tree)
  }
  return tree
}

/** Gives an entry another score. Throws: ARENA_FULL, with nothing changed. */
export function treeSetScore(arena: Arena, tree: Ref, entry: Ref, value: number): void {
  const before = entryScore(arena, entry)
  if (before === value) {
    setEntryScore(arena, entry, value)
    return
  }
  byteTreeInsert(arena, tree, entry, doubleToKeyHi(value), doubleToKeyLo(value))
  byteTreeRemove(arena, tree, entry, doubleToKeyHi(before), doubleToKeyLo(before))
  setEntryScore(arena, entry, value)
}

/** Takes a member out. False when it is not there. */
export function treeRemove(
  arena: Arena,
  map: Ref,
  tree: Ref,
  words: Int32Array,
  offset: number,
  length: number,
): boolean {
  const hash = hashWords(words, offset >> 2, length, arena.hashSeed)
  const entry = byteMapFind(arena, map, hash, words, offset, length)
  if (entry === 0) return false
  const value = entryScore(arena, entry)
  byteMapRemove(arena, map, hash, entry)
  byteTreeRemove(arena, tree, entry, doubleToKeyHi(value), doubleToKeyLo(value))
  arena.free(entry)
  return true
}

let removalArena: Arena | undefined
let removalMap = 0

/** The tree compares nothing while it removes by rank: entries may go at once. */
function dropEntry(entry: Ref): void {
  const arena = removalArena as Arena
  const length = entryKeyLength(arena, entry)
  const hash = hashWords(arena.words, entryKeyOffset(entry) >> 2, length, arena.hashSeed)
  byteMapRemove(arena, removalMap, hash, entry)
  arena.free(entry)
}

/** Takes `count` members out, from a rank on. */
export function treeRemoveRange(
  arena: Arena,
  map: Ref,
  tree: Ref,
  rank: number,
  count: number,
): void {
  removalArena = arena
  removalMap = map
  byteTreeRemoveRange(arena, tree, rank, count, dropEntry)
}

/** The rank of an entry, from 0, the lowest score first. */
export function treeRank(arena: Arena, tree: Ref, entry: Ref): number {
  const value = entryScore(arena, entry)
  return byteTreeRank(arena, tree, entry, doubleToKeyHi(value), doubleToKeyLo(value))
}

/** How many members have a score below this one. */
export function treeCountBelow(arena: Arena, tree: Ref, value: number): number {
  return byteTreeCountBelow(arena, tree, doubleToKeyHi(value), doubleToKeyLo(value))
}

/** How many members have this score or one below. */
export function treeCountUpTo(arena: Arena, tree: Ref, value: number): number {
  return byteTreeCountUpTo(arena, tree, doubleToKeyHi(value), doubleToKeyLo(value))
}

/**
 * How many members come before these bytes, or with `inclusive` up to them, in a set whose scores
 * are all the same. If they are not, members have no order to be found by, here as in Redis.
 */
export function treeLexRank(
  arena: Arena,
  tree: Ref,
  bytes: Buffer,
  offset: number,
  length: number,
  inclusive: boolean,
): number {
  if (!byteTreeFirst(arena, tree, position)) return 0
  byteTreeLast(arena, tree, lastPosition)
  const high = byteTreeItemKey(arena, tree, position, 0)
  const low = byteTreeItemKey(arena, tree, position, 1)
  const same =
    high === byteTreeItemKey(arena, tree, lastPosition, 0) &&
    low === byteTreeItemKey(arena, tree, lastPosition, 1)
  if (!same) return searchLexRank(arena, tree, bytes, offset, length, inclusive)
  const rank = byteTreeCountBelowEntryKey(arena, tree, high, low, bytes, offset, length)
  if (!inclusive || !byteTreeAt(arena, tree, position, rank)) return rank
  return compareAt(arena, tree, bytes, offset, length) === 0 ? rank + 1 : rank
}

/** The order of the first or the last member, which is there, and these bytes. */
export function treeCompareEnd(
  arena: Arena,
  tree: Ref,
  last: boolean,
  bytes: Buffer,
  offset: number,
  length: number,
): number {
  if (last) byteTreeLast(arena, tree, position)
  else byteTreeFirst(arena, tree, position)
  return compareAt(arena, tree, bytes, offset, length)
}

/**
 * As `treeLexRank`, among different scores. Redis goes from member to member there, but for those
 * that the levels of its skip list let it pass over; so a small set is walked from its start.
 */
function searchLexRank(
  arena: Arena,
  tree: Ref,
  bytes: Buffer,
  offset: number,
  length: number,
  inclusive: boolean,
): number {
  const bias = inclusive ? 1 : 0
  let low = 0
  let high = byteTreeCount(arena, tree)
  const walks = high <= WALKED_MAX
  while (low < high) {
    const middle = walks ? low : (low + high) >>> 1
    byteTreeAt(arena, tree, position, middle)
    if (compareAt(arena, tree, bytes, offset, length) < bias) low = middle + 1
    else high = middle
  }
  return low
}

/** The order of the member at `position` and these bytes. */
function compareAt(arena: Arena, tree: Ref, bytes: Buffer, offset: number, length: number): number {
  const entry = byteTreeItemValue(arena, tree, position)
  const size = entryKeyLength(arena, entry)
  return compareBytes(arena.bytes, entryKeyOffset(entry), size, bytes, offset, length)
}

/** Frees map and tree (0: there is none yet) with their entries. */
// alloc: once for a whole set
export function treeFree(arena: Arena, map: Ref, tree: Ref): void {
  if (tree !== 0) byteTreeFree(arena, tree)
  byteMapForEach(arena, map, (entry) => {
    arena.free(entry)
  })
  byteMapFree(arena, map)
}

/** A copy of a map and its tree: the map is the answer, the tree is `copiedTree`. Throws: ARENA_FULL. */
export function treeCopy(arena: Arena, tree: Ref, toArena: Arena): Ref {
  const map = byteMapCreate(toArena)
  let copy = 0
  let done = false
  try {
    copy = scoreTreeCreate(toArena)
    const at = new TreePosition() // alloc: once for a whole set
    for (let more = byteTreeFirst(arena, tree, at); more; more = byteTreeNext(arena, at)) {
      const entry = byteTreeItemValue(arena, tree, at)
      const offset = entryKeyOffset(entry)
      const length = entryKeyLength(arena, entry)
      treeAdd(toArena, map, copy, arena.words, offset, length, entryScore(arena, entry))
    }
    done = true
  } finally {
    if (!done) treeFree(toArena, map, copy)
  }
  copiedTreeRef = copy
  return map
}

let copiedTreeRef = 0

/** The tree that belongs to the map that `treeCopy` gave last. */
export function copiedTree(): Ref {
  return copiedTreeRef
}
