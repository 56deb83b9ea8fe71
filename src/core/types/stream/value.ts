/**
 * What the stream offers to those who hold a key without knowing what it holds.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: is on the way of a command for one entry.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteTreeCount,
  byteTreeFirst,
  byteTreeItemValue,
  byteTreeNext,
  byteTreeVisit,
  TreePosition,
} from '../../../memory/byte-tree.ts'
import type { VisitBlock } from '../../../memory/check.ts'
import { entryKeyLength, entryKeyOffset } from '../../../memory/entry.ts'
import { listpackCopy } from '../../../memory/listpack.ts'
import { entryValueWord, TYPE_STREAM } from '../../keyspace/entry.ts'
import type { DigestSink, ValueType } from '../../keyspace/value.ts'
import {
  consumerCreate,
  consumerPending,
  consumerSeen,
  deliveryConsumer,
  deliveryCountHigh,
  deliveryCountLow,
  deliveryTimeHigh,
  deliveryTimeLow,
  findName,
  groupConsumers,
  groupCreate,
  groupLastId,
  groupPending,
  groupReadHigh,
  groupReadLow,
  namesCreate,
  pendingAssign,
  pendingDraft,
  setDeliveryCount,
  setDeliveryTime64,
} from './consumer-group.ts'
import { StreamCursor } from './cursor.ts'
import { loadKey, StreamId } from './id.ts'
import {
  FIRST_ID,
  insertPack,
  LAST_ID,
  MAX_DELETED_ID,
  STREAM_ENCODING,
  STREAM_VALUE_SIZE,
  setStreamAdded,
  setStreamGroups,
  setStreamLength,
  streamAddedHigh,
  streamAddedLow,
  streamCreate,
  streamFree,
  streamGroups,
  streamLength,
  streamLoadId,
  streamNodes,
  streamOf,
  streamStoreId,
} from './stream.ts'

export const streamValue: ValueType = {
  name: 'stream',

  encodingName() {
    return 'stream'
  },

  free(arena, ref) {
    streamFree(arena, streamOf(arena, ref))
  },

  freeEffort(arena, ref) {
    return byteTreeCount(arena, streamNodes(arena, streamOf(arena, ref)))
  },

  valueSize() {
    return STREAM_VALUE_SIZE
  },

  memoryBytes(arena, ref) {
    let bytes = 0
    visitStream(arena, streamOf(arena, ref), (block) => {
      bytes += arena.blockSizeBytes(block)
    })
    return bytes
  },

  visit(arena, ref, visit) {
    visitStream(arena, streamOf(arena, ref), visit)
  },

  copyTo(arena, from, toArena, target) {
    const copy = streamCreate(toArena)
    let done = false
    try {
      copyInto(arena, streamOf(arena, from), toArena, copy)
      const to = target.create(TYPE_STREAM, STREAM_ENCODING, STREAM_VALUE_SIZE)
      toArena.words[entryValueWord(toArena, to)] = copy
      done = true
    } finally {
      if (!done) streamFree(toArena, copy)
    }
  },

  digest(arena, ref, sink: DigestSink) {
    const first = new StreamId()
    const last = new StreamId()
    last.setMax()
    const cursor = new StreamCursor()
    cursor.open(arena, streamOf(arena, ref), first, last, false)
    while (cursor.next()) {
      sink.ordered(Buffer.from(cursor.id.toString().replace('-', '.')))
      for (let i = 0; i < cursor.pairCount; i++) {
        cursor.nextPair()
        for (const { bytes, offset, length } of [cursor.field, cursor.value]) {
          sink.ordered(bytes.subarray(offset, offset + length))
        }
      }
    }
  },
}

/** Calls `see` with each item of a byte tree, 0 being an empty one. */
export function forEachItem(
  arena: Arena,
  tree: Ref,
  see: (value: Ref, position: TreePosition) => void,
): void {
  if (tree === 0) return
  const position = new TreePosition()
  for (let more = byteTreeFirst(arena, tree, position); more; ) {
    see(byteTreeItemValue(arena, tree, position), position)
    more = byteTreeNext(arena, position)
  }
}

function visitStream(arena: Arena, stream: Ref, visit: VisitBlock): void {
  visit(stream)
  const nodes = streamNodes(arena, stream)
  byteTreeVisit(arena, nodes, visit)
  forEachItem(arena, nodes, visit)
  const groups = streamGroups(arena, stream)
  if (groups !== 0) byteTreeVisit(arena, groups, visit)
  forEachItem(arena, groups, (group) => {
    visit(group)
    const pending = groupPending(arena, group)
    if (pending !== 0) byteTreeVisit(arena, pending, visit)
    forEachItem(arena, pending, visit)
    const consumers = groupConsumers(arena, group)
    if (consumers !== 0) byteTreeVisit(arena, consumers, visit)
    forEachItem(arena, consumers, (consumer) => {
      visit(consumer)
      const own = consumerPending(arena, consumer)
      if (own !== 0) byteTreeVisit(arena, own, visit)
    })
  })
}

/** Fills a new stream with what another one holds. Throws: ARENA_FULL; what it made is in `to`. */
function copyInto(arena: Arena, from: Ref, toArena: Arena, to: Ref): void {
  const id = new StreamId()
  for (const which of [LAST_ID, FIRST_ID, MAX_DELETED_ID]) {
    streamLoadId(arena, from, which, id)
    streamStoreId(toArena, to, which, id)
  }
  setStreamLength(toArena, to, streamLength(arena, from))
  setStreamAdded(toArena, to, streamAddedHigh(arena, from), streamAddedLow(arena, from))
  const nodes = streamNodes(arena, from)
  forEachItem(arena, nodes, (pack, position) => {
    loadKey(arena, nodes, position, id)
    copyPack(arena, pack, toArena, streamNodes(toArena, to), id)
  })
  const groups = streamGroups(arena, from)
  if (groups === 0) return
  setStreamGroups(toArena, to, namesCreate(toArena))
  forEachItem(arena, groups, (group) => {
    copyGroup(arena, group, toArena, streamGroups(toArena, to))
  })
}

function copyPack(arena: Arena, pack: Ref, toArena: Arena, nodes: Ref, key: StreamId): void {
  const copy = listpackCopy(arena, pack, toArena)
  let done = false
  try {
    done = insertPack(toArena, nodes, key, copy)
  } finally {
    if (!done) toArena.free(copy)
  }
}

function copyGroup(arena: Arena, group: Ref, toArena: Arena, toGroups: Ref): void {
  const id = new StreamId()
  groupLastId(arena, group, id)
  const copy = groupCreate(
    toArena,
    toGroups,
    arena.bytes,
    entryKeyOffset(group),
    entryKeyLength(arena, group),
    id,
    groupReadHigh(arena, group),
    groupReadLow(arena, group),
  )
  forEachItem(arena, groupConsumers(arena, group), (consumer) => {
    const offset = entryKeyOffset(consumer)
    const length = entryKeyLength(arena, consumer)
    consumerCreate(toArena, copy, arena.bytes, offset, length, consumerSeen(arena, consumer))
  })
  const pending = groupPending(arena, group)
  forEachItem(arena, pending, (delivery, position) => {
    loadKey(arena, pending, position, id)
    const made = pendingDraft(toArena, copy, id)
    const owner = deliveryConsumer(arena, delivery)
    const offset = entryKeyOffset(owner)
    const length = entryKeyLength(arena, owner)
    const consumer = findName(toArena, groupConsumers(toArena, copy), arena.bytes, offset, length)
    pendingAssign(toArena, made, consumer, id)
    const timeHigh = deliveryTimeHigh(arena, delivery)
    setDeliveryTime64(toArena, made, timeHigh, deliveryTimeLow(arena, delivery))
    const countHigh = deliveryCountHigh(arena, delivery)
    setDeliveryCount(toArena, made, countHigh, deliveryCountLow(arena, delivery))
  })
}
