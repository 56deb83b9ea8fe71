/**
 * ZADD and ZINCRBY.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: adds a member before every score of the call is read.
 */
import { parseDouble } from '../../../lib/bytes/double.ts'
import { command } from '../../command/command.ts'
import type { Args } from '../../engine/args.ts'
import { CommandError, NOT_A_FLOAT, SYNTAX } from '../../engine/errors.ts'
import { addMembers, lastMember, membersAdded, membersUpdated, scoresFor } from './members.ts'
import {
  ADD_GREATER,
  ADD_INCREMENT,
  ADD_LESS,
  ADD_NEW,
  ADD_PRESENT,
  addedScore,
  LEFT_ALONE,
} from './sorted-set.ts'

const NEW_AND_PRESENT = new CommandError(
  'ERR XX and NX options at the same time are not compatible',
)
const NEW_AND_COMPARED = new CommandError(
  'ERR GT, LT, and/or NX options at the same time are not compatible',
)
const SINGLE_INCREMENT = new CommandError(
  'ERR INCR option supports a single increment-element pair',
)
/** CH: not about a member, but about what is counted. */
const COUNT_CHANGES = 256

const COMPARED = ADD_GREATER | ADD_LESS

export const zaddCommand = command({
  name: 'ZADD',
  usage:
    'key [condition: NX | XX]@3.0.2 [comparison: GT | LT]@6.2.0 [change:CH]@3.0.2 ' +
    '[increment:INCR]@3.0.2 score member [score member ...]',
  summary: 'Adds members with their scores, or changes the scores.',
  since: '1.2.0',
  complexity: 'O(log(N)) for each member, where N is the number of members of the sorted set',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw update',
  history: [
    ['2.4.0', 'Several members at once.'],
    ['3.0.2', 'XX, NX, CH and INCR came.'],
    ['6.2.0', 'GT and LT came.'],
  ],
  reply: 'integer | bulk | nil',

  run(call) {
    const { args, reply } = call
    let options = 0
    let first = 2
    for (; first < args.count; first++) {
      const option = optionAt(args, first)
      if (option === 0) break
      options |= option
    }
    const words = args.count - first
    if (words === 0 || words % 2 !== 0) throw SYNTAX
    checkOptions(options, words)
    const count = words >> 1
    const scores = scoresFor(count)
    for (let i = 0; i < count; i++) scores[i] = scoreAt(args, first + i * 2)

    addMembers(
      call,
      first + 1,
      2,
      count,
      options & ~COUNT_CHANGES,
      (options & ADD_INCREMENT) !== 0 ? 'zincr' : 'zadd',
    )
    if ((options & ADD_INCREMENT) !== 0) {
      if (lastMember() === LEFT_ALONE) reply.nil()
      else reply.double(addedScore())
      return
    }
    const updated = (options & COUNT_CHANGES) !== 0 ? membersUpdated() : 0
    reply.integer(membersAdded() + updated)
  },
})

export const zincrbyCommand = command({
  name: 'ZINCRBY',
  usage: 'key increment:integer member',
  summary: "Adds a number to a member's score.",
  since: '1.2.0',
  complexity: 'O(log(N)) where N is the number of members of the sorted set',
  flags: ['write', 'denyoom', 'fast'],
  access: 'rw access update',
  reply: 'bulk',

  run(call) {
    // QUIRK: an option of ZADD is taken for one here too, and then the score is missing: ZINCRBY k NX 1.
    if (optionAt(call.args, 2) !== 0) throw SYNTAX
    scoresFor(1)[0] = scoreAt(call.args, 2)
    addMembers(call, 3, 1, 1, ADD_INCREMENT, 'zincr')
    call.reply.double(addedScore())
  },
})

/** The option in an argument, 0 when it is none. Most scores begin with a digit. */
function optionAt(args: Args, index: number): number {
  if (args.bytes[args.offsets[index]] < 65) return 0
  if (args.is(index, 'NX')) return ADD_NEW
  if (args.is(index, 'XX')) return ADD_PRESENT
  if (args.is(index, 'CH')) return COUNT_CHANGES
  if (args.is(index, 'INCR')) return ADD_INCREMENT
  if (args.is(index, 'GT')) return ADD_GREATER
  return args.is(index, 'LT') ? ADD_LESS : 0
}

/** Throws: CommandError. */
function checkOptions(options: number, words: number): void {
  const isNew = (options & ADD_NEW) !== 0
  if (isNew && (options & ADD_PRESENT) !== 0) throw NEW_AND_PRESENT
  if ((isNew && (options & COMPARED) !== 0) || (options & COMPARED) === COMPARED) {
    throw NEW_AND_COMPARED
  }
  if ((options & ADD_INCREMENT) !== 0 && words > 2) throw SINGLE_INCREMENT
}

/** Throws: CommandError NOT_A_FLOAT. */
function scoreAt(args: Args, index: number): number {
  const at = args.offsets[index]
  const score = parseDouble(args.bytes, at, at + args.lengths[index])
  if (Number.isNaN(score)) throw NOT_A_FLOAT
  return score
}
