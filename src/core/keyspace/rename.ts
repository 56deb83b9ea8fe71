/**
 * RENAME, RENAMENX, COPY, MOVE.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes a deadline: it goes with the value.
 */
import { command } from '../command/command.ts'
import type { Args } from '../engine/args.ts'
import type { Call } from '../engine/call.ts'
import {
  CommandError,
  INVALID_DB_INDEX,
  NO_SUCH_KEY,
  NOT_AN_INTEGER,
  SAME_OBJECT,
  SYNTAX,
} from '../engine/errors.ts'
import type { Db } from './db.ts'
import { copyKey, moveKey, renameKey } from './transfer.ts'

const MOVE_IN_CLUSTER = new CommandError('ERR MOVE is not allowed in cluster mode')
const COPY_IN_CLUSTER = new CommandError(
  'ERR Copying to another database is not allowed in cluster mode',
)
const NOT_AN_INT = new CommandError(
  'ERR value is out of range, value must between -2147483648 and 2147483647',
)

export const renameCommand = command({
  name: 'RENAME',
  usage: 'key newkey',
  summary: 'Gives a key another name, in place of whatever had that.',
  since: '1.0.0',
  complexity: 'O(1), but O(N) to free N elements of a value that is replaced',
  flags: ['write'],
  access: ['rw access delete', 'ow update'],
  reply: 'simple',

  run(call) {
    rename(call, false)
    call.reply.ok()
  },
})

export const renamenxCommand = command({
  name: 'RENAMENX',
  usage: 'key newkey',
  summary: 'Gives a key another name unless that is taken.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['write', 'fast'],
  access: ['rw access delete', 'ow insert'],
  reply: 'integer',

  run(call) {
    call.reply.integer(rename(call, true) ? 1 : 0)
  },
})

export const copyCommand = command({
  name: 'COPY',
  usage: 'source destination [DB destination-db] [REPLACE]',
  summary: 'Copies the value of a key to another key.',
  since: '6.2.0',
  complexity: 'O(N) for N elements, O(1) for strings',
  flags: ['write', 'denyoom'],
  access: ['ro access', 'ow update'],
  reply: 'integer',

  run(call) {
    const { args, db } = call
    let target = db
    let replace = false
    for (let i = 3; i < args.count; i++) {
      if (args.is(i, 'REPLACE')) replace = true
      else if (args.is(i, 'DB') && i + 1 < args.count) target = databaseArgument(call, ++i)
      else throw SYNTAX
    }
    if (target !== db && call.server.cluster.enabled) throw COPY_IN_CLUSTER
    if (target === db && sameArguments(args, 1, 2)) throw SAME_OBJECT
    const from = db.read(args, 1)
    if (from === 0) return call.reply.integer(0)
    const replaced = target.write(args, 2)
    if (replaced !== 0 && !replace) return call.reply.integer(0)
    copyKey(db, target, args, 1, from, 2, replaced)
    if (replaced !== 0) target.alsoNotify(args, 2, 'new')
    target.changed(args, 2, 'copy_to')
    call.reply.integer(1)
  },
})

export const moveCommand = command({
  name: 'MOVE',
  usage: 'key db',
  summary: 'Moves a key to another database that does not have it.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['write', 'fast'],
  access: 'rw access update',
  reply: 'integer',

  run(call) {
    const { args, db } = call
    if (call.server.cluster.enabled) throw MOVE_IN_CLUSTER
    const target = databaseArgument(call, 2)
    if (target === db) throw SAME_OBJECT
    const ref = db.write(args, 1)
    if (ref === 0 || target.write(args, 1) !== 0) return call.reply.integer(0)
    moveKey(db, target, args, 1, ref)
    db.changed(args, 1, 'move_from')
    target.alsoChanged(args, 1, 'move_to')
    call.reply.integer(1)
  },
})

/** False when the new name is taken and `onlyIfFree`, or when both names are the same. */
function rename(call: Call, onlyIfFree: boolean): boolean {
  const { args, db } = call
  const from = db.write(args, 1)
  if (from === 0) throw NO_SUCH_KEY
  if (sameArguments(args, 1, 2)) return false
  const replaced = db.write(args, 2)
  if (replaced !== 0 && onlyIfFree) return false
  renameKey(db, args, 1, from, 2, replaced)
  if (replaced !== 0) db.alsoNotify(args, 2, 'new')
  db.changed(args, 1, 'rename_from')
  db.alsoChanged(args, 2, 'rename_to')
  return true
}

/** The database that an argument names. Throws: CommandError. */
function databaseArgument(call: Call, index: number): Db {
  const { args } = call
  if (!args.integer64(index)) throw NOT_AN_INTEGER
  if (args.high !== args.low >> 31) throw NOT_AN_INT
  const db = call.keyspace.dbs[args.low]
  if (db === undefined) throw INVALID_DB_INDEX
  return db
}

function sameArguments(args: Args, a: number, b: number): boolean {
  const { bytes, offsets, lengths } = args
  if (lengths[a] !== lengths[b]) return false
  const end = offsets[a] + lengths[a]
  return bytes.compare(bytes, offsets[b], offsets[b] + lengths[b], offsets[a], end) === 0
}
