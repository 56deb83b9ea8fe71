/**
 * A walk over the live entries of a stream, either way, from one id to another.
 *
 * Thread: core. Hot path.
 * Owns: the place reached, which is void after any change to the stream.
 * Never: shows a deleted entry.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteTreeFirst,
  byteTreeItemValue,
  byteTreeNext,
  byteTreePrevious,
  TreePosition,
} from '../../../memory/byte-tree.ts'
import {
  ListpackElement,
  listpackFirst,
  listpackInteger,
  listpackLast,
  listpackNext,
  listpackPrevious,
  listpackRead,
} from '../../../memory/listpack.ts'
import type { Reply } from '../../engine/reply.ts'
import { loadKey, replyId, StreamId } from './id.ts'
import { FLAG_DELETED, FLAG_SAME_FIELDS, nodeLiveCount, nodeSkip, readEntryId } from './node.ts'
import { seekNode, streamNodes } from './stream.ts'

/** So many entries are counted one by one, more of them by nodes. */
const WALKED_COUNT_MAX = 256

export class StreamCursor {
  /** The entry's. */
  readonly id = new StreamId()
  pairCount = 0
  /** Filled by `nextPair`. */
  readonly field = new ListpackElement()
  readonly value = new ListpackElement()
  /** The node that the entry is in: its key, its listpack, and where the entry's flags are. */
  readonly key = new StreamId()
  pack: Ref = 0
  flagsAt = 0
  readonly #first = new StreamId()
  readonly #last = new StreamId()
  readonly #position = new TreePosition()
  #arena: Arena | undefined = undefined
  #nodes: Ref = 0
  #reverse = false
  /** Forward: where the next entry begins. Backward: the end of the next one. 0: of another node. */
  #at = 0
  #isFirstNode = false
  /** The first field of the node's master, and how many there are. */
  #fieldsAt = 0
  #fieldCount = 0
  /** The next field and value of the entry. */
  #fieldAt = 0
  #valueAt = 0
  #sameFields = false
  /** Where the first entry was found, for `again`; leaf 0: none was. */
  #foundLeaf: Ref = 0
  #foundIndex = 0
  #foundAt = 0

  /** Begins with the entry `first`, or, backward, with `last`; both belong to the walk. */
  open(arena: Arena, stream: Ref, first: StreamId, last: StreamId, reverse: boolean): void {
    this.#arena = arena
    this.#nodes = streamNodes(arena, stream)
    this.#first.copy(first)
    this.#last.copy(last)
    this.#reverse = reverse
    this.#at = 0
    this.#isFirstNode = true
    this.#foundLeaf = 0
    if (!seekNode(arena, this.#nodes, this.#position, reverse ? last : first)) {
      // All nodes begin after it.
      if (reverse) this.#position.leaf = 0
      else byteTreeFirst(arena, this.#nodes, this.#position)
    }
  }

  /** Goes to the next live entry; false when there is none. */
  next(): boolean {
    const arena = this.#arena
    if (arena === undefined) return false
    return this.#reverse ? this.#previous(arena) : this.#forward(arena)
  }

  /** Goes back to before the first entry that it has come to since `open`. */
  again(): void {
    const arena = this.#arena
    if (arena === undefined || this.#foundLeaf === 0) return
    this.#position.leaf = this.#foundLeaf
    this.#position.index = this.#foundIndex
    this.#readNode(arena)
    this.#at = this.#foundAt
  }

  /** Reads the next field and its value; to be called up to `pairCount` times. */
  nextPair(): void {
    const arena = this.#arena
    if (arena === undefined) return
    listpackRead(arena, this.#fieldAt, this.field)
    if (this.#sameFields) {
      this.#fieldAt = listpackNext(arena, this.#fieldAt)
    } else {
      this.#valueAt = listpackNext(arena, this.#fieldAt)
      this.#fieldAt = listpackNext(arena, this.#valueAt)
    }
    listpackRead(arena, this.#valueAt, this.value)
    this.#valueAt = listpackNext(arena, this.#valueAt)
  }

  #forward(arena: Arena): boolean {
    while (true) {
      if (this.#at === 0 && !this.#openNode(arena)) return false
      // 0: nothing of the node is of interest.
      while (this.#at !== 0) {
        const at = this.#at
        const flags = this.#readEntry(arena, at)
        this.#at = this.#entryEnd(arena)
        if ((flags & FLAG_DELETED) !== 0 || this.id.compare(this.#first) < 0) continue
        if (this.#foundLeaf === 0) this.#found(at)
        return this.id.compare(this.#last) <= 0
      }
    }
  }

  #previous(arena: Arena): boolean {
    while (true) {
      if (this.#at === 0 && !this.#openNode(arena)) return false
      while (true) {
        const end = this.#at
        let pieces = listpackInteger(arena, end)
        if (pieces === 0) break
        let at = end
        while (pieces-- > 0) at = listpackPrevious(arena, this.pack, at)
        this.#at = listpackPrevious(arena, this.pack, at)
        const flags = this.#readEntry(arena, at)
        if ((flags & FLAG_DELETED) !== 0 || this.id.compare(this.#last) > 0) continue
        if (this.#foundLeaf === 0) this.#found(end)
        return this.id.compare(this.#first) >= 0
      }
      this.#at = 0
    }
  }

  /** Goes on to the next node and to its first entry, or backward to the end of its last. */
  #openNode(arena: Arena): boolean {
    const position = this.#position
    if (position.leaf === 0) return false
    if (this.#isFirstNode) this.#isFirstNode = false
    else if (this.#reverse && !byteTreePrevious(arena, position)) return false
    else if (!this.#reverse && !byteTreeNext(arena, position)) return false
    let at = this.#readNode(arena)
    if (this.#reverse) {
      this.#at = listpackLast(arena, this.pack)
      return true
    }
    for (let left = this.#fieldCount; left >= 0; left--) at = listpackNext(arena, at)
    if (this.key.compare(this.#first) < 0) {
      at = nodeSkip(arena, at, this.key, this.#first, this.#fieldCount)
    }
    this.#at = at
    return true
  }

  /** Reads what the node at hand begins with. Gives where its first field is. */
  #readNode(arena: Arena): number {
    loadKey(arena, this.#nodes, this.#position, this.key)
    const pack = byteTreeItemValue(arena, this.#nodes, this.#position)
    this.pack = pack
    const at = listpackNext(arena, listpackNext(arena, listpackFirst(arena, pack)))
    this.#fieldCount = listpackInteger(arena, at)
    this.#fieldsAt = listpackNext(arena, at)
    return this.#fieldsAt
  }

  #found(at: number): void {
    this.#foundLeaf = this.#position.leaf
    this.#foundIndex = this.#position.index
    this.#foundAt = at
  }

  /** Gives the flags. */
  #readEntry(arena: Arena, at: number): number {
    const flags = listpackInteger(arena, at)
    this.flagsAt = at
    const msAt = listpackNext(arena, at)
    readEntryId(arena, msAt, this.key, this.id)
    const after = listpackNext(arena, listpackNext(arena, msAt))
    this.#sameFields = (flags & FLAG_SAME_FIELDS) !== 0
    if (this.#sameFields) {
      this.pairCount = this.#fieldCount
      this.#fieldAt = this.#fieldsAt
      this.#valueAt = after
    } else {
      this.pairCount = listpackInteger(arena, after)
      this.#fieldAt = listpackNext(arena, after)
    }
    return flags
  }

  /** Where what follows the entry begins. */
  #entryEnd(arena: Arena): number {
    let at = this.#sameFields ? this.#valueAt : this.#fieldAt
    const count = this.#sameFields ? this.pairCount : 2 * this.pairCount
    for (let left = count; left >= 0; left--) at = listpackNext(arena, at)
    return at
  }
}

const counter = new StreamCursor()
const node = new TreePosition()
const from = new StreamId()
const to = new StreamId()

/** Live entries from `first` to `last`, but no more than `limit`. */
function countRange(
  arena: Arena,
  stream: Ref,
  first: StreamId,
  last: StreamId,
  limit: number,
): number {
  const nodes = streamNodes(arena, stream)
  let count = 0
  let more = seekNode(arena, nodes, node, first) || byteTreeFirst(arena, nodes, node)
  while (more && count < limit) {
    loadKey(arena, nodes, node, from)
    if (from.compare(last) > 0) break
    const pack = byteTreeItemValue(arena, nodes, node)
    more = byteTreeNext(arena, node)
    // The last id that the node could hold.
    if (more) {
      loadKey(arena, nodes, node, to)
      to.decrement()
    } else {
      to.setMax()
    }
    if (from.compare(first) >= 0 && to.compare(last) <= 0) {
      count += nodeLiveCount(arena, pack)
      continue
    }
    if (from.compare(first) < 0) from.copy(first)
    if (to.compare(last) > 0) to.copy(last)
    counter.open(arena, stream, from, to, false)
    while (count < limit && counter.next()) count++
  }
  return Math.min(count, limit)
}

/**
 * Opens a cursor and counts what it will come to, but no more than `limit`; then it is before the
 * first entry.
 */
export function openCounted(
  cursor: StreamCursor,
  arena: Arena,
  stream: Ref,
  first: StreamId,
  last: StreamId,
  reverse: boolean,
  limit: number,
): number {
  cursor.open(arena, stream, first, last, reverse)
  if (limit > WALKED_COUNT_MAX) return countRange(arena, stream, first, last, limit)
  let count = 0
  while (count < limit && cursor.next()) count++
  cursor.again()
  return count
}

/** Answers so many entries, from where a cursor is. */
export function replyEntries(reply: Reply, cursor: StreamCursor, count: number): void {
  reply.array(count)
  for (let left = count; left > 0; left--) {
    cursor.next()
    replyEntry(reply, cursor)
  }
}

/** Answers the entry that a cursor is at: its id, and fields and values in turn. */
export function replyEntry(reply: Reply, cursor: StreamCursor): void {
  reply.array(2)
  replyId(reply, cursor.id)
  const { pairCount, field, value } = cursor
  reply.array(pairCount * 2)
  for (let i = 0; i < pairCount; i++) {
    cursor.nextPair()
    reply.bulk(field.bytes, field.offset, field.length)
    reply.bulk(value.bytes, value.offset, value.length)
  }
}
