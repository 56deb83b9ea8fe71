/**
 * The stream's RDB bytes: nodes as they are, what is known of the whole, then the groups.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: takes a node, a length or a delivery on trust.
 */
import { RDB_STREAM, RDB_STREAM_2, RDB_STREAM_3 } from '../../../lib/rdb/format.ts'
import { RDB_CORRUPT, RdbCorruptError, type RdbReader, unsound } from '../../../lib/rdb/reader.ts'
import type { RdbWriter } from '../../../lib/rdb/writer.ts'
import type { Arena, Ref } from '../../../memory/arena.ts'
import { byteTreeCount } from '../../../memory/byte-tree.ts'
import { entryKeyLength, entryKeyOffset } from '../../../memory/entry.ts'
import { listpackFrom, listpackSizeBytes } from '../../../memory/listpack.ts'
import { listpackValid } from '../../../memory/listpack-valid.ts'
import { entryValueWord, TYPE_STREAM } from '../../keyspace/entry.ts'
import type { ValuePersistence } from '../../keyspace/persist.ts'
import { findFirst } from './change.ts'
import {
  consumerCreate,
  consumerPending,
  consumerSeen,
  countOf,
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
  pendingFind,
  setDeliveryCount,
  setDeliveryTime64,
} from './consumer-group.ts'
import { estimateRead, estimateReadHigh, estimateReadLow } from './counters.ts'
import { ID_BYTES, loadKey, readRawId, StreamId, writeRawId } from './id.ts'
import { checkedLast, nodeCheck } from './node.ts'
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
import { forEachItem } from './value.ts'

/** Bytes that the smallest of each takes. */
const NODE_SIZE_MIN = ID_BYTES + 2
const GROUP_SIZE_MIN = 6
const PENDING_SIZE_MIN = ID_BYTES + 9
const CONSUMER_SIZE_MIN = 10

const id = new StreamId()
const rawId = Buffer.alloc(ID_BYTES)

const BAD_LISTPACK = unsound('Stream listpack')
const CONSUMER_TWICE = new RdbCorruptError('Duplicate stream consumer detected')

export const streamPersistence: ValuePersistence = {
  rdbTypes: [RDB_STREAM, RDB_STREAM_2, RDB_STREAM_3],

  rdbType() {
    return RDB_STREAM_2
  },

  save(arena, ref, writer) {
    const stream = streamOf(arena, ref)
    const nodes = streamNodes(arena, stream)
    writer.size(byteTreeCount(arena, nodes))
    forEachItem(arena, nodes, (pack, position) => {
      loadKey(arena, nodes, position, id)
      writeRawId(rawId, 0, id)
      writer.string(rawId, 0, ID_BYTES)
      writer.string(arena.bytes, pack << 3, listpackSizeBytes(arena, pack))
    })
    writer.size(streamLength(arena, stream))
    for (const which of [LAST_ID, FIRST_ID, MAX_DELETED_ID]) {
      streamLoadId(arena, stream, which, id)
      saveId(writer, id)
    }
    writer.size64(streamAddedHigh(arena, stream), streamAddedLow(arena, stream))
    const groups = streamGroups(arena, stream)
    writer.size(countOf(arena, groups))
    forEachItem(arena, groups, (group) => {
      saveGroup(arena, group, writer)
    })
  },

  load(rdbType, reader, arena, target) {
    const stream = streamCreate(arena)
    let done = false
    try {
      loadStream(rdbType, reader, arena, stream)
      const to = target.create(TYPE_STREAM, STREAM_ENCODING, STREAM_VALUE_SIZE)
      arena.words[entryValueWord(arena, to)] = stream
      done = true
    } finally {
      if (!done) streamFree(arena, stream)
    }
  },
}

function saveId(writer: RdbWriter, saved: StreamId): void {
  writer.size64(saved.msHigh, saved.msLow)
  writer.size64(saved.seqHigh, saved.seqLow)
}

function saveGroup(arena: Arena, group: Ref, writer: RdbWriter): void {
  writer.string(arena.bytes, entryKeyOffset(group), entryKeyLength(arena, group))
  groupLastId(arena, group, id)
  saveId(writer, id)
  writer.size64(groupReadHigh(arena, group), groupReadLow(arena, group))
  savePending(arena, groupPending(arena, group), writer, true)
  const consumers = groupConsumers(arena, group)
  writer.size(countOf(arena, consumers))
  forEachItem(arena, consumers, (consumer) => {
    writer.string(arena.bytes, entryKeyOffset(consumer), entryKeyLength(arena, consumer))
    writer.milliseconds(consumerSeen(arena, consumer))
    savePending(arena, consumerPending(arena, consumer), writer, false)
  })
}

function savePending(arena: Arena, pending: Ref, writer: RdbWriter, withTimes: boolean): void {
  writer.size(countOf(arena, pending))
  forEachItem(arena, pending, (delivery, position) => {
    loadKey(arena, pending, position, id)
    writeRawId(rawId, 0, id)
    writer.raw(rawId, 0, ID_BYTES)
    if (!withTimes) return
    writer.int64(deliveryTimeHigh(arena, delivery), deliveryTimeLow(arena, delivery))
    writer.size64(deliveryCountHigh(arena, delivery), deliveryCountLow(arena, delivery))
  })
}

function loadStream(rdbType: number, reader: RdbReader, arena: Arena, stream: Ref): void {
  const live = loadNodes(reader, arena, stream)
  if (reader.size() !== live) throw RDB_CORRUPT
  setStreamLength(arena, stream, live)
  loadId(reader, id)
  streamStoreId(arena, stream, LAST_ID, id)
  if (live > 0 && checkedLast.compare(id) > 0) throw RDB_CORRUPT
  if (rdbType === RDB_STREAM) {
    setStreamAdded(arena, stream, 0, live)
    // DIFFERS: 0-0 for a stream without entries, as after deleting all; Redis has the last id there is.
    findFirst(arena, stream)
  } else {
    loadId(reader, id)
    streamStoreId(arena, stream, FIRST_ID, id)
    loadId(reader, id)
    streamStoreId(arena, stream, MAX_DELETED_ID, id)
    reader.size64()
    setStreamAdded(arena, stream, reader.high, reader.low)
  }
  const groupCount = reader.count(GROUP_SIZE_MIN)
  if (groupCount > 0) setStreamGroups(arena, stream, namesCreate(arena))
  for (let i = 0; i < groupCount; i++) loadGroup(rdbType, reader, arena, stream)
}

/** Gives the number of live entries; the last one's id is then `checkedLast`. */
function loadNodes(reader: RdbReader, arena: Arena, stream: Ref): number {
  const key = new StreamId()
  const before = new StreamId()
  let total = 0
  for (let left = reader.count(NODE_SIZE_MIN); left > 0; left--) {
    reader.string()
    if (reader.stringLength !== ID_BYTES) throw RDB_CORRUPT
    readRawId(reader.stringBytes, reader.stringOffset, key)
    if (total > 0 && key.compare(before) <= 0) throw RDB_CORRUPT
    const live = loadNode(reader, arena, streamNodes(arena, stream), key)
    total += live
    if (live > 0) before.copy(checkedLast)
  }
  checkedLast.copy(before)
  return total
}

function loadNode(reader: RdbReader, arena: Arena, nodes: Ref, key: StreamId): number {
  reader.string()
  const { stringBytes, stringOffset, stringLength } = reader
  if (!listpackValid(stringBytes, stringOffset, stringLength)) throw BAD_LISTPACK
  const pack = listpackFrom(arena, stringBytes, stringOffset, stringLength)
  let kept = false
  try {
    const live = nodeCheck(arena, pack, key)
    if (live < 0) throw BAD_LISTPACK
    // Redis may keep a node whose entries are all deleted.
    if (live > 0) kept = insertPack(arena, nodes, key, pack)
    return live
  } finally {
    if (!kept) arena.free(pack)
  }
}

function loadId(reader: RdbReader, into: StreamId): void {
  reader.size64()
  into.msHigh = reader.high
  into.msLow = reader.low
  reader.size64()
  into.seqHigh = reader.high
  into.seqLow = reader.low
}

function loadGroup(rdbType: number, reader: RdbReader, arena: Arena, stream: Ref): void {
  const groups = streamGroups(arena, stream)
  reader.string()
  const { stringOffset, stringLength } = reader
  // The ids that follow are no strings, but names may be unpacked into a scratch.
  const { stringBytes } = reader
  if (findName(arena, groups, stringBytes, stringOffset, stringLength) !== 0) throw RDB_CORRUPT
  loadId(reader, id)
  if (rdbType === RDB_STREAM) {
    estimateRead(arena, stream, id)
    reader.high = estimateReadHigh()
    reader.low = estimateReadLow()
  } else {
    reader.size64()
  }
  const { high, low } = reader
  const group = groupCreate(arena, groups, stringBytes, stringOffset, stringLength, id, high, low)
  for (let left = reader.count(PENDING_SIZE_MIN); left > 0; left--) {
    loadRawId(reader, id)
    if (pendingFind(arena, group, id) !== 0) throw RDB_CORRUPT
    const delivery = pendingDraft(arena, group, id)
    reader.int64()
    setDeliveryTime64(arena, delivery, reader.high, reader.low)
    reader.size64()
    setDeliveryCount(arena, delivery, reader.high, reader.low)
  }
  let assigned = 0
  for (let left = reader.count(CONSUMER_SIZE_MIN); left > 0; left--) {
    assigned += loadConsumer(rdbType, reader, arena, group)
  }
  if (assigned !== countOf(arena, groupPending(arena, group))) throw RDB_CORRUPT
}

/** Gives how many deliveries are the consumer's. */
function loadConsumer(rdbType: number, reader: RdbReader, arena: Arena, group: Ref): number {
  reader.string()
  const { stringBytes, stringOffset, stringLength } = reader
  const known = findName(
    arena,
    groupConsumers(arena, group),
    stringBytes,
    stringOffset,
    stringLength,
  )
  if (known !== 0) throw CONSUMER_TWICE
  const seenMs = reader.milliseconds()
  const consumer = consumerCreate(arena, group, stringBytes, stringOffset, stringLength, seenMs)
  // When it was last given something, which 7.0 does not know.
  if (rdbType === RDB_STREAM_3) reader.milliseconds()
  const count = reader.count(ID_BYTES)
  for (let left = count; left > 0; left--) {
    loadRawId(reader, id)
    const delivery = pendingFind(arena, group, id)
    if (delivery === 0 || deliveryConsumer(arena, delivery) !== 0) throw RDB_CORRUPT
    pendingAssign(arena, delivery, consumer, id)
  }
  return count
}

/** Sixteen bytes that are an id. */
function loadRawId(reader: RdbReader, into: StreamId): void {
  const at = reader.raw(ID_BYTES)
  readRawId(reader.bytes, at, into)
}
