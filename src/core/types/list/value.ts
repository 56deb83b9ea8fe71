/**
 * What the list offers to those who hold a key without knowing what it holds.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes a list.
 */
import type { Arena, Ref } from '../../../memory/arena.ts'
import {
  byteListCopy,
  byteListCount,
  byteListFirstNode,
  byteListFree,
  byteListMemoryBytes,
  byteListNextNode,
  byteListNodeCount,
  byteListVisit,
} from '../../../memory/byte-list.ts'
import { listDepth, listFill, nodeSizeBytes } from '../../../memory/byte-list-node.ts'
import { entryValueWord, TYPE_LIST } from '../../keyspace/entry.ts'
import type { ValueType } from '../../keyspace/value.ts'
import { LIST_QUICKLIST, LIST_VALUE_SIZE, ListCursor, listStructure } from './list.ts'

const cursor = new ListCursor()

export const listValue: ValueType = {
  name: 'list',

  encodingName() {
    return 'quicklist'
  },

  free(arena, ref) {
    byteListFree(arena, listStructure(arena, ref))
  },

  freeEffort(arena, ref) {
    return byteListNodeCount(arena, listStructure(arena, ref))
  },

  valueSize() {
    return LIST_VALUE_SIZE
  },

  memoryBytes(arena, ref) {
    return byteListMemoryBytes(arena, listStructure(arena, ref))
  },

  visit(arena, ref, visit) {
    byteListVisit(arena, listStructure(arena, ref), visit)
  },

  copyTo(arena, from, toArena, target) {
    const copy = byteListCopy(arena, listStructure(arena, from), toArena)
    let to = 0
    try {
      to = target.create(TYPE_LIST, LIST_QUICKLIST, LIST_VALUE_SIZE)
    } finally {
      if (to === 0) byteListFree(toArena, copy)
    }
    toArena.words[entryValueWord(toArena, to)] = copy
  },

  digest(arena, ref, sink) {
    cursor.open(arena, ref)
    while (cursor.next()) {
      const { bytes, offset, length } = cursor
      sink.ordered(bytes.subarray(offset, offset + length))
    }
  },

  details(arena, ref) {
    return nodeDetails(arena, listStructure(arena, ref))
  },
}

function nodeDetails(arena: Arena, list: Ref): string {
  const nodes = byteListNodeCount(arena, list)
  const average = twoDigits(byteListCount(arena, list) / nodes)
  const compressed = listDepth(arena, list) === 0 ? 0 : 1
  let size = 0
  for (let node = byteListFirstNode(arena, list); node !== 0; ) {
    size += nodeSizeBytes(arena, node)
    node = byteListNextNode(arena, node)
  }
  return (
    `ql_nodes:${nodes} ql_avg_node:${average} ql_listpack_max:${listFill(arena, list)} ` +
    `ql_compressed:${compressed} ql_uncompressed_size:${size}`
  )
}

/** As C writes it: of two numbers equally near, the even one. */
function twoDigits(value: number): string {
  const down = Math.floor(value * 100)
  const isHalf = value * 100 - down === 0.5 && Number.isInteger(value * 8)
  return isHalf && down % 2 === 0 ? (down / 100).toFixed(2) : value.toFixed(2)
}
