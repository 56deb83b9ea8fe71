/**
 * XTRIM and XDEL: taking entries out; and the trimming options, which XADD has too.
 *
 * Thread: core. Hot path.
 * Owns: the options of the call in progress.
 * Never: trims by more than was asked, nor tells a replica to guess.
 */
import { command } from '../../command/command.ts'
import type { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, NOT_AN_INTEGER, SYNTAX } from '../../engine/errors.ts'
import { TYPE_STREAM } from '../../keyspace/entry.ts'
import { streamDelete, streamTrim, type TrimTarget } from './change.ts'
import { ID_COMPLETE, idArgument, newIdArgument, StreamId } from './id.ts'
import { streamFirstKey, streamLength, streamOf } from './stream.ts'

const BOTH_STRATEGIES = new CommandError(
  'ERR syntax error, MAXLEN and MINID options at the same time are not compatible',
)
const MAXLEN_NEGATIVE = new CommandError('ERR The MAXLEN argument must be >= 0.')
const LIMIT_NEGATIVE = new CommandError('ERR The LIMIT argument must be >= 0.')
const LIMIT_ALONE = new CommandError(
  'ERR syntax error, LIMIT cannot be used without specifying a trimming strategy',
)
const LIMIT_EXACT = new CommandError(
  'ERR syntax error, LIMIT cannot be used without the special ~ option',
)
const NO_STRATEGY = new CommandError(
  'ERR syntax error, XTRIM must be called with a trimming strategy',
)

const STAR = 42
const TILDE = 126
const EQUALS = 61
/** Nodes that an approximate trim may take unless told. */
const LIMIT_NODES = 100
const LIMIT_DEFAULT = 10_000
const LIMIT_MAX = 1_000_000
const TWO_32 = 4294967296

const deletedId = new StreamId()

/** What stands between the key and the fields of XADD, or after the key of XTRIM. */
export class TrimOptions implements TrimTarget {
  /** False: nothing is trimmed. */
  trims = false
  length = -1
  readonly minId = new StreamId()
  approximate = false
  limit = 0
  /** Where the number or id is; the operator may stand before it. */
  thresholdIndex = 0
  /** XADD: NOMKSTREAM. */
  mustExist = false
  /** XADD: where the id is; the number of arguments when it is missing. */
  idIndex = 0
  /** XADD: the id is `*`. */
  isAuto = false
  /** XADD: ID_COMPLETE or ID_OPEN. */
  idForm = ID_COMPLETE
  readonly id = new StreamId()

  /** Reads the options of XADD. Throws: CommandError. */
  parseAdd(call: Call): void {
    const { args } = call
    this.trims = false
    this.mustExist = false
    this.idForm = ID_COMPLETE
    this.isAuto = isByte(args, 2, STAR)
    this.idIndex = 2
    if (!this.isAuto) this.#parse(call, true)
  }

  /** Reads the options of XTRIM. Throws: CommandError. */
  parseTrim(call: Call): void {
    this.trims = false
    this.#parse(call, false)
  }

  #parse(call: Call, isAdd: boolean): void {
    const { args } = call
    this.limit = 0
    this.approximate = false
    let limitGiven = false
    let i = 2
    for (; i < args.count; i++) {
      const more = i + 1 < args.count
      if (isAdd && isByte(args, i, STAR)) {
        this.isAuto = true
        break
      } else if (more && (args.is(i, 'MAXLEN') || args.is(i, 'MINID'))) {
        i = this.#threshold(args, i)
      } else if (more && args.is(i, 'LIMIT')) {
        this.limit = count(args, ++i, LIMIT_NEGATIVE)
        limitGiven = true
      } else if (isAdd && args.is(i, 'NOMKSTREAM')) {
        this.mustExist = true
      } else if (isAdd) {
        this.idForm = newIdArgument(args, i, this.id)
        break
      } else {
        throw SYNTAX
      }
    }
    this.idIndex = i
    if (!this.trims && this.limit > 0) throw LIMIT_ALONE
    if (!this.trims && !isAdd) throw NO_STRATEGY
    if (limitGiven && !this.approximate) throw LIMIT_EXACT
    if (!limitGiven && this.approximate) this.limit = limitFor(call)
  }

  /** `MAXLEN|MINID [~|=] threshold` from `index` on. Gives where it ends. */
  #threshold(args: Args, index: number): number {
    if (this.trims) throw BOTH_STRATEGIES
    const byLength = args.is(index, 'MAXLEN')
    let i = index + 1
    this.approximate = false
    if (i + 1 < args.count && (isByte(args, i, TILDE) || isByte(args, i, EQUALS))) {
      this.approximate = isByte(args, i, TILDE)
      i++
    }
    this.length = -1
    if (byLength) this.length = count(args, i, MAXLEN_NEGATIVE)
    else idArgument(args, i, this.minId)
    this.trims = true
    this.thresholdIndex = i
    return i
  }
}

function isByte(args: Args, index: number, byte: number): boolean {
  return args.lengths[index] === 1 && args.bytes[args.offsets[index]] === byte
}

function count(args: Args, index: number, negative: CommandError): number {
  if (!args.integer64(index)) throw NOT_AN_INTEGER
  if (args.high < 0) throw negative
  return args.high * TWO_32 + (args.low >>> 0)
}

/** So that one call does not take too long. */
function limitFor(call: Call): number {
  const limit = LIMIT_NODES * call.server.settings.int('stream-node-max-entries')
  return limit <= 0 ? LIMIT_DEFAULT : Math.min(limit, LIMIT_MAX)
}

const options = new TrimOptions()

export const xtrimCommand = command({
  name: 'XTRIM',
  usage:
    'key <trim: <strategy: MAXLEN | MINID@6.2.0> [operator: equal:= | approximately:~] threshold ' +
    '[LIMIT count]@6.2.0>',
  summary: 'Takes the oldest entries out of a stream.',
  since: '5.0.0',
  complexity: 'O(N) for N entries that go, most of them whole nodes at a time',
  flags: ['write'],
  access: 'rw delete',
  tips: ['nondeterministic_output'],
  history: [['6.2.0', 'MINID and LIMIT came.']],
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    options.parseTrim(call)
    const entry = db.writeTyped(args, 1, TYPE_STREAM)
    if (entry === 0) return reply.integer(0)
    const stream = streamOf(db.arena, entry)
    const trimmed = streamTrim(db.arena, stream, options)
    if (trimmed > 0) {
      db.changed(args, 1, 'xtrim')
      call.keyspace.dirty += trimmed - 1
      if (options.approximate && call.propagation.active) propagateTrimmed(call, options, '')
    }
    reply.integer(trimmed)
  },
})

/**
 * Propagates XADD or XTRIM: an approximate threshold as what it has come to, and `id`, unless
 * empty, in place of XADD's own.
 * DIFFERS: without LIMIT, which is refused beside an exact threshold unless a replica is told so.
 */
// alloc: for the AOF and replicas
export function propagateTrimmed(call: Call, given: TrimOptions, id: string): void {
  const { args, db } = call
  const argv: (string | Uint8Array)[] = []
  const rewrites = given.trims && given.approximate
  for (let i = 0; i < args.count; i++) {
    if (i === given.idIndex && id !== '') argv.push(id)
    else if (rewrites && i === given.thresholdIndex - 1) argv.push('=')
    else if (rewrites && i === given.thresholdIndex) argv.push(reached(call, given))
    else if (rewrites && i < given.idIndex && args.is(i, 'LIMIT')) i++
    else argv.push(args.copy(i))
  }
  db.find(args, 1)
  call.propagateAs(...argv)
}

/** The exact threshold that leaves the stream as it is. */
function reached(call: Call, given: TrimOptions): string {
  const { args, db } = call
  const entry = db.find(args, 1)
  const stream = streamOf(db.arena, entry)
  if (given.length >= 0) return String(streamLength(db.arena, stream))
  if (!streamFirstKey(db.arena, stream, deletedId)) deletedId.setMax()
  return deletedId.toString()
}

export const xdelCommand = command({
  name: 'XDEL',
  usage: 'key id [id ...]',
  summary: 'Deletes entries of a stream.',
  since: '5.0.0',
  complexity: 'O(1) for each entry, whatever the length of the stream',
  flags: ['write', 'fast'],
  access: 'rw delete',
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    const entry = db.writeTyped(args, 1, TYPE_STREAM)
    if (entry === 0) return reply.integer(0)
    // All ids are looked at before anything goes.
    for (let i = 2; i < args.count; i++) idArgument(args, i, deletedId)

    const { arena } = db
    const stream = streamOf(arena, entry)
    let deleted = 0
    try {
      for (let i = 2; i < args.count; i++) {
        idArgument(args, i, deletedId)
        if (streamDelete(arena, stream, deletedId)) deleted++
      }
    } finally {
      if (deleted > 0) {
        db.changed(args, 1, 'xdel')
        call.keyspace.dirty += deleted - 1
      }
    }
    reply.integer(deleted)
  },
})
