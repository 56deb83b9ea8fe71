/**
 * MULTI, EXEC, DISCARD: the ends of a transaction.
 *
 * Thread: core.
 * Owns: nothing.
 * Never: is queued.
 */
import { command } from '../../command/command.ts'
import { CommandError } from '../../engine/errors.ts'

const NESTED = new CommandError('ERR MULTI calls can not be nested')
const EXEC_ALONE = new CommandError('ERR EXEC without MULTI')
const DISCARD_ALONE = new CommandError('ERR DISCARD without MULTI')
const ABORTED = new CommandError('EXECABORT Transaction discarded because of previous errors.')

export const multiCommand = command({
  name: 'MULTI',
  usage: '',
  summary: 'Queues the calls that follow, up to EXEC.',
  since: '1.2.0',
  complexity: 'O(1)',
  flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
  inTransaction: 'runs',
  reply: 'ok',

  run({ session, server, reply }) {
    if (session.queue !== undefined) throw NESTED
    server.transactions.begin(session)
    reply.ok()
  },
})

export const execCommand = command({
  name: 'EXEC',
  usage: '',
  summary: 'Runs the queued calls in a row, unless a watched key has changed.',
  since: '1.2.0',
  complexity: 'Depends on commands in the transaction',
  flags: ['noscript', 'loading', 'stale', 'skip_slowlog'],
  inTransaction: 'executes',
  reply: 'array | nil array',

  run(call) {
    const { session, server, reply } = call
    const { transactions } = server
    const { queue } = session
    if (queue === undefined) throw EXEC_ALONE
    if (queue.broken) {
      transactions.discard(session)
      throw ABORTED
    }
    if (session.stale || transactions.watches.hasExpired(session)) {
      transactions.discard(session)
      reply.nilArray()
      return
    }
    transactions.execute(call, queue)
  },
})

export const discardCommand = command({
  name: 'DISCARD',
  usage: '',
  summary: 'Forgets the queued calls and the watched keys.',
  since: '2.0.0',
  complexity: 'O(N), when N is the number of queued commands',
  flags: ['noscript', 'loading', 'stale', 'fast', 'allow_busy'],
  inTransaction: 'ends',
  reply: 'ok',

  run({ session, server, reply }) {
    if (session.queue === undefined) throw DISCARD_ALONE
    server.transactions.discard(session)
    reply.ok()
  },
})
