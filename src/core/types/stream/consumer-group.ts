/**
 * Consumer groups: who has been given which entries and has not acknowledged them yet.
 *
 * Groups of a stream, and consumers of a group, are entries of memory/entry.ts in byte trees ordered
 * by name; the first eight bytes of the name are the key, so that most comparisons stay in the tree.
 *
 *     group      name | last id (4) | entries read: low, high | pending | consumers
 *     consumer   name | seen, ms: low, high | pending
 *     delivery   ms: low, high | count: low, high | consumer
 *
 * A delivery is one block, in two byte trees by id: the group's pending entries and those of the
 * consumer. A tree is made when something goes into it; 0 is an empty one.
 *
 * Thread: core.
 * Owns: these three, and that both trees of pending entries agree.
 * Never: leaves a delivery in one tree only; changes anything when it throws ARENA_FULL.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteTreeCount,
  byteTreeCreate,
  byteTreeFind,
  byteTreeFirst,
  byteTreeFree,
  byteTreeInsert,
  byteTreeItemValue,
  byteTreeNext,
  byteTreeRemove,
  byteTreeSeekEntryKey,
  TIE_BY_ENTRY_KEY,
  TIE_UNIQUE,
  TreePosition,
} from '../../../memory/byte-tree.ts'
import { equalBytes } from '../../../memory/copy.ts'
import {
  entryCreate,
  entryKeyLength,
  entryKeyOffset,
  entryPayloadOffset,
} from '../../../memory/entry.ts'
import { ID_WORDS, loadKey, StreamId } from './id.ts'

const GROUP_SIZE = 32
const GROUP_LAST_ID = 0
const GROUP_READ_LOW = 4
const GROUP_READ_HIGH = 5
const GROUP_PENDING = 6
const GROUP_CONSUMERS = 7

const CONSUMER_SIZE = 12
const CONSUMER_SEEN_LOW = 0
const CONSUMER_SEEN_HIGH = 1
const CONSUMER_PENDING = 2

const DELIVERY_SIZE = 20
const DELIVERY_TIME_LOW = 0
const DELIVERY_TIME_HIGH = 1
const DELIVERY_COUNT_LOW = 2
const DELIVERY_COUNT_HIGH = 3
const DELIVERY_CONSUMER = 4

const NAME_WORDS = 2
const TWO_32 = 4294967296

const found = new TreePosition()
const id = new StreamId()

/** A tree of groups or consumers, still empty. Throws: ARENA_FULL. */
export function namesCreate(arena: Arena): Ref {
  return byteTreeCreate(arena, NAME_WORDS, TIE_BY_ENTRY_KEY)
}

/** How many there are in a tree of groups, consumers or pending entries; 0 is an empty one. */
export function countOf(arena: Arena, tree: Ref): number {
  return tree === 0 ? 0 : byteTreeCount(arena, tree)
}

/** The group or consumer of this name in a tree; 0 when there is none. */
export function findName(
  arena: Arena,
  tree: Ref,
  bytes: Buffer,
  offset: number,
  length: number,
): Ref {
  if (tree === 0) return 0
  const high = nameWord(bytes, offset, length)
  const low = nameWord(bytes, offset + 4, length - 4)
  if (!byteTreeSeekEntryKey(arena, tree, found, high, low, bytes, offset, length)) return 0
  const entry = byteTreeItemValue(arena, tree, found)
  if (entryKeyLength(arena, entry) !== length) return 0
  return equalBytes(arena.bytes, entryKeyOffset(entry), bytes, offset, length) ? entry : 0
}

/** Four bytes of a name, zeros where it ends. */
function nameWord(bytes: Buffer, offset: number, length: number): number {
  let word = 0
  for (let i = 0; i < 4; i++) word = (word << 8) | (i < length ? bytes[offset + i] : 0)
  return word
}

/** Adds an entry to a tree that has none of its name. Throws: ARENA_FULL. */
function insertName(arena: Arena, tree: Ref, entry: Ref): void {
  const offset = entryKeyOffset(entry)
  const length = entryKeyLength(arena, entry)
  const high = nameWord(arena.bytes, offset, length)
  byteTreeInsert(arena, tree, entry, high, nameWord(arena.bytes, offset + 4, length - 4))
}

function removeName(arena: Arena, tree: Ref, entry: Ref): void {
  const offset = entryKeyOffset(entry)
  const length = entryKeyLength(arena, entry)
  const high = nameWord(arena.bytes, offset, length)
  byteTreeRemove(arena, tree, entry, high, nameWord(arena.bytes, offset + 4, length - 4))
}

/**
 * Adds a group to a tree that has none of this name. `readHigh`, `readLow`: entries read, -1 when
 * that is not known. Throws: ARENA_FULL.
 */
export function groupCreate(
  arena: Arena,
  groups: Ref,
  bytes: Buffer,
  offset: number,
  length: number,
  lastId: StreamId,
  readHigh: number,
  readLow: number,
): Ref {
  const group = entryCreate(arena, bytes, offset, length, GROUP_SIZE)
  const word = payload(arena, group)
  arena.words.fill(0, word, word + GROUP_SIZE / 4)
  setGroupLastId(arena, group, lastId)
  setGroupRead(arena, group, readHigh, readLow)
  insertOrFree(arena, groups, group)
  return group
}

function insertOrFree(arena: Arena, tree: Ref, entry: Ref): void {
  let done = false
  try {
    insertName(arena, tree, entry)
    done = true
  } finally {
    if (!done) arena.free(entry)
  }
}

/** Word index of what follows the name. */
function payload(arena: Arena, entry: Ref): number {
  return entryPayloadOffset(arena, entry) >> 2
}

export function groupLastId(arena: Arena, group: Ref, into: StreamId): void {
  into.load(arena.words, payload(arena, group) + GROUP_LAST_ID)
}

export function setGroupLastId(arena: Arena, group: Ref, lastId: StreamId): void {
  lastId.store(arena.words, payload(arena, group) + GROUP_LAST_ID)
}

/** Entries read up to the last id, the upper word; -1 in both words when that is not known. */
export function groupReadHigh(arena: Arena, group: Ref): number {
  return arena.words[payload(arena, group) + GROUP_READ_HIGH]
}

export function groupReadLow(arena: Arena, group: Ref): number {
  return arena.words[payload(arena, group) + GROUP_READ_LOW]
}

export function setGroupRead(arena: Arena, group: Ref, high: number, low: number): void {
  const word = payload(arena, group)
  arena.words[word + GROUP_READ_LOW] = low
  arena.words[word + GROUP_READ_HIGH] = high
}

/** The byte tree of deliveries by id, 0 when there has been none. */
export function groupPending(arena: Arena, group: Ref): Ref {
  return arena.words[payload(arena, group) + GROUP_PENDING]
}

/** The byte tree of consumers, 0 when there has been none. */
export function groupConsumers(arena: Arena, group: Ref): Ref {
  return arena.words[payload(arena, group) + GROUP_CONSUMERS]
}

/** Takes a group out of its tree and frees all of it. */
export function groupRemove(arena: Arena, groups: Ref, group: Ref): void {
  removeName(arena, groups, group)
  groupFree(arena, group)
}

function groupFree(arena: Arena, group: Ref): void {
  const consumers = groupConsumers(arena, group)
  const pending = groupPending(arena, group)
  if (consumers !== 0) {
    for (let more = byteTreeFirst(arena, consumers, found); more; ) {
      const consumer = byteTreeItemValue(arena, consumers, found)
      const own = consumerPending(arena, consumer)
      if (own !== 0) byteTreeFree(arena, own)
      arena.free(consumer)
      more = byteTreeNext(arena, found)
    }
    byteTreeFree(arena, consumers)
  }
  if (pending !== 0) {
    for (let more = byteTreeFirst(arena, pending, found); more; ) {
      arena.free(byteTreeItemValue(arena, pending, found))
      more = byteTreeNext(arena, found)
    }
    byteTreeFree(arena, pending)
  }
  arena.free(group)
}

/** Frees a tree of groups with all that is in it; 0 is an empty one. */
export function groupsFree(arena: Arena, groups: Ref): void {
  if (groups === 0) return
  const position = new TreePosition()
  for (let more = byteTreeFirst(arena, groups, position); more; ) {
    groupFree(arena, byteTreeItemValue(arena, groups, position))
    more = byteTreeNext(arena, position)
  }
  byteTreeFree(arena, groups)
}

/** Adds a consumer to a group that has none of this name. Throws: ARENA_FULL. */
export function consumerCreate(
  arena: Arena,
  group: Ref,
  bytes: Buffer,
  offset: number,
  length: number,
  seenMs: number,
): Ref {
  const groupWord = payload(arena, group)
  if (groupConsumers(arena, group) === 0) {
    arena.words[groupWord + GROUP_CONSUMERS] = namesCreate(arena)
  }
  const consumer = entryCreate(arena, bytes, offset, length, CONSUMER_SIZE)
  arena.words[payload(arena, consumer) + CONSUMER_PENDING] = 0
  setConsumerSeen(arena, consumer, seenMs)
  insertOrFree(arena, groupConsumers(arena, group), consumer)
  return consumer
}

/** Unix milliseconds. */
export function consumerSeen(arena: Arena, consumer: Ref): number {
  const word = payload(arena, consumer)
  const low = arena.words[word + CONSUMER_SEEN_LOW] >>> 0
  return arena.words[word + CONSUMER_SEEN_HIGH] * TWO_32 + low
}

export function setConsumerSeen(arena: Arena, consumer: Ref, ms: number): void {
  const word = payload(arena, consumer)
  arena.words[word + CONSUMER_SEEN_LOW] = ms | 0
  arena.words[word + CONSUMER_SEEN_HIGH] = Math.floor(ms / TWO_32)
}

/** The byte tree of the consumer's deliveries by id, 0 when there has been none. */
export function consumerPending(arena: Arena, consumer: Ref): Ref {
  return arena.words[payload(arena, consumer) + CONSUMER_PENDING]
}

/** Takes a consumer, with what it was given, out of its group. Gives how many entries that were. */
export function consumerRemove(arena: Arena, group: Ref, consumer: Ref): number {
  const own = consumerPending(arena, consumer)
  const count = countOf(arena, own)
  if (own !== 0) {
    const pending = groupPending(arena, group)
    const position = new TreePosition()
    for (let more = byteTreeFirst(arena, own, position); more; ) {
      loadKey(arena, own, position, id)
      removeId(arena, pending, id)
      arena.free(byteTreeItemValue(arena, own, position))
      more = byteTreeNext(arena, position)
    }
    byteTreeFree(arena, own)
  }
  removeName(arena, groupConsumers(arena, group), consumer)
  arena.free(consumer)
  return count
}

/** The delivery of an entry that nobody has acknowledged; 0 when there is none. */
export function pendingFind(arena: Arena, group: Ref, entryId: StreamId): Ref {
  const tree = groupPending(arena, group)
  if (tree === 0) return 0
  const { msHigh, msLow, seqHigh, seqLow } = entryId
  if (!byteTreeFind(arena, tree, found, 0, msHigh, msLow, seqHigh, seqLow)) return 0
  return byteTreeItemValue(arena, tree, found)
}

/** Notes that an entry, not pending yet, was given to a consumer once. Throws: ARENA_FULL. */
export function pendingAdd(
  arena: Arena,
  group: Ref,
  consumer: Ref,
  entryId: StreamId,
  timeMs: number,
): Ref {
  const delivery = pendingDraft(arena, group, entryId)
  let done = false
  try {
    insertId(arena, ownTree(arena, consumer), entryId, delivery)
    done = true
  } finally {
    if (!done) {
      removeId(arena, groupPending(arena, group), entryId)
      arena.free(delivery)
    }
  }
  arena.words[(delivery << 1) + DELIVERY_CONSUMER] = consumer
  setDeliveryTime(arena, delivery, timeMs)
  setDeliveryCount(arena, delivery, 0, 1)
  return delivery
}

/** Adds a delivery to the group's tree alone; `pendingAssign` completes it. Throws: ARENA_FULL. */
export function pendingDraft(arena: Arena, group: Ref, entryId: StreamId): Ref {
  const tree = groupTree(arena, group)
  const delivery = arena.allocateZeroed(DELIVERY_SIZE)
  let done = false
  try {
    insertId(arena, tree, entryId, delivery)
    done = true
  } finally {
    if (!done) arena.free(delivery)
  }
  return delivery
}

/** Gives a delivery to a consumer, taking it from the one that has it. Throws: ARENA_FULL. */
export function pendingAssign(arena: Arena, delivery: Ref, consumer: Ref, entryId: StreamId): void {
  const before = deliveryConsumer(arena, delivery)
  if (before === consumer) return
  insertId(arena, ownTree(arena, consumer), entryId, delivery)
  if (before !== 0) removeId(arena, consumerPending(arena, before), entryId)
  arena.words[(delivery << 1) + DELIVERY_CONSUMER] = consumer
}

/** Takes a delivery out of the group and its consumer. */
export function pendingRemove(arena: Arena, group: Ref, delivery: Ref, entryId: StreamId): void {
  removeId(arena, groupPending(arena, group), entryId)
  removeId(arena, consumerPending(arena, deliveryConsumer(arena, delivery)), entryId)
  arena.free(delivery)
}

function groupTree(arena: Arena, group: Ref): Ref {
  const tree = groupPending(arena, group)
  if (tree !== 0) return tree
  const made = byteTreeCreate(arena, ID_WORDS, TIE_UNIQUE)
  arena.words[payload(arena, group) + GROUP_PENDING] = made
  return made
}

function ownTree(arena: Arena, consumer: Ref): Ref {
  const tree = consumerPending(arena, consumer)
  if (tree !== 0) return tree
  const made = byteTreeCreate(arena, ID_WORDS, TIE_UNIQUE)
  arena.words[payload(arena, consumer) + CONSUMER_PENDING] = made
  return made
}

function insertId(arena: Arena, tree: Ref, entryId: StreamId, delivery: Ref): void {
  const { msHigh, msLow, seqHigh, seqLow } = entryId
  byteTreeInsert(arena, tree, delivery, msHigh, msLow, seqHigh, seqLow)
}

function removeId(arena: Arena, tree: Ref, entryId: StreamId): void {
  const { msHigh, msLow, seqHigh, seqLow } = entryId
  byteTreeRemove(arena, tree, 0, msHigh, msLow, seqHigh, seqLow)
}

/** The consumer that has it; 0 only before it is assigned. */
export function deliveryConsumer(arena: Arena, delivery: Ref): Ref {
  return arena.words[(delivery << 1) + DELIVERY_CONSUMER]
}

/** Unix milliseconds of the last time it was given to anybody; beyond 2^53 the nearest. */
export function deliveryTime(arena: Arena, delivery: Ref): number {
  const low = arena.words[(delivery << 1) + DELIVERY_TIME_LOW] >>> 0
  return arena.words[(delivery << 1) + DELIVERY_TIME_HIGH] * TWO_32 + low
}

export function deliveryTimeHigh(arena: Arena, delivery: Ref): number {
  return arena.words[(delivery << 1) + DELIVERY_TIME_HIGH]
}

export function deliveryTimeLow(arena: Arena, delivery: Ref): number {
  return arena.words[(delivery << 1) + DELIVERY_TIME_LOW]
}

export function setDeliveryTime(arena: Arena, delivery: Ref, ms: number): void {
  setDeliveryTime64(arena, delivery, Math.floor(ms / TWO_32), ms | 0)
}

export function setDeliveryTime64(arena: Arena, delivery: Ref, high: number, low: number): void {
  arena.words[(delivery << 1) + DELIVERY_TIME_LOW] = low
  arena.words[(delivery << 1) + DELIVERY_TIME_HIGH] = high
}

/** How often it was given to anybody: the upper word. */
export function deliveryCountHigh(arena: Arena, delivery: Ref): number {
  return arena.words[(delivery << 1) + DELIVERY_COUNT_HIGH]
}

export function deliveryCountLow(arena: Arena, delivery: Ref): number {
  return arena.words[(delivery << 1) + DELIVERY_COUNT_LOW]
}

export function setDeliveryCount(arena: Arena, delivery: Ref, high: number, low: number): void {
  arena.words[(delivery << 1) + DELIVERY_COUNT_LOW] = low
  arena.words[(delivery << 1) + DELIVERY_COUNT_HIGH] = high
}

export function countDelivery(arena: Arena, delivery: Ref): void {
  const low = (deliveryCountLow(arena, delivery) + 1) | 0
  const high = deliveryCountHigh(arena, delivery) + (low === 0 ? 1 : 0)
  setDeliveryCount(arena, delivery, high, low)
}
