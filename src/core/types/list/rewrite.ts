/**
 * The list as commands.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes a list.
 */
import { Elements, type ValueRewrite } from '../../keyspace/rewrite.ts'
import { ListCursor } from './list.ts'

const RPUSH = Buffer.from('RPUSH')
const cursor = new ListCursor()

export const rewriteList: ValueRewrite = (arena, ref, key, take) => {
  const elements = new Elements([RPUSH, key], take)
  cursor.open(arena, ref)
  while (cursor.next()) {
    const { bytes, offset, length } = cursor
    elements.add(Buffer.from(bytes.subarray(offset, offset + length)))
  }
  elements.end()
}
