/**
 * Finding the stream, group and consumer that a call names.
 *
 * Thread: core.
 * Owns: the texts that say what is missing.
 * Never: makes anything but a consumer.
 */
import type { Ref } from '../../../memory/arena.ts'
import type { Args } from '../../engine/args.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import type { Db } from '../../keyspace/db.ts'
import { TYPE_STREAM } from '../../keyspace/entry.ts'
import { consumerCreate, findName, groupConsumers, setConsumerSeen } from './consumer-group.ts'
import { streamGroups, streamOf } from './stream.ts'

/**
 * The stream of a key for a command that changes its groups, 0 when there is none. For Redis such a
 * command reads the key: it counts a hit or a miss. Throws: CommandError WRONG_TYPE.
 */
export function streamToRead(db: Db, args: Args, index: number): Ref {
  if (db.readTyped(args, index, TYPE_STREAM) === 0) return 0
  const entry = db.write(args, index)
  return streamOf(db.arena, entry)
}

/** The group that an argument names, 0 when there is none or no stream. */
export function groupArgument(db: Db, args: Args, stream: Ref, index: number): Ref {
  if (stream === 0) return 0
  const groups = streamGroups(db.arena, stream)
  return findName(db.arena, groups, args.bytes, args.offsets[index], args.lengths[index])
}

/** The consumer that an argument names, 0 when there is none. */
export function consumerArgument(db: Db, args: Args, group: Ref, index: number): Ref {
  const consumers = groupConsumers(db.arena, group)
  return findName(db.arena, consumers, args.bytes, args.offsets[index], args.lengths[index])
}

/** The consumer that an argument names, seen just now, and 0 when there is none. */
export function seenConsumer(call: Call, group: Ref, index: number): Ref {
  const { args, db } = call
  const consumer = consumerArgument(db, args, group, index)
  if (consumer !== 0) setConsumerSeen(db.arena, consumer, call.nowMs)
  return consumer
}

/** Makes the consumer that an argument names, who is not there. Throws: ARENA_FULL. */
export function newConsumer(call: Call, group: Ref, index: number, keyIndex: number): Ref {
  const { args, db } = call
  const { bytes, offsets, lengths } = args
  const made = consumerCreate(db.arena, group, bytes, offsets[index], lengths[index], call.nowMs)
  call.keyspace.dirty++
  db.alsoNotify(args, keyIndex, 'xgroup-createconsumer')
  return made
}

/** Neither the stream nor the group need be there. */
export function noKeyOrGroup(args: Args, keyIndex: number, groupIndex: number): CommandError {
  const key = args.shown(keyIndex)
  return new CommandError(
    `NOGROUP No such key '${key}' or consumer group '${args.shown(groupIndex)}'`,
  )
}

/** The stream is there, the group is not. */
export function noGroup(args: Args, keyIndex: number, groupIndex: number): CommandError {
  const key = args.shown(keyIndex)
  return new CommandError(
    `NOGROUP No such consumer group '${args.shown(groupIndex)}' for key name '${key}'`,
  )
}

/** A subcommand's arguments make no sense. `name`: the container's, in capitals. */
export function subcommandSyntax(args: Args, name: string): CommandError {
  const subcommand = args.shown(1)
  return new CommandError(
    `ERR unknown subcommand or wrong number of arguments for '${subcommand}'. Try ${name} HELP.`,
  )
}
