/**
 * Finding the field that an argument names. A field that is found only when its time is over goes, as
 * Redis lets it go; that happens when nobody else has taken it out yet.
 *
 * Thread: core. Hot path.
 * Owns: whether the last look has emptied the hash.
 * Never: deletes where keys are not deleted either.
 */
import type { Ref } from '../../../memory/arena.ts'
import type { ListpackElement } from '../../../memory/listpack.ts'
import type { Call } from '../../engine/call.ts'
import { hashFind, hashRemove, isTimedHash } from './hash.ts'
import { foundIsHidden } from './timed.ts'

let emptied = false

/** True when the last field that was not found was the hash's last: the key is gone. */
export function lookupEmptied(): boolean {
  return emptied
}

/** Fills `value` with that of the field in argument `index`. False when there is no such field. */
export function findField(call: Call, ref: Ref, index: number, value: ListpackElement): boolean {
  const { args, db } = call
  const { arena } = db
  emptied = false
  if (hashFind(arena, ref, args, args.offsets[index], args.lengths[index], value)) return true
  if (isTimedHash(arena, ref) && foundIsHidden()) removeHidden(call, ref, index)
  return false
}

/** Takes out a field that is there but hidden, unless nothing may be deleted now. */
// alloc: a field's last act
export function removeHidden(call: Call, ref: Ref, index: number): void {
  const { args, db, keyspace, propagation } = call
  if (!keyspace.expireByDeletion) return
  const name = args.copy(1)
  if (propagation.active) propagation.emit(db.index, [HDEL, name, args.copy(index)])
  db.changing(ref)
  hashRemove(db.arena, ref, args, args.offsets[index], args.lengths[index])
  emptied = db.elements.expired(ref, name, 1)
}

const HDEL = Buffer.from('HDEL')
