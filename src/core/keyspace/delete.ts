/**
 * DEL, UNLINK, EXISTS, TOUCH, TYPE.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: makes a string of a key.
 */
import { command } from '../command/command.ts'
import type { Call } from '../engine/call.ts'
import { entryType } from './entry.ts'
import { valueType } from './value.ts'

export const delCommand = command({
  name: 'DEL',
  usage: 'key [key ...]',
  summary: 'Deletes keys.',
  since: '1.0.0',
  complexity: 'O(N) for N keys; a key with M elements costs O(M)',
  flags: ['write'],
  access: 'rm delete',
  tips: ['request_policy:multi_shard', 'response_policy:agg_sum'],
  reply: 'integer',
  run: (call) => removeKeys(call, call.server.settings.bool('lazyfree-lazy-user-del')),
})

export const unlinkCommand = command({
  name: 'UNLINK',
  usage: 'key [key ...]',
  summary: 'Deletes keys, their memory possibly later.',
  since: '4.0.0',
  complexity: 'O(1) for each key, then O(M) for the memory of M elements',
  flags: ['write', 'fast'],
  access: 'rm delete',
  tips: ['request_policy:multi_shard', 'response_policy:agg_sum'],
  reply: 'integer',
  run: (call) => removeKeys(call, true),
})

export const existsCommand = command({
  name: 'EXISTS',
  usage: 'key [key ...]',
  summary: 'Counts which of the keys exist; a key named twice counts twice.',
  since: '1.0.0',
  complexity: 'O(N) for N keys',
  flags: ['readonly', 'fast'],
  access: 'ro',
  tips: ['request_policy:multi_shard', 'response_policy:agg_sum'],
  reply: 'integer',

  run(call) {
    const { args, db } = call
    let count = 0
    for (let i = 1; i < args.count; i++) if (db.readUntouched(args, i) !== 0) count++
    call.reply.integer(count)
  },
})

export const touchCommand = command({
  name: 'TOUCH',
  usage: 'key [key ...]',
  summary: 'Marks keys as used now and counts those that exist.',
  since: '3.2.1',
  complexity: 'O(N) for N keys',
  flags: ['readonly', 'fast'],
  access: 'ro',
  tips: ['request_policy:multi_shard', 'response_policy:agg_sum'],
  reply: 'integer',

  run(call) {
    const { args, db } = call
    // CLIENT NO-TOUCH means the accesses that happen by the way, not this one.
    call.keyspace.setTouching(true)
    let count = 0
    for (let i = 1; i < args.count; i++) if (db.read(args, i) !== 0) count++
    call.reply.integer(count)
  },
})

export const typeCommand = command({
  name: 'TYPE',
  usage: 'key',
  summary: 'Names the type of what a key holds.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['readonly', 'fast'],
  access: 'ro',
  reply: 'simple',

  run(call) {
    const { db } = call
    const ref = db.readUntouched(call.args, 1)
    call.reply.simple(ref === 0 ? 'none' : valueType(entryType(db.arena, ref)).name)
  },
})

/** `lazily`: what takes a while to be freed is freed later. */
function removeKeys(call: Call, lazily: boolean): void {
  const { args, db } = call
  let count = 0
  for (let i = 1; i < args.count; i++) {
    const ref = db.find(args, i)
    // QUIRK: a key that has expired counts where only the primary may delete it for that.
    if (ref === 0 || db.expireIfDue(ref)) continue
    db.remove(ref, lazily)
    db.changed(args, i, 'del')
    count++
  }
  call.reply.integer(count)
}
