/**
 * PUBLISH and SPUBLISH.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: keeps the message.
 */
import { command } from '../../command/command.ts'

export const publishCommand = command({
  name: 'PUBLISH',
  usage: 'channel message',
  summary: 'Sends a message to a channel and tells how many got it.',
  since: '2.0.0',
  complexity: 'O(N+M) for N listeners of the channel and M patterns',
  flags: ['pubsub', 'loading', 'stale', 'fast', 'may_replicate'],
  reply: 'integer',

  run(call) {
    const { bytes, offsets, lengths } = call.args
    const { pubsub } = call.server
    call.server.replication.share(call)
    call.reply.integer(pubsub.publish(bytes, offsets[1], lengths[1], bytes, offsets[2], lengths[2]))
  },
})

export const spublishCommand = command({
  name: 'SPUBLISH',
  usage: 'shardchannel message',
  summary: 'Sends a message to a shard channel and tells how many got it.',
  since: '7.0.0',
  complexity: 'O(N) for N listeners of the shard channel',
  flags: ['pubsub', 'loading', 'stale', 'fast', 'may_replicate'],
  keys: [{ flags: 'not_key', begin: { index: 1 }, find: { lastKey: 0, step: 1, limit: 0 } }],
  reply: 'integer',

  run(call) {
    const { bytes, offsets, lengths } = call.args
    const { pubsub } = call.server
    call.server.replication.share(call)
    call.reply.integer(
      pubsub.publishToShard(bytes, offsets[1], lengths[1], bytes, offsets[2], lengths[2]),
    )
  },
})
