/**
 * The set as commands.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes a set.
 */
import { Elements, type ValueRewrite } from '../../keyspace/rewrite.ts'
import { SetCursor } from './set.ts'

const SADD = Buffer.from('SADD')
const cursor = new SetCursor()

export const rewriteSet: ValueRewrite = (arena, ref, key, take) => {
  const elements = new Elements([SADD, key], take)
  cursor.open(arena, ref)
  while (cursor.next()) {
    const { bytes, offset, length } = cursor
    elements.add(Buffer.from(bytes.subarray(offset, offset + length)))
  }
  elements.end()
}
