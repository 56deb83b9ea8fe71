/**
 * What is to be done when elements were taken from a list.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: leaves a key without elements.
 */
import type { Ref } from '../../../memory/arena.ts'
import type { Call } from '../../engine/call.ts'
import type { EventName } from '../../keyspace/events.ts'

/**
 * Counts and tells the change of the list at `ref`, the key of argument `index`, from which `count`
 * elements have gone. `isEmpty`: all of them; the key goes, and with it what its list still holds.
 */
export function elementsRemoved(
  call: Call,
  index: number,
  ref: Ref,
  event: EventName,
  count: number,
  isEmpty: boolean,
): void {
  const { args, db, keyspace } = call
  if (isEmpty) db.remove(ref)
  db.changed(args, index, event)
  keyspace.dirty += count - 1
  if (isEmpty) db.alsoNotify(args, index, 'del')
}
