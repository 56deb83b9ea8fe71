/**
 * The stream: a byte tree of nodes by the id of their first entry, and what is known of the whole.
 *
 *     word 0   the tree of nodes       1   the tree of groups, 0 for none
 *          2   live entries            3, 16   entries ever added: low and high word
 *          4   last id                 8   first live id      12   highest id that was deleted
 *
 * This header is a block of its own; the key's entry refers to it, and it never moves.
 *
 * Thread: core. Hot path.
 * Owns: the header, the tree of nodes, adding entries.
 * Never: keeps a node without a live entry; changes anything when it throws ARENA_FULL.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteTreeCreate,
  byteTreeFirst,
  byteTreeFree,
  byteTreeInsert,
  byteTreeItemValue,
  byteTreeLast,
  byteTreeNext,
  byteTreePrevious,
  byteTreeReplaceValue,
  byteTreeSeekAfter,
  TIE_UNIQUE,
  TreePosition,
} from '../../../memory/byte-tree.ts'
import { listpackSizeBytes } from '../../../memory/listpack.ts'
import { listpackFit } from '../../../memory/listpack-cut.ts'
import type { Args } from '../../engine/args.ts'
import { entryValueWord } from '../../keyspace/entry.ts'
import { groupsFree } from './consumer-group.ts'
import { ID_WORDS, loadKey, StreamId } from './id.ts'
import { nodeAppend, nodeCreate, nodeEntryCount, pairsSize } from './node.ts'

/** OBJECT ENCODING knows one. */
export const STREAM_ENCODING = 0
export const STREAM_VALUE_SIZE = 4

const HEADER_SIZE = 68
const WORD_NODES = 0
const WORD_GROUPS = 1
const WORD_LENGTH = 2
const WORD_ADDED_LOW = 3
const WORD_ADDED_HIGH = 16
/** For `streamLoadId` and `streamStoreId`: which id of the stream. */
export const LAST_ID = 4
export const FIRST_ID = 8
export const MAX_DELETED_ID = 12

/** Redis's bound for a node and for an entry. */
export const NODE_BYTES_MAX = 1 << 30
/** A new node begins with room for as much as the one before took, up to this. */
const NODE_ROOM_MAX = 4096

const tail = new TreePosition()
const tailKey = new StreamId()

/** When a node is full: the directives `stream-node-max-…`; 0: no limit. */
export interface NodeLimits {
  readonly nodeBytes: number
  readonly nodeEntries: number
}

/** A new, empty stream. Throws: ARENA_FULL. */
export function streamCreate(arena: Arena): Ref {
  const stream = arena.allocateZeroed(HEADER_SIZE)
  let nodes = 0
  try {
    nodes = byteTreeCreate(arena, ID_WORDS, TIE_UNIQUE)
  } finally {
    if (nodes === 0) arena.free(stream)
  }
  arena.words[(stream << 1) + WORD_NODES] = nodes
  return stream
}

/** Frees all of a stream but the key's entry. */
export function streamFree(arena: Arena, stream: Ref): void {
  const nodes = streamNodes(arena, stream)
  let more = byteTreeFirst(arena, nodes, tail)
  while (more) {
    arena.free(byteTreeItemValue(arena, nodes, tail))
    more = byteTreeNext(arena, tail)
  }
  byteTreeFree(arena, nodes)
  groupsFree(arena, streamGroups(arena, stream))
  arena.free(stream)
}

/** The stream that the entry of a key refers to. */
export function streamOf(arena: Arena, entry: Ref): Ref {
  return arena.words[entryValueWord(arena, entry)]
}

/** The byte tree of listpacks by the id of their first entry. */
export function streamNodes(arena: Arena, stream: Ref): Ref {
  return arena.words[(stream << 1) + WORD_NODES]
}

/** The byte tree of groups, 0 when there has been none. */
export function streamGroups(arena: Arena, stream: Ref): Ref {
  return arena.words[(stream << 1) + WORD_GROUPS]
}

export function setStreamGroups(arena: Arena, stream: Ref, groups: Ref): void {
  arena.words[(stream << 1) + WORD_GROUPS] = groups
}

/** Live entries. */
export function streamLength(arena: Arena, stream: Ref): number {
  return arena.words[(stream << 1) + WORD_LENGTH]
}

export function setStreamLength(arena: Arena, stream: Ref, length: number): void {
  arena.words[(stream << 1) + WORD_LENGTH] = length
}

/** Entries ever added: the upper word of the 64-bit number. */
export function streamAddedHigh(arena: Arena, stream: Ref): number {
  return arena.words[(stream << 1) + WORD_ADDED_HIGH]
}

export function streamAddedLow(arena: Arena, stream: Ref): number {
  return arena.words[(stream << 1) + WORD_ADDED_LOW]
}

export function setStreamAdded(arena: Arena, stream: Ref, high: number, low: number): void {
  arena.words[(stream << 1) + WORD_ADDED_HIGH] = high
  arena.words[(stream << 1) + WORD_ADDED_LOW] = low
}

/** `which`: LAST_ID, FIRST_ID or MAX_DELETED_ID. */
export function streamLoadId(arena: Arena, stream: Ref, which: number, id: StreamId): void {
  id.load(arena.words, (stream << 1) + which)
}

export function streamStoreId(arena: Arena, stream: Ref, which: number, id: StreamId): void {
  id.store(arena.words, (stream << 1) + which)
}

/**
 * Adds an entry, whose id lies after the last one. Pairs begin at argument `first`. Throws:
 * ARENA_FULL.
 */
export function streamAppend(
  arena: Arena,
  stream: Ref,
  id: StreamId,
  args: Args,
  first: number,
  pairCount: number,
  limits: NodeLimits,
): void {
  const nodes = streamNodes(arena, stream)
  const pack = byteTreeLast(arena, nodes, tail) ? byteTreeItemValue(arena, nodes, tail) : 0
  if (pack === 0 || isFull(arena, pack, pairsSize(args, first, pairCount), limits)) {
    addNode(arena, nodes, pack, id, args, first, pairCount)
  } else {
    loadKey(arena, nodes, tail, tailKey)
    const grown = nodeAppend(arena, pack, tailKey, id, args, first, pairCount)
    if (grown !== pack) setPack(arena, nodes, tailKey, pack, grown)
  }
  const word = stream << 1
  const words = arena.words
  const length = words[word + WORD_LENGTH] + 1
  words[word + WORD_LENGTH] = length
  const added = (words[word + WORD_ADDED_LOW] + 1) | 0
  words[word + WORD_ADDED_LOW] = added
  if (added === 0) words[word + WORD_ADDED_HIGH]++
  id.store(words, word + LAST_ID)
  if (length === 1) id.store(words, word + FIRST_ID)
}

function isFull(arena: Arena, pack: Ref, addedBytes: number, limits: NodeLimits): boolean {
  const { nodeBytes, nodeEntries } = limits
  const bytesMax = nodeBytes === 0 || nodeBytes > NODE_BYTES_MAX ? NODE_BYTES_MAX : nodeBytes
  if (listpackSizeBytes(arena, pack) + addedBytes >= bytesMax) return true
  return nodeEntries !== 0 && nodeEntryCount(arena, pack) >= nodeEntries
}

/** Adds a node behind the last one (0: to none), which then gives back the room it has left. */
function addNode(
  arena: Arena,
  nodes: Ref,
  last: Ref,
  id: StreamId,
  args: Args,
  first: number,
  pairCount: number,
): void {
  const room = last === 0 ? 0 : Math.min(listpackSizeBytes(arena, last), NODE_ROOM_MAX)
  const pack = nodeCreate(arena, room, args, first, pairCount)
  if (last !== 0) loadKey(arena, nodes, tail, tailKey)
  let done = false
  try {
    insertPack(arena, nodes, id, pack)
    done = true
  } finally {
    if (!done) arena.free(pack)
  }
  if (last === 0) return
  const fitted = listpackFit(arena, last)
  if (fitted !== last) setPack(arena, nodes, tailKey, last, fitted)
}

/** Adds a listpack whose key is not in the tree. False: it is. Throws: ARENA_FULL. */
export function insertPack(arena: Arena, nodes: Ref, key: StreamId, pack: Ref): boolean {
  return byteTreeInsert(arena, nodes, pack, key.msHigh, key.msLow, key.seqHigh, key.seqLow)
}

/** Says that a node's listpack has moved. */
export function setPack(arena: Arena, nodes: Ref, key: StreamId, from: Ref, to: Ref): void {
  byteTreeReplaceValue(arena, nodes, from, to, key.msHigh, key.msLow, key.seqHigh, key.seqLow)
}

/** Goes to the last node that does not begin after `id`; false when all do. */
export function seekNode(arena: Arena, nodes: Ref, position: TreePosition, id: StreamId): boolean {
  if (byteTreeSeekAfter(arena, nodes, position, id.msHigh, id.msLow, id.seqHigh, id.seqLow)) {
    return byteTreePrevious(arena, position)
  }
  return byteTreeLast(arena, nodes, position)
}

/** The id of the first entry, live or not; false when there is none. */
export function streamFirstKey(arena: Arena, stream: Ref, key: StreamId): boolean {
  const nodes = streamNodes(arena, stream)
  if (!byteTreeFirst(arena, nodes, tail)) return false
  loadKey(arena, nodes, tail, key)
  return true
}
