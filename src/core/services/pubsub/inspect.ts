/**
 * PUBSUB: what is listened to, and by how many.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: changes who listens.
 */

import { matchGlob } from '../../../lib/glob.ts'
import { type CommandDefinition, command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError } from '../../engine/errors.ts'
import { helpSubcommand } from '../server/help.ts'
import type { Topics } from './topics.ts'

const pubsubChannels: CommandDefinition = {
  name: 'CHANNELS',
  usage: '[pattern]',
  summary: 'Lists the channels that somebody listens to, or those whose names match.',
  since: '2.8.0',
  complexity: 'O(N) where N is the number of channels',
  flags: ['pubsub', 'loading', 'stale'],
  reply: 'array of bulk',

  run(call) {
    replyNames(call, call.server.pubsub.channels)
  },
}

const pubsubNumpat: CommandDefinition = {
  name: 'NUMPAT',
  usage: '',
  summary: 'Counts the patterns that somebody listens to.',
  since: '2.8.0',
  complexity: 'O(1)',
  flags: ['pubsub', 'loading', 'stale'],
  reply: 'integer',

  run(call) {
    call.reply.integer(call.server.pubsub.patterns.count)
  },
}

const pubsubNumsub: CommandDefinition = {
  name: 'NUMSUB',
  usage: '[channel [channel ...]]',
  summary: 'Counts who listens to channels; patterns are not counted.',
  since: '2.8.0',
  complexity: 'O(N) where N is the number of channels asked about',
  flags: ['pubsub', 'loading', 'stale'],
  reply: 'array',

  run(call) {
    replyCounts(call, call.server.pubsub.channels)
  },
}

const pubsubShardchannels: CommandDefinition = {
  name: 'SHARDCHANNELS',
  usage: '[pattern]',
  summary: 'Lists the shard channels that somebody listens to, or those whose names match.',
  since: '7.0.0',
  complexity: 'O(N) where N is the number of shard channels',
  flags: ['pubsub', 'loading', 'stale'],
  reply: 'array of bulk',

  run(call) {
    replyNames(call, call.server.pubsub.shards)
  },
}

const pubsubShardnumsub: CommandDefinition = {
  name: 'SHARDNUMSUB',
  usage: '[shardchannel [shardchannel ...]]',
  summary: 'Counts who listens to shard channels.',
  since: '7.0.0',
  complexity: 'O(N) where N is the number of shard channels asked about',
  flags: ['pubsub', 'loading', 'stale'],
  reply: 'array',

  run(call) {
    replyCounts(call, call.server.pubsub.shards)
  },
}

const subcommands: readonly CommandDefinition[] = [
  pubsubChannels,
  pubsubNumpat,
  pubsubNumsub,
  pubsubShardchannels,
  pubsubShardnumsub,
]

export const pubsubCommand = command({
  name: 'PUBSUB',
  usage: '',
  summary: 'Tells what is listened to.',
  since: '2.8.0',
  complexity: 'Depends on subcommand.',
  flags: [],
  reply: 'any',
  subcommands: [...subcommands, helpSubcommand('PUBSUB', '6.2.0', () => subcommands)],
})

function replyNames(call: Call, topics: Topics): void {
  const { args, reply } = call
  if (args.count > 3) {
    throw new CommandError(
      `ERR unknown subcommand or wrong number of arguments for '${args.shown(1)}'. Try PUBSUB HELP.`,
    )
  }
  let names = [...topics.all()].map(({ name }) => name)
  if (args.count === 3) {
    const at = args.offsets[2]
    names = names.filter((name) => matchGlob(args.bytes, at, args.lengths[2], name, 0, name.length))
  }
  reply.array(names.length)
  for (const name of names) reply.bulkBytes(name)
}

function replyCounts({ args, reply }: Call, topics: Topics): void {
  reply.array(2 * (args.count - 2))
  for (let i = 2; i < args.count; i++) {
    const topic = topics.find(args.bytes, args.offsets[i], args.lengths[i])
    reply.bulk(args.bytes, args.offsets[i], args.lengths[i])
    reply.integer(topic?.sessions.size ?? 0)
  }
}
