/**
 * The sorted set in both encodings: a listpack (`pack.ts`) while it is small, a byte map with a byte
 * tree (`tree.ts`) beyond. Every rank, count and range is logarithmic in the large one.
 *
 * Members are given as bytes with the words of the same memory beside them; they start at a word.
 *
 * Thread: core. Hot path.
 * Owns: which encoding a set has, and the two words in its entry.
 * Never: goes back to the small encoding by itself; leaves a set empty to anybody but its caller.
 */
import { formatDouble } from '../../../lib/bytes/double.ts'
import { AlignedBytes } from '../../../memory/aligned.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteMapCount,
  byteMapCreate,
  byteMapForEach,
  byteMapFree,
  byteMapMemoryBytes,
  byteMapVisit,
} from '../../../memory/byte-map.ts'
import { byteTreeFree, byteTreeMemoryBytes, byteTreeVisit } from '../../../memory/byte-tree.ts'
import {
  ListpackElement,
  listpackCopy,
  listpackCreate,
  listpackFirst,
  listpackRead,
} from '../../../memory/listpack.ts'
import type { Args } from '../../engine/args.ts'
import { type Db, NO_DEADLINE } from '../../keyspace/db.ts'
import {
  entryEncoding,
  entryValueWord,
  setEntryEncoding,
  TYPE_SORTED_SET,
} from '../../keyspace/entry.ts'
import type { CopyTarget, DigestSink, ValueType } from '../../keyspace/value.ts'
import type { ListpackLimits } from '../listpack-limits.ts'
import { SortedSetCursor } from './cursor.ts'
import { SORTED_SET_LISTPACK, SORTED_SET_TREE, SORTED_SET_VALUE_SIZE } from './encodings.ts'
import {
  afterPair,
  packAdd,
  packCount,
  packFind,
  packMoved,
  packRank,
  packRemoveAt,
  packRemoveRange,
  packScore,
  packScoreRank,
  packSetScore,
} from './pack.ts'
import {
  copiedTree,
  entryScore,
  scoreTreeCreate,
  treeAdd,
  treeCopy,
  treeCountBelow,
  treeCountUpTo,
  treeFind,
  treeFree,
  treeRank,
  treeRemove,
  treeRemoveRange,
  treeSetScore,
} from './tree.ts'

/** Only members that are not there; only those that are; only to a higher, or a lower score. */
export const ADD_NEW = 1
export const ADD_PRESENT = 2
export const ADD_GREATER = 4
export const ADD_LESS = 8
/** The number is added to the score that is there. */
export const ADD_INCREMENT = 16

/** What became of a member. */
export const LEFT_ALONE = 0
export const ADDED = 1
export const UPDATED = 2
/** It has the score already. */
export const UNCHANGED = 3
/** Infinity and its opposite add up to nothing. */
export const NOT_A_NUMBER = 4

/** Where a member's bytes are. */
export interface MemberBytes {
  readonly bytes: Buffer
  /** The same memory. */
  readonly words: Int32Array
}

const aligned = new AlignedBytes()
const element = new ListpackElement()
const digestCursor = new SortedSetCursor()

export const sortedSetValue: ValueType = {
  name: 'zset',

  valueSize() {
    return SORTED_SET_VALUE_SIZE
  },

  encodingName(arena, ref) {
    return isTree(arena, ref) ? 'skiplist' : 'listpack'
  },

  free(arena, ref) {
    freeSortedSet(arena, entryEncoding(arena, ref), structureOf(arena, ref), treeOf(arena, ref))
  },

  freeEffort(arena, ref) {
    return isTree(arena, ref) ? sortedSetCount(arena, ref) : 1
  },

  elementMap(arena, ref) {
    return isTree(arena, ref) ? structureOf(arena, ref) : 0
  },

  freeWithoutElements(arena, ref) {
    byteMapFree(arena, structureOf(arena, ref))
    byteTreeFree(arena, treeOf(arena, ref))
  },

  // alloc: asked for one key at a time
  memoryBytes(arena, ref) {
    const structure = structureOf(arena, ref)
    if (!isTree(arena, ref)) return arena.blockSizeBytes(structure)
    const tree = byteTreeMemoryBytes(arena, treeOf(arena, ref))
    let bytes = byteMapMemoryBytes(arena, structure) + tree
    byteMapForEach(arena, structure, (entry) => {
      bytes += arena.blockSizeBytes(entry)
    })
    return bytes
  },

  visit(arena, ref, visit) {
    const structure = structureOf(arena, ref)
    if (!isTree(arena, ref)) return visit(structure)
    byteTreeVisit(arena, treeOf(arena, ref), visit)
    byteMapForEach(arena, structure, visit)
    byteMapVisit(arena, structure, visit)
  },

  copyTo(arena, from, toArena, target) {
    const structure = structureOf(arena, from)
    if (isTree(arena, from)) {
      const map = treeCopy(arena, treeOf(arena, from), toArena)
      createEntry(toArena, target, SORTED_SET_TREE, map, copiedTree())
    } else {
      createEntry(toArena, target, SORTED_SET_LISTPACK, listpackCopy(arena, structure, toArena), 0)
    }
  },

  digest(arena, ref, sink) {
    digestSortedSet(arena, ref, sink)
  },
}

/** Frees what a value holds. */
export function freeSortedSet(arena: Arena, encoding: number, structure: Ref, tree: Ref): void {
  if (encoding === SORTED_SET_TREE) treeFree(arena, structure, tree)
  else arena.free(structure)
}

/** Lets `target` make an entry and gives it a value; if that throws, the value is freed. */
export function createEntry(
  arena: Arena,
  target: CopyTarget,
  encoding: number,
  structure: Ref,
  tree: Ref,
): Ref {
  let to = 0
  try {
    to = target.create(TYPE_SORTED_SET, encoding, SORTED_SET_VALUE_SIZE)
  } finally {
    if (to === 0) freeSortedSet(arena, encoding, structure, tree)
  }
  setValue(arena, to, structure, tree)
  return to
}

/**
 * Makes the key of an argument, which is not there, an empty sorted set for members of about
 * `memberLength` bytes. Throws: ARENA_FULL, with nothing changed.
 */
export function sortedSetCreate(
  db: Db,
  args: Args,
  keyIndex: number,
  limits: ListpackLimits,
  memberLength: number,
): Ref {
  const arena = db.arenaOf(args, keyIndex)
  const small = limits.entries > 0 && memberLength <= limits.valueSize
  const encoding = small ? SORTED_SET_LISTPACK : SORTED_SET_TREE
  const structure = small ? listpackCreate(arena, 0) : byteMapCreate(arena)
  let tree = 0
  let ref = 0
  try {
    if (!small) tree = scoreTreeCreate(arena)
    ref = db.create(args, keyIndex, TYPE_SORTED_SET, encoding, SORTED_SET_VALUE_SIZE, NO_DEADLINE)
  } finally {
    if (ref === 0) freeSortedSet(arena, encoding, structure, tree)
  }
  setValue(arena, ref, structure, tree)
  return ref
}

export function sortedSetCount(arena: Arena, ref: Ref): number {
  const structure = structureOf(arena, ref)
  return isTree(arena, ref) ? byteMapCount(arena, structure) : packCount(arena, structure)
}

/** The score of a member; NaN when it is not there. */
export function sortedSetScore(
  arena: Arena,
  ref: Ref,
  from: MemberBytes,
  offset: number,
  length: number,
): number {
  const structure = structureOf(arena, ref)
  if (isTree(arena, ref)) {
    const entry = treeFind(arena, structure, from.words, offset, length)
    return entry === 0 ? Number.NaN : entryScore(arena, entry)
  }
  const at = packFind(arena, structure, from.bytes, offset, length)
  return at === 0 ? Number.NaN : packScore(arena, at)
}

/** As `sortedSetScore`, for bytes that may start anywhere. */
export function sortedSetScoreOf(
  arena: Arena,
  ref: Ref,
  bytes: Buffer,
  offset: number,
  length: number,
): number {
  aligned.set(bytes, offset, length)
  return sortedSetScore(arena, ref, aligned, 0, length)
}

/** The rank of a member, from 0, the lowest score first; -1 when it is not there. */
export function sortedSetRank(
  arena: Arena,
  ref: Ref,
  from: MemberBytes,
  offset: number,
  length: number,
): number {
  const structure = structureOf(arena, ref)
  if (isTree(arena, ref)) {
    const entry = treeFind(arena, structure, from.words, offset, length)
    return entry === 0 ? -1 : treeRank(arena, treeOf(arena, ref), entry)
  }
  const at = packFind(arena, structure, from.bytes, offset, length)
  return at === 0 ? -1 : packRank(arena, structure, at)
}

/** How many members have a score below this one, or with `inclusive` up to it. */
export function sortedSetScoreRank(
  arena: Arena,
  ref: Ref,
  score: number,
  inclusive: boolean,
): number {
  if (!isTree(arena, ref)) return packScoreRank(arena, structureOf(arena, ref), score, inclusive)
  const tree = treeOf(arena, ref)
  return inclusive ? treeCountUpTo(arena, tree, score) : treeCountBelow(arena, tree, score)
}

let scoreAfter = 0

/** The score of the member that `sortedSetAdd` was last about, unless it was left alone. */
export function addedScore(): number {
  return scoreAfter
}

/**
 * Adds a member, or changes its score, as `flags` (ADD_...) allow. Tells what became of it. The set
 * becomes large when it grows beyond `limits`. Throws: ARENA_FULL, with no member changed.
 */
export function sortedSetAdd(
  arena: Arena,
  ref: Ref,
  limits: ListpackLimits,
  from: MemberBytes,
  offset: number,
  length: number,
  score: number,
  flags: number,
): number {
  scoreAfter = score
  if (!isTree(arena, ref)) {
    const pack = structureOf(arena, ref)
    const at = packFind(arena, pack, from.bytes, offset, length)
    if (at !== 0) return setInPack(arena, ref, at, from.bytes, offset, length, score, flags)
    if ((flags & ADD_PRESENT) !== 0) return LEFT_ALONE
    if (length <= limits.valueSize && packCount(arena, pack) < limits.entries) {
      try {
        packAdd(arena, pack, from.bytes, offset, length, score)
      } finally {
        setValue(arena, ref, packMoved(), 0)
      }
      return ADDED
    }
    sortedSetToTree(arena, ref)
  }
  const map = structureOf(arena, ref)
  const tree = treeOf(arena, ref)
  const entry = treeFind(arena, map, from.words, offset, length)
  if (entry === 0) {
    if ((flags & ADD_PRESENT) !== 0) return LEFT_ALONE
    treeAdd(arena, map, tree, from.words, offset, length, score)
    return ADDED
  }
  const before = entryScore(arena, entry)
  const outcome = outcomeOf(before, score, flags)
  if (outcome === UPDATED) treeSetScore(arena, tree, entry, scoreAfter)
  return outcome
}

function setInPack(
  arena: Arena,
  ref: Ref,
  at: number,
  bytes: Buffer,
  offset: number,
  length: number,
  score: number,
  flags: number,
): number {
  const outcome = outcomeOf(packScore(arena, at), score, flags)
  if (outcome !== UPDATED) return outcome
  try {
    packSetScore(arena, structureOf(arena, ref), at, bytes, offset, length, scoreAfter)
  } finally {
    setValue(arena, ref, packMoved(), 0)
  }
  return outcome
}

/** What is to become of a member that is there; `scoreAfter` is then its new score. */
function outcomeOf(before: number, score: number, flags: number): number {
  if ((flags & ADD_NEW) !== 0) return LEFT_ALONE
  const after = (flags & ADD_INCREMENT) !== 0 ? before + score : score
  if (Number.isNaN(after)) return NOT_A_NUMBER
  if ((flags & ADD_LESS) !== 0 && after >= before) return LEFT_ALONE
  if ((flags & ADD_GREATER) !== 0 && after <= before) return LEFT_ALONE
  scoreAfter = after
  return after === before ? UNCHANGED : UPDATED
}

/** Takes a member out. False when it is not there. */
export function sortedSetRemove(
  arena: Arena,
  ref: Ref,
  from: MemberBytes,
  offset: number,
  length: number,
): boolean {
  const structure = structureOf(arena, ref)
  if (isTree(arena, ref)) {
    return treeRemove(arena, structure, treeOf(arena, ref), from.words, offset, length)
  }
  const at = packFind(arena, structure, from.bytes, offset, length)
  if (at === 0) return false
  packRemoveAt(arena, structure, at)
  setValue(arena, ref, packMoved(), 0)
  return true
}

/** Takes out `count` members from a rank on. */
export function sortedSetRemoveRange(arena: Arena, ref: Ref, rank: number, count: number): void {
  const structure = structureOf(arena, ref)
  if (isTree(arena, ref)) {
    treeRemoveRange(arena, structure, treeOf(arena, ref), rank, count)
    return
  }
  packRemoveRange(arena, structure, rank, count)
  setValue(arena, ref, packMoved(), 0)
}

/** Makes a small set a large one. Throws: ARENA_FULL, with nothing changed. */
export function sortedSetToTree(arena: Arena, ref: Ref): void {
  const pack = structureOf(arena, ref)
  const map = byteMapCreate(arena)
  let tree = 0
  let done = false
  try {
    tree = scoreTreeCreate(arena)
    for (let at = listpackFirst(arena, pack); at !== 0; at = afterPair(arena, at)) {
      listpackRead(arena, at, element)
      aligned.set(element.bytes, element.offset, element.length)
      treeAdd(arena, map, tree, aligned.words, 0, aligned.length, packScore(arena, at))
    }
    done = true
  } finally {
    if (!done) treeFree(arena, map, tree)
  }
  arena.free(pack)
  setValue(arena, ref, map, tree)
  setEntryEncoding(arena, ref, SORTED_SET_TREE)
}

export function isTree(arena: Arena, ref: Ref): boolean {
  return entryEncoding(arena, ref) === SORTED_SET_TREE
}

/** The listpack, or the byte map. */
export function structureOf(arena: Arena, ref: Ref): Ref {
  return arena.words[entryValueWord(arena, ref)]
}

/** The byte tree; 0 beside a listpack. */
export function treeOf(arena: Arena, ref: Ref): Ref {
  return arena.words[entryValueWord(arena, ref) + 1]
}

function setValue(arena: Arena, ref: Ref, structure: Ref, tree: Ref): void {
  const word = entryValueWord(arena, ref)
  arena.words[word] = structure
  arena.words[word + 1] = tree
}

// alloc: DEBUG only
function digestSortedSet(arena: Arena, ref: Ref, sink: DigestSink): void {
  digestCursor.open(arena, ref)
  while (digestCursor.next()) {
    const { bytes, offset, length } = digestCursor
    const score = Buffer.from(formatDouble(digestCursor.score), 'latin1')
    sink.unordered(bytes.subarray(offset, offset + length), score)
  }
}
