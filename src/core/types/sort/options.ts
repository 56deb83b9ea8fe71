/**
 * The options of SORT and SORT_RO.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: looks at a key.
 */

import type { Call } from '../../engine/call.ts'
import { CommandError, NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'

const BY_IN_CLUSTER = new CommandError('ERR BY option of SORT denied in Cluster mode.')
const GET_IN_CLUSTER = new CommandError('ERR GET option of SORT denied in Cluster mode.')
const BY_DENIED = new CommandError(
  'ERR BY option of SORT denied due to insufficient ACL permissions.',
)
const GET_DENIED = new CommandError(
  'ERR GET option of SORT denied due to insufficient ACL permissions.',
)
const STAR = 42

export interface SortOptions {
  descending: boolean
  /** Compares texts, not numbers. */
  alpha: boolean
  /** LIMIT; a count below 0: all. */
  start: number
  count: number
  /** Argument numbers; 0: not given. */
  by: number
  store: number
  gets: number[]
  /** BY a pattern without '*': nothing is sorted. */
  unsorted: boolean
}

/** `canStore`: STORE is an option. Throws: CommandError. */
export function parseSortOptions(call: Call, canStore: boolean): SortOptions {
  const { args } = call
  const options: SortOptions = {
    descending: false,
    alpha: false,
    start: 0,
    count: -1,
    by: 0,
    store: 0,
    gets: [],
    unsorted: false,
  }
  const inCluster = call.server.settings.bool('cluster-enabled')
  const mayReadAll = call.server.users.mayReadAllKeys(call)
  for (let i = 2; i < args.count; i++) {
    const following = args.count - i - 1
    if (args.is(i, 'ASC')) options.descending = false
    else if (args.is(i, 'DESC')) options.descending = true
    else if (args.is(i, 'ALPHA')) options.alpha = true
    else if (args.is(i, 'LIMIT') && following >= 2) {
      options.start = long(call, ++i)
      options.count = long(call, ++i)
    } else if (canStore && args.is(i, 'STORE') && following >= 1) options.store = ++i
    else if (args.is(i, 'BY') && following >= 1) {
      options.by = ++i
      // QUIRK: a later BY with a star does not bring sorting back.
      if (!hasStar(call, i)) options.unsorted = true
      else if (inCluster) throw BY_IN_CLUSTER
      else if (!mayReadAll) throw BY_DENIED
    } else if (args.is(i, 'GET') && following >= 1) {
      if (inCluster) throw GET_IN_CLUSTER
      if (!mayReadAll) throw GET_DENIED
      options.gets.push(++i)
    } else throw SYNTAX
  }
  return options
}

/** A number that is only compared with a count of elements. */
function long(call: Call, index: number): number {
  const { args } = call
  if (!args.integer64(index)) throw NOT_AN_INTEGER
  return args.high * 0x100000000 + (args.low >>> 0)
}

/** A NUL ends a pattern. */
function hasStar(call: Call, index: number): boolean {
  const { bytes, offsets, lengths } = call.args
  const end = offsets[index] + lengths[index]
  for (let at = offsets[index]; at < end && bytes[at] !== 0; at++) {
    if (bytes[at] === STAR) return true
  }
  return false
}
