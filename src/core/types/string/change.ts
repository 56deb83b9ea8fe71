/**
 * Commands that change a part of a string: APPEND and SETRANGE.
 *
 * Thread: core. Hot path.
 * Owns: the limit of a string's length.
 * Never: makes a string longer than a client could send.
 */

import { copyBytes } from '../../../memory/copy.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { OFFSET_OUT_OF_RANGE, STRING_TOO_LARGE } from '../../engine/errors.ts'
import { NO_DEADLINE } from '../../keyspace/db.ts'
import { TYPE_STRING } from '../../keyspace/entry.ts'
import { position } from './position.ts'
import {
  rawBytesOffset,
  stringAppend,
  stringGrow,
  stringLength,
  stringSetArgument,
} from './string.ts'

/** Throws: CommandError STRING_TOO_LARGE when a string of so many bytes may not be. */
export function checkStringLength(call: Call, length: number): void {
  if (length > call.server.settings.int('proto-max-bulk-len')) throw STRING_TOO_LARGE
}

export const append = command({
  name: 'APPEND',
  usage: 'key value',
  summary: 'Adds bytes to the end of a string value; a missing key counts as empty.',
  since: '2.0.0',
  complexity:
    'O(1) amortized, for short values added to a string of any length: it grows with room to spare',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw insert',
  reply: 'integer',

  run(call) {
    const { args, db } = call
    const ref = db.writeTyped(args, 1, TYPE_STRING)
    const added = args.lengths[2]
    let length = added
    if (ref === 0) {
      stringSetArgument(db, args, 1, 0, 2, NO_DEADLINE)
    } else {
      length += stringLength(db.arena, ref)
      checkStringLength(call, length)
      stringAppend(db, args, 1, ref, args.bytes, args.words, args.offsets[2], added)
    }
    db.changed(args, 1, 'append')
    call.reply.integer(length)
  },
})

export const setrange = command({
  name: 'SETRANGE',
  usage: 'key offset value',
  summary: 'Overwrites a string value from a byte on; a gap is filled with zero bytes.',
  since: '2.2.0',
  complexity: 'O(M) where M is the number of bytes written, and the gap before them',
  flags: ['write', 'denyoom'],
  access: 'rw update',
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    const offset = position(call, 2)
    if (offset < 0) throw OFFSET_OUT_OF_RANGE
    const size = args.lengths[3]
    const ref = db.writeTyped(args, 1, TYPE_STRING)
    const length = ref === 0 ? 0 : stringLength(db.arena, ref)
    if (size === 0) return reply.integer(length)
    checkStringLength(call, offset + size)

    const grown = stringGrow(db, args, 1, ref, offset + size)
    const { arena } = db
    const to = rawBytesOffset(arena, grown) + offset
    copyBytes(arena.bytes, arena.words, to, args.bytes, args.words, args.offsets[3], size)
    db.changed(args, 1, 'setrange')
    reply.integer(Math.max(length, offset + size))
  },
})
