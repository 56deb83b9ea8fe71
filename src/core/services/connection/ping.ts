/**
 * PING, ECHO, SELECT, QUIT, RESET: the smallest talk there is.
 *
 * Thread: core. Hot path.
 * Owns: nothing.
 * Never: looks at a key.
 */
import { command } from '../../command/command.ts'
import type { Call } from '../../engine/call.ts'
import { CommandError, INVALID_DB_INDEX, wrongArity } from '../../engine/errors.ts'

const PING_ARITY = wrongArity('ping')
const PONG = Buffer.from('+PONG\r\n')
const INT_MAX = 2147483647
const DB_OUT_OF_RANGE = new CommandError(
  'ERR value is out of range, value must between -2147483648 and 2147483647',
)
const SELECT_IN_CLUSTER = new CommandError('ERR SELECT is not allowed in cluster mode')

export const pingCommand = command({
  name: 'PING',
  usage: '[message]',
  summary: 'Answers PONG, or the message.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['fast'],
  tips: ['request_policy:all_shards', 'response_policy:all_succeeded'],
  whileSubscribed: true,
  tellsHealth: true,
  reply: 'simple | bulk',

  run(call) {
    const { args, reply, session } = call
    if (args.count > 2) throw PING_ARITY
    if (session.subscriptionCount > 0 && session.protocol === 2) pingSubscriber(call)
    else if (args.count === 1) reply.rawBytes(PONG)
    else reply.bulk(args.bytes, args.offsets[1], args.lengths[1])
  },
})

/** A subscriber that speaks RESP2 is answered with an array, as with all that comes to it. */
function pingSubscriber({ args, reply }: Call): void {
  reply.array(2)
  reply.bulkText('pong')
  if (args.count === 1) reply.bulkText('')
  else reply.bulk(args.bytes, args.offsets[1], args.lengths[1])
}

export const echoCommand = command({
  name: 'ECHO',
  usage: 'message',
  summary: 'Answers the message.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['loading', 'stale', 'fast'],
  reply: 'bulk',

  run(call) {
    const { args, reply } = call
    reply.bulk(args.bytes, args.offsets[1], args.lengths[1])
  },
})

export const selectCommand = command({
  name: 'SELECT',
  usage: 'index',
  summary: 'Makes another database the one of this connection.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['loading', 'stale', 'fast'],
  reply: 'ok',

  run(call) {
    const index = call.args.integer(1)
    if (index > INT_MAX || index < -INT_MAX - 1) throw DB_OUT_OF_RANGE
    if (call.server.cluster.enabled && index !== 0) throw SELECT_IN_CLUSTER
    if (index < 0 || index >= call.keyspace.dbs.length) throw INVALID_DB_INDEX

    call.session.dbIndex = index
    call.reply.ok()
  },
})

export const quitCommand = command({
  name: 'QUIT',
  usage: '',
  summary: 'Closes the connection.',
  since: '1.0.0',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
  arity: -1,
  whileSubscribed: true,
  inTransaction: 'ends',
  reply: 'ok',

  run(call) {
    call.reply.ok()
    call.server.clients.closeAfterReply(call.session)
  },
})

export const resetCommand = command({
  name: 'RESET',
  usage: '',
  summary: 'Makes the connection as it was when it was new.',
  since: '6.2.0',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale', 'fast', 'no_auth', 'allow_busy'],
  whileSubscribed: true,
  inTransaction: 'ends',
  reply: 'simple',

  run(call) {
    call.server.clients.reset(call.session)
    call.reply.simple('RESET')
  },
})
