/**
 * BITOP: bits of several strings combined into another.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes the target before all sources are combined.
 */

import { blobBytesOffset, blobCreateUnfilled } from '../../../memory/blob.ts'
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, SYNTAX } from '../../engine/errors.ts'
import { NO_DEADLINE } from '../../keyspace/db.ts'
import { TYPE_STRING } from '../../keyspace/entry.ts'
import { stringLength, stringSetBlob } from '../string/string.ts'
import { StringView } from '../string/view.ts'
import { BITOP_AND, BITOP_OR, BITOP_XOR, combineBits, invertBits } from './bits.ts'

const SINGLE_SOURCE = new CommandError('ERR BITOP NOT must be called with a single source key.')
const BITOP_NOT = 3
const TARGET = 2
const FIRST_SOURCE = 3

const source = new StringView()

export const bitop = command({
  name: 'BITOP',
  usage: 'operation destkey key [key ...]',
  summary: 'Combines the bits of string values and stores the result in a key.',
  since: '2.6.0',
  complexity: 'O(N)',
  flags: ['write', 'denyoom'],
  access: ['ow update', 'ro access'],
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    const operation = operationOf(call)
    if (operation === BITOP_NOT && args.count !== 4) throw SINGLE_SOURCE
    const length = longestSource(call)
    if (length === 0) {
      const ref = db.write(args, TARGET)
      if (ref !== 0) {
        db.remove(ref)
        db.changed(args, TARGET, 'del')
      }
      return reply.integer(0)
    }

    const arena = db.arenaOf(args, TARGET)
    const blob = blobCreateUnfilled(arena, length)
    const at = blobBytesOffset(blob)
    openSource(call, FIRST_SOURCE)
    source.bytes.copy(arena.bytes, at, source.offset, source.offset + source.length)
    arena.bytes.fill(0, at + source.length, at + length)
    if (operation === BITOP_NOT) invertBits(arena.words, at, length)
    for (let i = FIRST_SOURCE + 1; i < args.count; i++) {
      openSource(call, i)
      const { words, offset } = source
      combineBits(operation, arena.words, at, length, words, offset, source.length)
    }
    stringSetBlob(db, args, TARGET, db.write(args, TARGET), blob, NO_DEADLINE)
    db.changed(args, TARGET, 'set')
    reply.integer(length)
  },
})

function operationOf(call: Call): number {
  const { args } = call
  if (args.is(1, 'AND')) return BITOP_AND
  if (args.is(1, 'OR')) return BITOP_OR
  if (args.is(1, 'XOR')) return BITOP_XOR
  if (args.is(1, 'NOT')) return BITOP_NOT
  throw SYNTAX
}

/** Bytes of the longest source. Throws: CommandError WRONG_TYPE. */
function longestSource(call: Call): number {
  const { args, db } = call
  let longest = 0
  for (let i = FIRST_SOURCE; i < args.count; i++) {
    const ref = db.readTyped(args, i, TYPE_STRING)
    if (ref !== 0) longest = Math.max(longest, stringLength(db.arena, ref))
  }
  return longest
}

function openSource(call: Call, index: number): void {
  const { args, db } = call
  const ref = db.peek(args, index)
  if (ref === 0) source.openEmpty()
  else source.open(db.arena, ref)
}
