/**
 * The hash as commands.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes a hash.
 */
import { Elements, type ValueRewrite } from '../../keyspace/rewrite.ts'
import { HashCursor } from './hash.ts'

const HSET = Buffer.from('HSET')
const HPEXPIREAT = Buffer.from('HPEXPIREAT')
const FIELDS = Buffer.from('FIELDS')
const ONE = Buffer.from('1')
const walk = new HashCursor()

/** Fields with ends of their own: Redis 7.4 knows them. */
export const rewriteHash: ValueRewrite = (arena, ref, key, take) => {
  const elements = new Elements([HSET, key], take)
  const ends: Uint8Array[][] = []
  walk.open(arena, ref, true)
  while (walk.next()) {
    const { bytes, offset, length, value, end } = walk
    const field = Buffer.from(bytes.subarray(offset, offset + length))
    const text = value.bytes.subarray(value.offset, value.offset + value.length)
    elements.add(field, Buffer.from(text))
    if (end !== 0) ends.push([HPEXPIREAT, key, Buffer.from(String(end)), FIELDS, ONE, field])
  }
  elements.end()
  for (const argv of ends) take(argv)
}
