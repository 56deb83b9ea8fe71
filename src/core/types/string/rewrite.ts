/**
 * The string as commands.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes a string.
 */
import type { ValueRewrite } from '../../keyspace/rewrite.ts'
import { StringView } from './view.ts'

const SET = Buffer.from('SET')
const view = new StringView()

export const rewriteString: ValueRewrite = (arena, ref, key, take) => {
  view.open(arena, ref)
  const { bytes, offset, length } = view
  take([SET, key, bytes.subarray(offset, offset + length)])
}
