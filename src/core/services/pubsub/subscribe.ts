/**
 * SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE and their opposites. Each name is confirmed by itself.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: is silent: confirmations come even to who has turned replies off.
 */
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { REPLY_ON } from '../../engine/session.ts'
import type { Topic, Topics } from './topics.ts'

export const subscribeCommand = command({
  name: 'SUBSCRIBE',
  usage: 'channel [channel ...]',
  summary: 'Listens to channels.',
  since: '2.0.0',
  complexity: 'O(N) where N is the number of channels',
  flags: ['pubsub', 'noscript', 'loading', 'stale'],
  whileSubscribed: true,
  reply: 'push',

  run(call) {
    subscribe(call, call.server.pubsub.channels)
  },
})

export const unsubscribeCommand = command({
  name: 'UNSUBSCRIBE',
  usage: '[channel [channel ...]]',
  summary: 'Listens to channels no longer, to none at all when none is named.',
  since: '2.0.0',
  complexity: 'O(N) where N is the number of channels',
  flags: ['pubsub', 'noscript', 'loading', 'stale'],
  whileSubscribed: true,
  reply: 'push',

  run(call) {
    unsubscribe(call, call.server.pubsub.channels)
  },
})

export const psubscribeCommand = command({
  name: 'PSUBSCRIBE',
  usage: '<pattern: pattern> [...]',
  summary: 'Listens to all channels whose names match patterns.',
  since: '2.0.0',
  complexity: 'O(N) where N is the number of patterns',
  flags: ['pubsub', 'noscript', 'loading', 'stale'],
  whileSubscribed: true,
  reply: 'push',

  run(call) {
    subscribe(call, call.server.pubsub.patterns)
  },
})

export const punsubscribeCommand = command({
  name: 'PUNSUBSCRIBE',
  usage: '[pattern [pattern ...]]',
  summary: 'Listens to patterns no longer, to none at all when none is named.',
  since: '2.0.0',
  complexity: 'O(N) where N is the number of patterns',
  flags: ['pubsub', 'noscript', 'loading', 'stale'],
  whileSubscribed: true,
  reply: 'push',

  run(call) {
    unsubscribe(call, call.server.pubsub.patterns)
  },
})

export const ssubscribeCommand = command({
  name: 'SSUBSCRIBE',
  usage: 'shardchannel [shardchannel ...]',
  summary: 'Listens to shard channels.',
  since: '7.0.0',
  complexity: 'O(N) where N is the number of shard channels',
  flags: ['pubsub', 'noscript', 'loading', 'stale'],
  keys: [{ flags: 'not_key', begin: { index: 1 }, find: { lastKey: -1, step: 1, limit: 0 } }],
  whileSubscribed: true,
  reply: 'push',

  run(call) {
    subscribe(call, call.server.pubsub.shards)
  },
})

export const sunsubscribeCommand = command({
  name: 'SUNSUBSCRIBE',
  usage: '[shardchannel [shardchannel ...]]',
  summary: 'Listens to shard channels no longer, to none at all when none is named.',
  since: '7.0.0',
  complexity: 'O(N) where N is the number of shard channels',
  flags: ['pubsub', 'noscript', 'loading', 'stale'],
  keys: [{ flags: 'not_key', begin: { index: 1 }, find: { lastKey: -1, step: 1, limit: 0 } }],
  whileSubscribed: true,
  reply: 'push',

  run(call) {
    unsubscribe(call, call.server.pubsub.shards)
  },
})

function subscribe(call: Call, topics: Topics): void {
  const { args, session, server } = call
  aloud(call, () => {
    for (let i = 1; i < args.count; i++) {
      const name = args.copy(i)
      server.pubsub.subscribe(topics, session, name)
      confirm(call, topics, topics.words.subscribe, name)
    }
  })
}

function unsubscribe(call: Call, topics: Topics): void {
  const { args, session, server } = call
  const { pubsub } = server
  const word = topics.words.unsubscribe
  const leave = (topic: Topic | undefined, name: Buffer | undefined) => {
    if (topic !== undefined) pubsub.unsubscribe(topics, session, topic)
    confirm(call, topics, word, name)
  }
  aloud(call, () => {
    for (let i = 1; i < args.count; i++) {
      leave(topics.find(args.bytes, args.offsets[i], args.lengths[i]), args.copy(i))
    }
    if (args.count > 1) return
    const all = [...topics.of(session)]
    for (const topic of all) leave(topic, topic.name)
    if (all.length === 0) confirm(call, topics, word, undefined)
  })
}

/** `name`: undefined when there was nothing to leave. */
function confirm(call: Call, topics: Topics, word: string, name: Buffer | undefined): void {
  const { reply, server, session } = call
  const shards = session.subscriptions?.shards.size ?? 0
  reply.push(3)
  reply.bulkText(word)
  if (name === undefined) reply.nil()
  else reply.bulkBytes(name)
  reply.integer(topics === server.pubsub.shards ? shards : session.subscriptionCount - shards)
}

/** Speaks even if CLIENT REPLY has silenced the replies to this call. */
function aloud(call: Call, speak: () => void): void {
  const { server, session } = call
  if (session.replyMode === REPLY_ON) return speak()
  server.outbox.unmute()
  server.outbox.select(session)
  speak()
  server.outbox.mute(session)
}
