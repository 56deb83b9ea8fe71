/**
 * XGROUP and XACK: making and ending groups and consumers, and acknowledging entries.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: touches an entry of the stream.
 */
import type { Ref } from '../../../memory/arena.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, NOT_AN_INTEGER } from '../../engine/errors.ts'
import { NO_DEADLINE } from '../../keyspace/db.ts'
import { entryValueWord, TYPE_STREAM } from '../../keyspace/entry.ts'
import {
  consumerRemove,
  groupCreate,
  groupRemove,
  namesCreate,
  pendingFind,
  pendingRemove,
  setGroupLastId,
  setGroupRead,
} from './consumer-group.ts'
import { idArgument, looseIdArgument, StreamId } from './id.ts'
import {
  consumerArgument,
  groupArgument,
  newConsumer,
  noGroup,
  streamToRead,
  subcommandSyntax,
} from './lookup.ts'
import {
  LAST_ID,
  STREAM_ENCODING,
  STREAM_VALUE_SIZE,
  setStreamGroups,
  streamCreate,
  streamFree,
  streamGroups,
  streamLoadId,
  streamOf,
} from './stream.ts'

const KEY_NEEDED = new CommandError(
  'ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.',
)
const BUSY_GROUP = new CommandError('BUSYGROUP Consumer Group name already exists')
const READ_NEGATIVE = new CommandError('ERR value for ENTRIESREAD must be positive or -1')

/** More words than any sensible CREATE has. */
const CREATE_COUNT_MAX = 8

const HELP = [
  'XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'CREATE <key> <group> <id|$> [option]',
  '    Make a group that has read up to <id>. Options are:',
  '    * MKSTREAM',
  '      Make an empty stream when there is none.',
  '    * ENTRIESREAD entries_read',
  '      Say how many entries the group has read.',
  'CREATECONSUMER <key> <group> <consumer>',
  '    Make a consumer.',
  'DELCONSUMER <key> <group> <consumer>',
  '    Delete a consumer and what is pending for it.',
  'DESTROY <key> <group>',
  '    Delete a group.',
  'SETID <key> <group> <id|$> [ENTRIESREAD entries_read]',
  '    Say up to where the group has read.',
  'HELP',
  '    Prints this help.',
]

const id = new StreamId()

/** Options of CREATE and SETID. */
interface GroupOptions {
  makesStream: boolean
  readHigh: number
  readLow: number
}

export const xgroupCommand = command({
  name: 'XGROUP',
  usage: '',
  summary: 'Makes, changes and deletes consumer groups.',
  since: '5.0.0',
  complexity: 'Depends on subcommand.',
  flags: [],
  reply: 'any',
  subcommands: [
    managing({
      name: 'CREATE',
      usage: 'key groupname <id | new_id:$> [MKSTREAM] [ENTRIESREAD entries_read]',
      summary: 'Makes a consumer group.',
      since: '5.0.0',
      flags: ['write', 'denyoom'],
      access: 'rw insert',
      history: [['7.0.0', 'ENTRIESREAD came.']],
      reply: 'status',
      run: create,
    }),
    managing({
      name: 'CREATECONSUMER',
      usage: 'key groupname consumername',
      summary: 'Makes a consumer of a group.',
      since: '6.2.0',
      flags: ['write', 'denyoom'],
      access: 'rw insert',
      reply: 'integer',
      run: createConsumer,
    }),
    managing({
      name: 'DELCONSUMER',
      usage: 'key groupname consumername',
      summary: 'Deletes a consumer of a group.',
      since: '5.0.0',
      flags: ['write'],
      access: 'rw delete',
      reply: 'integer',
      run: deleteConsumer,
    }),
    managing({
      name: 'DESTROY',
      usage: 'key groupname',
      summary: 'Deletes a consumer group.',
      since: '5.0.0',
      complexity: 'O(N) for N entries that are pending',
      flags: ['write'],
      access: 'rw delete',
      reply: 'integer',
      run: destroy,
    }),
    {
      name: 'HELP',
      usage: '',
      summary: 'Lists the subcommands.',
      since: '5.0.0',
      complexity: 'O(1)',
      flags: ['loading', 'stale'],
      reply: 'array of simple',
      // DIFFERS: in words of our own.
      run(call) {
        call.reply.array(HELP.length)
        for (const line of HELP) call.reply.simple(line)
      },
    },
    managing({
      name: 'SETID',
      usage: 'key groupname <id | new_id:$> [ENTRIESREAD entries_read]',
      summary: 'Sets how far a group has read.',
      since: '5.0.0',
      flags: ['write'],
      access: 'rw update',
      history: [['7.0.0', 'ENTRIESREAD came.']],
      reply: 'status',
      run: setId,
    }),
  ],
})

type Own = 'name' | 'usage' | 'summary' | 'since' | 'flags' | 'access' | 'reply' | 'run'
type Optional = Partial<Pick<CommandDefinition, 'history' | 'complexity'>>

function managing(own: Pick<CommandDefinition, Own> & Optional): CommandDefinition {
  return { complexity: 'O(1)', ...own }
}

/** What follows the id. Throws: CommandError. */
function parseOptions(call: Call, mayMake: boolean): GroupOptions {
  const { args } = call
  const options = { makesStream: false, readHigh: -1, readLow: -1 }
  let i = 5
  while (i < args.count) {
    if (mayMake && args.is(i, 'MKSTREAM')) {
      options.makesStream = true
      i++
    } else if (args.is(i, 'ENTRIESREAD') && i + 1 < args.count) {
      if (!args.integer64(i + 1)) throw NOT_AN_INTEGER
      options.readHigh = args.high
      options.readLow = args.low
      if (args.high < 0 && (args.high & args.low) !== -1) throw READ_NEGATIVE
      i += 2
    } else {
      throw subcommandSyntax(args, 'XGROUP')
    }
  }
  return options
}

/** The stream, which has to be there. Throws: CommandError. */
function streamNeeded(call: Call): Ref {
  const entry = call.db.writeTyped(call.args, 2, TYPE_STREAM)
  if (entry === 0) throw KEY_NEEDED
  return streamOf(call.db.arena, entry)
}

/** The group, which has to be there. Throws: CommandError. */
function groupNeeded(call: Call, stream: Ref): Ref {
  const group = groupArgument(call.db, call.args, stream, 3)
  if (group === 0) throw noGroup(call.args, 2, 3)
  return group
}

function create(call: Call): void {
  const { args, db } = call
  const options = parseOptions(call, true)
  const entry = db.writeTyped(args, 2, TYPE_STREAM)
  if (entry === 0 && !options.makesStream) throw KEY_NEEDED
  if (args.count > CREATE_COUNT_MAX) throw subcommandSyntax(args, 'XGROUP')
  const known = entry === 0 ? 0 : streamOf(db.arena, entry)
  lastIdArgument(call, known, false)
  if (groupArgument(db, args, known, 3) !== 0) throw BUSY_GROUP

  if (known === 0) {
    makeWithGroup(call, options)
    db.changed(args, 2, 'xgroup-create')
  } else {
    addGroup(call, known, options)
    call.keyspace.dirty++
    db.alsoNotify(args, 2, 'xgroup-create')
  }
  call.reply.ok()
}

/** The id in argument 4 as `id`; `$` is the last of the stream. `loose`: also `-` and `+`. */
function lastIdArgument(call: Call, stream: Ref, loose: boolean): void {
  const { args } = call
  if (args.is(4, '$')) {
    if (stream === 0) id.setZero()
    else streamLoadId(call.db.arena, stream, LAST_ID, id)
  } else if (loose) {
    looseIdArgument(args, 4, id)
  } else {
    idArgument(args, 4, id)
  }
}

/** Throws: ARENA_FULL, with nothing changed that anybody could see. */
function addGroup(call: Call, stream: Ref, options: GroupOptions): void {
  const { arena } = call.db
  const { bytes, offsets, lengths } = call.args
  if (streamGroups(arena, stream) === 0) setStreamGroups(arena, stream, namesCreate(arena))
  const groups = streamGroups(arena, stream)
  const { readHigh, readLow } = options
  groupCreate(arena, groups, bytes, offsets[3], lengths[3], id, readHigh, readLow)
}

function makeWithGroup(call: Call, options: GroupOptions): void {
  const { args, db } = call
  const arena = db.arenaOf(args, 2)
  const stream = streamCreate(arena)
  let done = false
  try {
    addGroup(call, stream, options)
    const entry = db.create(args, 2, TYPE_STREAM, STREAM_ENCODING, STREAM_VALUE_SIZE, NO_DEADLINE)
    arena.words[entryValueWord(arena, entry)] = stream
    done = true
  } finally {
    if (!done) streamFree(arena, stream)
  }
}

function setId(call: Call): void {
  const { args, db } = call
  const options = parseOptions(call, false)
  const stream = streamNeeded(call)
  const group = groupNeeded(call, stream)
  if (args.count > 7) throw subcommandSyntax(args, 'XGROUP')
  lastIdArgument(call, stream, true)

  setGroupLastId(db.arena, group, id)
  setGroupRead(db.arena, group, options.readHigh, options.readLow)
  call.keyspace.dirty++
  db.alsoNotify(args, 2, 'xgroup-setid')
  call.reply.ok()
}

function destroy(call: Call): void {
  const { args, db, reply } = call
  const stream = streamNeeded(call)
  const group = groupArgument(db, args, stream, 3)
  if (group === 0) return reply.integer(0)
  groupRemove(db.arena, streamGroups(db.arena, stream), group)
  call.keyspace.dirty++
  db.alsoNotify(args, 2, 'xgroup-destroy')
  // Who waits for the group has to hear of it.
  db.signalReady(args, 2)
  reply.integer(1)
}

function createConsumer(call: Call): void {
  const { args, db, reply } = call
  const group = groupNeeded(call, streamNeeded(call))
  if (consumerArgument(db, args, group, 4) !== 0) return reply.integer(0)
  newConsumer(call, group, 4, 2)
  reply.integer(1)
}

function deleteConsumer(call: Call): void {
  const { args, db, reply } = call
  const group = groupNeeded(call, streamNeeded(call))
  const consumer = consumerArgument(db, args, group, 4)
  if (consumer === 0) return reply.integer(0)
  const pendingCount = consumerRemove(db.arena, group, consumer)
  call.keyspace.dirty++
  db.alsoNotify(args, 2, 'xgroup-delconsumer')
  reply.integer(pendingCount)
}

export const xackCommand = command({
  name: 'XACK',
  usage: 'key group id [id ...]',
  summary: 'Says that entries given to consumers of a group are done with.',
  since: '5.0.0',
  complexity: 'O(log N) for each id, N being pending',
  flags: ['write', 'fast'],
  access: 'rw update',
  reply: 'integer',

  run(call) {
    const { args, db, reply } = call
    const group = groupArgument(db, args, streamToRead(db, args, 1), 2)
    if (group === 0) return reply.integer(0)
    // All ids are looked at before anything changes.
    for (let i = 3; i < args.count; i++) idArgument(args, i, id)

    const { arena } = db
    let count = 0
    for (let i = 3; i < args.count; i++) {
      idArgument(args, i, id)
      const delivery = pendingFind(arena, group, id)
      if (delivery === 0) continue
      pendingRemove(arena, group, delivery, id)
      count++
    }
    call.keyspace.dirty += count
    reply.integer(count)
  },
})
