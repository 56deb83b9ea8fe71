/**
 * The sorted set as commands.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes a sorted set.
 */
import { formatDouble } from '../../../lib/bytes/double.ts'
import { Elements, type ValueRewrite } from '../../keyspace/rewrite.ts'
import { SortedSetCursor } from './cursor.ts'

const ZADD = Buffer.from('ZADD')
const cursor = new SortedSetCursor()

export const rewriteSortedSet: ValueRewrite = (arena, ref, key, take) => {
  const elements = new Elements([ZADD, key], take)
  cursor.open(arena, ref)
  while (cursor.next()) {
    const { bytes, offset, length } = cursor
    const member = Buffer.from(bytes.subarray(offset, offset + length))
    elements.add(Buffer.from(formatDouble(cursor.score)), member)
  }
  elements.end()
}
