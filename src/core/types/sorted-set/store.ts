/**
 * Putting a built set into the key of a destination argument: the STORE commands.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: leaves a block behind when memory runs out.
 */
import type { Call } from '../../engine/call.ts'
import { NO_DEADLINE } from '../../keyspace/db.ts'
import type { EventName } from '../../keyspace/events.ts'
import { Draft } from '../../keyspace/transfer.ts'
import { ListpackLimits } from '../listpack-limits.ts'
import { SortedSetBuilder } from './builder.ts'

const limits = new ListpackLimits('zset')

/** A builder for the key of argument `keyIndex`. Throws: ARENA_FULL. */
export function builderFor(call: Call, keyIndex: number): SortedSetBuilder {
  return new SortedSetBuilder(call.db.arenaOf(call.args, keyIndex))
}

/**
 * Gives the key of argument `keyIndex` what was built, or takes it away when that is nothing. Gives
 * the number of members. Throws: ARENA_FULL, with the key unchanged; the builder is freed always.
 */
export function storeSortedSet(
  call: Call,
  keyIndex: number,
  builder: SortedSetBuilder,
  event: EventName,
): number {
  const { args, db } = call
  const count = builder.count
  const existing = db.write(args, keyIndex)
  if (count === 0) {
    builder.free()
    if (existing === 0) return 0
    db.remove(existing)
    db.changed(args, keyIndex, 'del')
    return 0
  }
  const draft = new Draft(db, args, keyIndex, NO_DEADLINE)
  try {
    builder.finish(limits.follow(call.server.settings))
    builder.create(draft)
  } finally {
    builder.free()
  }
  draft.adopt(existing)
  db.changed(args, keyIndex, event)
  return count
}
