/**
 * The types that a key can hold, by number.
 *
 * Thread: core.
 * Owns: which type has which number's place.
 * Never: knows a command.
 */
import {
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_SORTED_SET,
  TYPE_STREAM,
  TYPE_STRING,
} from '../keyspace/entry.ts'
import { registerPersistence } from '../keyspace/persist.ts'
import { registerRewrite } from '../keyspace/rewrite.ts'
import { registerValueType } from '../keyspace/value.ts'
import { hashPersistence } from './hash/persist.ts'
import { rewriteHash } from './hash/rewrite.ts'
import { hashValue } from './hash/value.ts'
import { listPersistence } from './list/persist.ts'
import { rewriteList } from './list/rewrite.ts'
import { listValue } from './list/value.ts'
import { setPersistence } from './set/persist.ts'
import { rewriteSet } from './set/rewrite.ts'
import { setValue } from './set/value.ts'
import { sortedSetPersistence } from './sorted-set/persist.ts'
import { rewriteSortedSet } from './sorted-set/rewrite.ts'
import { sortedSetValue } from './sorted-set/sorted-set.ts'
import { streamPersistence } from './stream/persist.ts'
import { streamValue } from './stream/value.ts'
import { stringPersistence } from './string/persist.ts'
import { rewriteString } from './string/rewrite.ts'
import { stringValue } from './string/string.ts'

export function registerValueTypes(): void {
  registerValueType(TYPE_STRING, stringValue)
  registerPersistence(TYPE_STRING, stringPersistence)
  registerRewrite(TYPE_STRING, rewriteString)
  registerValueType(TYPE_HASH, hashValue)
  registerPersistence(TYPE_HASH, hashPersistence)
  registerRewrite(TYPE_HASH, rewriteHash)
  registerValueType(TYPE_LIST, listValue)
  registerPersistence(TYPE_LIST, listPersistence)
  registerRewrite(TYPE_LIST, rewriteList)
  registerValueType(TYPE_SET, setValue)
  registerPersistence(TYPE_SET, setPersistence)
  registerRewrite(TYPE_SET, rewriteSet)
  registerValueType(TYPE_SORTED_SET, sortedSetValue)
  registerPersistence(TYPE_SORTED_SET, sortedSetPersistence)
  registerRewrite(TYPE_SORTED_SET, rewriteSortedSet)
  registerValueType(TYPE_STREAM, streamValue)
  registerPersistence(TYPE_STREAM, streamPersistence)
}
