/**
 * The nodes of a byte list: what is in each, and how they hang together.
 *
 *     header   first node | last node | elements | nodes | fill (16 bits), depth (16 bits)
 *     node     previous | next | block | elements (30 bits), plain (1 bit), compressed (1 bit)
 *
 * The block of a node is one of
 *
 *     packed       a listpack
 *     plain        a blob: one element, too large to share a pack
 *     compressed   size before | size of the LZF bytes | LZF bytes, of either of the others
 *
 * Reading a compressed node unpacks it into a scratch arena, so that reading never needs room in
 * the list's own. Changing one unpacks it for good first.
 *
 * Thread: core. Hot path.
 * Owns: the layout of nodes, when a node is full, which nodes are compressed.
 * Never: throws while compressing: a node that finds no room stays as it is.
 */
import { assert } from '../lib/assert.ts'
import { lzfCompress, lzfDecompress } from '../lib/lzf.ts'
import { ARENA_SIZE_BYTES, Arena, type Ref } from './arena.ts'
import { BLOB_HEADER_SIZE, blobBytesOffset, blobCreateUnfilled, blobLength } from './blob.ts'
import {
  LISTPACK_EMPTY_SIZE,
  listpackCount,
  listpackCreate,
  listpackEncodedSize,
  listpackInsert,
  listpackSizeBytes,
} from './listpack.ts'
import { listpackFit, listpackJoin, listpackSplit } from './listpack-cut.ts'

/** Words of the header. */
export const FIRST = 0
export const LAST = 1
export const COUNT = 2
export const NODES = 3
export const OPTIONS = 4
export const LIST_HEADER_SIZE = 20

/** Words of a node. */
export const PREVIOUS = 0
export const NEXT = 1
export const BLOCK = 2
export const SHAPE = 3
const NODE_SIZE = 16
const COUNT_MASK = 0x3fffffff
const PLAIN = 1 << 30
const COMPRESSED = 1 << 31

const FILL_MIN = -5
const FILL_MAX = 0x7fff
const DEPTH_MAX = 0xffff
/** By the negative of the fill: bytes of a pack, at most. */
const FILL_SIZES = [0, 4096, 8192, 16384, 32768, 65536]
/** A node limited by its number of elements is limited to so many bytes, too. */
const COUNTED_SIZE_MAX = 8192
/** What an element is estimated to take beside its bytes. */
const ELEMENT_OVERHEAD = 8

/** Smaller blocks are not worth compressing, nor is what saves less. */
const COMPRESS_SIZE_MIN = 48
const COMPRESS_GAIN_MIN = 8
const COMPRESSED_HEADER_SIZE = 8

const PLAIN_SIZE_DEFAULT = 1 << 30
const PLAIN_SIZE_MAX = 2 ** 32 - 2 ** 20
let plainSizeMin = PLAIN_SIZE_DEFAULT

const SCRATCH_SIZE = 16 * 1024 * 1024
let scratch = new Arena(SCRATCH_SIZE)
let lzfBytes = Buffer.alloc(0)

/**
 * Elements of so many bytes or more are nodes of their own from now on; 0: as in the beginning.
 * False when that is too much.
 */
export function setPlainSize(sizeBytes: number): boolean {
  if (sizeBytes > PLAIN_SIZE_MAX) return false
  plainSizeMin = sizeBytes === 0 ? PLAIN_SIZE_DEFAULT : sizeBytes
  return true
}

/** Whether an element is to be a node of its own. */
export function isLarge(length: number): boolean {
  return length >= plainSizeMin
}

/** The options word of the settings list-max-listpack-size and list-compress-depth. */
export function listOptions(fill: number, depth: number): number {
  const bounded = Math.max(FILL_MIN, Math.min(fill, FILL_MAX))
  return (bounded & 0xffff) | (Math.min(depth, DEPTH_MAX) << 16)
}

export function listFill(arena: Arena, list: Ref): number {
  return (arena.words[(list << 1) + OPTIONS] << 16) >> 16
}

export function listDepth(arena: Arena, list: Ref): number {
  return arena.words[(list << 1) + OPTIONS] >>> 16
}

export function nodeCount(arena: Arena, node: Ref): number {
  return arena.words[(node << 1) + SHAPE] & COUNT_MASK
}

export function nodeBlock(arena: Arena, node: Ref): Ref {
  return arena.words[(node << 1) + BLOCK]
}

export function nodeIsPlain(arena: Arena, node: Ref): boolean {
  return (arena.words[(node << 1) + SHAPE] & PLAIN) !== 0
}

export function nodeIsCompressed(arena: Arena, node: Ref): boolean {
  return arena.words[(node << 1) + SHAPE] < 0
}

/** Bytes of the listpack or the element, before compressing. */
export function nodeSizeBytes(arena: Arena, node: Ref): number {
  const block = arena.words[(node << 1) + BLOCK]
  // Of all three blocks the first word is just this.
  return arena.words[block << 1]
}

/** Byte offset of those bytes in the arena; of a compressed node, of its LZF bytes. */
export function nodeBytesOffset(arena: Arena, node: Ref): number {
  const block = arena.words[(node << 1) + BLOCK]
  const shape = arena.words[(node << 1) + SHAPE]
  if (shape < 0) return (block << 3) + COMPRESSED_HEADER_SIZE
  return (shape & PLAIN) !== 0 ? blobBytesOffset(block) : block << 3
}

/** Bytes of a compressed node's LZF. */
export function nodeCompressedSize(arena: Arena, node: Ref): number {
  return arena.words[(nodeBlock(arena, node) << 1) + 1]
}

/** Whether one more element may go into a node. */
export function hasRoom(arena: Arena, node: Ref, length: number, fill: number): boolean {
  if (node === 0 || length >= plainSizeMin) return false
  const shape = arena.words[(node << 1) + SHAPE]
  if ((shape & PLAIN) !== 0) return false
  const size = nodeSizeBytes(arena, node) + length + ELEMENT_OVERHEAD
  if (fill < 0) return size <= FILL_SIZES[-fill]
  return size <= COUNTED_SIZE_MAX && (shape & COUNT_MASK) < fill
}

/** Whether two neighbours may become one. */
function mayJoin(arena: Arena, a: Ref, b: Ref, fill: number): boolean {
  if (a === 0 || b === 0 || nodeIsPlain(arena, a) || nodeIsPlain(arena, b)) return false
  const size = nodeSizeBytes(arena, a) + nodeSizeBytes(arena, b) - LISTPACK_EMPTY_SIZE
  if (fill < 0) return size <= FILL_SIZES[-fill]
  return size <= COUNTED_SIZE_MAX && nodeCount(arena, a) + nodeCount(arena, b) <= fill
}

/** A node of one element, not linked yet. Throws: ARENA_FULL. */
export function makeNode(arena: Arena, bytes: Buffer, offset: number, length: number): Ref {
  if (length >= plainSizeMin) return makePlainNode(arena, bytes, offset, length)
  const node = arena.allocate(NODE_SIZE)
  let pack = 0
  try {
    const size = listpackEncodedSize(bytes, offset, length) + LISTPACK_EMPTY_SIZE
    pack = listpackInsert(arena, listpackCreate(arena, size), 0, bytes, offset, length)
  } finally {
    if (pack === 0) arena.free(node)
  }
  return fillNode(arena, node, pack, 1)
}

export function makePlainNode(arena: Arena, bytes: Buffer, offset: number, length: number): Ref {
  const node = arena.allocate(NODE_SIZE)
  let blob = 0
  try {
    blob = blobCreateUnfilled(arena, length)
  } finally {
    if (blob === 0) arena.free(node)
  }
  bytes.copy(arena.bytes, blobBytesOffset(blob), offset, offset + length)
  return fillNode(arena, node, blob, 1 | PLAIN)
}

/** A node of a pack with elements, not linked yet. Throws: ARENA_FULL; the pack is the caller's. */
export function makePackNode(arena: Arena, pack: Ref): Ref {
  return fillNode(arena, arena.allocate(NODE_SIZE), pack, listpackCount(arena, pack))
}

/** The elements from `at` on as a node of their own, not linked yet. Throws: ARENA_FULL. */
export function splitNode(arena: Arena, node: Ref, at: number): Ref {
  const made = arena.allocate(NODE_SIZE)
  const pack = nodeBlock(arena, node)
  let half = 0
  try {
    half = listpackSplit(arena, pack, at)
  } finally {
    if (half === 0) arena.free(made)
  }
  arena.words[(node << 1) + SHAPE] = listpackCount(arena, pack)
  return fillNode(arena, made, half, listpackCount(arena, half))
}

/** A copy, not linked yet. Throws: ARENA_FULL, with nothing left of it. */
export function copyNode(arena: Arena, node: Ref, toArena: Arena): Ref {
  const made = toArena.allocate(NODE_SIZE)
  const block = nodeBlock(arena, node)
  const size = blockBytesUsed(arena, node)
  const copy = toArena.tryAllocate(size)
  if (copy === 0) {
    toArena.free(made)
    // Throws what there is to be thrown.
    return toArena.allocate(size)
  }
  arena.bytes.copy(toArena.bytes, copy << 3, block << 3, (block << 3) + size)
  return fillNode(toArena, made, copy, arena.words[(node << 1) + SHAPE])
}

function blockBytesUsed(arena: Arena, node: Ref): number {
  if (nodeIsCompressed(arena, node)) {
    return COMPRESSED_HEADER_SIZE + nodeCompressedSize(arena, node)
  }
  if (nodeIsPlain(arena, node)) return BLOB_HEADER_SIZE + blobLength(arena, nodeBlock(arena, node))
  return listpackSizeBytes(arena, nodeBlock(arena, node))
}

function fillNode(arena: Arena, node: Ref, block: Ref, shape: number): Ref {
  arena.words[(node << 1) + BLOCK] = block
  arena.words[(node << 1) + SHAPE] = shape
  return node
}

export function freeNode(arena: Arena, node: Ref): void {
  arena.free(arena.words[(node << 1) + BLOCK])
  arena.free(node)
}

/** Puts a node between two others; either may be 0. Elements are not counted. */
export function link(arena: Arena, list: Ref, node: Ref, previous: Ref, next: Ref): void {
  const words = arena.words
  words[(node << 1) + PREVIOUS] = previous
  words[(node << 1) + NEXT] = next
  if (previous === 0) words[(list << 1) + FIRST] = node
  else words[(previous << 1) + NEXT] = node
  if (next === 0) words[(list << 1) + LAST] = node
  else words[(next << 1) + PREVIOUS] = node
  words[(list << 1) + NODES]++
}

/** Takes a node out and frees it. Elements are not counted. */
export function unlink(arena: Arena, list: Ref, node: Ref): void {
  const words = arena.words
  const previous = words[(node << 1) + PREVIOUS]
  const next = words[(node << 1) + NEXT]
  if (previous === 0) words[(list << 1) + FIRST] = next
  else words[(previous << 1) + NEXT] = next
  if (next === 0) words[(list << 1) + LAST] = previous
  else words[(next << 1) + PREVIOUS] = previous
  words[(list << 1) + NODES]--
  freeNode(arena, node)
}

/** Gives back the room behind the elements of a node that is full. */
export function fitNode(arena: Arena, node: Ref): void {
  const word = node << 1
  if (arena.words[word + SHAPE] >>> 30 !== 0) return
  arena.words[word + BLOCK] = listpackFit(arena, arena.words[word + BLOCK])
}

/**
 * After a node in the middle was split: joins what fits together around `center`, in the order in
 * which Redis does.
 */
export function joinAround(arena: Arena, list: Ref, center: Ref): void {
  const words = arena.words
  const fill = listFill(arena, list)
  const previous = words[(center << 1) + PREVIOUS]
  const next = words[(center << 1) + NEXT]
  if (previous !== 0) join(arena, list, words[(previous << 1) + PREVIOUS], previous, fill)
  if (next !== 0) join(arena, list, next, words[(next << 1) + NEXT], fill)
  const before = words[(center << 1) + PREVIOUS]
  const target = join(arena, list, before, center, fill) ? before : center
  join(arena, list, target, words[(target << 1) + NEXT], fill)
  if (words[(list << 1) + OPTIONS] >>> 16 === 0) return
  settle(arena, list, words[(target << 1) + PREVIOUS])
  settle(arena, list, words[(target << 1) + NEXT])
  settle(arena, list, target)
}

/** Moves the elements of `b` behind those of `a`, which stays. False when that is not to be. */
function join(arena: Arena, list: Ref, a: Ref, b: Ref, fill: number): boolean {
  if (!mayJoin(arena, a, b, fill) || !tryOpen(arena, a) || !tryOpen(arena, b)) return false
  const pack = listpackJoin(arena, nodeBlock(arena, a), nodeBlock(arena, b))
  if (pack === 0) return false
  arena.free(nodeBlock(arena, a))
  arena.words[(a << 1) + BLOCK] = pack
  arena.words[(a << 1) + SHAPE] = listpackCount(arena, pack)
  unlink(arena, list, b)
  return true
}

/** Makes a compressed node one that can be changed. Throws: ARENA_FULL, with nothing changed. */
export function openNode(arena: Arena, node: Ref): void {
  if (!nodeIsCompressed(arena, node)) return
  const word = node << 1
  const raw = unpack(arena, node, arena, arena.allocate(unpackedBlockSize(arena, node)))
  arena.free(arena.words[word + BLOCK])
  arena.words[word + BLOCK] = raw
  arena.words[word + SHAPE] &= ~COMPRESSED
}

function tryOpen(arena: Arena, node: Ref): boolean {
  if (!nodeIsCompressed(arena, node)) return true
  const block = arena.tryAllocate(unpackedBlockSize(arena, node))
  if (block === 0) return false
  const word = node << 1
  const raw = unpack(arena, node, arena, block)
  arena.free(arena.words[word + BLOCK])
  arena.words[word + BLOCK] = raw
  arena.words[word + SHAPE] &= ~COMPRESSED
  return true
}

/**
 * The listpack or blob of a compressed node, for reading, in the arena that `scratchOf` then gives.
 * The caller gives it back there.
 */
export function openCopy(arena: Arena, node: Ref): Ref {
  const size = unpackedBlockSize(arena, node)
  let block = scratch.tryAllocate(size)
  if (block === 0) {
    // Whoever still reads from the old one holds on to it.
    scratch = new Arena(Math.min(Math.max(SCRATCH_SIZE, size * 2), ARENA_SIZE_BYTES)) // alloc: rare
    block = scratch.allocate(size)
  }
  return unpack(arena, node, scratch, block)
}

export function scratchArena(): Arena {
  return scratch
}

/** Gives back what `openCopy` gave; a scratch that had to be huge goes. */
export function closeCopy(from: Arena, block: Ref): void {
  from.free(block)
  if (from === scratch && from.capacityBytes > SCRATCH_SIZE) scratch = new Arena(SCRATCH_SIZE) // alloc: rare
}

function unpackedBlockSize(arena: Arena, node: Ref): number {
  const size = nodeSizeBytes(arena, node)
  return nodeIsPlain(arena, node) ? size + BLOB_HEADER_SIZE : size
}

function unpack(arena: Arena, node: Ref, into: Arena, block: Ref): Ref {
  const size = nodeSizeBytes(arena, node)
  let to = block << 3
  if (nodeIsPlain(arena, node)) {
    into.words[block << 1] = size
    to += BLOB_HEADER_SIZE
  }
  const from = nodeBytesOffset(arena, node)
  const packed = nodeCompressedSize(arena, node)
  const unpacked = lzfDecompress(arena.bytes, from, packed, into.bytes, to, size)
  assert(unpacked === size, 'a node of a list unpacks to what was packed')
  return block
}

/** Compresses a node if that pays and there is room. */
function compress(arena: Arena, node: Ref): void {
  const size = nodeSizeBytes(arena, node)
  if (nodeIsCompressed(arena, node) || size < COMPRESS_SIZE_MIN) return
  const room = size - COMPRESS_GAIN_MIN
  if (lzfBytes.length < room) lzfBytes = Buffer.alloc(room) // alloc: only for one larger than all before
  const packed = lzfCompress(arena.bytes, nodeBytesOffset(arena, node), size, lzfBytes, 0, room)
  if (packed === 0) return
  const block = arena.tryAllocate(packed + COMPRESSED_HEADER_SIZE)
  if (block === 0) return
  arena.words[block << 1] = size
  arena.words[(block << 1) + 1] = packed
  lzfBytes.copy(arena.bytes, (block << 3) + COMPRESSED_HEADER_SIZE, 0, packed)
  arena.free(nodeBlock(arena, node))
  arena.words[(node << 1) + BLOCK] = block
  arena.words[(node << 1) + SHAPE] |= COMPRESSED
}

/**
 * Opens the nodes near both ends, and compresses those just behind them, and `node` (0: none) if it
 * is not near an end.
 */
export function settle(arena: Arena, list: Ref, node: Ref): void {
  const words = arena.words
  const depth = words[(list << 1) + OPTIONS] >>> 16
  if (depth === 0) return
  let forward = words[(list << 1) + FIRST]
  let backward = words[(list << 1) + LAST]
  let isNear = node === 0
  for (let i = 0; i < depth; i++) {
    if (forward === 0) return
    tryOpen(arena, forward)
    tryOpen(arena, backward)
    if (forward === node || backward === node) isNear = true
    // The two walks have met: all nodes are near an end.
    if (forward === backward || words[(forward << 1) + NEXT] === backward) return
    forward = words[(forward << 1) + NEXT]
    backward = words[(backward << 1) + PREVIOUS]
  }
  if (!isNear) compress(arena, node)
  compress(arena, forward)
  compress(arena, backward)
}
